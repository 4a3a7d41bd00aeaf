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
from wsgi_sigv4.encoding import is_signature
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.errors import SignatureMismatch
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.profiles import ErrorFormat
from wsgi_sigv4.reason import Reason
from wsgi_sigv4.reasons import reason
from wsgi_sigv4.redaction import redacted
from wsgi_sigv4.verifier import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from wsgi_sigv4.explain.explanation import Finding
    from wsgi_sigv4.explain.telling import Explained

#: Bytes of the canonical request that an answer may show, and of the whole answer then.
MAX_EVIDENCE: Final = 16 * 1024
MAX_EXPLAINED: Final = 64 * 1024

#: The content types of the JSON protocols, which an answer repeats. Nothing
#: else that a client sends may stand in the headers of an answer.
_JSON_TYPE: Final = r"application/x-amz-json-1\.[01]"

#: XML 1.0 cannot say these at all, not even escaped.
# Compiled when one is needed: that takes long.
_NOT_XML: Final = "[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
_TO_JSON: Final = json.JSONEncoder().encode

_Headers = tuple[tuple[str, str], ...]
_Evidence = tuple[tuple[str, bytes], ...]
_Rendered = tuple[str, _Headers, str]


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
    finding: Finding | None = None,
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
        finding: what is wrong with the request, as the client may be told; or None.
    """
    found = reason(error, error_format)
    request_id = os.urandom(8).hex().upper()
    is_s3 = error_format is ErrorFormat.S3
    if explain:
        kind, headers, body = _explained(
            error, found, finding, request_id, None if is_s3 else content_type.lower()
        )
    elif is_s3:
        kind, headers, body = _s3(found, (), None, request_id)
    else:
        kind, headers, body = _aws(found, (), None, request_id, content_type.lower())
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
            # A browser may be told the same as a page.
            ("Vary", "Authorization, Accept" if explain else "Authorization"),
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
    explained: Explained | None = None,
    render_refusal: Callable[[SigV4Error, WSGIEnvironment], Answer] | None = None,
) -> Answer:
    """Return the answer to the request of *environ*, which *verifier* refused.

    Args:
        refusal: the reason.
        environ: the environ of the request.
        verifier: the verifier, whose profile for the service selects the rendering.
        explain: show what the server canonicalised, where the signature did not match.
        explained: why it was refused, or None where nobody has looked for that.
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
            finding=None if explained is None else explained.told.finding,
        )
        if explained is not None:
            answer = _for_browser(answer, refusal, environ, verifier, explained)
    if "uwsgi.version" not in environ:
        return answer
    # SDKs correct their clock by this; every other server of WSGI adds its own.
    return answer._replace(headers=(*answer.headers, ("Date", formatdate(usegmt=True))))


def _for_browser(
    answer: Answer,
    refusal: SigV4Error,
    environ: WSGIEnvironment,
    verifier: Verifier,
    explained: Explained,
) -> Answer:
    """Return *answer*, as a page where a browser asks for one."""
    from wsgi_sigv4.refusal_page import as_page
    from wsgi_sigv4.refusal_page import wants_page

    if not wants_page(environ):
        return answer
    found = reason(refusal, verifier.profile(refusal.service).error_format)
    kept = [pair for pair in answer.headers if pair[0] not in ("Content-Type", "Content-Length")]
    headers, body = as_page(found, explained.told, limit=MAX_EXPLAINED)
    is_head = environ.get("REQUEST_METHOD") == "HEAD"
    return answer._replace(headers=(*headers, *kept), body=b"" if is_head else body)


def _explained(
    error: SigV4Error,
    found: Reason,
    finding: Finding | None,
    request_id: str,
    content_type: str | None,
) -> _Rendered:
    """Return what shows as much of the evidence as an answer has room for; no type: S3's."""
    limit = MAX_EVIDENCE
    while True:
        evidence = _evidence(error, limit)
        if content_type is None:
            answer = _s3(found, evidence, finding, request_id)
        else:
            answer = _aws(found, evidence, finding, request_id, content_type)
        if len(answer[2]) <= MAX_EXPLAINED or not limit:
            return answer
        limit //= 2


def _finding_elements(finding: Finding | None) -> tuple[tuple[str, str], ...]:
    if finding is None:
        return ()
    causes = (("Cause", ", ".join(finding.causes)),) if finding.causes else ()
    return (*causes, ("Finding", finding.summary), ("Remedy", finding.remedy))


def _s3(found: Reason, evidence: _Evidence, finding: Finding | None, request_id: str) -> _Rendered:
    host_id = secrets.token_urlsafe(32)
    elements = (
        ("Code", found.code),
        ("Message", found.message),
        *found.details,
        *_finding_elements(finding),
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
    found: Reason,
    evidence: _Evidence,
    finding: Finding | None,
    request_id: str,
    content_type: str,
) -> _Rendered:
    message = found.message + "".join(
        f"\n\nThe {name} for this request should have been\n'{_readable(data)}'"
        for name, data in evidence
    )
    headers: _Headers = (("x-amzn-RequestId", request_id),)
    if content_type.startswith("application/x-www-form-urlencoded"):
        kind = "Receiver" if found.status >= 500 else "Sender"
        told = _finding_elements(finding)
        error = _xml((("Type", kind), ("Code", found.code), ("Message", message), *told))
        body = (
            f"<ErrorResponse><Error>{error}</Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return "text/xml", headers, body
    code = JSON_NAMES.get(found.code, found.code)
    told_json = _members(evidence, finding) if evidence or finding is not None else {}
    if content_type.startswith("application/x-amz-json-"):
        body = _TO_JSON({"__type": code, "message": message, **told_json})
        known = re.match(_JSON_TYPE, content_type)
        return known[0] if known else "application/x-amz-json-1.1", headers, body
    headers += (("x-amzn-ErrorType", code),)
    if told_json:
        return "application/json", headers, _TO_JSON({"message": message, **told_json})
    return "application/json", headers, f'{{"message": {_TO_JSON(message)}}}'


def _members(evidence: _Evidence, finding: Finding | None) -> dict[str, object]:
    """Return what stands beside the message in JSON, where an SDK looks for nothing."""
    members: dict[str, object] = {
        name[0].lower() + name[1:]: _readable(data) for name, data in evidence
    }
    if finding is not None:
        members["explanation"] = finding.as_dict()
    return members


def _xml(elements: Iterable[tuple[str, str]]) -> str:
    text = "".join([f"<{name}>{escape(value, quote=False)}</{name}>" for name, value in elements])
    return re.sub(_NOT_XML, "?", text)


def _evidence(error: SigV4Error, limit: int) -> _Evidence:
    """Return *limit* bytes of each of what the client should have signed."""
    if not isinstance(error, SignatureMismatch) or (found := error.evidence) is None:
        return ()
    request = redacted(found.canonical_request)
    if is_signature(signature := error.signature.encode()):
        # It may be the right one for what was meant, and stand anywhere.
        request = request.replace(signature, b"...")
    return (
        ("StringToSign", found.string_to_sign[:limit]),
        ("CanonicalRequest", request[:limit]),
    )


def _readable(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
