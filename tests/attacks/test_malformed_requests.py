"""Malformed requests where signatures are optional: only an attempt is refused for that (T41)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from tests.attacks.attacker import KEY
from tests.attacks.attacker import SECRET
from tests.attacks.attacker import Sent
from tests.attacks.attacker import send
from tests.attacks.attacker import sign
from tests.django import views
from tests.django.conftest import Exchange
from tests.django.signing import Sent as SentToDjango
from tests.django.signing import send_async
from tests.wsgi.calls import Application
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.contrib.flask import SigV4
from wsgi_sigv4.contrib.flask import current_identity
from wsgi_sigv4.contrib.flask import sigv4_required

#: Queries that cannot be canonicalised, of requests that have nothing to do with AWS.
QUERIES = ["q=100%", "q=%zz", "100%", "q=caf\xe9", "q=a b", "q=a#b", "q=%", "caf\xe9=1", "%ff%=1"]
#: Added to any of them, each makes the request an attempt.
TRACES = [
    *("X-Amz-Signature=0", "%58-amz-signature=0", "x-amz-algorithm=AWS4-HMAC-SHA256"),
    *("X-Amz-Credential=x", "X%2-Amz-Signature=0", "%C1%98-Amz-Date=1", "AWSAccessKeyId=x"),
]
HEADERS = [
    ("Authorization", "aws4-hmac-sha256 x"),
    ("Authorization", "AWS AKIA:sig"),
    ("X-Amz-Date", "20260101T000000Z"),
    ("x_amz_security_token", "t"),
]


def verifier() -> Verifier:
    """Return a verifier with one key."""
    return Verifier({KEY: SECRET}, region="us-east-1", service="items", hosts=["localhost"])


def app_of_flask(application: Application) -> Any:
    """Return an app with one view, for which a signature is optional."""
    app = Flask(__name__)
    SigV4(app, verifier=verifier())

    def view(rest: str = "") -> str:
        application.environs.append({})
        return str(bool(current_identity))

    app.add_url_rule("/", view_func=sigv4_required(optional=True)(view))
    app.add_url_rule("/<path:rest>", endpoint="rest", view_func=sigv4_required(optional=True)(view))
    return app


def app_of_wsgi(application: Application) -> Any:
    """Return an application in the middleware, for which a signature is optional."""
    return SigV4Middleware(application, verifier(), required=False)


skins = pytest.mark.parametrize("app_of", [app_of_wsgi, app_of_flask])


@skins
@pytest.mark.parametrize(
    "sent",
    [
        *(Sent(target=f"/?{query}") for query in QUERIES),
        Sent(target="/caf\xe9"),
        Sent(target="/a b"),
        Sent(target="/100%"),
        Sent(target="/?q=100%").having(("Authorization", "Basic eDp5")),
        Sent(target="/").having(("Script-Name", "/x")),
    ],
    ids=repr,
)
def test_malformed_request_without_a_trace_passes(
    app_of: Callable[[Application], Any], sent: Sent
) -> None:
    """An unsigned request is the application's own affair, however it is written."""
    application = Application()
    assert send(app_of(application), sent).status == 200
    assert len(application.environs) == 1
    assert "wsgi_sigv4.identity" not in application.environs[0]


@skins
@pytest.mark.parametrize("trace", TRACES)
@pytest.mark.parametrize("query", QUERIES)
def test_malformed_query_hides_no_trace(
    app_of: Callable[[Application], Any], query: str, trace: str
) -> None:
    """T41: a trace of a signature is an attempt in a malformed query too, before it and after."""
    application = Application()
    for target in (f"/?{query}&{trace}", f"/?{trace}&{query}", f"/caf\xe9?{query}&{trace}"):
        assert send(app_of(application), Sent(target=target)).status == 400
    assert application.environs == []


@skins
@pytest.mark.parametrize("target", ["/?q=100%", "/?q=caf\xe9", "/caf\xe9", "/100%"])
@pytest.mark.parametrize("header", HEADERS, ids=repr)
def test_malformed_target_hides_no_header(
    app_of: Callable[[Application], Any], header: tuple[str, str], target: str
) -> None:
    """T41: a header of a signature is an attempt, whatever the target."""
    application = Application()
    assert send(app_of(application), Sent(target=target).having(header)).status == 400
    assert application.environs == []


@skins
@pytest.mark.parametrize("presigned", [False, True])
def test_signed_request_with_a_malformed_query_is_refused(
    app_of: Callable[[Application], Any], presigned: bool
) -> None:
    """T41: spoiling the query of a signed request does not make it an anonymous one."""
    application = Application()
    signed = sign(target="/?a=1", presigned=presigned)
    for spoilt in ("&q=100%", "&q=\xff", "&q= "):
        sent = replace(signed, target=signed.target + spoilt)
        assert send(app_of(application), sent).status == 400
    assert application.environs == []


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({"REQUEST_URI": "/?X-Amz-Signature=0"}, id="another target"),
        pytest.param({"QUERY_STRING": "X-Amz-Signature=0"}, id="another query"),
        pytest.param({"HTTP_X_AMZ_DATE": "x", "RAW_URI": "/\xff"}, id="header"),
        pytest.param({"PATH_INFO": "/\u3042", "HTTP_X_AMZ_DATE": "x"}, id="no text of WSGI"),
        pytest.param({"HTTP_A": "x\n", "HTTP_AUTHORIZATION": "AWS a:b"}, id="line break"),
        pytest.param({"HTTP_A": "x\n", "HTTP_AUTHORIZATION": "Basic x, AWS4-HMAC-"}, id="joined"),
        pytest.param({"REQUEST_METHOD": "G T", "HTTP_X_AMZ_TRAILER": ""}, id="method"),
        pytest.param({"HTTP_PATH_INFO": "/x", "HTTP_X_AMZ_DATE": ""}, id="smuggled"),
        pytest.param(
            {
                "RAW_URI": "/\xff",
                "asgi.scope": {"query_string": b"X-Amz-Date=1", "headers": []},
            },
            id="query of a scope",
        ),
        pytest.param(
            {"RAW_URI": "/\xff", "asgi.scope": {"headers": [(b"X_Amz_Date", b"1")]}},
            id="header of a scope",
        ),
    ],
)
def test_whatever_the_server_says_counts(extra: dict[str, Any]) -> None:
    """T41: where a server contradicts itself, a trace in either version is one."""
    application = Application()
    app = SigV4Middleware(application, verifier(), required=False)
    assert send(app, Sent(), **extra).status == 400
    without = {k: v for k, v in extra.items() if "AMZ" not in k and "AUTHORIZATION" not in k}
    without |= {k: "/other" for k in ("REQUEST_URI",) if k in extra}
    without |= {k: "q" for k in ("QUERY_STRING",) if k in extra}
    without |= {k: {} for k in ("asgi.scope",) if k in extra}
    assert application.environs == []
    assert send(app, Sent(), **without).status == 200


def test_what_a_proxy_has_kept_counts() -> None:
    """T41: so does the header that a proxy kept of the client's, and the target."""
    application = Application()
    app = SigV4Middleware(
        application,
        verifier(),
        required=False,
        header_overrides={"Authorization": "X-Kept"},
        raw_target=lambda environ: environ.get("HTTP_X_TARGET"),
    )
    malformed = Sent(target="/\xff")
    assert send(app, malformed.having(("X-Target", "/\xff"))).status == 200
    assert send(app, malformed.having(("X-Kept", "AWS4-HMAC-SHA256 x"))).status == 400
    assert send(app, malformed.having(("X-Target", "/?a&X-Amz-Date=1%"))).status == 400
    assert len(application.environs) == 1


def test_malformed_form_with_a_policy_is_an_attempt() -> None:
    """T41: the fields of a POST policy are looked for in a malformed request too."""
    application = Application()
    app = SigV4Middleware(application, verifier(), required=False)
    body = b'--b\r\nContent-Disposition: form-data; name="x-amz-signature"\r\n\r\n0\r\n--b--\r\n'
    form = Sent(method="POST", target="/?q=\xe9", body=body)
    form = form.having(("Content-Type", "multipart/form-data; boundary=b"))
    assert send(app, form).status == 403
    assert send(app, replace(form, body=body.replace(b"x-amz", b"x-abc"))).status == 200


@pytest.mark.parametrize("target", ["/?q=100%", "/caf\xe9", "/?q=caf\xe9"])
def test_malformed_request_that_must_be_signed(target: str) -> None:
    """Where a signature is required, a malformed request is told that, and passes nowhere."""
    application = Application()
    app = SigV4Middleware(application, verifier())
    answer = send(app, Sent(target=target))
    assert answer.status == 400
    assert answer.header("x-amzn-ErrorType") in ("InvalidURI", "MalformedQueryString")
    assert application.environs == []


@pytest.mark.parametrize("target", ["/health?q=100%", "/health?X-Amz-Date=%"])
def test_exempt_path_takes_malformed_queries(target: str) -> None:
    """An exempt path is not looked at, with a trace or without."""
    application = Application()
    app = SigV4Middleware(application, verifier(), exempt=("/health",))
    assert send(app, Sent(target=target)).status == 200


# Django


@pytest.fixture
def optional(sigv4: Callable[..., None]) -> None:
    """Make signatures optional."""
    sigv4(REQUIRED=False)


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    """Forget which views of Django's were called."""
    views.calls.clear()


@pytest.mark.usefixtures("optional")
@pytest.mark.parametrize("query", QUERIES)
def test_django_malformed_query_without_a_trace_passes(exchange: Exchange, query: str) -> None:
    """Under WSGI and ASGI an unsigned request reaches its view, without an identity."""
    response = exchange(SentToDjango(method="GET", target=f"/whoami?{query}"))
    assert response.status_code == 200
    assert response.json()["key"] is None


@pytest.mark.usefixtures("optional")
@pytest.mark.parametrize("trace", TRACES)
@pytest.mark.parametrize("query", QUERIES)
def test_django_malformed_query_hides_no_trace(exchange: Exchange, query: str, trace: str) -> None:
    """T41: nor does a malformed query hide a trace there."""
    for target in (f"/whoami?{query}&{trace}", f"/whoami?{trace}&{query}"):
        assert exchange(SentToDjango(method="GET", target=target)).status_code == 400
    assert views.calls == []


@pytest.mark.usefixtures("optional")
@pytest.mark.parametrize("header", HEADERS, ids=repr)
def test_django_malformed_query_hides_no_header(
    exchange: Exchange, header: tuple[str, str]
) -> None:
    """T41: nor a header, which Django itself does not show where it has an underscore."""
    sent = SentToDjango(method="GET", target="/whoami?q=caf\xe9").with_header(*header)
    assert exchange(sent).status_code == 400
    assert views.calls == []


@pytest.mark.usefixtures("optional")
def test_django_malformed_form_with_a_policy_is_an_attempt(exchange: Exchange) -> None:
    """T41: the fields of a POST policy are looked for there too."""
    body = b'--b\r\nContent-Disposition: form-data; name="x-amz-signature"\r\n\r\n0\r\n--b--\r\n'
    sent = SentToDjango(method="POST", target="/upload?q=caf\xe9", body=body)
    sent = sent.with_header("Content-Type", "multipart/form-data; boundary=b")
    sent = sent.with_header("Content-Length", str(len(body)))
    assert exchange(sent).status_code == 403
    assert views.calls == []


def test_django_malformed_query_that_must_be_signed(exchange: Exchange) -> None:
    """Where a signature is required, nothing changes; and an exempt view takes any query."""
    assert exchange(SentToDjango(method="GET", target="/whoami?q=100%")).status_code == 400
    assert views.calls == []
    assert exchange(SentToDjango(method="GET", target="/exempt?q=caf\xe9")).status_code == 200


@pytest.mark.usefixtures("optional")
@pytest.mark.parametrize(
    ("header", "query", "status"),
    [
        (("Accept", "x"), "", 200),
        (("X-Amz-Date", "x"), "", 400),
        (("Accept", "x"), "X-Amz-Signature=0", 400),
    ],
)
def test_django_mount_of_a_client(header: tuple[str, str], query: str, status: int) -> None:
    """A root path that nobody was told of is refused of an attempt alone."""
    sent = SentToDjango(method="GET", target=f"/pfx/whoami?{query}").with_header(*header)
    response = send_async(sent, root_path="/pfx")
    assert response.status_code == status
