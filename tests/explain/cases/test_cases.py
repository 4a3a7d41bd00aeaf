"""Each cause has a real case, which is found; and what its remedy says mends it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.docs.pages import blocks
from tests.explain.cases.by_apache import SOUND as APACHE_SOUND
from tests.explain.cases.by_caddy import SOUND as CADDY_SOUND
from tests.explain.cases.by_hand import KEPT
from tests.explain.cases.by_hand import Kept
from tests.explain.cases.case import NOTHING
from tests.explain.cases.case import TWO
from tests.explain.cases.case import Live
from tests.explain.cases.fronts import HAPROXY_SERVER
from tests.explain.cases.roster import ALL
from tests.explain.cases.roster import LISTED
from tests.explain.cases.roster import LIVE
from tests.explain.cases.roster import Running
from tests.explain.cases.roster import started
from tests.explain.cases.roster import why_not
from tests.explain.cases.table import PAGE
from tests.explain.cases.table import parts
from tests.servers.processes import ROOT
from wsgi_sigv4.explain.catalogue import HYPOTHESES
from wsgi_sigv4.explain.causes import CAUSES

DEPLOYMENT = ROOT / "docs" / "deployment.md"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The servers of all cases."""
    with started(tmp_path_factory.mktemp("cases")) as running:
        yield running


def test_every_cause_has_a_case() -> None:
    """No cause is on the list without a real case, and no case has another cause."""
    listed = {h.id for h in HYPOTHESES} | {cause.id for cause in CAUSES}
    assert listed | {NOTHING, *TWO} == LISTED
    assert listed == {cause for causes in parts().values() for cause in causes} - {NOTHING, *TWO}


@pytest.mark.servers
@pytest.mark.clients
@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{at} {case.cause}") for at, case in enumerate(LIVE)]
)
def test_case_is_found_and_mended(case: Live, running: Running) -> None:
    """The finding names the cause; with the remedy that it names, the request is accepted."""
    if reason := why_not(case):
        pytest.skip(reason)
    told = running.told(case.way)
    assert not told["accepted"], case.how
    assert told["finding"]["causes"] == case.cause.split()
    for remedy in case.remedies:
        assert remedy.says in told["finding"]["remedy"]
        mended = running.told(remedy.way)
        assert mended["accepted"], (remedy.says, mended)


@pytest.mark.parametrize("kept", [pytest.param(kept, id=kept.cause) for kept in KEPT])
def test_kept_case_is_found(kept: Kept) -> None:
    """The finding of a request that was kept names its cause."""
    finding = kept.explain().finding
    assert finding is not None
    assert finding.causes == (kept.cause,)


@pytest.mark.parametrize(
    ("language", "text"),
    [("apache", APACHE_SOUND), ("caddyfile", CADDY_SOUND), ("haproxy", HAPROXY_SERVER)],
)
def test_deployment_has_what_is_run(language: str, text: str) -> None:
    """The page shows operators the lines with which the cases are accepted."""
    page = "\n".join(block.code for block in blocks(DEPLOYMENT, language))
    assert [line.strip() for line in text.splitlines() if line not in page] == []


def test_page_has_every_case() -> None:
    """The page lists every case by its cause, in the order of the list.

    Write it anew with: python -m tests.explain.cases.table
    """
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [line.removeprefix("| ").split(" | ")[:2] for line in lines if line.startswith("| ")]
    shown = [(cause.strip("`"), how) for cause, how in rows if cause != "cause"]
    assert shown == [
        (case.cause or "none can be found", case.how)
        for causes in parts().values()
        for cause in causes
        for case in ALL
        if case.cause == cause
    ]


def test_page_shows_the_proofs() -> None:
    """Each remedy that the tests try stands on the page as one that mended its case."""
    text = PAGE.read_text(encoding="utf-8")
    for case in LIVE:
        for remedy in case.remedies:
            assert f"*{remedy.says}*" in text
