"""Bodies whose hash was signed, and that arrived as others: what was done to them is named."""

from __future__ import annotations

import codecs
import gzip
import zlib
from dataclasses import replace
from typing import Any

import pytest

from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import sha256
from tests.explain.refusal_case import Case
from tests.explain.refusal_case import with_hash

BODY = b"first line\nsecond line\n"


def changed(cause: str, party: str, says: str, signed: bytes, sent: bytes) -> Any:
    """Return a case of a body that is not the one whose hash was signed."""
    return pytest.param(cause, party, says, signed, sent, id=f"{cause}: {says}: {sent[:12]!a}")


BODIES = [
    changed("body-empty", "client", "an empty body", b"", BODY),
    changed("body-newline", "client", "last line end", BODY[:-1], BODY),
    changed("body-newline", "client", "a line end more", BODY + b"\n", BODY),
    changed("body-newline", "client", "without line endings", b"ab", b"a\nb\n"),
    changed("body-newline", "client", "without blanks around", b"ab", b" \nab\t"),
    changed("body-bom", "client", "without its BOM", BODY, codecs.BOM_UTF8 + BODY),
    changed("body-bom", "client", "with a BOM", codecs.BOM_UTF8 + BODY, BODY),
    changed("body-line-ends", "client", "LF", BODY, BODY.replace(b"\n", b"\r\n")),
    changed("body-line-ends", "client", "CRLF", BODY.replace(b"\n", b"\r\n"), BODY),
    changed("body-compressed", "proxy", "compressed", BODY, gzip.compress(BODY, mtime=0)),
    changed("body-charset", "client", "character set", "é".encode(), b"\xe9"),
    changed("body-charset", "client", "character set", b"\xe9", "é".encode()),
    changed("body-form-blanks", "client", "blanks", b"a=b+c", b"a=b%20c"),
    changed("body-json", "client", "JSON", b'{"a":1}', b'{ "a": 1 }'),
    changed("body-json", "client", "JSON", b'{\n  "a": 1\n}', b'{"a":1}'),
    changed("body-changed", "proxy", "was signed", b"one", b"another"),
    changed("body-changed", "proxy", "was signed", b"one", b"{no JSON}"),
    changed("body-changed", "proxy", "was signed", b"one", "€".encode()),
]


@pytest.mark.parametrize(("cause", "party", "says", "signed", "sent"), BODIES)
def test_change_of_a_body(cause: str, party: str, says: str, signed: bytes, sent: bytes) -> None:
    """The body whose hash x-amz-content-sha256 has is told, where it can be made out."""
    message = replace(with_hash(sha256(signed)), body=sent)
    case = Case(cause, "", 11, says, lambda: GENERIC_SIGNER.sign(message))
    explanation = case.explain()
    finding = explanation.finding
    assert finding is not None
    assert (finding.causes, finding.party) == ((cause,), party)
    assert says in finding.summary
    assert [c.number for c in explanation.checks if c.status == "failed"] == [11]


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"{" * 5000, id="deep JSON"),
        pytest.param(b"[1, ", id="broken JSON"),
        pytest.param(gzip.compress(b"a" * 5_000_000, mtime=0), id="compressed bomb"),
        pytest.param(zlib.compress(b"other"), id="other zlib"),
        pytest.param(b"x" * (1024 * 1024 + 1), id="too large"),
        pytest.param(b"\n" * (256 * 1024 + 1), id="too large to be written again"),
        pytest.param(b"[" + b"1," * 40_000 + b"1]", id="too large to be read as JSON"),
    ],
)
def test_body_that_cannot_be_made_out(sent: bytes) -> None:
    """A body that is broken, packed without bounds or large is told to be another one, no more."""
    message = replace(with_hash(sha256(b"signed")), body=sent)
    finding = Case("", "", 11, "", lambda: GENERIC_SIGNER.sign(message)).explain().finding
    assert finding is not None
    assert finding.causes == ("body-changed",)
