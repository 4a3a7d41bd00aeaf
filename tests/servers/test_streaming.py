"""stream=True on real servers: no application makes a success of a forged body (T50)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle

import pytest

from tests.core.uploads import FORMS
from tests.servers.applications import HOSTILE
from tests.servers.cases import CASES
from tests.servers.limits import find_limit
from tests.servers.outcomes import outcome
from tests.servers.roster import SERVERS
from tests.servers.roster import Running
from tests.servers.roster import started
from tests.servers.signing import ITEMS
from tests.servers.signing import Request
from tests.servers.uploads import PLAIN_FORMS
from tests.servers.uploads import Upload
from tests.servers.uploads import authentic
from tests.servers.uploads import forged
from tests.servers.wire import Answer
from tests.servers.wire import Connection
from tests.servers.wire import exchange
from tests.wsgi.streamed import without_host_id

STREAMING = ("gunicorn sync", "gunicorn gthread", "gunicorn gevent", "waitress", "uWSGI", "cheroot")
#: They keep a connection, so that its next request must not be taken for a body.
KEEPING = ("gunicorn gthread", "gunicorn gevent", "waitress", "cheroot")

#: It does not undo the chunks of a body, and says so: 411.
NOT_CHUNKED = "uWSGI"

each_form = pytest.mark.parametrize("form", [*PLAIN_FORMS, *FORMS])
each_application = pytest.mark.parametrize("application", HOSTILE)


@pytest.fixture(scope="module", params=STREAMING)
def streaming(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """A server whose application reads while the client sends."""
    folder = tmp_path_factory.mktemp("streaming")
    with started(SERVERS[request.param], folder, options={"stream": True}) as running:
        yield running


def is_success(answer: Answer) -> bool:
    """Return whether a client takes *answer* for a success, or a piece of it."""
    if answer.status is None:
        return False
    return answer.status < 400 or b"done" in without_host_id(answer.body)


def test_matrix_is_the_same(streaming: Running) -> None:
    """Every request of the list is served as it was signed, or refused, as without stream=True."""
    for case in CASES:
        result = outcome(streaming, case)
        limit = find_limit(streaming.server, case)
        allowed = limit.statuses if limit is not None else case.refused or (200,)
        assert result.answer.status in allowed, (case.id, result.describe())
        # An application that echoes has been called when a refusal comes after the first byte.
        for call in result.calls:
            assert result.answer.status != 200 or call["path"] == (case.path or "").encode().hex()


@each_application
@each_form
def test_t50_no_application_turns_a_forged_body_into_a_success(
    streaming: Running, form: str, application: str
) -> None:
    """T50: whatever is changed and whatever the application does, the client sees no success."""
    framings = cycle([False, True] if len(application) % 2 else [True, False])
    for (label, upload), chunked in zip(forged(form), framings, strict=False):
        sending = upload.sending(application=application, chunked=chunked)
        answer = exchange(streaming.port, sending)
        assert not is_success(answer), (label, chunked, answer)
        if not upload.cut:
            unread = chunked and streaming.server.name == NOT_CHUNKED
            assert answer.status in ((411,) if unread else (400, 403)), (label, chunked, answer)
            assert b"<Code>" in answer.body


@each_application
@each_form
def test_authentic_upload_succeeds(streaming: Running, form: str, application: str) -> None:
    """Whatever the application does with the body, an authentic one is answered by it."""
    for chunked in (False, True):
        answer = exchange(
            streaming.port, authentic(form).sending(application=application, chunked=chunked)
        )
        if chunked and streaming.server.name == NOT_CHUNKED:
            assert answer.status == 411
            continue
        assert answer.status in (200, 204, 303), (chunked, answer)
        assert answer.body == (b"done" if answer.status == 200 else b"")


@pytest.mark.parametrize("application", ["reads_all", "never_reads"])
def test_client_that_waits_for_100_continue(streaming: Running, application: str) -> None:
    """A client that waits to be asked for its body, and then sends the right one or another."""
    for form in ("hash", FORMS[0]):
        upload = authentic(form)
        answer = exchange(
            streaming.port, upload.sending(application=application, awaits_continue=True)
        )
        assert (answer.status, answer.body) == (200, b"done")
        label, upload = list(forged(form))[-1]
        answer = exchange(
            streaming.port, upload.sending(application=application, awaits_continue=True)
        )
        assert answer.status in (400, 403), (label, answer)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@each_form
def test_client_that_crashes_leaves_the_server_serving(
    streaming: Running, form: str, chunked: bool
) -> None:
    """The connection breaks off in the middle, at whatever the application waits for."""
    for application in ("reads_all", "never_reads", "swallows", "reads_in_a_thread"):
        sending = authentic(form).sending(application=application, chunked=chunked)
        for sent in (1, 5000, len(sending.body) - 1):
            with Connection(streaming.port) as connection:
                connection.send_and_reset(replace(sending, body=sending.body[:sent]))
    answer = exchange(streaming.port, authentic(form).sending(application="reads_all"))
    assert (answer.status, answer.body) == (200, b"done")


def smuggled(case: str) -> bytes:
    """Return a signed request as bytes, which would be served where a server takes it for one."""
    return Request(service=ITEMS).sign(case=case).sending().head


def uploads(form: str, inner: str) -> Iterator[tuple[str, Upload]]:
    """Yield an authentic upload and forged ones that a client sends in full."""
    yield "authentic", authentic(form)
    for label, upload in forged(form, appended=smuggled(inner)):
        if not upload.cut:
            yield label, upload


@pytest.mark.parametrize(
    "application", ["reads_all", "reads_one_byte", "never_reads", "writes", "reads_in_a_thread"]
)
@each_form
def test_connection_stays_in_step(streaming: Running, form: str, application: str) -> None:
    """The next request on the connection is answered for itself, or the connection is closed."""
    kept = 0
    inner = f"inner-{uuid.uuid4()}"
    for number, (label, upload) in enumerate(uploads(form, inner)):
        sending = upload.sending(application=application, chunked=bool(number % 2))
        name = f"next-{uuid.uuid4()}"
        with Connection(streaming.port) as connection:
            first = connection.exchange(sending)
            assert is_success(first) is (label == "authentic"), (label, first)
            second = connection.exchange(Request(service=ITEMS).sign(case=name).sending())
        if second.status is not None:
            kept += 1
            assert second.status == 200, (label, second)
            assert name.encode() in second.body
    assert streaming.calls(inner) == []
    # Or this would have shown nothing; an answer without a length ends a connection of waitress.
    assert kept > 0 or streaming.server.name not in KEEPING or form == "unsigned"
