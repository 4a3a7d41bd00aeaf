"""Requests as files hold them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.core.messages import Message
from wsgi_sigv4.command.faults import UnreadableInput
from wsgi_sigv4.command.saved import Found
from wsgi_sigv4.command.saved import SavedRequest

RECORDINGS = Path(__file__).parent / "recordings"
Write = Callable[[bytes], Path]


def raw(message: Message) -> bytes:
    """Return *message* as it stands on the wire."""
    target = message.path + (b"?" + message.query if message.query else b"")
    lines = [f"{message.method} ".encode() + target + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in message.headers]
    return b"\r\n".join([*lines, b"", message.body])


def har_request(message: Message) -> dict[str, Any]:
    """Return *message* as the request of an entry, as Chrome writes one that went by HTTP/2."""
    target = (message.path + (b"?" + message.query if message.query else b"")).decode()
    host = (message.header("host") or b"").decode()
    pseudo = {
        ":authority": host,
        ":method": message.method,
        ":path": target,
        ":scheme": "https",
    }
    kept = [(n.decode(), v.decode()) for n, v in message.headers if n.lower() != b"host"]
    made: dict[str, Any] = {
        "method": message.method,
        "url": f"https://{host}{target}",
        "httpVersion": "http/2.0",
        "headers": [{"name": n, "value": v} for n, v in [*pseudo.items(), *kept]],
        "queryString": [],
        "cookies": [],
        "headersSize": -1,
        "bodySize": len(message.body),
    }
    if message.body:
        text = base64.b64encode(message.body).decode()
        made["postData"] = {"mimeType": "", "text": text, "encoding": "base64"}
    return made


def har(*requests: object) -> bytes:
    """Return a HAR file of *requests*."""
    entries = [{"request": request, "response": {}} for request in requests]
    return json.dumps({"log": {"version": "1.2", "entries": entries}}).encode()


def good(found: Found) -> SavedRequest:
    """Return what was found, which is a request."""
    assert isinstance(found, SavedRequest)
    return found


def fault(found: Found) -> str:
    """Return why what was found is no request."""
    assert isinstance(found, UnreadableInput)
    return str(found)
