"""What S3's clients are told in XML, and tell: documents, and the codes of errors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

from werkzeug.wrappers import Request
from werkzeug.wrappers import Response

from examples.bucket_folder import pieces

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
#: Completing an upload of 10,000 parts, each with a checksum, takes about 2 MB of XML.
MAX_XML = 4 * 1024 * 1024

#: An element: its name, and its text or its elements.
Node = tuple[str, object]

ERRORS = {
    "BucketAlreadyOwnedByYou": (409, "The bucket exists, and is yours."),
    "InvalidArgument": (400, "An argument is not valid."),
    "InvalidPart": (400, "A part was not uploaded, or has another ETag."),
    "InvalidPartOrder": (400, "The parts are not in ascending order."),
    "InvalidRange": (416, "The requested range is not satisfiable."),
    "KeyTooLongError": (400, "The key is too long."),
    "MalformedXML": (400, "The XML is not well-formed, or not what was expected."),
    "NoSuchBucket": (404, "The bucket does not exist."),
    "NoSuchKey": (404, "The key does not exist."),
    "NoSuchUpload": (404, "The upload does not exist."),
    "NotImplemented": (501, "This is not implemented."),
    "ServiceUnavailable": (503, "There is no room left."),
}


class S3Error(Exception):
    """An answer with one of the codes of :data:`ERRORS`."""


@contextmanager
def missing_is(code: str) -> Iterator[None]:
    """Answer with *code* where a file is not there."""
    try:
        yield
    except FileNotFoundError as error:
        raise S3Error(code) from error


def number(text: str | None) -> int:
    """Return the number that *text* is."""
    if text is None or not re.fullmatch("[0-9]{1,9}", text):
        raise S3Error("InvalidArgument")
    return int(text)


def part_number(text: str | None) -> int:
    """Return the number of a part, from 1 to 10,000."""
    if not 1 <= (part := number(text)) <= 10_000:
        raise S3Error("InvalidArgument")
    return part


def refusal(code: str) -> Response:
    """Answer with an error."""
    status, message = ERRORS[code]
    return xml("Error", ("Code", code), ("Message", message), status=status)


def xml(tag: str, *nodes: Node, status: int = 200) -> Response:
    """Answer with an XML document; errors are in no namespace."""
    root = ElementTree.Element(tag, {} if status >= 400 else {"xmlns": NAMESPACE})
    add(root, nodes)
    text = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return Response(text, status, content_type="application/xml")


def add(parent: ElementTree.Element, nodes: Iterable[Node]) -> None:
    """Add *nodes* to *parent*."""
    for name, value in nodes:
        child = ElementTree.SubElement(parent, name)
        if isinstance(value, list):
            add(child, value)
        else:
            child.text = str(value)


class NoDoctype(ElementTree.TreeBuilder):
    """Builds no tree where entities could be declared: then none can expand."""

    def doctype(self, name: str, pubid: str, system: str) -> None:
        """Refuse."""
        raise S3Error("MalformedXML")


def read_xml(request: Request) -> ElementTree.Element:
    """Return the root of the document in the body."""
    body = b"".join(pieces(request.stream, MAX_XML + 1))
    if len(body) > MAX_XML:
        raise S3Error("MalformedXML")
    try:
        return ElementTree.fromstring(body, ElementTree.XMLParser(target=NoDoctype()))  # noqa: S314
    except ElementTree.ParseError as error:
        raise S3Error("MalformedXML") from error
