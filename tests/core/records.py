"""The corpus: requests of real clients, byte for byte as they were sent."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from tests.core.messages import Message
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.verifier import Verifier

CORPUS = Path(__file__).parents[1] / "corpus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One signed request of a real client.

    Attributes:
        id: its number, which the tables of the tests use.
        title: client and case.
        expected: "accept" where an independent checker reproduced the signature, else "unknown".
        auth_mode: "header", "query" or "post-form".
        streaming: True where the body is framed as aws-chunked.
        now: POSIX seconds of the moment it was signed.
    """

    id: str
    title: str
    expected: str
    auth_mode: str
    streaming: bool
    region: str
    service: str
    access_key_id: str
    secret_access_key: str
    session_token: str | None
    now: int
    message: Message

    def verifier(self, **parameters: Any) -> Verifier:
        """Return a verifier that knows this record's key alone, for its region and service."""
        source = {
            self.access_key_id: Credentials(
                self.secret_access_key, session_token=self.session_token
            )
        }
        # A region set ("us-east-1,eu-*") is SigV4A's.
        region = self.region if self.region.isascii() and "*" not in self.region else None
        defaults: dict[str, Any] = {"region": region, "service": self.service}
        return Verifier(source, **(defaults | parameters))


@cache
def records() -> tuple[Record, ...]:
    """Return every record of the corpus, by id."""
    lines = (
        line for path in CORPUS.glob("*.jsonl") for line in path.read_text("utf-8").splitlines()
    )
    return tuple(sorted((_record(json.loads(line)) for line in lines), key=lambda r: r.id))


def _record(entry: dict[str, Any]) -> Record:
    # One record has a date that its client got wrong, and so none here.
    signed_at = datetime.strptime(entry["signed_at"] or "20261121T000000Z", "%Y%m%dT%H%M%SZ")
    return Record(
        id=entry["id"],
        title=f"{entry['client']}: {entry['what']}",
        expected=entry["expected"],
        auth_mode=entry["auth_mode"],
        streaming=entry["payload_mode"].startswith("STREAMING-"),
        region=entry["region"],
        service=entry["service"],
        access_key_id=entry["access_key_id"],
        secret_access_key=entry["secret_access_key"],
        session_token=entry["session_token"],
        now=int(signed_at.replace(tzinfo=UTC).timestamp()),
        message=_message(base64.b64decode(entry["raw_base64"])),
    )


def _message(raw: bytes) -> Message:
    head, _, body = raw.partition(b"\r\n\r\n")
    request_line, *lines = head.split(b"\r\n")
    method, target, _ = request_line.split(b" ")
    if not target.startswith(b"/"):
        # The absolute form, as to a proxy: http://host:port/path
        target = b"/" + target.split(b"/", 3)[3]
    path, _, query = target.partition(b"?")
    headers = []
    for line in lines:
        name, _, value = line.partition(b":")
        headers.append((name, value.strip(b" \t")))
    if (b"transfer-encoding", b"chunked") in {(n.lower(), v.lower()) for n, v in headers}:
        body = _unchunked(body)
    return Message(
        method=method.decode(), path=path, query=query, headers=tuple(headers), body=body
    )


def _unchunked(rest: bytes) -> bytes:
    body = b""
    while True:
        line, _, rest = rest.partition(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        if size == 0:
            return body
        body += rest[:size]
        assert rest[size : size + 2] == b"\r\n"
        rest = rest[size + 2 :]
