"""Django: settings, middleware, decorators and system checks."""
