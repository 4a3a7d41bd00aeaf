"""A refusal as an HTTP answer: one refusal, three renderings.

What is said stands in :mod:`wsgi_sigv4.s3_reasons` and
:mod:`wsgi_sigv4.aws_reasons`; here is how. S3 has its own
form, and the other services differ by protocol:

* S3: ``<Error>`` in XML, without a namespace.
* a form (the query protocol): ``<ErrorResponse>`` in XML.
* ``application/x-amz-json-*``: ``__type`` and ``message``.
* everything else: ``x-amzn-ErrorType`` and ``message`` (rest-json).

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Callable
from collections.abc import Iterable
from email.utils import formatdate
from functools import cache
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING
from typing import Final
from typing import NamedTuple

from wsgi_sigv4.aws_reasons import JSON_NAMES
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.errors import SignatureMismatch
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.profiles import ErrorFormat
from wsgi_sigv4.reason import Reason
from wsgi_sigv4.reasons import reason as reason
from wsgi_sigv4.redaction import redacted
from wsgi_sigv4.verifier import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: Bytes of the canonical request that an answer may show.
MAX_EVIDENCE: Final = 16 * 1024

#: The content types of the JSON protocols, which an answer repeats. Nothing
#: else that a client sends may stand in the headers of an answer.
_JSON_TYPE: Final = r"application/x-amz-json-1\.[01]"

#: XML 1.0 cannot say these at all, not even escaped.
# Compiled when one is needed: that takes long.
_NOT_XML: Final = "[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
_TO_JSON: Final = json.JSONEncoder().encode

_Headers = tuple[tuple[str, str], ...]
_Evidence = tuple[tuple[str, bytes], ...]


class Answer(NamedTuple):
    """An HTTP answer to a refused request.

    Attributes:
        status: the status code.
        headers: names and values, Content-Length among them (for HEAD that of
            the body that GET would get).
        body: the bytes; empty for HEAD.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def status_line(self) -> str:
        """The code and its reason phrase, as WSGI wants them."""
        return _status_line(self.status)


@cache
def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


def render(
    error: SigV4Error,
    *,
    error_format: ErrorFormat,
    method: str = "GET",
    content_type: str = "",
    explain: bool = False,
) -> Answer:
    """Return the answer to a request that was refused with *error*.

    Args:
        error: the refusal.
        error_format: S3's, or that of the other services.
        method: the method of the request; HEAD gets no body.
        content_type: that of the request; it selects the protocol of the other
            services.
        explain: show what the server canonicalised, where the signature did
            not match.
    """
    found = reason(error, error_format)
    request_id = os.urandom(8).hex().upper()
    evidence = _evidence(error) if explain else ()
    if error_format is ErrorFormat.S3:
        kind, headers, body = _s3(found, evidence, request_id)
    else:
        kind, headers, body = _aws(found, evidence, request_id, content_type.lower())
    if isinstance(error, CredentialsUnavailable):
        headers = (*headers, ("Retry-After", str(error.retry_after)))
    data = body.encode()
    return Answer(
        status=found.status,
        headers=(
            ("Content-Type", kind),
            ("Content-Length", str(len(data))),
            # A cache must neither keep a refusal nor serve it to others.
            ("Cache-Control", "no-store"),
            ("Vary", "Authorization"),
            *headers,
        ),
        body=b"" if method == "HEAD" else data,
    )


def answer_to(
    refusal: SigV4Error,
    environ: WSGIEnvironment,
    verifier: Verifier,
    *,
    explain: bool = False,
    render_refusal: Callable[[SigV4Error, WSGIEnvironment], Answer] | None = None,
) -> Answer:
    """Return the answer to the request of *environ*, which *verifier* refused.

    Args:
        refusal: the reason.
        environ: the environ of the request.
        verifier: the verifier, whose profile for the service selects the rendering.
        explain: show what the server canonicalised, where the signature did not match.
        render_refusal: makes the answer; None: AWS's own.
    """
    if render_refusal is not None:
        answer = render_refusal(refusal, environ)
    else:
        answer = render(
            refusal,
            error_format=verifier.profile(refusal.service).error_format,
            method=environ.get("REQUEST_METHOD", "GET"),
            content_type=environ.get("CONTENT_TYPE", ""),
            explain=explain,
        )
    if "uwsgi.version" not in environ:
        return answer
    # SDKs correct their clock by this; every other server of WSGI adds its own.
    return answer._replace(headers=(*answer.headers, ("Date", formatdate(usegmt=True))))


def _s3(found: Reason, evidence: _Evidence, request_id: str) -> tuple[str, _Headers, str]:
    host_id = secrets.token_urlsafe(32)
    elements = (
        ("Code", found.code),
        ("Message", found.message),
        *found.details,
        *((name, _readable(data)) for name, data in evidence),
        *((f"{name}Bytes", data.hex(" ")) for name, data in evidence),
        ("RequestId", request_id),
        ("HostId", host_id),
    )
    headers: _Headers = (("x-amz-request-id", request_id), ("x-amz-id-2", host_id))
    # botocore looks for the right region here where HEAD has no body.
    headers += tuple(("x-amz-bucket-region", v) for k, v in found.details if k == "Region")
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{_xml(elements)}</Error>'
    return "application/xml", headers, body


def _aws(
    found: Reason, evidence: _Evidence, request_id: str, content_type: str
) -> tuple[str, _Headers, str]:
    message = found.message + "".join(
        f"\n\nThe {name} for this request should have been\n'{_readable(data)}'"
        for name, data in evidence
    )
    headers: _Headers = (("x-amzn-RequestId", request_id),)
    if content_type.startswith("application/x-www-form-urlencoded"):
        kind = "Receiver" if found.status >= 500 else "Sender"
        error = _xml((("Type", kind), ("Code", found.code), ("Message", message)))
        body = (
            f"<ErrorResponse><Error>{error}</Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return "text/xml", headers, body
    code = JSON_NAMES.get(found.code, found.code)
    if content_type.startswith("application/x-amz-json-"):
        body = _TO_JSON({"__type": code, "message": message})
        known = re.match(_JSON_TYPE, content_type)
        return known[0] if known else "application/x-amz-json-1.1", headers, body
    headers += (("x-amzn-ErrorType", code),)
    return "application/json", headers, f'{{"message": {_TO_JSON(message)}}}'


def _xml(elements: Iterable[tuple[str, str]]) -> str:
    text = "".join([f"<{name}>{escape(value, quote=False)}</{name}>" for name, value in elements])
    return re.sub(_NOT_XML, "?", text)


def _evidence(error: SigV4Error) -> _Evidence:
    found = error.evidence if isinstance(error, SignatureMismatch) else None
    if found is None:
        return ()
    return (
        ("StringToSign", found.string_to_sign[:MAX_EVIDENCE]),
        ("CanonicalRequest", redacted(found.canonical_request)[:MAX_EVIDENCE]),
    )


def _readable(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
