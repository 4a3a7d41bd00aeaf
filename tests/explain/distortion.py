"""What goes wrong between a client and a server, done to real requests.

Each distortion makes its client (what it sends, and what it signs wrongly) and what a proxy then
makes of the request. It shares nothing with the package: names of causes are written out.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace

from tests.core.messages import Message
from tests.explain.clients import Canonical
from tests.explain.clients import Client

Alter = Callable[[Message], Message]
Prepare = Callable[[Client, random.Random], Client]

HASH_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def as_it_is(client: Client, chance: random.Random) -> Client:
    """Return *client*."""
    return client


def untouched(message: Message) -> Message:
    """Return *message*."""
    return message


@dataclass(frozen=True, kw_only=True)
class Distortion:
    """One thing that goes wrong.

    Attributes:
        causes: what explains it: the cause, and others that have the very same effect.
        piece: what it is done to; two distortions of one piece do not go together.
        prepare: makes the client.
        alter: what happens on the way.
        remedy: words that the remedy must have.
        party: who has to mend it.
        s3: whether it is done to a request to S3 (True), to others (False) or to both (None).
        alone: whether it is done to more than one piece.
    """

    causes: tuple[str, ...]
    piece: str
    prepare: Prepare = as_it_is
    alter: Alter = untouched
    remedy: str = ""
    party: str
    s3: bool | None = None
    alone: bool = False

    def fits(self, other: Distortion) -> bool:
        """Return whether both can happen to one request."""
        one_service = self.s3 is None or other.s3 is None or self.s3 == other.s3
        return self.piece != other.piece and one_service and not (self.alone or other.alone)


def signs(piece: str, change: Callable[[str], str]) -> Prepare:
    """Return a client that changes one *piece* of its canonical request."""

    def fault(canonical: Canonical) -> None:
        setattr(canonical, piece, change(getattr(canonical, piece)))

    return lambda client, chance: client.with_fault(fault)


def signs_header(name: str, sent: str, value: str) -> dict[str, object]:
    """Return a client that sends *sent* and signs *value*."""

    def fault(canonical: Canonical) -> None:
        canonical.headers[name] = value

    return {
        "piece": f"header {name}",
        "prepare": lambda client, chance: client.with_header(name, sent).with_fault(fault),
    }


def header(name: str, signed: str, arrives: str) -> dict[str, object]:
    return {
        "piece": f"header {name}",
        "prepare": lambda client, chance: client.with_header(name, signed),
        "alter": lambda message: message.with_header(name, arrives),
    }


def host(signed: str, arrives: str, **extra: str) -> dict[str, object]:
    def alter(message: Message) -> Message:
        message = message.with_header("Host", arrives)
        for name, value in extra.items():
            message = message.with_extra_header(name.replace("_", "-"), value)
        return message

    return {
        "piece": "host",
        "prepare": lambda client, chance: replace(client, host=signed),
        "alter": alter,
    }


def path(signed: str, arrives: str, **extra: str) -> dict[str, object]:
    def alter(message: Message) -> Message:
        message = replace(message, path=arrives.encode())
        for name, value in extra.items():
            message = message.with_extra_header(name.replace("_", "-"), value)
        return message

    return {
        "piece": "path",
        "prepare": lambda client, chance: replace(client, path=signed),
        "alter": alter,
    }


def query(signed: str, arrives: str) -> dict[str, object]:
    # A presigned query has its own parameters behind these.
    def alter(message: Message) -> Message:
        query = message.query.decode().replace(signed, arrives, 1) if signed else arrives
        return replace(message, query=query.encode())

    return {
        "piece": "query",
        "prepare": lambda client, chance: replace(client, query=signed),
        "alter": alter,
    }


def sends_query(query: str, fault: Callable[[str], str]) -> dict[str, object]:
    change = signs("query", fault)
    return {
        "piece": "query",
        "prepare": lambda client, chance: change(replace(client, query=query), chance),
    }


def body(signed: bytes, arrives: bytes, kind: str = "text/plain") -> dict[str, object]:
    return {
        "piece": "body",
        "prepare": lambda client, chance: replace(client, method="POST", body=signed),
        "alter": lambda message: replace(message, body=arrives),
    }


def signs_payload(value: str) -> dict[str, object]:
    change = signs("payload", lambda payload: value)
    return {
        "piece": "body",
        "prepare": lambda client, chance: change(
            replace(client, method="POST", body=b"hello\x00world"), chance
        ),
    }


def method(signed: str, arrives: str, **extra: str) -> dict[str, object]:
    def alter(message: Message) -> Message:
        message = replace(message, method=arrives)
        for name, value in extra.items():
            message = message.with_extra_header(name.replace("_", "-"), value)
        return message

    return {
        "piece": "method",
        "prepare": lambda client, chance: replace(client, method=signed),
        "alter": alter,
    }


def secret(secret: str) -> dict[str, object]:
    return {"piece": "key", "prepare": lambda client, chance: replace(client, secret=secret)}


def key_scope(**parts: str) -> dict[str, object]:
    return {"piece": "key", "prepare": lambda client, chance: replace(client, key_scope=parts)}


def made(
    cause: str, party: str, remedy: str, parts: dict[str, object], *also: str, **more: object
) -> Distortion:
    return Distortion(causes=(cause, *also), party=party, remedy=remedy, **(parts | more))  # type: ignore[arg-type]


def with_knobs(parts: dict[str, object], **knobs: object) -> dict[str, object]:
    prepare = parts["prepare"]

    def with_knobs(client: Client, chance: random.Random) -> Client:
        client = prepare(client, chance)  # type: ignore[operator]
        return replace(client, knobs=client.knobs | knobs)

    return parts | {"prepare": with_knobs}


def unsorted(query: str) -> str:
    return "b=2&a=1"


def without_token(query: str) -> str:
    return "&".join(p for p in query.split("&") if not p.startswith("X-Amz-Security-Token="))


def forget_token(canonical: Canonical) -> None:
    canonical.headers["x-amz-security-token"] = ""


def distorted(chosen: tuple[Distortion, ...], chance: random.Random) -> tuple[Client, Message]:
    """Return the client, and its request as it arrives after all of the *chosen* distortions."""
    client = Client(
        path=f"/items/{chance.randrange(10, 999)}",
        query=f"x={chance.randrange(9)}&y={chance.randrange(9)}",
        s3=any(distortion.s3 for distortion in chosen)
        or (all(d.s3 is None for d in chosen) and chance.random() < 0.3),
    )
    # Who has a body comes after who has a method: both may want one.
    for distortion in sorted(chosen, key=lambda d: d.piece == "method"):
        client = distortion.prepare(client, chance)
    message = client.sign()
    for distortion in chosen:
        message = distortion.alter(message)
    return client, message
