"""Floors 0-3: the rules, without WSGI and without I/O."""
