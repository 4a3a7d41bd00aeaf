"""The tests: one folder for each floor of the package, and one each for what the floors meet."""
