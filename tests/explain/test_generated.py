"""Generated distortions: what is found is right, and nearly everything is found."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.core.messages import Message
from tests.explain.clients import Client
from tests.explain.distortion import Distortion
from tests.explain.distortion import distorted
from tests.explain.distortions import DISTORTIONS
from tests.explain.leaks import leaks

SEED = 20261121
DISTORTED = 200
WITHOUT_CAUSE = 50


def is_right(found: tuple[str, ...], done: tuple[Distortion, ...]) -> bool:
    """Return whether the causes *found* are what was *done*, in any order."""
    if len(found) != len(done):
        return False
    orders = (done, done[::-1])
    return any(
        all(cause in one.causes for cause, one in zip(found, order, strict=True))
        for order in orders
    )


def chosen(chance: random.Random) -> tuple[Distortion, ...]:
    """Return one distortion, or two that go together."""
    first, second = chance.sample(DISTORTIONS, 2)
    return (first, second) if chance.random() < 0.6 and first.fits(second) else (first,)


def without_cause(chance: random.Random) -> tuple[Client, Message]:
    """Return a request that is wrong for no reason on the list."""
    noise = "".join(chance.choices("abcdefghijkmnpqrstuvwxyz23456789", k=12))
    client = Client(path=f"/items/{chance.randrange(999)}", headers={"x-note": "as it was"})
    match chance.randrange(6):
        case 0:
            client = replace(client, secret=noise * 3)
            return client, client.sign()
        case 1:
            return client, client.sign().with_header("x-note", noise)
        case 2:
            client = replace(client, method="POST", body=b"as it was")
            return client, replace(client.sign(), body=noise.encode())
        case 3:
            return client, client.sign().with_header("Host", f"{noise}.example.net")
        case 4:
            return client, replace(client.sign(), path=f"/{noise}".encode())
        case _:
            return client, replace(client.sign(), query=f"{noise}={noise}".encode())


def test_precision_and_recall() -> None:
    """Of 200 distortions, singles and pairs, 95 in 100 are found, and what is found is right.

    So is what has no cause on the list: nothing is made up for it. No explanation leaks.
    """
    chance = random.Random(SEED)
    right, wrong, missed = 0, [], []
    pairs = 0
    for _ in range(DISTORTED):
        done = chosen(chance)
        pairs += len(done) == 2
        client, arrived = distorted(done, chance)
        explanation = client.explain(arrived)
        assert leaks(client, arrived, explanation) == []
        finding = explanation.finding
        assert finding is not None
        if is_right(finding.causes, done):
            right += 1
        elif finding.causes:
            wrong.append((done, finding.causes))
        else:
            missed.append(done)
    invented = []
    for _ in range(WITHOUT_CAUSE):
        client, arrived = without_cause(chance)
        explanation = client.explain(arrived)
        assert leaks(client, arrived, explanation) == []
        finding = explanation.finding
        assert finding is not None
        if finding.causes or finding.party != "key":
            invented.append(finding)
    recall = right / DISTORTED
    precision = right / (right + len(wrong) + len(invented))
    print(
        f"\n{DISTORTED} distortions ({pairs} pairs), {WITHOUT_CAUSE} without a cause: "
        f"precision {precision:.3f}, recall {recall:.3f}"
    )
    assert (wrong, invented) == ([], [])
    assert precision == 1.0
    assert recall >= 0.95, missed
    assert pairs > 60
