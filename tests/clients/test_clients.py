"""Real clients are let in, and are told what is wrong in words that they understand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients import table
from tests.clients.running import PROGRAMS
from tests.clients.running import Program
from tests.clients.running import server

OK = "200"

#: What each client is told, by what it sends. The clients fail by themselves where an answer is
#: not the right one.
EXPECTED: dict[str, dict[str, str]] = {
    "boto3": {
        "S3: put, get, head, list, delete with odd keys": OK,
        "S3: put of 3 MB": OK,
        "S3: presigned PUT and GET, session token": OK,
        "DynamoDB and SQS (JSON)": OK,
        "DynamoDB and SQS, session token": OK,
        "STS and SNS (query protocol)": OK,
        "STS and SNS, session token": OK,
        "S3: wrong secret": "SignatureDoesNotMatch",
        "S3: unknown access key id": "InvalidAccessKeyId",
        "S3: session token of a permanent key": "InvalidToken",
        # HEAD has no body: the status is all that boto3 has.
        "S3 HEAD: wrong secret": "403",
        "S3 HEAD: unknown access key id": "403",
        "S3 HEAD: session token of a permanent key": "400",
        "DynamoDB: wrong secret": "InvalidSignatureException",
        "DynamoDB: unknown access key id": "UnrecognizedClientException",
        "DynamoDB: session token of a permanent key": "UnrecognizedClientException",
        "STS: wrong secret": "SignatureDoesNotMatch",
        "STS: unknown access key id": "InvalidClientTokenId",
        "STS: session token of a permanent key": "InvalidClientTokenId",
        "DynamoDB: wrong region": "InvalidSignatureException",
    },
    "botocore": {
        "GET, escapes in path and query": OK,
        "GET, `//` and `..`": OK,
        "POST of JSON": OK,
        "POST of a form": OK,
        "GET, session token": OK,
        "presigned GET": OK,
        "presigned GET, session token": OK,
        "GET, wrong secret": "403 InvalidSignatureException",
        "presigned GET, wrong secret": "403 InvalidSignatureException",
    },
    "AWS CLI 1": {
        "S3: put, get, list": OK,
        "STS (query protocol), session token": OK,
        "DynamoDB (JSON)": OK,
        "S3: wrong secret": "SignatureDoesNotMatch",
        "STS: wrong secret": "SignatureDoesNotMatch",
        "DynamoDB: wrong secret": "InvalidSignatureException",
    },
    "aiobotocore": {
        "S3: put, get, list, delete with odd keys": OK,
        "DynamoDB (JSON), session token": OK,
        "S3: put and get by s3fs": OK,
        "S3: wrong secret": "SignatureDoesNotMatch",
    },
    "niquests with botocore": {
        "GET, escapes in path and query": OK,
        "GET, session token": OK,
        "POST": OK,
        "S3: PUT": OK,
        "S3: GET": OK,
        "GET, wrong secret": "403 InvalidSignatureException",
    },
    "awscrt": {
        "GET, escapes in path and query": OK,
        "POST of JSON": OK,
        "GET, session token": OK,
        "presigned GET, session token": OK,
        "S3: PUT and GET": OK,
        "S3: presigned PUT": OK,
        "GET, wrong secret": "403 InvalidSignatureException",
        "S3: GET, wrong secret": "403 SignatureDoesNotMatch",
    },
    "AWS SDK for JavaScript 3": {
        "S3: put, get, head, list, delete with odd keys": OK,
        "S3: presigned PUT and GET, session token": OK,
        "DynamoDB and SQS (JSON), session token": OK,
        "S3: a clock an hour slow, corrected": OK,
        "S3: a clock an hour fast, corrected": OK,
        "DynamoDB: a clock an hour slow, corrected": OK,
        "DynamoDB: a clock an hour fast, corrected": OK,
        "S3: wrong secret": "SignatureDoesNotMatch",
        "DynamoDB: wrong secret": "InvalidSignatureException",
    },
    "aws4 (node)": {
        "GET, escapes in path and query": OK,
        "POST of JSON": OK,
        "GET, session token": OK,
        "presigned GET": OK,
        "S3: PUT": OK,
        "GET, wrong secret": "403 InvalidSignatureException",
    },
    "minio-py": {
        "S3: put, get, stat, list, remove with odd keys": OK,
        "S3: presigned PUT and GET, session token": OK,
        "S3: wrong secret": "SignatureDoesNotMatch",
    },
    "requests-aws4auth": {
        "GET with a query": OK,
        "POST of JSON": OK,
        "GET, session token": OK,
        "GET, wrong secret": "403 InvalidSignatureException",
        "S3: PUT": OK,
        "S3: GET": OK,
    },
    "requests-auth-aws-sigv4": {
        "GET with a query": OK,
        "POST of JSON": OK,
        "GET, session token": OK,
        # It sends every GET as a form, so that it is answered as the query protocol is.
        "GET, wrong secret": "403 SignatureDoesNotMatch",
    },
    "curl": {
        "GET with a query": OK,
        "POST of JSON": OK,
        "POST of a form": OK,
        "GET, wrong secret": "403 InvalidSignatureException",
    },
}

#: The clients that one program runs, where that is not just the one of its name.
CLIENTS_OF = {
    "awscli": {"AWS CLI 1"},
    "niquests": {"niquests with botocore"},
    "node": {"AWS SDK for JavaScript 3", "aws4 (node)"},
    "minio": {"minio-py"},
    "requests": {"requests-aws4auth", "requests-auth-aws-sigv4"},
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of the running server."""
    with server(tmp_path_factory.mktemp("clients")) as url:
        yield url


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_client_is_told_what_is_expected(program: Program, url: str) -> None:
    """A client gets in by each form it can sign, and raises its own error for a refusal."""
    if reason := program.why_not():
        pytest.skip(reason)
    found: dict[str, dict[str, str]] = {}
    for exchange in program.run(url):
        found.setdefault(exchange.client, {})[exchange.sent] = exchange.told
    clients = CLIENTS_OF.get(program.name, {program.name})
    assert found == {client: EXPECTED[client] for client in clients}


def test_page_says_what_is_expected() -> None:
    """docs/clients.md, which is made from a run, says what the tests expect."""
    assert table.told(table.PAGE.read_text(encoding="utf-8")) == EXPECTED


def test_page_is_made_by_the_script() -> None:
    """docs/clients.md has the head of the script: nobody writes it by hand."""
    assert table.PAGE.read_text(encoding="utf-8").startswith(table.HEAD)
