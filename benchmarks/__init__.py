"""What a verification costs, beside the cryptography that it cannot do without."""
