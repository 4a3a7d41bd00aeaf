"""Signed requests as bytes, to be sent in part, in odd spellings, or over and over."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from urllib.parse import quote
from urllib.parse import unquote_to_bytes

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.core import uploads
from tests.core.messages import Message
from tests.core.signing import S3_SIGNER
from tests.servers.wire import Answer
from tests.servers.wire import Sending
from tests.servers.wire import exchange
from tests.uploads.running import ACCESS_KEY_ID
from tests.uploads.running import BUCKET
from tests.uploads.running import REGION
from tests.uploads.running import SECRET
from tests.uploads.running import Served

CHUNK = 64 * 1024


def signed(
    server: Served, method: str, target: str, body: bytes = b"", *, as_spelt: bool = False
) -> Sending:
    """Return a request that botocore signs: as S3 reads *target*, or just *as_spelt*."""
    path, mark, query = target.partition("?")
    spelt = path if as_spelt else quote(unquote_to_bytes(path), safe="/~")
    url = f"{server.url}{spelt}{mark}{query}"
    request = AWSRequest(method=method, url=url, data=body, headers={"Host": server.host})
    S3SigV4Auth(Credentials(ACCESS_KEY_ID, SECRET), "s3", REGION).add_auth(request)
    return sending(method, target, dict(request.headers.items()), body)


def sending(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Sending:
    """Return the bytes of a request."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{n}: {v}" for n, v in headers.items())]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return Sending(head="\r\n".join(lines).encode(), body=body, method=method)


def ask(server: Served, method: str, target: str, body: bytes = b"") -> Answer:
    """Return the answer to a signed request."""
    return exchange(server.port, signed(server, method, target, body))


def send_and_die(server: Served, request: Sending, sent: int, *, reset: bool) -> None:
    """Send the head of a request and *sent* bytes of its body, and then end, or *reset*, it all."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(request.head + request.body[:sent])
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _hash(server: Served, key: str, data: bytes) -> Sending:
    return signed(server, "PUT", f"/{BUCKET}/{key}", data)


def _chunked(form: str, size: int) -> Callable[[Served, str, bytes], Sending]:
    def upload(server: Served, key: str, data: bytes) -> Sending:
        timestamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        message: Message = uploads.upload(
            *(data[at : at + size] for at in range(0, len(data), size)),
            form=form,
            headers={"Host": server.host},
            signer=replace(S3_SIGNER, timestamp=timestamp, date=timestamp[:8]),
            target=f"/{BUCKET}/{key}",
        )
        headers = {name.decode(): value.decode() for name, value in message.headers}
        return sending("PUT", f"/{BUCKET}/{key}", headers, message.body)

    return upload


#: The ways to send a body, each a function of server, key and body.
FORMS: dict[str, Callable[[Served, str, bytes], Sending]] = {
    "hash": _hash,
    "signed-chunks": _chunked(uploads.SIGNED, CHUNK),
    "one-signed-chunk": _chunked(uploads.SIGNED, 1024**3),
    "signed-trailer": _chunked(uploads.SIGNED_TRAILER, CHUNK),
    "unsigned-trailer": _chunked(uploads.UNSIGNED_TRAILER, CHUNK),
}
