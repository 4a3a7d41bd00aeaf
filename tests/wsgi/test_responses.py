"""What a refused request is told: each reason, in each rendering, as botocore reads it."""

from __future__ import annotations

import errno
import json
import logging
import tempfile
import threading
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.parsers
import pytest
from botocore.awsrequest import HeadersDict
from botocore.config import Config
from botocore.exceptions import ClientError
from werkzeug.serving import make_server

from tests.core.messages import Message
from tests.wsgi.calls import Answer
from tests.wsgi.calls import Application
from tests.wsgi.calls import call
from tests.wsgi.clients import NOW
from tests.wsgi.clients import SECRET
from tests.wsgi.clients import SESSION_TOKEN
from tests.wsgi.clients import verifier
from tests.wsgi.inputs import Broken
from tests.wsgi.refusals import CASES
from tests.wsgi.refusals import Case
from tests.wsgi.refusals import lookup
from tests.wsgi.servers import GUNICORN
from tests.wsgi.servers import WSGIREF
from tests.wsgi.servers import environ_of
from wsgi_sigv4 import SigV4Error
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4 import errors
from wsgi_sigv4.aws_reasons import AWS_REASONS
from wsgi_sigv4.profiles import ErrorFormat
from wsgi_sigv4.reasons import reason
from wsgi_sigv4.responses import render
from wsgi_sigv4.s3_reasons import S3_REASONS

FORM = "application/x-www-form-urlencoded; charset=utf-8"
JSON = "application/x-amz-json-1.0"

cases = pytest.mark.parametrize("case", CASES, ids=str)


def leaves() -> Iterator[type[SigV4Error]]:
    """Yield each reason to refuse a request that the package knows."""
    for kind in vars(errors).values():
        # Not __subclasses__: skins make classes of their own from these.
        if isinstance(kind, type) and issubclass(kind, SigV4Error) and kind is not SigV4Error:
            yield kind


def refused(case: Case, *, s3: bool, content_type: str = "", method: str = "") -> Answer:
    """Return the answer to the request of *case*."""
    app = Application()
    parameters: dict[str, Any] = {
        "credentials": lookup,
        "region": "us-east-1",
        "service": "s3" if s3 else "items",
        "clock": lambda: NOW,
    }
    verifier = Verifier(**(parameters | dict(case.verifier)))
    middleware = SigV4Middleware(app, verifier, **case.options)
    message = case.sent(s3)
    # Under wsgiref nobody knows the end of a chunked body.
    server = WSGIREF if case.leaf == "LengthRequired" else GUNICORN
    environ = environ_of(message, server) | dict(case.environ)
    if content_type:
        environ["CONTENT_TYPE"] = content_type
    if method:
        environ["REQUEST_METHOD"] = method
    with pytest.MonkeyPatch.context() as patch:
        if case.full_disk:
            patch.setattr(tempfile, "TemporaryFile", no_room)
        answer = call(middleware, environ)
    assert not app.called
    return answer


def no_room(**_: object) -> Any:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, "No space left on device")


def parsed(answer: Answer, protocol: str) -> dict[str, Any]:
    """Return the error that botocore's parser of *protocol* finds in *answer*."""
    parser: Any = botocore.parsers.create_parser(protocol)
    response = {
        "status_code": answer.status,
        "headers": HeadersDict(answer.headers),
        "body": answer.body,
    }
    error: dict[str, Any] = parser.parse(response, None)["Error"]
    return error


def in_full(case: Case, told: tuple[int, str, str], *, s3: bool) -> tuple[int, str, str]:
    """Return what is *told*, with the service of the request."""
    status, code, message = told
    return (
        status,
        code,
        message.replace("SERVICE'", "s3'" if s3 else "items'").replace(
            "/SERVICE/", "/s3/" if s3 else "/items/"
        ),
    )


@cases
def test_s3_answer_of_each_reason(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    """S3: code, status, message and elements are those of AWS, as botocore reads them."""
    answer = refused(case, s3=True)
    error = parsed(answer, "rest-xml")
    assert (answer.status, error["Code"], error["Message"]) == case.s3
    assert {name: error.get(name) for name in case.details} == case.details
    assert answer.header("Content-Type") == "application/xml"
    assert [getattr(record, "sigv4_reason") for record in caplog.records] == [case.leaf]  # noqa: B009
    root = ElementTree.fromstring(answer.body)
    assert root.tag == "Error"
    names = [element.tag for element in root]
    assert names[:2] == ["Code", "Message"]
    assert names[-2:] == ["RequestId", "HostId"]
    assert root.findtext("RequestId") == answer.header("x-amz-request-id")
    assert root.findtext("HostId") == answer.header("x-amz-id-2")
    assert answer.header("x-amz-bucket-region") == case.details.get("Region")


@cases
def test_query_answer_of_each_reason(case: Case) -> None:
    """A form is answered in the XML of the query protocol."""
    answer = refused(case, s3=False, content_type=FORM)
    error = parsed(answer, "query")
    assert (answer.status, error["Code"], error["Message"]) == in_full(case, case.aws, s3=False)
    assert error["Type"] == ("Receiver" if answer.status >= 500 else "Sender")
    assert answer.header("Content-Type") == "text/xml"
    root = ElementTree.fromstring(answer.body)
    assert root.tag == "ErrorResponse"
    assert root.findtext("RequestId") == answer.header("x-amzn-RequestId")


@cases
def test_json_answer_of_each_reason(case: Case) -> None:
    """application/x-amz-json-* is answered in kind, with the names that JSON services use."""
    answer = refused(case, s3=False, content_type=JSON)
    error = parsed(answer, "json")
    status, code, message = in_full(case, case.aws, s3=False)
    expected = (status, case.json_code or code, message)
    assert (answer.status, error["Code"], error["Message"]) == expected
    assert json.loads(answer.body).keys() == {"__type", "message"}
    assert answer.header("Content-Type") == JSON


@cases
def test_rest_json_answer_of_each_reason(case: Case) -> None:
    """Everything else is answered as rest-json: the code in a header, the message in the body."""
    answer = refused(case, s3=False)
    error = parsed(answer, "rest-json")
    status, code, message = in_full(case, case.aws, s3=False)
    expected = (status, case.json_code or code, message)
    assert (answer.status, error["Code"], error["Message"]) == expected
    assert answer.header("x-amzn-ErrorType") == expected[1]
    assert json.loads(answer.body) == {"message": message}
    assert answer.header("Content-Type") == "application/json"


@cases
@pytest.mark.parametrize("s3", [True, False], ids=["s3", "generic"])
def test_answers_and_logs_hold_no_secret(
    case: Case, s3: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """No answer and no record holds a secret, a session token or a right signature (T24, T49)."""
    with caplog.at_level(logging.DEBUG):
        answer = refused(case, s3=s3)
    said = f"{answer.headers} {answer.text} {caplog.text}"
    said += "".join(repr(vars(record)) for record in caplog.records)
    for secret in (SECRET, SESSION_TOKEN, "secret-token"):
        assert secret not in said
    if case.leaf not in ("SignatureMismatch", "PayloadHashMismatch"):
        message = case.sent(s3)
        sent = (message.header("authorization") or message.query).rpartition(b"Signature=")[2]
        assert len(sent) < 64 or sent[:64].decode() not in said


@cases
@pytest.mark.parametrize("s3", [True, False], ids=["s3", "generic"])
def test_every_answer_is_complete(case: Case, s3: bool) -> None:
    """Length, no-store, Vary and a request id stand in each answer; each id is another one."""
    first, second = refused(case, s3=s3), refused(case, s3=s3)
    assert first.header("Content-Length") == str(len(first.body))
    assert first.header("Cache-Control") == "no-store"
    assert first.header("Vary") == "Authorization"
    name = "x-amz-request-id" if s3 else "x-amzn-RequestId"
    assert first.header(name)
    assert first.header(name) != second.header(name)
    has_after = first.header("Retry-After") is not None
    assert has_after is (case.leaf == "CredentialsUnavailable")


def test_body_of_unknown_length_that_breaks_off_has_no_numbers() -> None:
    """S3 names the numbers of bytes only where there was a Content-Length."""
    environ = environ_of(CASES[-1].sent(True), chunked=True, body=Broken([b"ab"], OSError()))
    parameters: dict[str, Any] = {"region": "us-east-1", "service": "s3", "clock": lambda: NOW}
    answer = call(SigV4Middleware(Application(), Verifier(lookup, **parameters)), environ)
    error = parsed(answer, "rest-xml")
    assert (answer.status, error["Code"]) == (400, "IncompleteBody")
    assert "NumberBytesExpected" not in error


def test_each_reason_has_a_request_that_provokes_it() -> None:
    """No reason is left out of the cases above."""
    assert {case.leaf for case in CASES} == {leaf.__name__ for leaf in leaves()}


#: To which the tables have nothing to add.
JUST_DENIED = {
    "s3": {"MissingAuthentication", "HostNotAccepted", "AccessDenied", "KeyLimitExceeded"},
    "aws": {"HostNotAccepted", "AccessDenied", "KeyLimitExceeded"},
}


@pytest.mark.parametrize("kind", ["s3", "aws"])
def test_each_reason_stands_in_each_table(kind: str) -> None:
    """A new reason must be given its words in both tables; by default it says AccessDenied."""
    table = S3_REASONS if kind == "s3" else AWS_REASONS
    # One that is told as another is told stands there by that one.
    left_out = {leaf.__name__ for leaf in leaves() if not set(leaf.__mro__) & set(table)}
    assert left_out == JUST_DENIED[kind]


def test_unforeseen_reason_is_access_denied() -> None:
    """A refusal that a provider or an authorize makes up of its own is a plain 403."""

    class OutOfHours(SigV4Error):
        """The operator's own reason."""

    for error_format in ErrorFormat:
        found = reason(OutOfHours(), error_format)
        assert (found.status, found.code, found.message) == (403, "AccessDenied", "Access Denied")


def test_subclass_of_a_reason_is_told_as_that() -> None:
    """A reason that an operator refines keeps its words."""

    class Revoked(errors.UnknownAccessKey):
        """The operator's own reason."""

    assert reason(Revoked(), ErrorFormat.S3).code == "InvalidAccessKeyId"
    assert reason(Revoked(), ErrorFormat.AWS).code == "InvalidClientTokenId"


# Hostile input.

HOSTILE = "<script>&\"']]>\x00\x08\x0b\x1b\x7f\ufffe é あ \U0001f600"
#: What XML 1.0 cannot say, not even escaped, is a question mark.
IN_XML = "<script>&\"']]>????\x7f? é あ \U0001f600"


def test_hostile_values_are_escaped_in_xml() -> None:
    """Markup, control characters and anything but ASCII come back as text."""
    error = errors.InvalidPayloadHash(value=HOSTILE)
    answer = render(error, error_format=ErrorFormat.S3)
    root = ElementTree.fromstring(answer.body)
    assert root.findtext("ArgumentValue") == IN_XML
    assert b"<script>" not in answer.body
    assert b"]]>" not in answer.body


def test_hostile_values_are_escaped_in_query_xml_and_json() -> None:
    """The messages of the other services quote what was sent."""
    error = errors.MalformedCredential(credential=HOSTILE)
    form = render(error, error_format=ErrorFormat.AWS, content_type=FORM)
    root = ElementTree.fromstring(form.body)
    assert (root.findtext("Error/Message") or "").endswith(f"got '{IN_XML}'")
    for content_type, kind in ((JSON, "__type"), ("", "message")):
        answer = render(error, error_format=ErrorFormat.AWS, content_type=content_type)
        assert answer.body.isascii()
        assert json.loads(answer.body)["message"].endswith(f"got '{HOSTILE}'")
        assert kind in json.loads(answer.body)


def test_hostile_evidence_is_escaped_and_capped() -> None:
    """What explain=True shows is escaped, redacted and then cut, to 64 KiB in all."""
    shown = b"GET\n/]]>\x00\xff<script>\ncookie:secret\n" + b"a" * 100_000
    evidence = errors.Evidence(canonical_request=shown, string_to_sign=b"AWS4\n<b>")
    error = errors.SignatureMismatch(signature="0" * 64, explain=lambda: evidence)
    answer = render(error, error_format=ErrorFormat.S3, explain=True)
    root = ElementTree.fromstring(answer.body)
    text = root.findtext("CanonicalRequest") or ""
    assert text.startswith("GET\n/]]>?\\xff<script>\ncookie:...\naaa")
    assert 8_000 < len(text) <= 8 * 1024 + 3
    assert root.findtext("StringToSign") == "AWS4\n<b>"
    assert root.findtext("StringToSignBytes") == "41 57 53 34 0a 3c 62 3e"
    assert len(answer.body) <= 64 * 1024
    for content_type in (FORM, JSON, ""):
        answer = render(
            error, error_format=ErrorFormat.AWS, content_type=content_type, explain=True
        )
        assert b"secret" not in answer.body
        assert len(answer.body) <= 64 * 1024


@pytest.mark.parametrize("s3", [True, False], ids=["s3", "generic"])
@pytest.mark.parametrize(
    "authorization",
    ["%s", "%s x", "%s=", "AWS4-HMAC-SHA256%s", "Bearer%s", "Basic\t%s", "Bearer %s", "aws%s,x"],
)
def test_answer_and_refusal_repeat_no_foreign_secret(authorization: str, s3: bool) -> None:
    """A token or a password that stands in Authorization is in no answer and in no repr."""
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    sent = Message.of(headers={"Authorization": authorization % secret})
    refusals: list[errors.SigV4Error] = []

    def keep(refusal: errors.SigV4Error, environ: object) -> Any:
        refusals.append(refusal)
        return render(refusal, error_format=ErrorFormat.S3 if s3 else ErrorFormat.AWS)

    app = SigV4Middleware(Application(), verifier(s3=s3), render_refusal=keep)
    answer = call(app, environ_of(sent))
    assert answer.status == 400
    assert secret[:8] not in answer.text
    assert secret[:8] not in repr(refusals[0])


@pytest.mark.parametrize("s3", [True, False], ids=["s3", "generic"])
@pytest.mark.parametrize(
    "authorization",
    [
        "AWS" + "x" * 60_000,
        "AWS4-" + "x" * 60_000 + " y",
        "AWS4-HMAC-SHA256 " + "x" * 60_000,
        "AWS4-HMAC-SHA256 Credential=" + "x" * 60_000 + ", SignedHeaders=host, Signature=1",
        "AWS4-HMAC-SHA256 Credential=a/20261121/b/c/aws4_request, Signature=1, SignedHeaders="
        + "x" * 60_000,
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261121/us-east-1/items/aws4_request, "
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=" + "1" * 60_000,
    ],
    ids=["scheme", "algorithm", "part", "credential", "list", "signature"],
)
def test_answers_to_long_input_are_short(authorization: str, s3: bool) -> None:
    """An answer never grows with what was sent."""
    case = Case(
        leaf="",
        sent=lambda s3: CASES[-1].sent(s3).with_header("Authorization", authorization),
        s3=(0, "", ""),
        aws=(0, "", ""),
    )
    assert len(refused(case, s3=s3).body) < 2000


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-amz-json-1.0\r\nSet-Cookie: a=b",
        "application/x-amz-json-1.0\nX: y",
        "application/x-amz-json-é",
        "application/x-amz-json-1.0\x00",
        "application/x-amz-json-9",
        "application/x-amz-json-" + "1" * 5000,
    ],
)
def test_content_type_of_the_request_never_enters_a_header(content_type: str) -> None:
    """Nothing that a client sends can break out of a header of the answer."""
    error = errors.UnknownAccessKey()
    answer = render(error, error_format=ErrorFormat.AWS, content_type=content_type)
    (kind,) = (value for name, value in answer.headers if name == "Content-Type")
    assert kind in ("application/x-amz-json-1.0", "application/x-amz-json-1.1")
    assert json.loads(answer.body)["__type"] == "UnrecognizedClientException"


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("application/x-amz-json-1.1", "application/x-amz-json-1.1"),
        ("application/x-amz-json-1.0; charset=utf-8", "application/x-amz-json-1.0"),
        ("Application/X-Amz-Json-1.0", "application/x-amz-json-1.0"),
        ("APPLICATION/X-WWW-FORM-URLENCODED", "text/xml"),
        ("application/json", "application/json"),
        ("text/html", "application/json"),
        ("", "application/json"),
    ],
)
def test_rendering_follows_the_request(content_type: str, kind: str) -> None:
    """The content type of the request selects the protocol, without case and parameters."""
    error = errors.UnknownAccessKey()
    answer = render(error, error_format=ErrorFormat.AWS, content_type=content_type)
    assert ("Content-Type", kind) in answer.headers


def test_status_line_has_the_phrase() -> None:
    """WSGI wants code and phrase."""
    assert render(errors.AccessDenied(), error_format=ErrorFormat.S3).status_line == "403 Forbidden"


# Real clients.


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of a server of S3 and other services, on loopback."""
    parts: dict[str, Any] = {"credentials": {"AKIAGOOD": "good"}, "region": "us-east-1"}
    s3 = SigV4Middleware(Application(), Verifier(**parts, service="s3"))
    others = ("sts", "sns", "sqs", "dynamodb", "lambda")
    rest = SigV4Middleware(Application(), Verifier(**parts, service=others))

    def app(environ: Any, start_response: Any) -> Any:
        is_s3 = b"/s3/" in environ.get("HTTP_AUTHORIZATION", "").encode()
        return (s3 if is_s3 else rest)(environ, start_response)

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


CALLS = {
    "s3": "list_buckets",
    "sts": "get_caller_identity",
    "sns": "list_topics",
    "sqs": "list_queues",
    "dynamodb": "list_tables",
    "lambda": "list_functions",
}
KEYS = {
    "unknown": ("AKIDUNKNOWN", "x", None, "us-east-1"),
    "wrong": ("AKIAGOOD", "bad", None, "us-east-1"),
    "token": ("AKIAGOOD", "good", "token", "us-east-1"),
    "region": ("AKIAGOOD", "good", None, "eu-west-1"),
}
CODES = {
    "s3": {
        "unknown": "InvalidAccessKeyId",
        "wrong": "SignatureDoesNotMatch",
        "token": "InvalidToken",
        "region": "AuthorizationHeaderMalformed",
    },
    "query": {
        "unknown": "InvalidClientTokenId",
        "wrong": "SignatureDoesNotMatch",
        "token": "InvalidClientTokenId",
        "region": "SignatureDoesNotMatch",
    },
    "json": {
        "unknown": "UnrecognizedClientException",
        "wrong": "InvalidSignatureException",
        "token": "UnrecognizedClientException",
        "region": "InvalidSignatureException",
    },
}
PROTOCOLS = {"s3": "s3", "sts": "query", "sns": "query"}


@pytest.mark.parametrize("fault", KEYS)
@pytest.mark.parametrize("service", CALLS)
def test_boto3_raises_client_error_with_the_code(endpoint: str, service: str, fault: str) -> None:
    """Each protocol's client reads the code out of the answer: XML, query, JSON and rest-json."""
    access_key_id, secret, token, region = KEYS[fault]
    client = boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ClientError) as caught:
        getattr(client, CALLS[service])()
    client.close()
    response = caught.value.response
    assert response["Error"]["Code"] == CODES[PROTOCOLS.get(service, "json")][fault]
    assert response["ResponseMetadata"]["RequestId"]
    assert "date" in response["ResponseMetadata"]["HTTPHeaders"]


def test_boto3_head_sees_the_status(endpoint: str) -> None:
    """HEAD has no body, so that botocore is left with the status."""
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="AKIAGOOD",
        aws_secret_access_key="bad",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ClientError) as caught:
        client.head_object(Bucket="bucket", Key="key")
    client.close()
    assert caught.value.response["Error"]["Code"] == "403"
