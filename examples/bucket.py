"""A small bucket on a folder: as much of S3 as its usual clients need, for signed requests only.

Run it from the top of the checkout; the name of the folder is that of the bucket::

    python -m examples.bucket /tmp/photos --port 8000

or under any WSGI server, here one that reads bodies while they arrive::

    BUCKET_FOLDER=/tmp/photos BUCKET_STREAM=1 gunicorn --threads 8 'examples.bucket:application()'

and use it as docs/bucket.md says, with ``aws s3``, boto3 or another client.

How objects are stored stands in bucket_folder.py, and the XML in bucket_xml.py. An example, not a
product: no versions, ACLs or copies (what it does not know is 501, not ignored), and a listing
reads the record of every object.
"""

from __future__ import annotations

import argparse
import errno
import os
import re
import sys
from base64 import b64decode
from base64 import urlsafe_b64encode
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response

from examples.bucket_folder import BucketFolder
from examples.bucket_folder import Stored
from examples.bucket_folder import md5
from examples.bucket_folder import pieces
from examples.bucket_xml import Node
from examples.bucket_xml import S3Error
from examples.bucket_xml import missing_is
from examples.bucket_xml import number
from examples.bucket_xml import part_number
from examples.bucket_xml import read_xml
from examples.bucket_xml import refusal
from examples.bucket_xml import xml
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

REGION = "us-east-1"
#: As S3: bytes of an upload and of a key, entries of a listing.
MAX_BODY = 5 * 1024**3
MAX_KEY = 1024
MAX_ENTRIES = 1000
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: What is kept of the headers of an upload, beside x-amz-meta-*.
KEPT = {
    *("cache-control", "content-disposition", "content-encoding", "content-language"),
    *("content-type", "expires"),
}
#: Headers that make something else of a request that writes.
UNKNOWN = ("x-amz-copy-source", "if-match", "if-none-match")
#: Names in a query that do not choose the operation.
PARAMETERS = {
    *("continuation-token", "delimiter", "encoding-type", "fetch-owner", "list-type", "marker"),
    *("max-keys", "partNumber", "prefix", "start-after", "x-id"),
}


class Bucket:
    """A WSGI application: *folder* as a bucket, for whomever the middleware lets through."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.resolve().name
        if not BUCKET_NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} cannot be the name of a bucket")
        self.folder = BucketFolder(folder)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        try:
            response = self.answer(request)
        except S3Error as error:
            response = refusal(str(error))
        except RequestedRangeNotSatisfiable:
            response = refusal("InvalidRange")
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            response = refusal("ServiceUnavailable")
        return response(environ, start_response)

    def answer(self, request: Request) -> Response:
        """Do what is asked for; method, path and query together say which operation that is."""
        try:
            # werkzeug's `path` would lose doubled slashes.
            path = request.environ["PATH_INFO"].encode("latin-1").decode()
        except UnicodeDecodeError as error:
            raise S3Error("InvalidArgument") from error
        bucket, _, key = path.removeprefix("/").partition("/")
        if any(NOT_XML.search(text) for text in (key, *request.args.values())):
            raise S3Error("InvalidArgument")
        if len(key.encode()) > MAX_KEY:
            raise S3Error("KeyTooLongError")
        level = "object" if key else "bucket" if bucket else "service"
        chosen = [name for name in request.args if name not in PARAMETERS]
        operation = (request.method, level, *(n for n in chosen if n[:6].lower() != "x-amz-"))
        writes = request.method not in ("GET", "HEAD")
        if bucket != self.name and (bucket or key):
            raise S3Error("NoSuchBucket")
        if operation not in OPERATIONS or (writes and any(n in request.headers for n in UNKNOWN)):
            raise S3Error("NotImplemented")
        return OPERATIONS[operation](self, request, key)

    def list_buckets(self, request: Request, key: str) -> Response:
        """Answer with the one bucket there is."""
        bucket = [("Name", self.name), ("CreationDate", "2006-03-01T00:00:00.000Z")]
        return xml("ListAllMyBucketsResult", ("Buckets", [("Bucket", bucket)]))

    def head_bucket(self, request: Request, key: str) -> Response:
        """Say that the bucket is there."""
        return Response(headers={"x-amz-bucket-region": REGION})

    def create_bucket(self, request: Request, key: str) -> Response:
        """Say that the bucket is there already: some clients make sure."""
        raise S3Error("BucketAlreadyOwnedByYou")

    def location(self, request: Request, key: str) -> Response:
        """Say where the bucket is; us-east-1 has no name here."""
        return xml("LocationConstraint")

    def list_objects(self, request: Request, key: str) -> Response:
        """List keys, in the first or the second version of this operation."""
        args = request.args
        second = args.get("list-type") == "2"
        after = args.get("start-after" if second else "marker", "")
        if second and (token := args.get("continuation-token")):
            after = decoded(token)
        prefix, delimiter = args.get("prefix", ""), args.get("delimiter", "")
        limit = min(number(args.get("max-keys", "1000")), MAX_ENTRIES)
        entries = listed(self.folder, prefix, delimiter, after)
        chosen = list(islice(entries, limit))
        more = bool(chosen) and next(entries, None) is not None
        url: Callable[[str], str] = quote if args.get("encoding-type") == "url" else str
        nodes: list[Node] = [("Name", self.name), ("Prefix", url(prefix)), ("MaxKeys", limit)]
        nodes += [("EncodingType", "url")] if url is quote else []
        nodes += [("Delimiter", url(delimiter))] if delimiter else []
        nodes += [("IsTruncated", str(more).lower())]
        nodes += [("KeyCount", len(chosen))] if second else [("Marker", url(after))]
        if more:
            last = chosen[-1][0]
            token = urlsafe_b64encode(last.encode()).decode()
            nodes += [("NextContinuationToken", token) if second else ("NextMarker", url(last))]
        nodes += [described(url(name), found) for name, found in chosen]
        return xml("ListBucketResult", *nodes)

    def get_object(self, request: Request, key: str) -> Response:
        """Answer with an object or a range of it; or, to HEAD, what there is to say of it."""
        with missing_is("NoSuchKey"):
            file, found = self.folder.open(key)
        try:
            headers = {"content-type": "binary/octet-stream"} | found.headers
            response = Response(headers=headers)
            response.call_on_close(file.close)
            response.set_etag(found.etag)
            response.last_modified = found.modified
            response.content_length = found.size
            response.make_conditional(request, accept_ranges=True, complete_length=found.size)
            file.seek(response.content_range.start or 0)
        except BaseException:
            file.close()
            raise
        response.response = pieces(file, response.content_length or 0)
        return response

    def put_object(self, request: Request, key: str) -> Response:
        """Store an object."""
        etag = self.folder.put(key, pieces(request.stream), kept_headers(request))
        return Response(headers={"ETag": f'"{etag}"'})

    def delete_object(self, request: Request, key: str) -> Response:
        """Delete an object; it need not be there."""
        self.folder.delete(key)
        return Response(status=204)

    def delete_objects(self, request: Request, key: str) -> Response:
        """Delete the objects that are named in the body."""
        root = read_xml(request)
        keys = [found.text or "" for found in root.iterfind("{*}Object/{*}Key")]
        for name in keys:
            self.folder.delete(name)
        quiet = root.findtext("{*}Quiet") == "true"
        return xml("DeleteResult", *([] if quiet else [("Deleted", [("Key", k)]) for k in keys]))

    def create_upload(self, request: Request, key: str) -> Response:
        """Begin a multipart upload."""
        upload_id = self.folder.begin_upload(key, kept_headers(request))
        nodes: list[Node] = [("Bucket", self.name), ("Key", key), ("UploadId", upload_id)]
        return xml("InitiateMultipartUploadResult", *nodes)

    def upload_part(self, request: Request, key: str) -> Response:
        """Store a part."""
        upload_id = self.upload_id(request, key)
        part = part_number(request.args.get("partNumber"))
        with missing_is("NoSuchUpload"):
            etag = self.folder.put_part(upload_id, part, key, pieces(request.stream))
        return Response(headers={"ETag": f'"{etag}"'})

    def complete_upload(self, request: Request, key: str) -> Response:
        """Make an object of the parts that are named in the body."""
        upload_id = self.upload_id(request, key)
        etags: dict[int, str] = {}
        for node in read_xml(request).iterfind("{*}Part"):
            part = part_number(node.findtext("{*}PartNumber"))
            if etags and part <= max(etags):
                raise S3Error("InvalidPartOrder")
            with missing_is("InvalidPart"):
                etags[part] = self.folder.part(upload_id, part).etag
            if etags[part] != (node.findtext("{*}ETag") or "").strip('"'):
                raise S3Error("InvalidPart")
        if not etags:
            raise S3Error("MalformedXML")
        digest = md5(b"".join(map(bytes.fromhex, etags.values()))).hexdigest()
        etag = f"{digest}-{len(etags)}"
        with missing_is("NoSuchUpload"):
            self.folder.complete_upload(upload_id, etags, etag)
        nodes: list[Node] = [("Bucket", self.name), ("Key", key), ("ETag", f'"{etag}"')]
        return xml("CompleteMultipartUploadResult", *nodes)

    def abort_upload(self, request: Request, key: str) -> Response:
        """Forget an upload and its parts."""
        with missing_is("NoSuchUpload"):
            self.folder.end_upload(self.upload_id(request, key))
        return Response(status=204)

    def upload_id(self, request: Request, key: str) -> str:
        """Return the id of the upload that is asked for, which is one of *key*."""
        upload_id = request.args["uploadId"]
        with missing_is("NoSuchUpload"):
            if not re.fullmatch("[0-9a-f]{32}", upload_id) or self.folder.key(upload_id) != key:
                raise FileNotFoundError
        return upload_id


OPERATIONS: dict[tuple[str, ...], Callable[[Bucket, Request, str], Response]] = {
    ("GET", "service"): Bucket.list_buckets,
    ("HEAD", "bucket"): Bucket.head_bucket,
    ("PUT", "bucket"): Bucket.create_bucket,
    ("GET", "bucket"): Bucket.list_objects,
    ("GET", "bucket", "location"): Bucket.location,
    ("POST", "bucket", "delete"): Bucket.delete_objects,
    ("HEAD", "object"): Bucket.get_object,
    ("GET", "object"): Bucket.get_object,
    ("PUT", "object"): Bucket.put_object,
    ("DELETE", "object"): Bucket.delete_object,
    ("POST", "object", "uploads"): Bucket.create_upload,
    ("PUT", "object", "uploadId"): Bucket.upload_part,
    ("POST", "object", "uploadId"): Bucket.complete_upload,
    ("DELETE", "object", "uploadId"): Bucket.abort_upload,
}


def decoded(token: str) -> str:
    """Return the name after which a listing goes on."""
    try:
        return b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise S3Error("InvalidArgument") from error


def kept_headers(request: Request) -> dict[str, str]:
    """Return the headers that are stored with an object."""
    headers = {name.lower(): value for name, value in request.headers}
    return {n: v for n, v in headers.items() if n in KEPT or n.startswith("x-amz-meta-")}


def listed(
    objects: Iterable[Stored], prefix: str, delimiter: str, after: str
) -> Iterator[tuple[str, Stored | None]]:
    """Yield the keys below *prefix* and, with None, what keys have in common up to *delimiter*."""
    before = after
    for found in sorted(objects, key=lambda found: found.key.encode()):
        name = found.key
        if not name.startswith(prefix) or name.encode() <= after.encode():
            continue
        if delimiter and delimiter in name[len(prefix) :]:
            common = name[: name.index(delimiter, len(prefix)) + len(delimiter)]
            if common != before:
                yield common, None
            before = common
        else:
            yield name, found


def described(name: str, found: Stored | None) -> Node:
    """Return an entry of a listing."""
    if found is None:
        return "CommonPrefixes", [("Prefix", name)]
    modified = found.modified.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    nodes = [("Key", name), ("LastModified", modified), ("ETag", f'"{found.etag}"')]
    return "Contents", [*nodes, ("Size", found.size), ("StorageClass", "STANDARD")]


def application() -> WSGIApplication:
    """Return the application that the environment describes."""
    verifier = Verifier(
        # The example of AWS's documentation: yours come from a secret store.
        {"AKIAIOSFODNN7EXAMPLE": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"},
        region=REGION,
        service="s3",
        # Any, for an example that runs anywhere. Name yours: what was signed for one is then no
        # good for another.
        hosts=None,
    )
    bucket = Bucket(Path(os.environ["BUCKET_FOLDER"]))
    stream = os.environ.get("BUCKET_STREAM") == "1"
    return SigV4Middleware(bucket, verifier, max_body=MAX_BODY, stream=stream)


def main() -> None:
    """Serve a folder with gunicorn."""
    parser = argparse.ArgumentParser("python -m examples.bucket", description=main.__doc__)
    parser.add_argument("folder", help="its name is that of the bucket")
    parser.add_argument("--port", default="8000")
    parser.add_argument("--stream", action="store_true", help="read bodies while they arrive")
    given = parser.parse_args()
    os.environ.update(BUCKET_FOLDER=given.folder, BUCKET_STREAM="1" if given.stream else "0")
    command = [sys.executable, "-m", "gunicorn", "--threads", "8"]
    command += ["--bind", f"127.0.0.1:{given.port}", "examples.bucket:application()"]
    os.execv(sys.executable, command)  # noqa: S606 (no shell, and it is this interpreter)


if __name__ == "__main__":
    main()
