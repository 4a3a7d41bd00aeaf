"""Bytes as a source of decisions: what the fuzzer makes up, read from its beginning.

Every tape means something, and a small change to one is a small change to what it means; so a
fuzzer that knows nothing of requests can look for interesting ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

#: What parsers have been seen to take for something else.
TOKENS = (
    *(b"", b" ", b"\t", b",", b", ", b";", b"=", b"&", b"+", b"%", b"%2", b"%zz", b"%2F", b"%2f"),
    *(
        b"/",
        b"//",
        b"/./",
        b"/../",
        b"..",
        b"%2e%2e",
        b"%00",
        b"\0",
        b"\r\n",
        b"\r\n x",
        b"\n",
        b"#",
    ),
    *(
        b"?",
        b"\\",
        b"\xff",
        b"\xa0",
        b"\x85",
        b"\xc3\xa9",
        b"\xe2\x82",
        b"\x7f",
        b"_",
        b"-",
        b"*",
        b"a" * 70,
    ),
    *(b"AWS4-HMAC-SHA256", b"AWS4-ECDSA-P256-SHA256", b"AWS", b"Basic dTpw", b"Bearer x"),
    *(
        b"Credential=",
        b"SignedHeaders=",
        b"Signature=",
        b"host",
        b"host;x-amz-date",
        b"host;",
        b";host",
    ),
    *(b"X-Amz-Algorithm", b"X-Amz-Credential", b"X-Amz-Date", b"X-Amz-Expires", b"X-Amz-Signature"),
    *(b"X-Amz-SignedHeaders", b"X-Amz-Security-Token", b"X-Amz-S3session-Token"),
    *(
        b"X-Amz-Content-Sha256",
        b"x-amz-content-sha256",
        b"x-amz-signature",
        b"x-amz-acl",
        b"X_AMZ_ACL",
    ),
    *(b"&X-Amz-Signature=", b"&x-amz-date=", b"AWSAccessKeyId", b"authorization", b"content-type"),
    *(
        b"UNSIGNED-PAYLOAD",
        b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        b"STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    ),
    *(b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", b"0" * 64, b"F" * 64),
    *(b"AKIAIOSFODNN7EXAMPLE", b"AKIDEXAMPLE", b"20261121", b"us-east-1", b"aws4_request"),
    *(
        b"20261121T204220Z",
        b"20261121T204221Z",
        b"20261322T000000Z",
        b"00000000T000000Z",
        b"20261121T204260Z",
    ),
    *(
        b"Sat, 21 Nov 2026 20:42:20 GMT",
        b"Saturday, 21-Nov-26 20:42:20 GMT",
        b"Sat Nov 21 20:42:20 2026",
    ),
    *(
        b"Sat, 31 Feb 2026 20:42:20 GMT",
        b"Sat, 21 Nov 2026 20:42:20 -0000",
        b"21 Nov 2026 20:42:20 +0000",
    ),
    *(b"0", b"1", b"60", b"604800", b"604801", b"-1", b"+5", b"1_0", b"1e3", b"9" * 30, b"0" * 6),
    *("٦٠".encode(), b"example.com", b"example.com:443", b"EXAMPLE.COM", b"evil.example", b"[::1]"),
    *(
        b"chunked",
        b"gzip, chunked",
        b"identity",
        b"GET",
        b"get",
        b"POST",
        b"CONNECT",
        b"http://example.com",
    ),
)


class Tape:
    """Reads decisions from bytes; past their end every decision is the first one."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self._at >= len(self._data)

    def byte(self) -> int:
        """Return the next byte."""
        if self.ended:
            return 0
        self._at += 1
        return self._data[self._at - 1]

    def number(self) -> int:
        """Return a number of sixteen bits."""
        return self.byte() * 256 + self.byte()

    def pick(self, among: Sequence[T]) -> T:
        """Return one of *among*, of which there are no more than 256."""
        return among[self.byte() % len(among)]

    def text(self) -> bytes:
        """Return something to put where it does not belong: words, raw bytes, or a lot of one."""
        kind = self.byte()
        if kind < 160:
            return self.pick(TOKENS)
        if kind < 200:
            return self.pick(TOKENS) + self.pick(TOKENS)
        if kind < 204:
            return self.pick(TOKENS) * (self.number() % 2000)
        length = self.byte() % 12
        raw = self._data[self._at : self._at + length]
        self._at += length
        return raw
