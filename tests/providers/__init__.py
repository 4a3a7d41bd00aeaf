"""Credential providers, on their own and with a verifier."""
