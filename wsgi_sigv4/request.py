"""The request as it was sent: method, raw path, raw query, header pairs.

Whoever brings a request in (a WSGI environ, an ASGI scope, another framework)
gives the bytes of the wire. Nothing here is decoded or normalised: a verifier
that sees a decoded path cannot tell ``%2F`` from ``/``, and one that sees a
parsed query has lost the order, the duplicates and the spelling that were
signed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set
from dataclasses import dataclass
from dataclasses import field
from typing import Final
from typing import cast

from wsgi_sigv4.drafts import draft_of
from wsgi_sigv4.encoding import has_malformed_escape
from wsgi_sigv4.encoding import percent_decode
from wsgi_sigv4.errors import MalformedQuery
from wsgi_sigv4.errors import MalformedRequest
from wsgi_sigv4.errors import MalformedTarget
from wsgi_sigv4.memo import Memo
from wsgi_sigv4.memo import total_length

_METHOD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", re.ASCII)
_CLEAN_PATH = re.compile(
    rb"/[\x21\x22\x24\x26-\x3e\x40-\x7e]*(?:%[0-9A-Fa-f]{2}[\x21\x22\x24\x26-\x3e\x40-\x7e]*)*"
)
_PLAIN_PATH = re.compile(rb"/|(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)+/?")
_CLEAN_QUERY = re.compile(rb"[\x21\x22\x24-\x7e]*")
# To look for a byte takes a tenth of what it takes to look for bytes.
_CR: Final = ord("\r")
_NUL: Final = 0


class HeaderNames:
    """The names of the headers of a request, in the order sent; compared by identity.

    Attributes:
        sent: as sent.
        lower: in lower case.
        are_unique: none of them stands twice.

    Raises:
        MalformedRequest: if one holds a line break.
    """

    __slots__ = ("are_unique", "lower", "sent")

    def __init__(self, sent: tuple[bytes, ...]) -> None:
        if b"\n" in b"".join(sent):
            raise MalformedRequest(fault="the name of a header holds a line break")
        self.sent = sent
        # Decoding cannot fail, and a name that is not ASCII matches no signed one.
        self.lower = tuple([name.decode("ascii", "backslashreplace").lower() for name in sent])
        self.are_unique = len(set(self.lower)) == len(sent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it stood on the wire.

    Its repr leaves out the query and the headers, which hold tokens and cookies.

    Attributes:
        method: the method, as sent.
        path: the path of the request target, as sent; not decoded.
        query: what follows the first ``?``, as sent; empty without one.
        headers: pairs of name and value, in the order sent. Names are compared
            without case; values are the bytes of the wire.
        routed_path: the decoded path that the application will route on, or
            None where the caller routes on *path* itself.
        doubtful_headers: lower-case names that the server may have made up, so
            that their presence proves nothing (wsgiref's Content-Type).
        joined_with_blank: True where the server joins repeated headers with a
            comma and a blank, which no client signs.
        is_plain: *path* has but one form: there is nothing to encode, decode or remove.
        names: the names of *headers*.
        values: what :meth:`header` returns, by lower-case name.

    Raises:
        MalformedRequest: if the method is no token, the path holds anything
            but visible ASCII, or a header value holds CR, LF or NUL.
    """

    method: str
    path: bytes
    query: bytes = field(default=b"", repr=False)
    headers: tuple[tuple[bytes, bytes], ...] = field(default_factory=tuple, repr=False)
    routed_path: bytes | None = None
    doubtful_headers: frozenset[str] = frozenset()
    joined_with_blank: bool = False
    is_plain: bool = field(init=False, repr=False, compare=False)
    names: HeaderNames = field(init=False, repr=False, compare=False)
    values: Mapping[str, bytes] = field(init=False, repr=False, compare=False)
    _lines: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_plain", _is_plain(self.method, self.path, self.query))
        names = HEADER_NAMES[tuple([name for name, _ in self.headers])]
        lines = b"\n".join([value for _, value in self.headers])
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "values", _values(names, lines))
        # What copies a request, or pickles it, reads every field.
        object.__setattr__(self, "_lines", lines)

    @classmethod
    def of(
        cls,
        method: str,
        path: bytes,
        query: bytes,
        names: HeaderNames,
        lines: bytes,
        routed_path: bytes | None,
        doubtful_headers: frozenset[str],
        joined_with_blank: bool,
    ) -> Request:
        """Return the request whose headers have *names*, and in their *lines* the values of them.

        It is what the class itself would return, in half the time.

        Args:
            method: the method, as sent.
            path: the path, as sent.
            query: the query, as sent.
            names: of the headers, in the order sent.
            lines: their values, a line for each.
            routed_path: the decoded path that the application will route on, or None.
            doubtful_headers: names that the server may have made up.
            joined_with_blank: whether repeated headers are joined with a blank too.

        Raises:
            MalformedRequest: as the class itself.
        """
        draft = _Draft()
        draft.is_plain = _is_plain(method, path, query)
        draft.method = method
        draft.path = path
        draft.query = query
        draft.routed_path = routed_path
        draft.doubtful_headers = doubtful_headers
        draft.joined_with_blank = joined_with_blank
        draft.names = names
        draft.values = _values(names, lines)
        draft._lines = lines
        draft.__class__ = cls
        return cast("Request", draft)

    def __getattr__(self, name: str) -> object:
        # The pairs are seldom asked for.
        if name != "headers":
            said = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(said, name=name, obj=self)
        lines = self._lines.split(b"\n") if self.names.sent else []
        return tuple(zip(self.names.sent, lines, strict=True))

    def header(self, name: str) -> bytes | None:
        """Return the value of the header *name* (lower-case), or None where it was not sent.

        Blanks around it are gone; repeated headers are joined with a comma, as they are signed.
        """
        return self.values.get(name)

    @property
    def header_names(self) -> Set[str]:
        """The lower-case names of the headers that were sent."""
        return self.values.keys()


_Draft: Final = draft_of(Request)


def parse_query(query: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Return the decoded names and values of *query*, in the order sent.

    Empty items (``&&``) are no parameters, a name without ``=`` has the empty
    value, and ``+`` is a space, as AWS reads it.

    >>> parse_query(b"b=2&a&c=x+y%2B")
    ((b'b', b'2'), (b'a', b''), (b'c', b'x y+'))

    Raises:
        MalformedQuery: if a percent escape is malformed.
    """
    if not query:
        return ()
    if has_malformed_escape(query):
        raise MalformedQuery(fault="a percent escape in the query is malformed")
    items = [item.partition(b"=") for item in query.replace(b"+", b" ").split(b"&") if item]
    if b"%" not in query:
        return tuple([(name, value) for name, _, value in items])
    return tuple([(percent_decode(name), percent_decode(value)) for name, _, value in items])


def _is_plain(method: str, path: bytes, query: bytes) -> bool:
    """Return whether *path* is plain; refuse what cannot begin a request."""
    if not _IS_METHOD[method]:
        raise MalformedRequest(fault="the method is not a token")
    is_plain = _PLAIN_PATH.fullmatch(path) is not None
    if not is_plain and _CLEAN_PATH.fullmatch(path) is None:
        raise MalformedTarget(fault=_path_fault(path))
    if query and _CLEAN_QUERY.fullmatch(query) is None:
        raise MalformedQuery(fault="the query holds bytes that must be percent-encoded")
    return is_plain


def _path_fault(path: bytes) -> str:
    if not path.startswith(b"/"):
        return "the path does not start with a slash"
    if _CLEAN_QUERY.fullmatch(path) is None or b"?" in path:
        return "the path holds bytes that must be percent-encoded"
    return "a percent escape in the path is malformed"


def _values(names: HeaderNames, lines: bytes) -> Mapping[str, bytes]:
    """Return the value of each header; repeated ones are joined with a comma."""
    values = lines.split(b"\n") if names.sent else []
    if len(values) != len(names.sent) or _CR in lines or _NUL in lines:
        raise MalformedRequest(fault="a header value holds a line break or a NUL")
    # Each line is trimmed before lines are joined; not str.strip, which also
    # eats bytes of UTF-8 text.
    pairs = zip(names.lower, values)  # noqa: B905 (to say so takes as long again)
    if names.are_unique:
        return {name: value.strip(b" \t") for name, value in pairs}
    joined: dict[str, bytes] = {}
    for name, value in pairs:
        line = value.strip(b" \t")
        joined[name] = joined[name] + b"," + line if name in joined else line
    return joined


def _is_method(method: str) -> bool:
    return _METHOD.fullmatch(method) is not None


_IS_METHOD: Final = Memo(_is_method, longest=64, size=len)
#: Clients of one kind send the same ones.
HEADER_NAMES: Final = Memo(HeaderNames, longest=16384, size=total_length)
