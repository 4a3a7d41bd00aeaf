"""The client programs: each sends what its client can send, and prints a line for each exchange.

A program runs in an environment that has its client, with the URL of the server as its one
argument. It may not import the package under test, which is not there.
"""
