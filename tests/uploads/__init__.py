"""The bucket of the examples under gunicorn, as S3's clients use it, crash on it and attack it."""
