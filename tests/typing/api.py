"""The public API, written out once for mypy: nothing here is ever run.

What fails to type-check here would fail in a user's code.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING
from typing import Literal
from typing import assert_type

from django.http import HttpRequest
from django.http import HttpResponse
from django.test import AsyncClient
from django.test import Client as DjangoClient
from flask import Blueprint
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Client

from wsgi_sigv4 import GENERIC
from wsgi_sigv4 import S3
from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4 import CredentialProvider
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import CredentialScope
from wsgi_sigv4 import CredentialsUnavailable
from wsgi_sigv4 import Identity
from wsgi_sigv4 import Profile
from wsgi_sigv4 import RedactingFilter
from wsgi_sigv4 import Request
from wsgi_sigv4 import SigV4Error
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verification
from wsgi_sigv4 import Verifier
from wsgi_sigv4.contrib.django.decorators import sigv4_exempt
from wsgi_sigv4.contrib.django.decorators import sigv4_required as django_sigv4_required
from wsgi_sigv4.contrib.django.middleware import SigV4Middleware as DjangoSigV4Middleware
from wsgi_sigv4.contrib.flask import SigV4
from wsgi_sigv4.contrib.flask import current_identity
from wsgi_sigv4.contrib.flask import key_used
from wsgi_sigv4.contrib.flask import request_refused
from wsgi_sigv4.contrib.flask import sigv4_required
from wsgi_sigv4.contrib.opentelemetry import set_attributes
from wsgi_sigv4.contrib.prometheus import Metrics
from wsgi_sigv4.contrib.sqlalchemy import AccessKey
from wsgi_sigv4.contrib.sqlalchemy import KeyStore
from wsgi_sigv4.contrib.sqlalchemy import NewKey
from wsgi_sigv4.contrib.sqlalchemy import SQLAlchemyProvider
from wsgi_sigv4.explain import Check
from wsgi_sigv4.explain import Explanation
from wsgi_sigv4.explain import Finding
from wsgi_sigv4.explain import explain
from wsgi_sigv4.observing import Verdict
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.responses import Answer
from wsgi_sigv4.testing import UNSIGNED_HEADERS
from wsgi_sigv4.testing import Signer
from wsgi_sigv4.testing import sign_client

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment


class Provider:
    """A provider that inherits from nothing."""

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Return the credentials of a temporary key."""
        if session_token is None:
            return None
        if scope.service == "down":
            raise CredentialsUnavailable("the vault does not answer", retry_after=10)
        return Credentials(
            signing_key=b"\0" * 32,
            session_token=session_token,
            principal=access_key_id,
            expires_at=1_795_296_600.5,
        )


def verifiers(mapping: Mapping[str, str], plain: dict[str, str | Credentials]) -> list[Verifier]:
    """Make verifiers of each kind of credentials."""
    provider: CredentialProvider = Provider()
    return [
        Verifier(mapping, region="us-east-1", service="items"),
        Verifier(plain, region=["a", "b"], service=("a", "b"), profile=GENERIC),
        Verifier(lambda access_key_id: None, region=None, service=None, profile={"s3": S3}),
        Verifier(
            provider,
            region="us-east-1",
            service="s3",
            profile=dataclasses.replace(S3, max_skew=60),
            clock=lambda: 0,
            max_skew=60,
            hosts=["api.example.com"],
            require_signed=("content-type",),
            allow_unsigned_headers=("x-amz-cf-id",),
            allow_unsigned_payload=False,
            allow_unsigned_session_token=True,
            uniform_errors=True,
        ),
    ]


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Be a WSGI application."""
    identity: Identity = environ["wsgi_sigv4.identity"]
    start_response("200 OK", [])
    return [identity.access_key_id.encode()]


def may(identity: Identity, environ: WSGIEnvironment) -> bool:
    """Authorize."""
    return identity.presigned or "HTTP_X" in environ


def render(refusal: SigV4Error, environ: WSGIEnvironment) -> Answer:
    """Render a refusal."""
    assert_type(refusal.access_key_id, str | None)
    return Answer(status=403, headers=(("Content-Length", "0"),), body=b"")


def middleware(verifier: Verifier) -> WSGIApplication:
    """Wrap an application."""
    return SigV4Middleware(
        application,
        verifier,
        required=False,
        exempt=lambda environ: bool(environ),
        authorize=may,
        preflight=True,
        max_body=1,
        memory_limit=1,
        unverified_body_limit=1,
        stream=False,
        path_prefix="/api",
        remote_user="principal",
        explain=True,
        body_seconds=1.5,
        header_overrides={"accept-encoding": "x-original-accept-encoding"},
        raw_target=lambda environ: None,
        length_of_chunked=True,
        render_refusal=render,
        report_only=True,
        on_accept=Metrics(),
        on_refuse=judged,
    )


def judged(verdict: Verdict) -> None:
    """Be told of a verdict."""
    assert_type(verdict.access_key_id, str | None)
    assert_type(verdict.payload_form, PayloadForm | None)
    assert_type(verdict.accepted, bool)
    set_attributes(verdict)


def sans_io(verifier: Verifier) -> None:
    """Verify a request without WSGI."""
    request = Request(method="GET", path=b"/", query=b"", headers=((b"Host", b"localhost"),))
    try:
        verification = verifier.verify(request, now=0.5)
    except SigV4Error as refusal:
        assert_type(refusal.presigned, bool)
        return
    assert_type(verification, Verification)
    assert_type(verification.feed(b""), bytes)
    identity = verification.finish()
    assert_type(identity, Identity)
    assert_type(identity.access_key_id, str)
    assert_type(identity.principal, object)
    assert_type(identity.scope, CredentialScope)
    assert_type(identity.signed_headers, tuple[str, ...])
    assert_type(identity.request_time, int)
    assert_type(identity.presigned, bool)
    assert_type(identity.expires_at, int | None)
    assert_type(verifier.profile("s3"), Profile)


def signing() -> dict[str, str]:
    """Sign requests in tests."""
    signer = Signer(
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        region="us-east-1",
        service="items",
        session_token=None,
        profile=GENERIC,
        clock=lambda: 0,
    )
    assert_type(sign_client(Client(application), signer), Client)
    assert_type(sign_client(Flask("app").test_client(), signer, expires=60), FlaskClient)
    assert_type(sign_client(DjangoClient(), signer), DjangoClient)
    assert_type(sign_client(AsyncClient(), signer), AsyncClient)
    url = signer.presign("PUT", "http://x/", expires=1, headers={"a": "b"}, body=b"")
    assert_type(UNSIGNED_HEADERS, frozenset[str])
    return signer.headers("GET", url, headers={"a": "b"}, body=b"", unsigned_payload=True)


def flask(verifier: Verifier) -> Flask:
    """Guard views of Flask."""
    app, blueprint = Flask("app"), Blueprint("api", "api")
    SigV4(app, verifier=verifier, explain=True)
    SigV4().init_app(app)
    blueprint.before_request(sigv4_required(optional=True).check)

    @app.get("/")
    @sigv4_required
    def plain(number: int) -> str:
        return current_identity.access_key_id * number

    @app.get("/more")
    @sigv4_required(presigned=False, region="us-east-1", service=["a", "b"])
    def more() -> str:
        return ""

    assert_type(plain(1), str)
    assert_type(more(), str)
    return app


@django_sigv4_required
def guarded(request: HttpRequest, number: int) -> HttpResponse:
    """Be a view of Django that is guarded."""
    return HttpResponse(str(number))


@sigv4_exempt
def exempt(request: HttpRequest) -> HttpResponse:
    """Be a view of Django that is not."""
    return HttpResponse("")


def django(request: HttpRequest) -> None:
    """Call them."""
    assert_type(guarded(request, 1), HttpResponse)
    assert_type(exempt(request), HttpResponse)
    DjangoSigV4Middleware(exempt)(request)


def explanations(verifier: Verifier, request: Request, credentials: Credentials) -> None:
    """A refusal is explained, with what is known of the body and the credentials."""
    assert_type(explain(request, verifier), Explanation)
    explain(request, verifier, body=b"", credentials=None, now=1.0, refusal=SigV4Error())
    explanation = explain(request, verifier, credentials=credentials)
    assert_type(explanation.checks, tuple[Check, ...])
    assert_type(explanation.finding, Finding | None)
    assert explanation.finding is not None
    assert_type(explanation.finding.party, Literal["proxy", "client", "server", "key", "unknown"])
    assert_type(explanation.refusal, str | None)
    assert_type(explanation.as_text(), str)


def others() -> None:
    """Use the rest."""
    logging.getLogger("gunicorn.access").addFilter(RedactingFilter())
    error: ValueError = ConfigurationError("x")
    raise error


def keys_in_a_database(app: Flask) -> None:
    """A key store is made from a URL, and its provider is a provider like any other."""
    store = KeyStore("sqlite:///keys.sqlite3", encryption_keys=["a", b"b"])
    provider: CredentialProvider = SQLAlchemyProvider(store, ttl=10)
    Verifier(provider, region="us-east-1", service="items")
    new = store.create("alice", expires_in=timedelta(days=90), methods=["GET"], presigned=False)
    assert_type(new, NewKey)
    assert_type(new.aws_credentials("default"), str)
    assert_type(store.rotate(new.key.access_key_id, overlap=timedelta(hours=1)), NewKey)
    assert_type(store.revoke(new.key.access_key_id), AccessKey)
    assert_type(store.list(owner="alice"), tuple[AccessKey, ...])
    assert_type(store.reencrypt(), int)

    @key_used.connect_via(app)
    def used(sender: Flask, *, identity: Identity, **extra: object) -> None: ...

    @request_refused.connect_via(app)
    def refused(sender: Flask, *, refusal: SigV4Error, **extra: object) -> None: ...
