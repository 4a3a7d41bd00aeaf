"""The bucket itself, in this process and behind no middleware: what S3 would answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from werkzeug.test import Client
from werkzeug.test import TestResponse

from examples import bucket
from examples.bucket import Bucket
from wsgi_sigv4.testing import Signer
from wsgi_sigv4.testing import sign_client

KEYS = ["a", "a/1", "a/2", "a/b/1", "b", "c/1", "d é+", "e"]
KEY = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


class Reader(Client):
    """A client that reads each answer to its end, and closes it."""

    def open(self, *args: Any, **options: Any) -> TestResponse:
        """Ask."""
        return super().open(*args, **{**options, "buffered": True})


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """A client of an empty bucket."""
    return Reader(Bucket(tmp_path / "photos"))


@pytest.fixture
def full(client: Client) -> Client:
    """A client of a bucket with KEYS; each has its key for content."""
    for key in KEYS:
        assert put(client, key, key.encode()).status_code == 200
    return client


def put(client: Client, key: str, data: bytes, **options: Any) -> TestResponse:
    """Put an object."""
    return client.put(f"/photos/{quote(key)}", data=data, **options)


def texts(answer: TestResponse, path: str) -> list[str]:
    """Return the texts of the elements at *path* of an answer."""
    assert answer.status_code == 200
    root = ElementTree.fromstring(answer.data)
    return [found.text or "" for found in root.iterfind(path)]


def code(answer: TestResponse) -> tuple[int, str]:
    """Return the status and the code of an error."""
    return answer.status_code, ElementTree.fromstring(answer.data).findtext("Code", "")


def listing(client: Client, **query: str) -> tuple[list[str], list[str]]:
    """Return the keys and the common prefixes of a listing."""
    answer = client.get("/photos", query_string={"list-type": "2", **query})
    return texts(answer, "{*}Contents/{*}Key"), texts(answer, "{*}CommonPrefixes/{*}Prefix")


@pytest.mark.parametrize(
    ("query", "keys", "prefixes"),
    [
        ({}, KEYS, []),
        ({"prefix": "a"}, ["a", "a/1", "a/2", "a/b/1"], []),
        ({"prefix": "a/", "delimiter": "/"}, ["a/1", "a/2"], ["a/b/"]),
        ({"delimiter": "/"}, ["a", "b", "d é+", "e"], ["a/", "c/"]),
        ({"delimiter": "/b"}, ["a", "a/1", "a/2", "b", "c/1", "d é+", "e"], ["a/b"]),
        ({"prefix": "x"}, [], []),
        ({"start-after": "b"}, ["c/1", "d é+", "e"], []),
        ({"prefix": "d", "encoding-type": "url"}, ["d%20%C3%A9%2B"], []),
        ({"max-keys": "2"}, ["a", "a/1"], []),
        ({"max-keys": "0"}, [], []),
    ],
)
def test_listing(full: Client, query: dict[str, str], keys: list[str], prefixes: list[str]) -> None:
    """A listing has what the query asks for, in the order of S3."""
    assert listing(full, **query) == (keys, prefixes)


@pytest.mark.parametrize("delimiter", ["", "/"])
@pytest.mark.parametrize("size", ["1", "2", "3", "7"])
@pytest.mark.parametrize("version", ["1", "2"])
def test_listing_page_by_page(full: Client, version: str, size: str, delimiter: str) -> None:
    """The pages of a listing hold together what one page would hold, each thing once."""
    asked = (
        {"list-type": "2", "delimiter": delimiter} if version == "2" else {"delimiter": delimiter}
    )
    found: tuple[list[str], list[str]] = ([], [])
    marker: dict[str, str] = {}
    for _ in range(20):
        query = {**asked, **marker, "max-keys": size}
        answer = full.get("/photos", query_string=query)
        found[0].extend(texts(answer, "{*}Contents/{*}Key"))
        found[1].extend(texts(answer, "{*}CommonPrefixes/{*}Prefix"))
        if texts(answer, "{*}IsTruncated") == ["false"]:
            break
        if version == "2":
            marker = {"continuation-token": texts(answer, "{*}NextContinuationToken")[0]}
        else:
            marker = {"marker": texts(answer, "{*}NextMarker")[0]}
    assert found == listing(full, delimiter=delimiter)


@pytest.mark.parametrize(
    ("sent", "status", "data"),
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=0-0", 206, b"0"),
        ("bytes=5-99", 206, b"56789"),
    ],
)
def test_range(client: Client, sent: str, status: int, data: bytes) -> None:
    """A range of an object is answered, and HEAD says how long it is."""
    put(client, "x", b"0123456789")
    answer = client.get("/photos/x", headers={"Range": sent})
    assert (answer.status_code, answer.data) == (status, data)
    assert answer.headers["Content-Range"].endswith("/10")
    head = client.head("/photos/x", headers={"Range": sent})
    assert (head.content_length, head.data) == (len(data), b"")


@pytest.mark.parametrize("sent", ["bytes=10-", "bytes=5-2", "bytes=x"])
def test_range_that_is_none(client: Client, sent: str) -> None:
    """A range outside of an object is 416 InvalidRange."""
    put(client, "x", b"0123456789")
    assert code(client.get("/photos/x", headers={"Range": sent})) == (416, "InvalidRange")


def test_object_comes_back_with_its_headers(client: Client) -> None:
    """Content, type and metadata of an object come back, with its MD5 and the time."""
    headers = {"Content-Type": "image/png", "x-amz-meta-colour": "blue", "x-amz-acl": "private"}
    etag = '"9a0364b9e99bb480dd25e1f0284c8555"'
    assert put(client, "x", b"content", headers=headers).headers["ETag"] == etag
    answer = client.get("/photos/x")
    assert (answer.data, answer.headers["Content-Type"]) == (b"content", "image/png")
    assert (answer.headers["x-amz-meta-colour"], answer.headers["ETag"]) == ("blue", etag)
    assert "x-amz-acl" not in answer.headers
    assert answer.last_modified is not None
    for header, status in (("If-None-Match", 304), ("If-Match", 200)):
        assert client.get("/photos/x", headers={header: etag}).status_code == status
    assert client.get("/photos/x", headers={"If-Match": '"another"'}).status_code == 412


def begin(client: Client) -> str:
    """Begin an upload in parts of the key x, and return its path."""
    answer = client.post("/photos/x?uploads", headers={"Content-Type": "image/png"})
    return f"/photos/x?uploadId={texts(answer, '{*}UploadId')[0]}"


def complete(*parts: tuple[object, str]) -> str:
    """Return the XML that completes an upload of *parts*."""
    inner = (f"<Part><PartNumber>{n}</PartNumber><ETag>{e}</ETag></Part>" for n, e in parts)
    return f"<CompleteMultipartUpload>{''.join(inner)}</CompleteMultipartUpload>"


def test_multipart_upload(client: Client) -> None:
    """The parts that are named make the object, in their order, and nothing is left of them."""
    path = begin(client)
    etags = {
        n: client.put(f"{path}&partNumber={n}", data=b"%d" % n).headers["ETag"] for n in (3, 1)
    }
    client.put(f"{path}&partNumber=2", data=b"not named")
    assert listing(client) == ([], [])
    answer = client.post(path, data=complete((1, etags[1]), (3, etags[3])))
    # The MD5 of the two MD5s, by another program.
    assert texts(answer, "{*}ETag") == ['"6254c6d4687762da3a006a3cb00d326d-2"']
    got = client.get("/photos/x")
    assert (got.data, got.headers["Content-Type"]) == (b"13", "image/png")
    assert code(client.post(path, data=complete((1, etags[1])))) == (404, "NoSuchUpload")
    assert code(client.put(f"{path}&partNumber=4")) == (404, "NoSuchUpload")


ONE = "c4ca4238a0b923820dcc509a6f75849b"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (complete((2, ONE)), (400, "InvalidPart")),
        (complete((1, "0" * 32)), (400, "InvalidPart")),
        (complete((1, ONE), (1, ONE)), (400, "InvalidPartOrder")),
        (complete((0, ONE)), (400, "InvalidArgument")),
        (complete(("../1", ONE)), (400, "InvalidArgument")),
        (complete(), (400, "MalformedXML")),
        ("", (400, "MalformedXML")),
        ("<a><b></a>", (400, "MalformedXML")),
        (f'<!DOCTYPE a [<!ENTITY b "1">]>{complete(("&b;", ONE))}', (400, "MalformedXML")),
        (f'<!DOCTYPE a SYSTEM "file:///etc/passwd">{complete((1, ONE))}', (400, "MalformedXML")),
        (" " * (4 * 1024 * 1024) + complete((1, ONE)), (400, "MalformedXML")),
    ],
    ids=range(11),
)
def test_upload_that_cannot_be_completed(
    client: Client, body: str, expected: tuple[int, str]
) -> None:
    """Wrong parts and wrong XML make no object, and the upload goes on."""
    path = begin(client)
    assert client.put(f"{path}&partNumber=1", data=b"1").headers["ETag"] == f'"{ONE}"'
    assert code(client.post(path, data=body)) == expected
    assert listing(client) == ([], [])
    assert client.post(path, data=complete((1, ONE))).status_code == 200


def test_abort_takes_the_parts_away(client: Client, tmp_path: Path) -> None:
    """Nothing is left of an upload that was given up."""
    path = begin(client)
    client.put(f"{path}&partNumber=1", data=b"1")
    assert client.delete(path).status_code == 204
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == []


def test_several_objects_are_deleted(full: Client) -> None:
    """Those that are named are deleted, whether they are there or not, and named in the answer."""
    body = "".join(f"<Object><Key>{key}</Key></Object>" for key in ("a", "none", "d é+"))
    answer = full.post("/photos?delete", data=f"<Delete>{body}</Delete>".encode())
    assert texts(answer, "{*}Deleted/{*}Key") == ["a", "none", "d é+"]
    assert listing(full)[0] == ["a/1", "a/2", "a/b/1", "b", "c/1", "e"]
    quiet = full.post("/photos?delete", data="<Delete><Quiet>true</Quiet></Delete>")
    assert texts(quiet, "{*}Deleted") == []


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/photos/none", (404, "NoSuchKey")),
        ("GET", "/other/x", (404, "NoSuchBucket")),
        ("PUT", "/other/x", (404, "NoSuchBucket")),
        ("PUT", "/photos", (409, "BucketAlreadyOwnedByYou")),
        ("DELETE", "/photos", (501, "NotImplemented")),
        ("POST", "/photos/x", (501, "NotImplemented")),
        ("PUT", "/photos/x?acl", (501, "NotImplemented")),
        ("PUT", "/photos/x?tagging", (501, "NotImplemented")),
        ("GET", "/photos?policy", (501, "NotImplemented")),
        ("GET", "/photos/x?uploadId=1", (501, "NotImplemented")),
        ("PUT", "/photos/x?uploadId=1&uploads", (501, "NotImplemented")),
        ("GET", "/photos?max-keys=x", (400, "InvalidArgument")),
        ("GET", "/photos?list-type=2&continuation-token=!", (400, "InvalidArgument")),
        ("GET", "/photos?list-type=2&continuation-token=_w==", (400, "InvalidArgument")),
        ("GET", "/photos?prefix=%00", (400, "InvalidArgument")),
    ],
)
def test_errors(client: Client, method: str, path: str, expected: tuple[int, str]) -> None:
    """What is not there and what is not implemented is said in S3's words, and nothing happens."""
    put(client, "x", b"before")
    assert code(client.open(path, method=method, data=b"after")) == expected
    assert client.get("/photos/x").data == b"before"


@pytest.mark.parametrize("name", ["x-amz-copy-source", "If-None-Match", "If-Match"])
def test_upload_with_a_condition_is_not_an_upload(client: Client, name: str) -> None:
    """A copy, or an upload that depends on what is there, is not taken for a plain upload."""
    put(client, "x", b"before")
    assert code(put(client, "x", b"after", headers={name: "*"})) == (501, "NotImplemented")
    assert client.get("/photos/x").data == b"before"


def test_bucket_says_that_it_is_there(client: Client) -> None:
    """Clients find the bucket, alone and in the list, and where it is."""
    assert client.head("/photos").status_code == 200
    assert client.head("/photos/").status_code == 200
    assert client.head("/other").status_code == 404
    assert texts(client.get("/"), "{*}Buckets/{*}Bucket/{*}Name") == ["photos"]
    assert texts(client.get("/photos?location"), ".") == [""]


def test_folder_must_be_named_like_a_bucket(tmp_path: Path) -> None:
    """A folder whose name no client would take for a bucket's is refused at the start."""
    with pytest.raises(ValueError, match="'My Photos' cannot be the name of a bucket"):
        Bucket(tmp_path / "My Photos")


@pytest.mark.parametrize("stream", ["0", "1"])
def test_application_takes_signed_requests_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    """The application of the environment is behind the middleware."""
    monkeypatch.setenv("BUCKET_FOLDER", str(tmp_path / "photos"))
    monkeypatch.setenv("BUCKET_STREAM", stream)
    app = bucket.application()
    refused = Reader(app).put("/photos/x", data=b"content")
    assert code(refused) == (403, "AccessDenied")
    signed = sign_client(Reader(app), Signer(*KEY, region="us-east-1", service="s3"))
    assert signed.put("/photos/x", data=b"content").status_code == 200
    assert signed.get("/photos/x").data == b"content"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [bool(re.fullmatch("[0-9a-f]{64}", path.name)) for path in files] == [True]
