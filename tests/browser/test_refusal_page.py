"""A bad presigned link in a real browser: the page, AWS's error, and no script ever."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from typing import Any

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from werkzeug.serving import make_server

from tests.browser.test_key_admin import chrome as chrome
from tests.wsgi.calls import Application
from tests.wsgi.clients import ACCESS_KEY_ID
from tests.wsgi.clients import SECRET
from tests.wsgi.clients import SESSION_TOKEN
from tests.wsgi.clients import TEMPORARY_ID
from tests.wsgi.clients import forged
from tests.wsgi.clients import sign
from tests.wsgi.clients import verifier
from tests.wsgi.servers import environ_of
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from selenium.webdriver import Chrome

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="SKIPPED: chromium and chromium-driver are not installed",
    ),
]

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
#: Where the screenshot of docs/ is written to, when this variable says so.
SCREENSHOT = os.environ.get("SIGV4_PAGE_SCREENSHOT")

EVIL = (
    "<script>window.pwned=1;document.title='pwned';alert(1)</script>"
    '"><img src=x onerror="window.pwned=1;document.title=\'pwned\'">'
    "</pre></style></title><svg onload=window.pwned=1><iframe srcdoc='<script>alert(1)</script>'>"
    "<a href=\"javascript:window.pwned=1\">x</a><meta http-equiv=refresh content='0;url=/gone'>"
    "+ADw-script+AD4-window.pwned=1+ADw-/script+AD4- {{7*7}} <!-- ]]> &lt;script&gt; '"
)


@contextmanager
def served(app: WSGIApplication) -> Iterator[int]:
    """Serve *app* on loopback, and return the port."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def link(port: int, path: str = "/reports/2026.csv", *, signed_host: str = "127.0.0.1") -> str:
    """Return a link that was presigned for another host than its own."""
    request = AWSRequest("GET", f"http://{signed_host}{path}")
    credentials = Credentials(ACCESS_KEY_ID, SECRET)
    S3SigV4QueryAuth(credentials, "s3", "us-east-1", expires=600).add_auth(request)
    return str(request.url).replace(f"//{signed_host}/", f"//127.0.0.1:{port}/")


def guarded(*, explain: bool) -> SigV4Middleware:
    """Return an application for S3, at the time of day."""
    known = Verifier({ACCESS_KEY_ID: SECRET}, region="us-east-1", service="s3")
    return SigV4Middleware(Application(), known, explain=explain)


def is_untouched(chrome: Chrome) -> None:
    """Assert that the page is the one that was made, and that nothing on it has run."""
    from selenium.common.exceptions import NoAlertPresentException

    with pytest.raises(NoAlertPresentException):
        chrome.switch_to.alert.dismiss()
    assert chrome.title.startswith(("403 ", "400 "))
    assert chrome.execute_script("return typeof window.pwned") == "undefined"
    tags = "script, img, svg, iframe, a, form, object, link, meta[http-equiv]"
    assert chrome.find_elements("css selector", "h1")
    chrome.implicitly_wait(0)
    assert chrome.find_elements("css selector", tags) == []


def test_link_that_was_signed_for_another_host(chrome: Chrome) -> None:
    """With explain the browser shows what is wrong, what to do, and what was canonicalised."""
    with served(guarded(explain=True)) as port:
        chrome.get(link(port, signed_host="api.example.com"))
        text = str(chrome.find_element("tag name", "body").text)
        is_untouched(chrome)
        finding = chrome.find_element("tag name", "dl")
        border = finding.value_of_css_property("border-left-width")
        chrome.get(link(port))
        other = str(chrome.find_element("tag name", "body").text)
        if SCREENSHOT:
            chrome.set_window_size(1000, 1250)
            chrome.save_screenshot(SCREENSHOT)
        for width in (320, 390):
            chrome.set_window_size(width, 800)
            wide = "return document.documentElement.scrollWidth > window.innerWidth"
            assert not chrome.execute_script(wide)
    assert "403 SignatureDoesNotMatch" in text
    assert "No hypothesis matches" in text
    assert f"host:127.0.0.1:{port}" in text
    assert "AWS4-HMAC-SHA256" in text
    assert "The signature is right for Host `127.0.0.1`" in other
    assert "host-port-not-signed" in other
    # The style sheet is the one that its hash allows.
    assert border != "0px"


def test_dark_browser(chrome: Chrome) -> None:
    """The page follows the colours that are asked for, and stays legible."""
    feature = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
    with served(guarded(explain=True)) as port:
        chrome.get(link(port))
        dark = "return matchMedia('(prefers-color-scheme: dark)').matches"
        assert chrome.execute_script(dark)
        line = chrome.find_element("tag name", "dt").value_of_css_property("color")
        assert line == "rgba(154, 164, 178, 1)"


def test_production_answers_as_aws_does(chrome: Chrome) -> None:
    """Without explain the same link shows AWS's error, in XML and unexplained."""
    with served(guarded(explain=False)) as port:
        chrome.get(link(port))
        source = str(chrome.page_source)
    assert "<Code>SignatureDoesNotMatch</Code>" in source
    assert "Finding" not in source
    assert "host-port-not-signed" not in source


def test_hostile_link_in_the_address_bar(chrome: Chrome) -> None:
    """A path, a query and headers that Chromium itself sends run nothing."""
    with served(guarded(explain=True)) as port:
        chrome.execute_cdp_cmd("Network.enable", {})
        headers = {"headers": {"X-Evil": EVIL, "Cookie": "session=c0ffee"}}
        chrome.execute_cdp_cmd("Network.setExtraHTTPHeaders", headers)
        url = link(port, f"/{EVIL}".replace("?", ""))
        url = url.replace("SignedHeaders=host", "SignedHeaders=cookie%3Bhost%3Bx-evil")
        chrome.get(f"{url}&evil={EVIL}#{EVIL}")
        is_untouched(chrome)
        text = str(chrome.find_element("tag name", "body").text)
    assert "x-evil:<script>" in text
    assert "c0ffee" not in text


def hostile_environs() -> Iterator[dict[str, Any]]:
    """Yield environs that no browser would make of a link, but a server may be sent."""
    control = "".join(map(chr, (*range(1, 10), 11, 12, *range(14, 32), *range(127, 256))))
    for accept in (BROWSER, f"{BROWSER}, {EVIL}"):
        message = forged(
            sign(
                target="/items?q=1",
                s3=True,
                presigned=True,
                access_key_id=TEMPORARY_ID,
                token=SESSION_TOKEN,
                headers={"x-evil": "1", "x-more": "1", "Cookie": "session=c0ffee"},
            )
        )
        message = message.with_header("x-evil", EVIL.encode() + control.encode("latin-1"))
        message = message.with_header("x-more", EVIL * 200)
        yield environ_of(message) | {"HTTP_ACCEPT": accept}
    filler = EVIL.encode().hex()
    message = sign(target="/items", s3=True, presigned=True)
    message = message.edited("us-east-1", f"us%3Cscript%3Ealert(1)%3C%2Fscript%3E{filler[:99]}")
    yield environ_of(message) | {"HTTP_ACCEPT": BROWSER}
    message = sign(target=f"/{'%3Cscript%3E' * 4000}?q={'%22%3E%3Cimg' * 4000}", s3=True)
    environ = environ_of(message.without_header("authorization")) | {"HTTP_ACCEPT": BROWSER}
    yield environ | {"QUERY_STRING": environ["QUERY_STRING"] + f"&X-Amz-Algorithm={EVIL}"}


@pytest.mark.parametrize("policy", [True, False], ids=["with its policy", "without it"])
def test_hostile_requests(chrome: Chrome, policy: bool, caplog: pytest.LogCaptureFixture) -> None:
    """No page runs anything, by its escapes alone and by its policy; none tells a secret."""
    answers: list[tuple[list[tuple[str, str]], bytes]] = []
    guard = SigV4Middleware(Application(), verifier(s3=True), explain=True)

    def app(_: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *more: object) -> Any:
            kept = [p for p in headers if policy or p[0] != "Content-Security-Policy"]
            answers.append((headers, b""))
            return start_response(status, kept)

        (body,) = guard(environs[0], start)
        answers[-1] = (answers[-1][0], body)
        return [body]

    with served(app) as port:
        for environ in hostile_environs():
            environs = [environ]
            chrome.get(f"http://127.0.0.1:{port}/")
            is_untouched(chrome)
    shown = b"".join(body for _, body in answers).decode("ascii") + caplog.text
    for secret in (SECRET, SESSION_TOKEN, "IQoJb3JpZ2lu", "c0ffee"):
        assert secret not in shown
    for headers, body in answers:
        named = dict(headers)
        if named["Content-Type"].startswith("text/html"):
            assert len(body) <= 64 * 1024
            assert named["X-Content-Type-Options"] == "nosniff"
            assert named["Referrer-Policy"] == "no-referrer"
            assert "script-src" not in named["Content-Security-Policy"]
