"""Whatever a file holds, the readers raise their own error alone."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from tests.command.files import RECORDINGS
from wsgi_sigv4 import Credentials
from wsgi_sigv4.command.botocore_log import canonical_request_in
from wsgi_sigv4.command.faults import UnreadableInput
from wsgi_sigv4.command.inputs import READERS
from wsgi_sigv4.command.inputs import Chosen
from wsgi_sigv4.command.inputs import find_format
from wsgi_sigv4.command.judging import Server
from wsgi_sigv4.command.judging import judge
from wsgi_sigv4.command.keys import Keys
from wsgi_sigv4.command.saved import SavedRequest

KEYS = Keys(credentials={"AKIAIOSFODNN7EXAMPLE": Credentials("secret")})
TRACE = (RECORDINGS / "curl-7.88.trace").read_bytes()
LOG = (
    b"2026 botocore.endpoint [DEBUG] Making request for X with params: {'body': b'a\\x00'}\n"
    b"2026 botocore.auth [DEBUG] CanonicalRequest:\nGET\n/\n\nhost:a\n\nhost\nUNSIGNED-PAYLOAD\n"
    b"2026 botocore.endpoint [DEBUG] Sending http request: <AWSPreparedRequest "
    b"stream_output=False, method=GET, url=http://a/b?c, headers={'A': b'b', 'C': 'd'}>\n"
)
RAW = b"PUT /a?b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            *(
                TRACE[:400],
                TRACE[300:],
                LOG,
                LOG[:250],
                RAW,
                RAW[40:],
                b"\r\n",
                b"\n\n",
                b"{",
                b"}",
            ),
            *(b"=> Send data, 99999999 bytes (0x1)\n", b"0000: ", b"CanonicalRequest:\n"),
            *(b"GET / HTTP/1.1\n", b"Authorization: AWS4-HMAC-SHA256 Credential=a/1/b/c/d\n"),
        ]
    ),
)
JSON = st.recursive(
    st.none()
    | st.integers()
    | st.text(max_size=9)
    | st.sampled_from(["GET", "http://a/", "é\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("method", "url", "headers", "name", "value", "postData", "text"),
                    *("encoding", "bodySize", "params"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


def read_all(data: bytes) -> None:
    """Have every reader read *data*, and judge what they find."""
    find_format(data)
    canonical_request_in(data)
    for name, reader in READERS.items():
        try:
            for entry, found in enumerate(reader(data), 1):
                if isinstance(found, SavedRequest):
                    judge(
                        Chosen(saved=found, format=name, entry=entry), Server(keys=KEYS)
                    ).as_dict()
        except UnreadableInput:
            pass


@settings(max_examples=80, deadline=None)
@given(st.lists(PIECES, max_size=8).map(b"".join))
def test_bytes(data: bytes) -> None:
    """Bytes of any kind are a request or none, and nothing else."""
    read_all(data)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2000), st.integers(0, 200), st.binary(max_size=9))
def test_changed_files(at: int, length: int, new: bytes) -> None:
    """Good files with a piece changed are a request or none."""
    for good in (TRACE, LOG, RAW):
        place = at % len(good)
        read_all(good[:place] + new + good[place + length :])


@settings(max_examples=80, deadline=None)
@given(st.lists(JSON, max_size=3))
def test_har_of_any_shape(requests: list[object]) -> None:
    """HAR files of any shape are requests or none."""
    read_all(json.dumps({"log": {"entries": [{"request": r} for r in requests]}}).encode())
