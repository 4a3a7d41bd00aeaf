"""How each client sends the body of an upload, as the tests see it and docs/bucket.md tells it."""

from __future__ import annotations

HASH = "hash"
UNSIGNED = "UNSIGNED-PAYLOAD"
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

#: By what is run and the scheme: what x-amz-content-sha256 says, a hash being just that.
SENT = {
    ("boto3", "http"): HASH,
    ("boto3", "https"): UNSIGNED_TRAILER,
    ("boto3, `payload_signing_enabled`", "https"): UNSIGNED_TRAILER,
    ("boto3, checksums `when_required`, `payload_signing_enabled`", "https"): HASH,
    ("boto3, checksums `when_required`, no `payload_signing_enabled`", "https"): UNSIGNED,
    ("awscrt's S3 client, a checksum", "http"): UNSIGNED_TRAILER,
    ("awscrt's S3 client, a checksum", "https"): UNSIGNED_TRAILER,
    ("awscrt's S3 client, no checksum", "http"): UNSIGNED,
    ("awscrt's S3 client, no checksum", "https"): UNSIGNED,
    ("AWS CLI 1", "http"): HASH,
    ("AWS CLI 1", "https"): UNSIGNED_TRAILER,
    ("minio-py", "http"): HASH,
    ("minio-py", "https"): UNSIGNED,
    ("s3cmd", "http"): HASH,
    ("restic", "http"): SIGNED_CHUNKS,
    ("rclone", "http"): UNSIGNED,
    ("rclone", "https"): UNSIGNED,
    ("rclone, in parts", "http"): HASH,
    ("rclone, in parts", "https"): HASH,
}
