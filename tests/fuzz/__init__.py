"""Structured garbage: what no client sends, made of what clients do send."""
