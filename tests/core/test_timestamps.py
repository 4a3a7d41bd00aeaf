"""The time of a request."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.signing import NOW
from tests.core.signing import TIMESTAMP
from wsgi_sigv4.timestamps import Timestamp
from wsgi_sigv4.timestamps import find_date
from wsgi_sigv4.timestamps import find_iso_basic
from wsgi_sigv4.timestamps import is_ahead
from wsgi_sigv4.timestamps import is_expired
from wsgi_sigv4.timestamps import is_skewed

MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31), timezones=st.just(UTC)
).map(lambda moment: moment.replace(microsecond=0))
THIS_CENTURY = st.datetimes(
    min_value=datetime(2000, 1, 1), max_value=datetime(2099, 12, 31), timezones=st.just(UTC)
).map(lambda moment: moment.replace(microsecond=0))


def posix(moment: datetime) -> int:
    """Return the POSIX seconds of *moment*."""
    return int(moment.timestamp())


@given(MOMENTS)
def test_iso_basic_round_trip(moment: datetime) -> None:
    """Every moment of the calendar is read back from its ISO basic form, as itself."""
    text = f"{moment.year:04}" + moment.strftime("%m%dT%H%M%SZ")
    for found in (find_iso_basic(text), find_date(text)):
        assert found == Timestamp(iso=text, posix=posix(moment), date=text[:8])
        assert found.date == text[:8]


@given(MOMENTS)
def test_at_undoes_parsing(moment: datetime) -> None:
    """Every moment that a client can name has its ISO basic form, the first millennium too."""
    text = f"{moment.year:04}" + moment.strftime("%m%dT%H%M%SZ")
    assert Timestamp.at(posix(moment)) == Timestamp(iso=text, posix=posix(moment), date=text[:8])


def test_at_cuts_fractions() -> None:
    """A clock's fraction of a second is no part of a timestamp."""
    assert Timestamp.at(NOW + 0.999) == Timestamp(iso=TIMESTAMP, posix=NOW, date=TIMESTAMP[:8])


@given(THIS_CENTURY)
def test_http_dates(moment: datetime) -> None:
    """Each form of Date gives the same timestamp as the ISO basic form of that moment."""
    text = moment.strftime("%Y%m%dT%H%M%SZ")
    expected = Timestamp(iso=text, posix=posix(moment), date=text[:8])
    for text in (
        moment.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        moment.strftime("%a, %d %b %Y %H:%M:%S UTC"),
        moment.strftime("%d %b %Y %H:%M:%S +0000"),
        format_datetime(moment.replace(tzinfo=None)),
        moment.strftime("%A, %d-%b-%y %H:%M:%S GMT"),
        moment.strftime("%a %b ") + f"{moment.day:2}" + moment.strftime(" %H:%M:%S %Y"),
    ):
        assert find_date(text) == expected, text
        assert find_iso_basic(text) is None


@pytest.mark.parametrize("month", range(1, 13))
def test_month_by_name(month: int) -> None:
    """Each month is known by its English name."""
    moment = datetime(2026, month, 9, 1, 2, 3, tzinfo=UTC)
    found = find_date(moment.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    assert found is not None
    assert found.posix == posix(moment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20261121",
        "20261121T213000",
        "20261121t213000Z",
        "20261121T213000z",
        "20261121 213000Z",
        "20261121T213000ZZ",
        " 20261121T213000Z",
        "20261121T213000Z\n",
        "2026-11-21T21:30:00Z",
        "20261321T213000Z",
        "20260230T213000Z",
        "20261121T243000Z",
        "20261121T216000Z",
        "20261121T213060Z",
        "00001121T213000Z",
        "٢٠٢٦1121T213000Z",
        "2026112²T213000Z",
        "+0261121T213000Z",
        "20261121T21300\\xff",
        "1795296600",
        "20261121T213000+0000",
        "XX20261121T213000Z",
        "20261121T213000ZXX",
    ],
)
def test_no_iso_basic(text: str) -> None:
    """T15: what is not exactly the ISO basic form of a moment is no date at all."""
    assert find_iso_basic(text) is None
    assert find_date(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Sat, 21 Nov 2026 21:30:00",
        "Sat, 21 Nov 2026 21:30:00 CET",
        "Sat, 21 Nov 2026 21:30:00 +0100",
        "Sat, 21 Nov 2026 21:30:00 -0001",
        "Sat, 21 nov 2026 21:30:00 GMT",
        "Sat, 21 Nov 26 21:30:00 GMT",
        "Sat,21 Nov 2026 21:30:00 GMT",
        "Sat, 21 Nov 2026 21:30:00 GMT ",
        "Sat, 31 Nov 2026 21:30:00 GMT",
        "Sat, 21 Nov 2026 24:30:00 GMT",
        "Sat, 21 Foo 2026 21:30:00 GMT",
        "x Sat, 21 Nov 2026 21:30:00 GMT",
        "Saturday, 21-Nov-2026 21:30:00 GMT",
        "Saturday, 21-Nov-26 21:30:00 UTC",
        "Sat, 21-Nov-26 21:30:00 GMT",
        "Sat Nov 21 21:30:00 26",
        "Sat Nov 21 21:30:00 2026 GMT",
        "XSat Nov 21 21:30:00 2026",
        "Sat Nov 2¹ 21:30:00 2026",
    ],
)
def test_no_http_date(text: str) -> None:
    """A date in a form, or a zone, that is none of the accepted ones is not guessed at."""
    assert find_date(text) is None


def test_zone_minus_zero() -> None:
    """The zone that Python's email package writes for UTC is UTC."""
    found = find_date("Sat, 21 Nov 2026 21:30:00 -0000")
    assert found == Timestamp(iso=TIMESTAMP, posix=NOW, date=TIMESTAMP[:8])


@pytest.mark.parametrize(
    ("offset", "skewed", "ahead"),
    [
        (-301, True, False),
        (-300.001, True, False),
        (-300, False, False),
        (0, False, False),
        (300, False, False),
        (300.001, True, True),
        (301, True, True),
    ],
)
def test_skew_bounds(offset: float, skewed: bool, ahead: bool) -> None:
    """The skew is accepted to its last second on both sides, and not a moment longer."""
    timestamp = Timestamp(iso=TIMESTAMP, posix=NOW, date=TIMESTAMP[:8])
    assert is_skewed(timestamp, now=NOW - offset, max_skew=300) is skewed
    assert is_ahead(timestamp, now=NOW - offset, max_skew=300) is ahead


@pytest.mark.parametrize(
    ("elapsed", "expired"),
    [
        (-900, False),
        (0, False),
        (59, False),
        (59.999, False),
        (60, True),
        (60.001, True),
        (61, True),
    ],
)
def test_expiry_bounds(elapsed: float, expired: bool) -> None:
    """T21: a URL that lives 60 seconds is dead when 60 seconds have passed."""
    timestamp = Timestamp(iso=TIMESTAMP, posix=NOW, date=TIMESTAMP[:8])
    assert is_expired(timestamp, lifetime=60, now=NOW + elapsed) is expired
