"""A visit to the page in a browser: what it logged, and where its requests went."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request

from local.deployment import Deployment

Scheme = Literal["light", "dark"]
#: A window that is wide enough for everything to stand side by side.
WIDE: Final = 1440
#: The longest wait for something to show, in milliseconds: the page looks again every few seconds.
PATIENCE: Final = 120_000
#: What Chromium itself logs of an answer that is none of success.
REFUSED: Final = "Failed to load resource"


def launch(playwright: Playwright) -> Browser:
    """Chromium, which goes nowhere by way of the local cloud's proxy."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = os.environ.get("CHROMIUM") or next(found for name in names if (found := shutil.which(name)))
    return playwright.chromium.launch(executable_path=program, args=["--no-proxy-server"])


@dataclass
class Visit:
    """A user on the page of a deployment. `console` is what was logged, `requests` the addresses asked for."""

    deployment: Deployment
    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._log)
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        self.page.on("request", self._ask)

    def _log(self, message: ConsoleMessage) -> None:
        self.console.append(message.text)

    def _ask(self, request: Request) -> None:
        self.requests.append(request.url)

    def to(self, view: str) -> Page:
        """Go to a view by its address."""
        self.page.goto(f"{self.deployment.host.url}/api/ui#{view}")
        return self.page

    def sign_in(self, key: str) -> None:
        """Give the page a key."""
        self.page.get_by_label("Function key").fill(key)
        self.page.get_by_role("button", name="Continue").click()

    def stays(self) -> None:
        """Whether nothing but the app was asked for anything.

        Raises:
            AssertionError: something was.
        """
        elsewhere = [url for url in self.requests if not url.startswith((f"{self.deployment.host.url}/", "data:"))]
        if elsewhere:
            raise AssertionError(f"requests left the origin: {elsewhere}")


@contextmanager
def visit(
    browser: Browser,
    deployment: Deployment,
    *,
    width: int = WIDE,
    scheme: Scheme = "light",
    key: str | None = None,
    headers: Mapping[str, str] | None = None,
    refused: bool = False,
) -> Iterator[Visit]:
    """A visit in a window of its own. It must log nothing, and send requests only to the app.

    Args:
        browser: where.
        deployment: whose page.
        width: the window's.
        scheme: light or dark.
        key: the key to sign in with; by default the app's, none with an empty one.
        headers: sent with every request.
        refused: the visit is to be refused something, which Chromium itself logs.

    Raises:
        AssertionError: something was logged, or left the origin.
    """
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, extra_http_headers=dict(headers or {})
    )
    try:
        visiting = Visit(deployment, context.new_page())
        given = deployment.host.keys.function if key is None else key
        visiting.to("/")
        if given:
            visiting.sign_in(given)
            visiting.page.get_by_role("heading", name="Overview").wait_for()
        yield visiting
        visiting.stays()
        logged = [text for text in visiting.console if not (refused and text.startswith(REFUSED))]
        if logged:
            raise AssertionError(f"the page logged {logged}")
    finally:
        context.close()
