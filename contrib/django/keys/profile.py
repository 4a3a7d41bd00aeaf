"""A new key as the text that goes into ``~/.aws/credentials``."""

from __future__ import annotations

from django.utils.text import slugify

from wsgi_sigv4.contrib.django.keys.issuing import Issued


def credentials_text(issued: Issued) -> str:
    """Return the section for ``~/.aws/credentials``, the secret in clear."""
    return (
        f"[{profile_name(issued)}]\n"
        f"aws_access_key_id = {issued.key.access_key_id}\n"
        f"aws_secret_access_key = {issued.secret.reveal()}\n"
    )


def profile_name(issued: Issued) -> str:
    """Return a name for the profile: that of the owner, as far as it is letters and digits."""
    return slugify(str(issued.key.owner.get_username())) or issued.key.access_key_id.lower()
