"""The documentation and the examples, run."""
