"""What people do to presigned URLs, and what else was told of the wrong thing."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

import pytest

from tests.core.messages import Message
from tests.core.oracles import TOKEN
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import SECRET
from tests.explain.clients import Client
from tests.explain.refusal_case import Case
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.explain import Finding

AS_IT_WAS_MADE = "Use the URL as it was made"


def found(target: str, *, token: str | None = None) -> Finding:
    """Return the finding of a request for *target*."""
    credentials = Credentials(SECRET, session_token=token)
    case = Case("", "", 0, "", lambda: Message.of(target=target), key=lambda: credentials)
    finding = case.explain().finding
    assert finding is not None
    return finding


def presigned(target: str, *, token: str | None = None) -> str:
    """Return the target of a presigned URL."""
    message = replace(GENERIC_SIGNER, session_token=token).presign(Message.of(target=target))
    return f"{message.path.decode()}?{message.query.decode()}"


@pytest.mark.parametrize("target", ["/a", "/a?b=c"])
@pytest.mark.parametrize("spelt", ["&amp;", "\\u0026", "%5Cu0026", "%26", "%26amp;", "%26amp%3B"])
def test_ampersands_that_html_and_json_escape_are_named(target: str, spelt: str) -> None:
    """A URL that was cut out of HTML or JSON is not told of a missing Authorization header."""
    finding = found(presigned(target).replace("&", spelt))
    assert finding.causes == ("malformed-authorization",)
    assert f"its & arrived as `{spelt.replace(chr(92), 2 * chr(92))}`" in finding.summary
    assert finding.remedy.startswith(AS_IT_WAS_MADE)


def test_link_within_a_link_is_not_taken_for_one() -> None:
    """A parameter that is a presigned URL is escaped for good."""
    url = presigned("/a?b=c").replace("&", "%26").replace("=", "%3D")
    assert found(f"/to?url={url}").causes == ("not-signed",)


def test_session_token_that_was_decoded_is_named() -> None:
    """A decoded URL has blanks where its session token had a plus: the key is not to blame."""
    assert "+" in TOKEN
    finding = found(unquote(presigned("/a", token=TOKEN)), token=TOKEN)
    assert finding.causes == ("token-wrong",)
    assert "blanks" in finding.summary
    assert finding.remedy.startswith(AS_IT_WAS_MADE)


def test_session_token_of_another_key_has_its_own_remedy() -> None:
    """A token without blanks is another one."""
    finding = found(presigned("/a", token=f"{TOKEN}x"), token=TOKEN)
    assert finding.causes == ("token-wrong",)
    assert "same issue" in finding.remedy


@pytest.mark.parametrize("path", ["/a/%E2%82%AC", "/a/%e2%82%ac"])
def test_escapes_in_other_capitals_are_no_decoding(path: str) -> None:
    """Whichever of the two was signed, nothing was decoded."""
    client = Client(path=path)
    arrived = replace(client.sign(), path=path.swapcase().replace("/A/", "/a/").encode())
    finding = client.explain(arrived).finding
    assert finding is not None
    assert finding.causes == ("path-escapes-case",)


@pytest.mark.parametrize("name", ["If-Match", "If-Range", "If-None-Match"])
def test_remedy_names_the_header_that_was_changed(name: str) -> None:
    """A line for nginx is of use for the header that it is about."""
    client = Client(headers={name.lower(): '"abc"'})
    finding = client.explain(client.sign().with_header(name, 'W/"abc"')).finding
    assert finding is not None
    assert finding.causes == ("header-etag",)
    variable = f"$http_{name.lower().replace('-', '_')};"
    assert f"proxy_set_header {name} {variable}" in finding.remedy


def test_header_that_a_presigned_url_asks_for_is_named() -> None:
    """Who uses a URL that was presigned with a Content-Type must send it: no proxy took it away."""
    client = Client(method="PUT", presigned=True, headers={"content-type": "image/png"})
    finding = client.explain(client.sign().without_header("Content-Type")).finding
    assert finding is not None
    assert (finding.causes, finding.party) == (("header-removed",), "client")
    assert "Content-Type" in finding.remedy
    assert "nginx" not in finding.remedy


def test_header_with_another_value_than_was_presigned_is_suspected() -> None:
    """What was presigned is lost, but that there was something is not."""
    client = Client(method="PUT", presigned=True, headers={"content-type": "image/png"})
    finding = client.explain(client.sign().with_header("Content-Type", "text/css")).finding
    assert finding is not None
    assert finding.causes == ()
    assert "signs content-type: whoever uses it must send" in finding.remedy
    bare = replace(client, headers={}, secret="another")
    finding = bare.explain(bare.sign()).finding
    assert finding is not None
    assert "whoever uses it" not in finding.remedy
