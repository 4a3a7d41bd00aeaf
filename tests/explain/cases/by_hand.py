"""Cases that need no server: recorded clients, and clients with a fault built into botocore.

Of a recorded client the request stands in tests/corpus, byte for byte; the others are the cases
of the tests of the engine. All of them are explained at the moment they were signed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.core.records import records
from tests.explain.clients import request_of
from tests.explain.distortion import distorted
from tests.explain.distortions import DISTORTIONS
from tests.explain.refusal_cases import CASES
from wsgi_sigv4.explain import Explanation
from wsgi_sigv4.explain import explain


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A request that is explained as it was kept.

    Attributes:
        cause: what is found.
        how: how the case is made, for the page.
        explain: explains it.
    """

    cause: str
    how: str
    explain: Callable[[], Explanation]


def _recorded(number: str) -> Callable[[], Explanation]:
    def explained() -> Explanation:
        (record,) = (record for record in records() if record.id == number)
        message = record.message
        return explain(request_of(message), record.verifier(), body=message.body, now=record.now)

    return explained


def _faulty(cause: str) -> Callable[[], Explanation]:
    def explained() -> Explanation:
        distortion = next(d for d in DISTORTIONS if d.causes[0] == cause)
        client, arrived = distorted((distortion,), random.Random(1))
        return client.explain(arrived)

    return explained


def _refused(cause: str) -> Callable[[], Explanation]:
    def explained() -> Explanation:
        return next(case for case in CASES if case.causes == cause).explain()

    return explained


#: By the cause: the number of the record, and which client made it.
_RECORDED = {
    "path-plus": ("0762", "recorded: aws4 for S3, a + in the path"),
    "query-repeated": ("0778", "recorded: aws4 for S3, a parameter twice"),
    "query-empty-items": ("0228", "recorded: botocore, a raw URL with &&"),
    "token-unsigned": ("2051", "recorded: awscrt with omit_session_token"),
    "no-date": ("0827", "recorded: aws4 for CodeCommit"),
}
#: By the cause: what botocore is made to do wrong, or what is done to what it signed.
_FAULTY = {
    "path-left-out": "botocore, made to sign `/` for the path",
    "query-sorting": "botocore, made to sort whole items instead of names",
    "query-empty-values": "botocore, made to drop empty parameters, as `urllib.parse.parse_qs`",
    "query-encoded-twice": "botocore, made to encode the query twice",
    "query-left-out": "botocore, made to sign no query",
    "method-case": "botocore, made to sign the method in small letters",
    "header-content-length": "botocore: Content-Length 0 signed, and the body set later",
    "header-joined": "botocore; altered as gateways do: a blank behind each comma of a list",
    "header-blanks": "botocore, made to sign blanks as they stand",
    "header-case": "botocore, made to sign a value in small letters",
    "header-charset": "botocore; altered as gateways do: UTF-8 is written as latin-1",
    "header-quotes": "botocore; altered as gateways do: a value is put into quotes",
    "token-header-unsigned": "botocore, made to leave the value of the token's header out",
    "payload-unsigned": "botocore, made to sign UNSIGNED-PAYLOAD, and not to send it",
    "payload-left-out": "botocore, made to end the canonical request with nothing",
    "payload-streaming": "botocore, made to sign a streaming form, and not to send it",
    "body-line-ends": "botocore; altered as a copy in text mode does: LF is CRLF",
    "body-compressed": "botocore; altered as HTTP libraries do that compress behind the signer",
    "body-charset": "botocore; altered as a gateway does: UTF-8 is written as latin-1",
    "scope-service": "botocore, made to derive the key for another service",
    "scope-region": "botocore, made to derive the key for another region",
    "scope-date": "botocore, made to keep the key of the day before",
    "time-form": "botocore, made to sign the time without its Z",
}
#: Likewise, of what another rule refuses; signed by a signer of the tests.
_REFUSED = {
    "algorithm": "altered: AWS4-HMAC-SHA1 in the Authorization header",
    "host-not-signed": "a signer that signs X-Amz-Date only",
    "clock-time-zone": "a clock that is three hours behind",
    "clock-off": "a clock that is some minutes behind",
    "link-expired": "a presigned URL of 60 s, two hours later",
    "wrong-scope-date": "a signer with the day before in its credential",
    "wrong-terminator": "a signer that ends the credential with aws5_request",
    "token-not-signed": "altered: X-Amz-Security-Token added after signing",
    "conflicting-values": "a signer with another payload hash in the query than in the header",
    "not-chunked": "a signer that announces a streaming form, and sends a plain body",
}

KEPT = (
    *(Kept(cause=c, how=how, explain=_recorded(n)) for c, (n, how) in _RECORDED.items()),
    *(Kept(cause=cause, how=how, explain=_faulty(cause)) for cause, how in _FAULTY.items()),
    *(Kept(cause=cause, how=how, explain=_refused(cause)) for cause, how in _REFUSED.items()),
)
