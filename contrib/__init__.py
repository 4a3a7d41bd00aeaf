"""Skins for web frameworks, installed as `wsgi_sigv4.contrib`; import them by name."""
