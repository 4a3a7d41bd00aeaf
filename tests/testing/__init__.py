"""Floor 6: signing in a user's own tests, held against botocore and awscrt."""
