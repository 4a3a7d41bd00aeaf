"""Floors 4-6: the environ, the body, the refusals, the middleware and the testing module."""
