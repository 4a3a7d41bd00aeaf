"""One small API three times, for Flask, Django and plain WSGI; and a bucket for S3's clients."""
