"""The explanation of refusals."""
