"""One small API three times: as a Flask app, a Django project and a plain WSGI application."""
