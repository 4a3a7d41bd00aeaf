"""What a verification costs, beside the cryptography that it cannot do without.

``python -m benchmarks`` runs every part, ``python -m benchmarks streaming memory`` those named;
``--quick`` is for the tests, which see to it that the scripts still run: its figures say nothing.
"""
