"""The examples, run as their docstrings say."""
