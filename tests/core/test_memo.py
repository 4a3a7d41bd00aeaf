"""What is remembered from request to request: bounded, and never what makes a verdict (T45)."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from random import Random
from typing import Any

import pytest

import wsgi_sigv4
from tests.core.messages import Message
from tests.core.messages import verify
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import NOW
from tests.core.signing import SECRET
from tests.core.signing import Signer
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.memo import Memo
from wsgi_sigv4.memo import total_length
from wsgi_sigv4.policy import Policy
from wsgi_sigv4.request import HeaderNames
from wsgi_sigv4.terms import TERMS
from wsgi_sigv4.verifier import Verifier

SIGNER = Signer()


def of_the_package() -> dict[str, Memo[Any, Any]]:
    """Return all memos of the package, by module and name."""
    found: dict[str, Memo[Any, Any]] = {}
    for info in pkgutil.iter_modules(wsgi_sigv4.__path__, "wsgi_sigv4."):
        if info.ispkg:
            continue
        for name, value in vars(importlib.import_module(info.name)).items():
            if isinstance(value, Memo) and all(value is not memo for memo in found.values()):
                found[f"{info.name.removeprefix('wsgi_sigv4.')}.{name}"] = value
    return found


POLICY = Policy.of(
    region=None,
    service="items",
    profile=None,
    max_skew=None,
    hosts=None,
    require_signed=(),
    allow_unsigned_headers=(),
    allow_unsigned_payload=None,
    allow_unsigned_session_token=False,
)
NAMES = HeaderNames((b"host",))

#: For each memo of the package a distinct good value for each number, and one that is too long.
HOSTILE: dict[str, tuple[Callable[[int], Any], Any]] = {
    "authorization._KNOWN_CLAIMS": (
        lambda n: b"AWS4-HMAC-SHA256 Credential=AKID%d/20261121/r/s/t,SignedHeaders=host" % n,
        b"AWS4-HMAC-SHA256 " + b" " * 8192 + b"Credential=A/20261121/r/s/t,SignedHeaders=host",
    ),
    "authorization._KNOWN_CREDENTIALS": (
        lambda n: b"AKID%d/20261121/r/s/aws4_request" % n,
        None,
    ),
    "authorization._KNOWN_SIGNED_HEADERS": (lambda n: b"host;x-%d" % n, b"x" * 8193),
    "canonical._HEADERS": (lambda n: ("host", f"x-{n}"), ("x" * 16385,)),
    "encoding._QUOTED": (lambda n: b"/%d" % n, b"/" * 513),
    "encoding._QUOTED_BUT_SLASH": (lambda n: b"/ %d" % n, b" " * 513),
    "encoding._UNQUOTED": (lambda n: b"%%2F%d" % n, b"%2F" * 171),
    "environ._KEYS": (lambda n: ("wsgi.input", f"HTTP_X_{n}"), ("HTTP_X",) * 300),
    "policy._IS_HOST": (lambda n: f"{n}.example.com", "h" * 260),
    "request._IS_METHOD": (lambda n: f"GET{n}", "G" * 65),
    "environ.HEADER_NAMES": (lambda n: (b"Host", b"X-%d" % n), (b"x",) * 256),
    "terms._COVERAGES": (
        lambda n: (("host",), HeaderNames((b"host", b"x-%d" % n))),
        (("host",), HeaderNames((b"x" * 17_000,))),
    ),
    "terms.TERMS": (
        lambda n: (POLICY, f"20261121/r-{n}/items/aws4_request", ("host",), NAMES),
        (POLICY, "20261121/r/items/aws4_request", ("host",), HeaderNames((b"x" * 17_000,))),
    ),
    "timestamps._AT": (lambda n: NOW + n, None),
    "timestamps._FOUND": (lambda n: f"2026112{n:08d}Z", "20261121T213000Z "),
}


def calls_of(function: Callable[[], object]) -> int:
    """Return how many functions *function* calls, those of C included."""
    called = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal called
        called += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return called


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Begin and end with nothing remembered."""
    for memo in of_the_package().values():
        memo.clear()
    yield
    for memo in of_the_package().values():
        memo.clear()


def test_value_is_worked_out_once() -> None:
    """What is remembered is not worked out again."""
    asked: list[str] = []

    def work_out(text: str) -> str:
        asked.append(text)
        return text.upper()

    memo = Memo(work_out, longest=1, size=len)
    assert [memo["a"], memo["b"], memo["a"]] == ["A", "B", "A"]
    assert asked == ["a", "b"]


def test_number_of_entries_is_bounded() -> None:
    """However many values come, so many are remembered; the new one is always among them."""
    memo = Memo(str, longest=1, entries=10, size=lambda _: 1)
    for number in range(1000):
        assert memo[number] == str(number)
        assert len(memo) <= 10
        assert number in memo


def test_long_value_is_not_remembered() -> None:
    """A value above the limit is worked out each time, and drives out nothing."""
    memo = Memo(str.upper, longest=3, size=len)
    assert [memo["abc"], memo["abcd"]] == ["ABC", "ABCD"]
    assert list(memo) == ["abc"]


def test_room_is_bounded() -> None:
    """Long keys are not kept in such number that they fill the memory."""
    memo = Memo(str.upper, longest=16_384, size=len)
    for number in range(512):
        memo[f"{number:016384}"]
        assert sum(map(len, memo)) <= 1024 * 1024
    memo.clear()
    for number in range(64):
        memo[f"{number:016384}"]
    assert len(memo) == 64


def test_fault_is_not_remembered() -> None:
    """What could not be worked out is tried again."""
    faults: list[Exception] = [ValueError("first"), ValueError("second")]

    def work_out(_: str) -> str:
        if faults:
            raise faults.pop(0)
        return "done"

    memo = Memo(work_out, longest=9, size=len)
    for said in ("first", "second"):
        with pytest.raises(ValueError, match=said):
            memo["a"]
        assert len(memo) == 0
    assert memo["a"] == "done"


def test_repr_shows_no_value() -> None:
    """What clients sent does not get into a log by accident."""
    memo = Memo(str.upper, longest=99, size=len)
    assert memo["AKIASECRET"]
    assert repr(memo) == "Memo(<1 entries>)"


def test_size_of_a_tuple_counts_its_parts() -> None:
    """Many short parts take room too."""
    assert total_length((b"ab", b"c")) == 3 + 2 * 64
    assert total_length(()) == 0


def test_threads_share_a_memo() -> None:
    """Each thread gets the value of its own key, while others drive it out."""
    memo = Memo(str, longest=1, entries=8, size=lambda _: 1)

    def ask(seed: int) -> bool:
        chance = Random(seed)
        numbers = [chance.randrange(100) for _ in range(5000)]
        return all(memo[number] == str(number) for number in numbers)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))
    # Each thread may have looked before another one put its own in.
    assert len(memo) <= 8 + 8


def test_every_memo_is_tried() -> None:
    """The table of hostile values knows all memos of the package."""
    assert set(HOSTILE) == set(of_the_package())


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_values_are_bounded(name: str) -> None:
    """Distinct values do not fill a memo, and to remember each costs a few calls."""
    memo = of_the_package()[name]
    value, too_long = HOSTILE[name]
    for number in range(memo._entries + 1000):
        memo[value(number)]
        assert len(memo) <= memo._entries <= 4096
    before = len(memo)
    if too_long is not None:
        memo[too_long]
        assert too_long not in memo
        assert len(memo) == before
    new = [value(number) for number in range(9000, 9700)]
    alone = calls_of(lambda: [memo._work_out(key) for key in new])
    assert calls_of(lambda: [memo[key] for key in new]) <= alone + 12 * len(new)


def verdict(made: Verifier, message: Message) -> str:
    """Return who sent *message*, or the refusal."""
    try:
        return verify(made, message, now=NOW).access_key_id
    except SigV4Error as refusal:
        return f"{type(refusal).__name__}: {vars(refusal).get('names')}"


def test_request_of_a_new_kind_costs_a_few_calls() -> None:
    """Names, a key and a time that were never seen before cost some calls more, and never many."""
    made = Verifier({ACCESS_KEY_ID: SECRET}, region="us-east-1", service="items", clock=lambda: NOW)
    refused = replace(SIGNER, access_key_id="AKIAUNKNOWN")
    verdict(made, refused.sign(Message.of()))
    for number in range(20):
        signer = replace(
            refused, access_key_id=f"AKIA{number}", timestamp=f"20261121T2130{number:02}Z"
        )
        message = signer.sign(Message.of(headers={f"X-{number}": "1"}))
        first, again = (calls_of(lambda: verdict(made, message)) for _ in range(2))  # noqa: B023 (called at once)
        assert first <= again + 140


def messages() -> list[Message]:
    """Return good requests, and bad ones that share all they can with them."""
    good = SIGNER.sign(Message.of(headers={"X-Amz-Meta-A": "1", "X-B": "2"}))
    presigned = SIGNER.presign(Message.of())
    other = replace(SIGNER, access_key_id="AKIAANOTHER").sign(Message.of())
    return [
        good,
        presigned,
        SIGNER.sign(Message.of("POST", body=b"a")),
        other,
        good.edited("Signature=", "Signature=0"),
        good.edited("Credential=", "credential="),
        good.edited("Signature=", "Signature=x,Signature="),
        good.edited("SignedHeaders=host;", "SignedHeaders="),
        good.edited(";x-b", ""),
        good.edited(";x-amz-meta-a", ""),
        good.without_header("X-B"),
        good.with_header("X-Amz-Meta-A", "3"),
        good.with_header("X-Amz-Date", "20261121T213001Z"),
        good.with_header("X-Amz-Date", "20261121T000000Z"),
        good.with_extra_header("X-Amz-Acl", "public-read"),
        good.with_extra_header("x_amz_acl", "public-read"),
        good.with_extra_header("X-B", "2"),
        replace(SIGNER, region="eu-west-1").sign(Message.of()),
        replace(SIGNER, date="20261120").sign(Message.of()),
        replace(SIGNER, secret="another").sign(Message.of()),
        presigned.edited("X-Amz-Expires=60", "X-Amz-Expires=61"),
        presigned.with_extra_header("X-Amz-Acl", "public-read"),
    ]


def test_verdict_does_not_depend_on_what_came_before() -> None:
    """T45: nothing of a request, refused or not, changes the verdict on a later one."""
    keys = {ACCESS_KEY_ID: SECRET, "AKIAANOTHER": SECRET}
    parameters = [{}, {"require_signed": ["x-b"]}, {"allow_unsigned_headers": ["x-amz-acl"]}]
    made = [
        Verifier(keys, region="us-east-1", service="items", clock=lambda: NOW, **more)  # type: ignore[arg-type]
        for more in parameters
    ]
    trials = [(verifier, message) for verifier in made for message in messages()]
    cold = []
    for verifier, message in trials:
        for memo in of_the_package().values():
            memo.clear()
        cold.append(verdict(verifier, message))
    assert len(set(cold)) > 8
    assert cold.count(ACCESS_KEY_ID) >= 9
    order = list(range(len(trials)))
    for seed in range(20):
        Random(seed).shuffle(order)
        warm = {at: verdict(*trials[at]) for at in order}
        assert [warm[at] for at in range(len(trials))] == cold


def test_terms_are_bounded_over_all_verifiers() -> None:
    """T45: scopes and names that anybody may make up fill one memo, however many verifiers are."""
    made = Verifier({ACCESS_KEY_ID: SECRET}, region=None, service="items", clock=lambda: NOW)
    narrowed = [made.narrowed(region=f"r-{number}") for number in range(3)]
    for number in range(1200):
        signer = replace(SIGNER, region=f"r-{number % 3}", secret="another")
        message = signer.sign(Message.of(headers={f"X-{number}": "1"}))
        assert verdict(narrowed[number % 3], message).startswith("SignatureMismatch")
        assert len(TERMS) <= 512
    before = len(TERMS)
    verdict(made, SIGNER.sign(Message.of(headers={"X" * 17_000: "1"})))
    assert len(TERMS) == before


def test_terms_are_those_of_the_policy() -> None:
    """What one verifier accepts is never remembered for another one, equal in all but one point."""
    source = {ACCESS_KEY_ID: SECRET}
    message = SIGNER.sign(Message.of(headers={"Content-Type": "a/b"}))
    message = replace(SIGNER, signed_headers=("host", "x-amz-date")).authorize(message)
    lax = Verifier(source, region=None, service="items", clock=lambda: NOW)
    narrowed = lax.narrowed(region="eu-central-1")
    strict = Verifier(
        source, region=None, service="items", clock=lambda: NOW, require_signed=["content-type"]
    )
    for _ in range(2):
        assert verdict(lax, message) == ACCESS_KEY_ID
        assert verdict(narrowed, message) == "ScopeMismatch: None"
        assert verdict(strict, message) == "HeadersNotSigned: ('content-type',)"
