"""What must never be shown, looked for in all that an explanation shows."""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import quote

from tests.core.messages import Message
from tests.core.oracles import TOKEN
from tests.core.signing import SECRET
from tests.explain.clients import Client
from wsgi_sigv4.explain import Explanation

COOKIE = "session=c0ffee-c0ffee-c0ffee"


def texts(explanation: Explanation) -> str:
    """Return all that *explanation* ever shows."""
    shown = [
        explanation.as_text(),
        json.dumps(explanation.as_dict()),
        repr(explanation),
        (explanation.canonical_request or b"").decode("latin-1"),
        (explanation.string_to_sign or b"").decode("latin-1"),
    ]
    return "\n".join(shown)


def signatures(client: Client, message: Message, explanation: Explanation) -> list[str]:
    """Return the signature that was sent, and the one that the server calculated."""
    sent = (message.header("authorization") or message.query).rpartition(b"Signature=")[2]
    key = b"AWS4" + SECRET.encode()
    found = [key.hex(), sent.decode()[:64]]
    if explanation.string_to_sign is not None:
        for part in explanation.string_to_sign.split(b"\n")[2].split(b"/"):
            key = hmac.new(key, part, hashlib.sha256).digest()
        found += [key.hex(), hmac.new(key, explanation.string_to_sign, hashlib.sha256).hexdigest()]
    return found


def leaks(client: Client, message: Message, explanation: Explanation) -> list[str]:
    """Return the secrets of *client* and its *message* that *explanation* shows."""
    secrets = [SECRET, quote(SECRET, safe=""), TOKEN, quote(TOKEN, safe=""), COOKIE]
    if client.secret is not None:
        secrets.append(client.secret)
    shown = texts(explanation)
    secrets += signatures(client, message, explanation)
    return [secret for secret in secrets if secret in shown]
