"""The time of a request: parsing, skew and expiry.

In comes the text of ``X-Amz-Date`` or ``Date``, out comes a
:class:`Timestamp`, whose one value feeds the skew check, the string to sign
and the scope's date. A second reading of the date anywhere else would let one
date pass the clock and another one be signed (CVE-2015-8466).

``X-Amz-Date`` is the ISO 8601 basic form; ``Date`` may also be one of the
three forms of RFC 9110, section 5.6.7. Names of months are matched here and
not by ``strptime``, which follows the locale.
"""

from __future__ import annotations

import calendar
import re
from datetime import datetime
from datetime import timedelta
from typing import Final
from typing import NamedTuple

from wsgi_sigv4.memo import Memo

_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
_MONTH: Final = "|".join(_MONTHS)
_TIME: Final = r"(?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d)"
_EPOCH: Final = datetime(1970, 1, 1)
_ISO_BASIC: Final = re.compile(
    r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)T(?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d)Z", re.ASCII
)
_HTTP_DATES: Final = (
    # RFC 1123, with the zero zone that Python's email package writes.
    rf"(?:[A-Z][a-z]{{2}}, )?(?P<d>\d\d?) (?P<b>{_MONTH}) (?P<y>\d{{4}}) {_TIME} "
    r"(?:GMT|UTC|[+-]0000)",
    # RFC 850
    rf"[A-Z][a-z]{{5,8}}, (?P<d>\d\d)-(?P<b>{_MONTH})-(?P<y>\d\d) {_TIME} GMT",
    # asctime
    rf"[A-Z][a-z]{{2}} (?P<b>{_MONTH}) (?P<d>[ \d]\d) {_TIME} (?P<y>\d{{4}})",
)


class Timestamp(NamedTuple):
    """The time of a request.

    Attributes:
        iso: the ISO basic form, ``YYYYMMDDThhmmssZ``.
        posix: POSIX seconds.
        date: the date part, ``YYYYMMDD``.
    """

    iso: str
    posix: int
    date: str

    @classmethod
    def at(cls, posix: float) -> Timestamp:
        """Return the timestamp of *posix* seconds, whole seconds only."""
        return _AT[int(posix)]


def _at(seconds: int) -> Timestamp:
    return _made(_EPOCH + timedelta(seconds=seconds), seconds)


#: A refusal for a stale request names times, and many come in the same second.
_AT: Final = Memo(_at, longest=1, size=lambda _: 1)


def find_iso_basic(text: str) -> Timestamp | None:
    """Return the timestamp that *text* names in the ISO basic form, else None."""
    return _FOUND[text]


def _find_iso_basic(text: str) -> Timestamp | None:
    match = _ISO_BASIC.fullmatch(text)
    return None if match is None else _timestamp(match, month=int(match["m"]), year=int(match["y"]))


#: Whoever sends much sends it in the same second.
_FOUND: Final = Memo(_find_iso_basic, longest=16, size=len)


def find_date(text: str) -> Timestamp | None:
    """Return the timestamp that *text* names in any form that ``Date`` may have, else None."""
    found = find_iso_basic(text)
    if found is not None:
        return found
    for pattern in _HTTP_DATES:
        # Compiled when one comes, which is seldom; then re remembers it.
        match = re.fullmatch(pattern, text, re.ASCII)
        if match is not None:
            year = int(match["y"])
            # RFC 9110 leaves the century of a two-digit year to the reader;
            # a signed request is never of the last one.
            year += 2000 if len(match["y"]) == 2 else 0
            return _timestamp(match, month=_MONTHS.index(match["b"]) + 1, year=year)
    return None


def _timestamp(match: re.Match[str], *, month: int, year: int) -> Timestamp | None:
    try:
        moment = datetime(
            year, month, int(match["d"]), int(match["H"]), int(match["M"]), int(match["S"])
        )
    except ValueError:
        return None
    return _made(moment, calendar.timegm(moment.timetuple()))


def _made(moment: datetime, posix: int) -> Timestamp:
    # Not strftime, which some C libraries do not pad below year 1000.
    iso = moment.isoformat().replace("-", "").replace(":", "") + "Z"
    return Timestamp(iso=iso, posix=posix, date=iso[:8])


def is_skewed(timestamp: Timestamp, now: float, max_skew: int) -> bool:
    """Return whether *timestamp* is more than *max_skew* seconds from *now*, on either side."""
    return abs(now - timestamp.posix) > max_skew


def is_ahead(timestamp: Timestamp, *, now: float, max_skew: int) -> bool:
    """Return whether *timestamp* is more than *max_skew* seconds after *now*."""
    return timestamp.posix - now > max_skew


def is_expired(timestamp: Timestamp, *, lifetime: int, now: float) -> bool:
    """Return whether *lifetime* seconds have passed since *timestamp*.

    A presigned URL is dead at its very end: skew never extends it.
    """
    return now >= timestamp.posix + lifetime
