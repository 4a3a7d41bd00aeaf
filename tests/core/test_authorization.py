"""Rules 1 and 2: which authorization a request carries, and how it is read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.messages import Message
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import TIMESTAMP
from wsgi_sigv4 import errors
from wsgi_sigv4.authorization import Authorization
from wsgi_sigv4.authorization import find_authorization
from wsgi_sigv4.authorization import unsupported_scheme
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.request import parse_query

CREDENTIAL = f"{ACCESS_KEY_ID}/20261121/us-east-1/items/aws4_request"
SIGNATURE = "0123456789abcdef" * 4
HEADER = f"AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders=host, Signature={SIGNATURE}"
QUERY = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": CREDENTIAL,
    "X-Amz-Date": TIMESTAMP,
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": SIGNATURE,
}


def find(message: Message) -> Authorization | None:
    """Return the authorization of *message*."""
    request = message.request()
    return find_authorization(request, parse_query(request.query))


def told(message: Message) -> dict[str, object]:
    """Return all that the authorization of *message* says."""
    found = find(message)
    says = {name: getattr(found, name) for name in Authorization.__slots__}
    return says | {"credential": str(says["credential"])}


def with_header(value: str | bytes, target: str = "/") -> Message:
    """Return a request with *value* as its Authorization."""
    return Message.of(target=target).with_extra_header("Authorization", value)


def with_query(**changes: str | None) -> Message:
    """Return a request with a presigned query; underscores in *changes* are hyphens."""
    parameters = QUERY | {name.replace("_", "-"): value for name, value in changes.items()}
    query = "&".join(f"{name}={value}" for name, value in parameters.items() if value is not None)
    return Message.of(target=f"/?{query}")


def refusal(message: Message) -> SigV4Error:
    """Return why *message* is refused."""
    with pytest.raises(SigV4Error) as refused:
        find(message)
    return refused.value


def test_header_form() -> None:
    """The header is read part by part."""
    assert told(with_header(HEADER)) == {
        "algorithm": "AWS4-HMAC-SHA256",
        "credential": CREDENTIAL,
        "signed_headers": ("host",),
        "signature": SIGNATURE.encode(),
        "presigned": False,
        "date": None,
        "expires": None,
        "session_token": None,
        "content_sha256": None,
    }


def test_presigned_form() -> None:
    """The query is read parameter by parameter."""
    message = with_query(
        X_Amz_Expires="60",
        X_Amz_Security_Token="a%2Bb",
        X_Amz_Content_Sha256="UNSIGNED-PAYLOAD",
        X_Amz_SignedHeaders="host%3Bx-a",
        x_id="GetObject",
    )
    assert told(message) == {
        "algorithm": "AWS4-HMAC-SHA256",
        "credential": CREDENTIAL,
        "signed_headers": ("host", "x-a"),
        "signature": SIGNATURE.encode(),
        "presigned": True,
        "date": TIMESTAMP,
        "expires": "60",
        "session_token": b"a+b",
        "content_sha256": b"UNSIGNED-PAYLOAD",
    }


def test_presigned_text_beyond_ascii() -> None:
    """Text that is not ASCII is read as text that no rule takes for anything else."""
    found = find(with_query(X_Amz_Date="%ff", X_Amz_Expires="%d9%a0"))
    assert found is not None
    assert (found.date, found.expires) == ("\\xff", "\\xd9\\xa0")


def test_optional_parameters() -> None:
    """A presigned URL needs no more than five parameters."""
    found = find(with_query())
    assert found is not None
    assert (found.expires, found.session_token, found.content_sha256) == (None, None, None)


def test_parameters_in_the_query_of_the_header_form() -> None:
    """The header form takes token and payload hash from the query, where they are signed too."""
    found = find(
        with_header(HEADER, "/?X-Amz-Security-Token=t&X-Amz-Content-Sha256=h&X-Amz-Date=d")
    )
    assert found is not None
    assert (found.session_token, found.content_sha256) == (b"t", b"h")
    assert (found.presigned, found.date, found.expires) == (False, None, None)


def test_other_parameters_of_the_header_form() -> None:
    """What the header form does not read may stand in the query as often as it likes."""
    target = "/?X-Amz-Date=a&X-Amz-Date=b&x-amz-credential=c"
    assert told(with_header(HEADER, target)) == told(with_header(HEADER))


def test_token_of_s3_express() -> None:
    """S3 Express's name for the token is one, in both forms."""
    for message in (
        with_query(X_Amz_S3session_Token="t"),
        with_header(HEADER, "/?X-Amz-S3session-Token=t"),
    ):
        found = find(message)
        assert found is not None
        assert found.session_token == b"t"


@pytest.mark.parametrize(
    "text",
    [
        "Signature={s}, SignedHeaders=host, Credential={c}",
        "Credential={c},SignedHeaders=host,Signature={s}",
        "  SignedHeaders=host\t,\tSignature={s} ,Credential={c}",
    ],
)
def test_header_spelling(text: str) -> None:
    """T28: the parts may come in any order, with and without blanks around the commas."""
    header = "AWS4-HMAC-SHA256 " + text.format(s=SIGNATURE, c=CREDENTIAL)
    assert told(with_header(header)) == told(with_header(HEADER))


@pytest.mark.parametrize(
    ("header", "error", "facts"),
    [
        pytest.param(
            HEADER.replace("SHA256 ", "SHA256x "),
            "UnsupportedAlgorithm",
            {"algorithm": "AWS4-HMAC-SHA256x"},
            id="T27 longer",
        ),
        pytest.param(
            HEADER.replace("SHA256 ", "SHA512 "),
            "UnsupportedAlgorithm",
            {"algorithm": "AWS4-HMAC-SHA512"},
            id="T27 SHA-512",
        ),
        pytest.param(
            HEADER.replace(" ", "\t", 1),
            "UnsupportedAlgorithm",
            {"algorithm": f"AWS4-HMAC-SHA256\tCredential={CREDENTIAL},"[:64]},
            id="T27 a tab after it",
        ),
        pytest.param(
            HEADER.replace("HMAC", "ECDSA-P256"),
            "AlgorithmNotImplemented",
            {"algorithm": "AWS4-ECDSA-P256-SHA256"},
            id="T27 SigV4A",
        ),
        pytest.param(
            HEADER.replace("AWS4-HMAC-SHA256", "aws4-hmac-sha256"),
            "UnsupportedAuthorization",
            {"scheme": "aws4-hmac-sha256", "has_parameters": True},
            id="T27, T41 lower case",
        ),
        pytest.param(
            "," + HEADER,
            "UnsupportedAuthorization",
            {"scheme": "", "has_parameters": True},
            id="an empty header joined before it",
        ),
        pytest.param(
            "Basic eDp5," + HEADER,
            "UnsupportedAuthorization",
            {"scheme": "Basic", "has_parameters": True},
            id="T28 another header joined before it",
        ),
        pytest.param(
            f"AWS {ACCESS_KEY_ID}:frJIUN8DYpKDtOLCwo//yllqDzg=",
            "UnsupportedAuthorization",
            {"scheme": "AWS", "has_parameters": True},
            id="T41 Signature Version 2",
        ),
        pytest.param(
            "AWS3-HTTPS",
            "UnsupportedAuthorization",
            {"scheme": "", "has_parameters": False},
            id="T41 Signature Version 3",
        ),
        pytest.param(
            "aws4-\xff" + "x" * 99,
            "UnsupportedAuthorization",
            {"scheme": "", "has_parameters": False},
            id="no ASCII",
        ),
        pytest.param(
            "AWS4-HMAC-SHA256",
            "MissingParameters",
            {"names": ("Credential", "SignedHeaders", "Signature")},
            id="the algorithm alone",
        ),
        pytest.param(
            HEADER + "," + HEADER,
            "MalformedAuthorization",
            {"part": "AWS4-HMAC-SHA256 Credential"},
            id="T28 two headers joined",
        ),
        pytest.param(
            HEADER + ", Basic eDp5",
            "MalformedAuthorization",
            {"part": "Basic eDp5"},
            id="T28 another header joined after it",
        ),
        pytest.param(HEADER + ",", "MalformedAuthorization", {"part": ""}, id="comma at the end"),
        pytest.param(
            HEADER.replace(", ", "; "),
            "MissingParameters",
            {"names": ("SignedHeaders", "Signature")},
            id="semicolons",
        ),
        pytest.param(
            HEADER + ", Region=x", "MalformedAuthorization", {"part": "Region"}, id="unknown part"
        ),
        pytest.param(
            HEADER.replace("Credential=", "XCredential="),
            "MalformedAuthorization",
            {"part": "XCredential"},
            id="letter before a part",
        ),
        pytest.param(
            HEADER.replace("Credential=", "\x0bCredential="),
            "MalformedAuthorization",
            {"part": "\x0bCredential"},
            id="blank of another kind before a part",
        ),
        pytest.param(
            HEADER.replace("Signature=", "signature="),
            "MalformedAuthorization",
            {"part": "signature"},
            id="part in lower case",
        ),
        pytest.param(
            HEADER.replace("Signature=", "Signature"),
            "MalformedAuthorization",
            {"part": "Signature" + SIGNATURE[:55]},
            id="part without =",
        ),
        pytest.param(
            HEADER.replace("Signature=", "Signature =").replace("Headers =", "Headers="),
            "MalformedAuthorization",
            {"part": "Signature "},
            id="blank before =",
        ),
        pytest.param(
            HEADER.replace("SignedHeaders=", "\xe9="),
            "MalformedAuthorization",
            {"part": "\\xc3\\xa9"},
            id="part beyond ASCII",
        ),
        pytest.param(
            HEADER + f", Signature={SIGNATURE}",
            "DuplicateParameter",
            {"name": "Signature"},
            id="part twice",
        ),
        pytest.param(
            HEADER + ", Credential=",
            "DuplicateParameter",
            {"name": "Credential"},
            id="twice, empty",
        ),
        pytest.param(
            "AWS4-HMAC-SHA256 SignedHeaders=host",
            "MissingParameters",
            {"names": ("Credential", "Signature")},
            id="parts missing",
        ),
        pytest.param(
            HEADER.replace(SIGNATURE, ""),
            "MissingParameters",
            {"names": ("Signature",)},
            id="T26 empty signature",
        ),
        pytest.param(
            HEADER.replace("=host", "="),
            "MissingParameters",
            {"names": ("SignedHeaders",)},
            id="empty list",
        ),
        pytest.param(
            HEADER.replace(CREDENTIAL, "x"),
            "MalformedCredential",
            {"credential": "x", "date": None},
            id="credential",
        ),
        pytest.param(
            HEADER.replace(CREDENTIAL, "\xe9" * 300),
            "MalformedCredential",
            {"credential": ("\\xc3\\xa9" * 300)[:512]},
            id="credential beyond ASCII",
        ),
    ],
)
def test_header_refused(header: str, error: str, facts: dict[str, Any]) -> None:
    """Rule 2: the header has exactly one form; each fault in it is named."""
    refused = refusal(with_header(header))
    assert type(refused).__name__ == error
    assert {name: getattr(refused, name) for name in facts} == facts
    assert refused.presigned is False


@pytest.mark.parametrize(
    ("changes", "error", "facts"),
    [
        pytest.param(
            {"X_Amz_Algorithm": "AWS4-HMAC-SHA256x"},
            "UnsupportedAlgorithm",
            {"algorithm": "AWS4-HMAC-SHA256x"},
            id="T27 longer",
        ),
        pytest.param(
            {"X_Amz_Algorithm": "aws4-hmac-sha256"},
            "UnsupportedAlgorithm",
            {"algorithm": "aws4-hmac-sha256"},
            id="T27 lower case",
        ),
        pytest.param(
            {"X_Amz_Algorithm": "%ff" * 99, "X_Amz_Date": None},
            "UnsupportedAlgorithm",
            {"algorithm": "\\xff" * 16},
            id="T27 no ASCII",
        ),
        pytest.param(
            {"X_Amz_Algorithm": "AWS4-ECDSA-P256-SHA256", "X_Amz_Region_Set": "*"},
            "AlgorithmNotImplemented",
            {"algorithm": "AWS4-ECDSA-P256-SHA256"},
            id="T27 SigV4A",
        ),
        *(
            pytest.param(
                {name.replace("-", "_"): value}, "MissingParameters", {"names": (name,)}, id=label
            )
            for name in QUERY
            for value, label in ((None, f"{name} missing"), ("", f"{name} empty"))
        ),
        pytest.param(
            {"X_Amz_Date": None, "X_Amz_Credential": ""},
            "MissingParameters",
            {"names": ("X-Amz-Credential", "X-Amz-Date")},
            id="two missing",
        ),
        pytest.param(
            {"X_Amz_Credential": "x"}, "MalformedCredential", {"credential": "x"}, id="credential"
        ),
        pytest.param(
            {"X_Amz_Credential": f"/{CREDENTIAL}"},
            "MalformedCredential",
            {"credential": f"/{CREDENTIAL}"},
            id="six parts",
        ),
    ],
)
def test_query_refused(changes: dict[str, str | None], error: str, facts: dict[str, Any]) -> None:
    """Rule 2: each fault of a presigned query is named, and judged as one of that form."""
    refused = refusal(with_query(**changes))
    assert type(refused).__name__ == error
    assert {name: getattr(refused, name) for name in facts} == facts
    assert refused.presigned is True


@pytest.mark.parametrize(
    "name",
    [
        *QUERY,
        "X-Amz-Expires",
        "X-Amz-Content-Sha256",
        "X-Amz-Security-Token",
        "X-Amz-S3session-Token",
    ],
)
@pytest.mark.parametrize("values", [("60", "60"), ("60", ""), ("60", "61")])
def test_duplicate_parameter(name: str, values: tuple[str, str]) -> None:
    """T28, T29: a parameter of the authorization that stands twice is refused, even if equal."""
    message = with_query(**{name.replace("-", "_"): None})
    for value in values:
        message = message.with_parameter(f"{name}={value}".encode())
    refused = refusal(message)
    assert isinstance(refused, errors.DuplicateParameter)
    assert (refused.name, refused.presigned) == (name, True)


def test_duplicate_parameter_by_another_spelling() -> None:
    """T29: a name spelt with an escape is that name."""
    refused = refusal(with_query().with_parameter(b"%58-Amz-Date=20261121T213000Z"))
    assert isinstance(refused, errors.DuplicateParameter)
    assert refused.name == "X-Amz-Date"


def test_two_names_of_the_token() -> None:
    """T20: the token under both of its names is refused."""
    for message in (
        with_query(X_Amz_Security_Token="t", X_Amz_S3session_Token="t"),
        with_header(HEADER, "/?X-Amz-Security-Token=t&X-Amz-S3session-Token=t"),
    ):
        refused = refusal(message)
        assert isinstance(refused, errors.DuplicateParameter)
        assert refused.name == "X-Amz-Security-Token"


@pytest.mark.parametrize("name", ["X-Amz-Content-Sha256", "X-Amz-Security-Token"])
def test_duplicate_parameter_beside_the_header(name: str) -> None:
    """T29: what the header form reads from the query may not stand there twice either."""
    refused = refusal(with_header(HEADER, f"/?{name}=a&{name}=a"))
    assert isinstance(refused, errors.DuplicateParameter)
    assert (refused.name, refused.presigned) == (name, False)


@pytest.mark.parametrize("header", [HEADER, "Basic eDp5", "Bearer x", "x", ""])
@pytest.mark.parametrize(
    "parameter",
    [
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "X-Amz-Signature=" + SIGNATURE,
        "X-Amz-Signature",
        "X-Amz-Credential=" + CREDENTIAL,
        "X-Amz-SignedHeaders=host",
        "%58-Amz-Signature=x",
    ],
)
def test_both_forms(header: str, parameter: str) -> None:
    """T28: any Authorization beside any part of a presigned query is one too many (rule 1)."""
    assert isinstance(
        refusal(with_header(header, f"/?a=1&{parameter}")), errors.AmbiguousAuthentication
    )


MALFORMED_LISTS = [
    *("HOST", "Host", "host;", ";host", "host;;x-a", "x-a;host", "host;host", "host; x-a"),
    *("host;x_a", "host;x-\u00e9", "host;x a", "host;x/a", "host,x-a", "host\nx"),
]


@pytest.mark.parametrize("text", MALFORMED_LISTS)
def test_malformed_list(text: str) -> None:
    """Rule 7: the list of signed headers is sorted, unique and lower-case, of names alone."""
    listed = "".join(f"%{byte:02x}" for byte in text.encode())
    messages = {True: with_query(X_Amz_SignedHeaders=listed)}
    if not {",", "\n"} & set(text):
        # In the header form the list would end there.
        messages[False] = with_header(HEADER.replace("=host", "=" + text))
    for presigned, message in messages.items():
        refused = refusal(message)
        assert isinstance(refused, errors.MalformedSignedHeaders)
        assert refused.signed_headers == text.encode().decode("ascii", "backslashreplace")
        assert refused.presigned is presigned


def test_malformed_list_is_cut() -> None:
    """An endless list is not carried along whole."""
    refused = refusal(with_query(X_Amz_SignedHeaders="A" * 300))
    assert isinstance(refused, errors.MalformedSignedHeaders)
    assert refused.signed_headers == "A" * 256


def test_names_of_every_allowed_character() -> None:
    """Every character of a header name but the underscore may stand in the list."""
    names = ("!#$%&'*+.^`|~", "0-9", "host", "x-amz-meta-a.b")
    found = find(with_header(HEADER.replace("=host", "=" + ";".join(names))))
    assert found is not None
    assert found.signed_headers == names


@pytest.mark.parametrize("signature", ["\xff" * 64, "a" * 63, "A" * 64, "x", "a" * 128, "a b"])
def test_odd_signature_is_carried(signature: str) -> None:
    """T26: a signature that is there is no matter of form; rule 10 refuses it."""
    found = find(with_header(HEADER.replace(SIGNATURE, signature)))
    assert found is not None
    assert found.signature == signature.encode()


@pytest.mark.parametrize(
    "message",
    [
        Message.of(),
        with_header("Basic eDp5"),
        with_header("Bearer abc.def"),
        with_header("Digest username=x"),
        with_header(""),
        Message.of(target="/?Signature=x&Expires=1&algorithm=AWS4-HMAC-SHA256"),
        Message.of(target="/?X-Amz-Meta=1&Amz-Date=2&xX-Amz-Signature=3"),
        Message.of(headers={"X-Amzn-Trace-Id": "x", "X-Amz-Cf-Id": "y", "X-Amz-User-Agent": "z"}),
    ],
)
def test_anonymous(message: Message) -> None:
    """A request with no trace of an AWS signature has no authorization, and is no attempt."""
    assert find(message) is None


TRACES = [
    *(name.lower() for name in QUERY),
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-s3session-token",
    "x-amz-content-sha256",
    "x-amz-decoded-content-length",
    "x-amz-trailer",
    "x-amz-region-set",
    "awsaccesskeyid",
]


@pytest.mark.parametrize("name", TRACES)
def test_trace_is_an_attempt(name: str) -> None:
    """T41: any trace of a signature, in any case, in a header or the query, is an attempt."""
    messages = [
        Message.of(headers={name: "x"}),
        Message.of(headers={name.upper(): ""}),
        Message.of(target=f"/?a=1&{name}=x"),
        Message.of(target=f"/?{name.upper()}"),
        with_header("Basic eDp5").with_extra_header(name, "x"),
    ]
    for message in messages:
        assert isinstance(refusal(message), errors.MissingAuthentication)


@pytest.mark.parametrize(
    "name", ["X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires"]
)
def test_part_of_a_query_is_an_attempt(name: str) -> None:
    """T41: a presigned query that has lost its algorithm and signature is still an attempt."""
    assert isinstance(refusal(Message.of(target=f"/?{name}=x")), errors.MissingAuthentication)


@pytest.mark.parametrize("name", ["X-Amz-Algorithm", "X-Amz-Signature"])
def test_rest_of_a_query(name: str) -> None:
    """T4: algorithm or signature alone make a presigned query, and its parts are missed."""
    refused = refusal(Message.of(target=f"/?{name}={QUERY[name]}"))
    assert isinstance(refused, errors.MissingParameters)
    assert refused.names == tuple(
        part
        for part in (
            "X-Amz-Algorithm",
            "X-Amz-Credential",
            "X-Amz-Date",
            "X-Amz-SignedHeaders",
            "X-Amz-Signature",
        )
        if part != name
    )


@pytest.mark.parametrize(
    ("header", "error", "facts"),
    [
        (None, "MissingAuthentication", {}),
        ("Basic eDp5", "UnsupportedAuthorization", {"scheme": "Basic", "has_parameters": True}),
        ("token", "UnsupportedAuthorization", {"scheme": "", "has_parameters": False}),
        ("SCRAM-SHA-256 x", "UnsupportedAuthorization", {"scheme": "SCRAM-SHA-256"}),
        ("A" * 24 + " x", "UnsupportedAuthorization", {"scheme": "A" * 24}),
        ("A" * 25 + " x", "UnsupportedAuthorization", {"scheme": "", "has_parameters": True}),
        ("c2VjcmV0= x", "UnsupportedAuthorization", {"scheme": "", "has_parameters": True}),
        ("1234 x", "UnsupportedAuthorization", {"scheme": "", "has_parameters": True}),
        ("", "UnsupportedAuthorization", {"scheme": "", "has_parameters": False}),
    ],
)
def test_unsupported_scheme(header: str | None, error: str, facts: dict[str, Any]) -> None:
    """A request that is not signed but must be is told which scheme it came with."""
    message = Message.of() if header is None else with_header(header)
    refused = unsupported_scheme(message.request())
    assert type(refused).__name__ == error
    assert {name: getattr(refused, name) for name in facts} == facts


def test_signer_of_the_tests_is_read() -> None:
    """What the tests' signer writes is read as what it meant."""
    for message, presigned in (
        (GENERIC_SIGNER.sign(Message.of()), False),
        (GENERIC_SIGNER.presign(Message.of()), True),
    ):
        found = find(message)
        assert found is not None
        assert str(found.credential) == CREDENTIAL
        assert found.presigned is presigned


@pytest.mark.parametrize("blank", [b"\x0b", b"\x0c", b"X", b"\x85"])
def test_part_is_trimmed_of_space_and_tab_alone(blank: bytes) -> None:
    """Whatever else stands before a part's name makes it another name."""
    value = HEADER.encode().replace(b", Signed", b", " + blank + b"Signed")
    with pytest.raises(errors.MalformedAuthorization):
        find(with_header(value))
    assert find(with_header(HEADER.replace(", Signed", ",\t Signed"))) is not None


def test_date_in_the_query_that_is_not_ascii() -> None:
    """It is kept readable, for rule 4 to refuse."""
    found = find(with_query(**{"X-Amz-Date": "%FF"}))
    assert found is not None
    assert found.date == "\\xff"


def test_header_form_reads_its_own_parameters_alone() -> None:
    """A date in the query is a parameter like any other there, and may stand twice."""
    found = find(with_header(HEADER, "/?X-Amz-Date=1&X-Amz-Date=2"))
    assert found is not None
    assert (found.presigned, found.date) == (False, None)
