"""Real clients, sending to a server on loopback."""
