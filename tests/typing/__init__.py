"""The public API written out for type checkers; never run."""
