"""The Django skin."""
