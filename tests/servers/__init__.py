"""Real WSGI and ASGI servers, started on loopback and spoken to over sockets."""
