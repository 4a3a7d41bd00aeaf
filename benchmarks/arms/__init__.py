"""The verifiers that are compared, each in a process, and maybe an environment, of its own."""
