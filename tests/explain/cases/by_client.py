"""Real clients that sign wrongly, or send something else than was signed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from botocore.auth import HmacV1Auth
from botocore.crt.auth import CrtSigV4AsymAuth

from tests.core.messages import Message
from tests.explain.cases.by_nginx import GET
from tests.explain.cases.by_nginx import SOUND
from tests.explain.cases.by_nginx import sound
from tests.explain.cases.by_nginx import through
from tests.explain.cases.case import Live
from tests.explain.cases.case import case
from tests.explain.cases.case import direct
from tests.explain.cases.places import SECRET
from tests.explain.cases.places import TOKEN
from tests.explain.cases.senders import Alter
from tests.explain.cases.senders import boto3_form
from tests.explain.cases.senders import boto3_link
from tests.explain.cases.senders import botocore
from tests.explain.cases.senders import curl
from tests.explain.cases.senders import curl_with_headers_of_botocore
from tests.explain.cases.senders import httpx
from tests.explain.cases.senders import python_requests

LINES = b"one line\n"
DATA = {"name": "A", "list": [1, 2]}
COMPACT = json.dumps(DATA, separators=(",", ":")).encode()
_FILE = ("--data-binary", "@-", "--request", "PUT")
_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}
_UNSIGNED = ("--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD")
_HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

CURL_CASES: tuple[Live, ...] = (
    case(
        "query-unsorted",
        "curl: `--aws-sigv4` with `?b=2&a=1`",
        sound(curl("/items?b=2&a=1")),
        ("sort them in the URL", sound(curl("/items?a=1&b=2"))),
    ),
    case(
        "no-date",
        "curl: `--aws-sigv4` with `-H 'X-Amz-Date: ...'`, which it sends beside its own",
        sound(curl("/items", "--header", "X-Amz-Date: 20261121T213000Z")),
        ("leave out the one set by hand", sound(curl("/items"))),
    ),
    case(
        "query-flag",
        "curl: `--aws-sigv4` with `?flag`",
        sound(curl("/items?flag")),
        ("name=", sound(curl("/items?flag="))),
    ),
    case(
        "query-verbatim",
        "curl: `--aws-sigv4` with `?q=a/b`",
        sound(curl("/items?q=a/b")),
        ("encode the query", sound(curl("/items?q=a%2Fb"))),
    ),
    case(
        "path-verbatim",
        "curl: `--aws-sigv4` with `/items/a+b`",
        sound(curl("/items/a+b")),
        ("letters, digits, - . _ ~ and / only", sound(curl("/items/a-b"))),
    ),
    case(
        "path-encoding",
        "curl: `--aws-sigv4` with `/items/a%20b`",
        sound(curl("/items/a%20b")),
        (
            "dataclasses.replace(GENERIC, double_encode_path=False)",
            sound(curl("/items/a%20b"), "encodes once"),
        ),
    ),
    case(
        "path-normalization",
        "curl: `--aws-sigv4` with `/items//7`",
        sound(curl("/items//7")),
        ("without //", sound(curl("/items/7"))),
    ),
    case(
        "body-empty",
        "curl: `--aws-sigv4` with `-T FILE`",
        sound(curl("/items/7", "--upload-file", "-", given=b"hello")),
        ("--data-binary @FILE", sound(curl("/items/7", *_FILE, given=b"hello"))),
        (
            "-H 'x-amz-content-sha256: HASH'",
            sound(
                curl(
                    "/items/7",
                    *("--upload-file", "-", "--header", f"x-amz-content-sha256: {_HELLO}"),
                    given=b"hello",
                )
            ),
        ),
    ),
    case(
        "body-empty",
        "curl: `--aws-sigv4` with `-F name=value`",
        sound(curl("/items", "--form", "name=value")),
        ("--data-binary @FILE", sound(curl("/items/7", *_FILE, given=b"hello"))),
    ),
    case(
        "signed-headers-list",
        "curl: `--aws-sigv4` with a header twice",
        sound(curl("/items", "--header", "X-Note: a", "--header", "X-Note: b")),
        ("each header once", sound(curl("/items", "--header", "X-Note: a"))),
    ),
    case(
        "payload-hash-not-sent",
        "curl: `--aws-sigv4` for s3",
        sound(curl("/b/k", service="s3"), "s3"),
        (
            "-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD'",
            sound(curl("/b/k", *_UNSIGNED, service="s3"), "s3"),
        ),
        (
            "dataclasses.replace(S3, payload_header_required=False)",
            sound(curl("/b/k", service="s3"), "no payload header"),
        ),
    ),
    case(
        "method-head",
        "curl: `-I` on a URL that was presigned for GET",
        sound(curl_with_headers_of_botocore("--head", presigned=True)),
        ("the method that is used", sound(curl_with_headers_of_botocore(presigned=True))),
    ),
    case(
        "body-newline",
        "curl: `--data @FILE` drops the line ends that botocore signed",
        sound(
            curl_with_headers_of_botocore(
                *("--data", "@-", "--request", "PUT"),
                given=LINES,
                method="PUT",
                body=LINES,
                headers=_TYPE,
            )
        ),
        (
            "--data-binary @FILE",
            sound(
                curl_with_headers_of_botocore(
                    *_FILE, given=LINES, method="PUT", body=LINES, headers=_TYPE
                )
            ),
        ),
    ),
    case(
        "path-not-clean",
        "curl: `--path-as-is` with `/../x`, and no proxy",
        direct(curl("/../x", "--path-as-is")),
        ("without . and .. segments", direct(curl("/x"))),
    ),
    case(
        "query-not-clean",
        "curl: `?a=%zz`",
        sound(curl("/items?a=%zz")),
        ("%25", sound(curl("/items?a=%25zz"))),
    ),
)

_REDIRECTS = "if ($request_method = POST) { return 301 $request_uri; }\n" + SOUND

PYTHON_CASES: tuple[Live, ...] = (
    case(
        "host-port-not-signed",
        "httpx with httpx-auth-awssigv4",
        direct(httpx),
        ("sign Host as it sends it", direct(python_requests())),
    ),
    case(
        "path-dots-removed",
        "python-requests resolves `/./`, which botocore signed for S3",
        sound(python_requests("GET", "/items/./7", service="s3"), "s3"),
        ("without . and .. segments", sound(python_requests("GET", service="s3"), "s3")),
    ),
    case(
        "path-escapes-case",
        "python-requests writes `%e2` as `%E2`",
        sound(python_requests("GET", "/items/%e2%82%ac")),
        ("in upper case", sound(python_requests("GET", "/items/%E2%82%AC"))),
    ),
    case(
        "query-escapes-case",
        "python-requests writes `%e2` in the query as `%E2`",
        sound(python_requests("GET", "/items?a=%e2%82%ac")),
        ("in upper case", sound(python_requests("GET", "/items?a=%E2%82%AC"))),
    ),
    case(
        "method-changed",
        "python-requests follows a 301 of nginx with GET, after POST",
        through(_REDIRECTS, python_requests("POST", "/items")),
        ("the final URL", sound(python_requests("POST", "/items"))),
    ),
    case(
        "post-policy",
        "boto3: `generate_presigned_post`, sent by python-requests",
        sound(boto3_form, "s3"),
        ("generate_presigned_url", sound(boto3_link, "s3")),
    ),
    case(
        "query-encoding",
        "python-requests encodes `a[]=1`, which botocore signed raw",
        sound(python_requests("GET", "/items?a[]=1")),
        ("before it signs", sound(python_requests("GET", "/items?a%5B%5D=1"))),
    ),
    case(
        "body-json",
        "python-requests: `json=` beside a body signed with other blanks",
        sound(python_requests("POST", "/items", body=COMPACT, json=DATA)),
        (
            "data=json.dumps(...)",
            sound(python_requests("POST", "/items", body=COMPACT, data=COMPACT)),
        ),
    ),
    case(
        "body-form-blanks",
        "python-requests: `data=` writes a blank as `+`, and `%20` was signed",
        sound(python_requests("POST", "/items", body=b"q=a%20b", headers=_TYPE, data={"q": "a b"})),
        (
            "the bytes that are sent",
            sound(python_requests("POST", body=b"q=a+b", headers=_TYPE, data={"q": "a b"})),
        ),
    ),
)


def _sigv2(credentials: Any, service: str, region: str) -> Any:
    return HmacV1Auth(credentials)


def _cut(count: int) -> Alter:
    return lambda message: replace(message, query=message.query[:-count])


def _at_ampersand(message: Message) -> Message:
    return message.with_query_items(message.query_items[:1])


BOTOCORE_CASES: tuple[Live, ...] = (
    case(
        "query-verbatim",
        "botocore: a raw URL with `?q=a/b?c:d@e`",
        sound(botocore("GET", "/items?q=a/b?c:d@e")),
        ("encode the query before it signs", sound(botocore("GET", "/items?q=a%2Fb%3Fc%3Ad%40e"))),
    ),
    case(
        "sigv2",
        "botocore: `signature_version='s3'`",
        sound(botocore("GET", "/b/k", service="s3", signer=_sigv2), "s3"),
        ("signature_version='s3v4'", sound(botocore("GET", "/b/k", service="s3"), "s3")),
    ),
    case(
        "sigv4a",
        "botocore with awscrt: SigV4A",
        sound(botocore(signer=CrtSigV4AsymAuth)),
        ("signature_version='v4'", sound(GET)),
    ),
    case(
        "secret-blanks",
        "botocore: a line end behind the secret",
        sound(botocore(secret=SECRET + "\n")),
        ("without blanks or a line end", sound(GET)),
    ),
    case(
        "secret-quotes",
        "botocore: quotes around the secret in the shared file",
        sound(botocore(secret=f'"{SECRET}"')),
        ("without quotes", sound(GET)),
    ),
    case(
        "secret-encoded",
        "botocore: the secret with `%2F` for a slash",
        sound(botocore(secret=SECRET.replace("/", "%2F"))),
        ("without percent escapes", sound(GET)),
    ),
    case(
        "secret-cut",
        "botocore: the secret without its last character",
        sound(botocore(secret=SECRET[:-1])),
        ("Set the secret again", sound(GET)),
    ),
    case(
        "wrong-region",
        "botocore: `region_name='eu-west-1'`",
        sound(botocore(region="eu-west-1")),
        ("Set the client's region", sound(GET)),
    ),
    case(
        "wrong-service",
        "botocore: signs for execute-api",
        sound(botocore(service="execute-api")),
        ("Set the service", sound(GET)),
    ),
    case(
        "expires-range",
        "botocore: `ExpiresIn=604801`",
        sound(botocore(presigned=True, expires=604801)),
        ("ExpiresIn=604800", sound(botocore(presigned=True, expires=604800))),
    ),
    case(
        "payload-form",
        "botocore: UNSIGNED-PAYLOAD for a service that is not S3",
        sound(botocore(headers={"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"})),
        (
            "allow_unsigned_payload=True",
            sound(
                botocore(headers={"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}),
                "allow_unsigned_payload",
            ),
        ),
    ),
    case(
        "unknown-key",
        "botocore: another access key id",
        sound(botocore(key_id="AKIAOTHER")),
        ("the access key id", sound(GET)),
    ),
    case(
        "disabled-key",
        "botocore: a key with `enabled=False`",
        sound(GET, "disabled"),
        ("Enable the key", sound(GET)),
    ),
    case(
        "token-missing",
        "botocore: a temporary key without its token",
        sound(GET, "token"),
        ("AWS_SESSION_TOKEN", sound(botocore(token=TOKEN), "token")),
    ),
    case(
        "token-wrong",
        "botocore: a permanent key with a token",
        sound(botocore(token=TOKEN)),
        ("unset AWS_SESSION_TOKEN", sound(GET)),
    ),
    case(
        "credentials-expired",
        "botocore: a key past its `expires_at`",
        sound(GET, "past its end"),
        ("new temporary credentials", sound(botocore(token=TOKEN), "token")),
    ),
    case(
        "provider-down",
        "botocore, and a provider that raises CredentialsUnavailable",
        sound(GET, "nobody answers"),
    ),
    case(
        "key-limit",
        "botocore: GET with a key of `methods=('PUT',)`",
        sound(GET, "PUT only"),
        ("methods", sound(GET)),
    ),
    case("denied", "botocore, and an `authorize` that returns False", sound(GET, "authorize")),
    case(
        "body-too-large",
        "botocore: 11 bytes, and `max_body=10`",
        sound(botocore("PUT", body=b"12345678901"), "max_body=10"),
        ("max_body", sound(botocore("PUT", body=b"12345678901"))),
    ),
    case(
        "path-not-routed",
        "a layer before the middleware takes `/shop` from PATH_INFO",
        sound(botocore("GET", "/shop/7"), "cuts the path"),
        ("middleware", sound(botocore("GET", "/shop/7"))),
    ),
    case(
        "signature-form",
        "botocore: the last character of a copied presigned URL is lost",
        sound(botocore(presigned=True, alter=_cut(1))),
        ("may be cut", sound(botocore(presigned=True))),
    ),
    case(
        "malformed-authorization",
        "botocore: a presigned URL in a shell without quotes, cut at its first &",
        sound(botocore(presigned=True, alter=_at_ampersand)),
        ("quote the URL", sound(botocore(presigned=True))),
    ),
    case(
        "body-incomplete",
        "botocore: the client goes away after 3 of 5 bytes; no proxy",
        direct(botocore("PUT", body=b"hello", cut=2)),
        ("closes the connection", direct(botocore("PUT", body=b"hello"))),
    ),
)
