"""The life of a key in the admin: a real browser, gunicorn with 4 workers, PostgreSQL, boto3."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.django_keys.conftest import postgres as postgres
from tests.django_keys.conftest import postgres_project as postgres_project
from tests.django_keys.running import Key
from tests.django_keys.running import Project
from tests.django_keys.running import Server
from tests.django_keys.test_life import GRACE
from tests.django_keys.test_life import TTL
from tests.django_keys.test_life import call
from tests.django_keys.test_life import seconds_until_refused
from tests.django_keys.test_life import workers

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="SKIPPED: chromium and chromium-driver are not installed",
    ),
]

PASSWORD = "correct horse battery staple"
#: Where the screenshot of docs/ is written to, when this variable says so.
SCREENSHOT = os.environ.get("SIGV4_SCREENSHOT")


@pytest.fixture
def chrome(tmp_path: Path) -> Iterator[Chrome]:
    """Return a headless Chromium with an empty profile."""
    from selenium.webdriver import Chrome
    from selenium.webdriver import ChromeOptions
    from selenium.webdriver import ChromeService

    options = ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in (
        *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run"),
        *("disable-background-networking", "disable-component-update", "disable-sync"),
        *(f"user-data-dir={tmp_path / 'profile'}", "window-size=1000,700"),
    ):
        options.add_argument(f"--{flag}")
    driver = Chrome(options=options, service=ChromeService(str(shutil.which("chromedriver"))))
    driver.set_page_load_timeout(120)
    driver.implicitly_wait(60)
    yield driver
    driver.quit()


class Admin:
    """The admin's pages, as somebody uses them who is logged in."""

    def __init__(self, chrome: Chrome, server: Server) -> None:
        self._chrome, self._url = chrome, f"{server.url}/admin"
        self._chrome.get(f"{self._url}/login/")
        self.type("id_username", "ada")
        self.type("id_password", PASSWORD)
        self._submit("//input[@type='submit']")
        assert "logout" in self.source

    @property
    def text(self) -> str:
        """The text of the page."""
        return str(self._chrome.find_element("tag name", "body").text)

    @property
    def source(self) -> str:
        """The source of the page."""
        return str(self._chrome.page_source)

    def open(self, path: str) -> None:
        """Open a page of the keys."""
        self._chrome.get(f"{self._url}/wsgi_sigv4_keys/accesskey/{path}")

    def type(self, name: str, text: str) -> None:
        """Type *text* into a field."""
        self._chrome.find_element("id", name).send_keys(text)

    def _submit(self, path: str) -> None:
        from selenium.common.exceptions import WebDriverException

        before = self._chrome.find_element("tag name", "html")
        self._chrome.find_element("xpath", path).click()
        until = time.monotonic() + 60
        now = before
        while now == before:
            assert time.monotonic() < until
            time.sleep(0.05)
            # Between two pages there is none to look at.
            with suppress(WebDriverException):
                now = self._chrome.find_element("tag name", "html")

    def create(self) -> Key:
        """Make a key, and return what is pasted after the button was pressed that copies."""
        self.open("add/")
        self.type("id_owner", "1")
        self.type("id_note", "laptop")
        self.type("id_services", "dynamodb\nitems")
        self._submit("//input[@name='_save']")
        return self._copied()

    def rotate(self, key: Key) -> Key:
        """Rotate *key* by the button of its page, and return the new one."""
        self.open(f"?q={key.access_key_id}")
        self._submit(f"//a[text()='{key.access_key_id}']")
        self._submit("//a[@id='rotate']")
        self._submit("//input[@id='confirm']")
        return self._copied()

    def revoke(self, key: Key) -> None:
        """Revoke *key* by the button of its page."""
        self.open(f"?q={key.access_key_id}")
        self._submit(f"//a[text()='{key.access_key_id}']")
        self._submit("//button[@id='revoke']")
        assert f"{key.access_key_id} is revoked." in self.text

    def _copied(self) -> Key:
        from selenium.webdriver.common.keys import Keys

        shown = str(self._chrome.find_element("id", "credentials").get_property("value"))
        self._chrome.find_element("id", "copy").click()
        until = time.monotonic() + 60
        while self._chrome.find_element("id", "copy").get_property("textContent") != "Copied":
            assert time.monotonic() < until
            time.sleep(0.05)
        # Into a field of another page, as into a file.
        window = self._chrome.current_window_handle
        self._chrome.switch_to.new_window("tab")
        self._chrome.get("data:text/html,<textarea id=file></textarea>")
        file = self._chrome.find_element("id", "file")
        file.send_keys(Keys.CONTROL, "v")
        pasted = str(file.get_property("value"))
        self._chrome.close()
        self._chrome.switch_to.window(window)
        assert pasted == shown
        return Key.shown(pasted)


def test_life_of_a_key_in_the_admin(
    chrome: Chrome, postgres_project: Project, tmp_path: Path
) -> None:
    """Created, copied, used by boto3, rotated, revoked, and refused by every worker."""
    project = postgres_project
    project.python(
        "from django.contrib.auth.models import User\n"
        f"user = User.objects.get(username='ada'); user.set_password({PASSWORD!r}); user.save()"
    )
    with project.served(TEST_TTL=str(TTL)) as server:
        admin = Admin(chrome, server)
        old = admin.create()
        assert "only time that the secret is shown" in admin.text
        assert call(server, old).isdigit()
        new = admin.rotate(old)
        if SCREENSHOT:
            chrome.save_screenshot(SCREENSHOT)
        workers(server, new)
        assert call(server, old).isdigit()
        for page in ("", f"?q={new.access_key_id}", "add/"):
            admin.open(page)
            assert old.secret not in admin.source
            assert new.secret not in admin.source
        admin.revoke(new)
        took = seconds_until_refused(server, new)
        print(f"refused by all workers {took:.1f} s after the button, ttl {TTL} s")
        assert took < TTL + GRACE
        assert call(server, new) == "UnrecognizedClientException"
        assert call(server, old).isdigit()
        admin.revoke(old)
        assert seconds_until_refused(server, old) < TTL + GRACE
    log = server.log.read_text(encoding="utf-8")
    for key in (old, new):
        assert key.secret not in log
