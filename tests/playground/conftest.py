"""One browser and one server for a file of tests of the page; without Chromium or playwright they are skipped.

Playwright holds an event loop in the main thread while its browser runs, so none outlives its file.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from tests.playground.opened import Playground
    from tests.server.running import Running

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DESKTOP = {"width": 1440, "height": 1000}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def site(browser: Browser) -> Iterator[Running]:
    """The server of the page; after ``browser``, so that no model loads where there is none."""
    from tests.server.running import running

    from vi.server.settings import ServerSettings

    with running(ServerSettings()) as found:
        yield found


@pytest.fixture(scope="module")
def lasting_page(browser: Browser, site: Running) -> Iterator[Playground]:
    """One page for all tests of a file that only look at it."""
    from tests.playground.opened import Playground

    found = Playground.open(browser.new_context(viewport=DESKTOP), site.url)
    yield found
    found.page.context.close()
    assert found.complaints == []


@pytest.fixture
def open_page(browser: Browser, site: Running) -> Iterator[Callable[..., Playground]]:
    """Opens the page anew, each in a browser profile of its own, and sees to it that its console stays silent.

    fragment: of the URL. complains: whether the console may complain, as it does of every HTTP error. The rest as
    ``Browser.new_context`` takes it.
    """
    from tests.playground.opened import Playground

    opened: list[tuple[Playground, bool]] = []

    def open_one(fragment: str = "", complains: bool = False, url: str = site.url, **options: Any) -> Playground:
        settings = {"viewport": DESKTOP, "permissions": ["clipboard-read", "clipboard-write"], **options}
        found = Playground.open(browser.new_context(**settings), url, fragment)
        opened.append((found, complains))
        return found

    yield open_one
    for found, complains in opened:
        found.page.context.close()
        assert complains or found.complaints == []


@pytest.fixture
def playground(open_page: Callable[..., Playground]) -> Playground:
    return open_page()
