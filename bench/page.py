"""What the page takes with 10,000 peerings in Chromium: the list's first rows, all of them, a filter.

`python -m bench.page` prints it; it needs Chromium, and Playwright of the development extra.
"""

import tempfile
from pathlib import Path
from statistics import median
from typing import Final, TypedDict

from playwright.sync_api import Page, sync_playwright

from bench.apart import Apart, apart
from bench.listing import MANY, records
from local.cloud import Scenario
from local.registry import fill
from tests.ui.browser import launch

_ROUNDS: Final = 10
_PATIENCE: Final = 600_000
#: Until the rows that a filter lets through are drawn, in milliseconds: from the input to the second frame after it.
_FILTER: Final = """async (text) => {
  const field = document.querySelector("input[type=search]");
  const begun = performance.now();
  field.value = text;
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  return performance.now() - begun;
}"""
_FIRST_ROWS: Final = """() => new Promise((found) => {
  const look = () => (document.querySelector(".row") ? found(performance.now()) : requestAnimationFrame(look));
  look();
})"""


class PageCost(TypedDict):
    """Seconds from the opening of the list to its first rows and to all of them, and a filter's median."""

    first_rows: float
    all_rows: float
    filtering: float


def page_cost() -> PageCost:
    """The list of a large registry, opened with a key in the tab."""
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        browser = launch(playwright)
        with apart(Path(directory), Scenario.model_validate({})) as app:
            fill(app.cloud, records(MANY))
            page = browser.new_page()
            page.set_default_timeout(_PATIENCE)
            found = _measured(page, app)
        browser.close()
    return found


def _measured(page: Page, app: Apart) -> PageCost:
    address, key = f"{app.api.base_url.join('/api/ui')}#/peerings", app.api.headers["x-functions-key"]
    page.add_init_script(f"sessionStorage.setItem('peering-key', '{key}')")
    # A worker's first requests import what they need.
    page.goto(address)
    page.locator(".row").first.wait_for()
    page.reload()
    first = page.evaluate(_FIRST_ROWS)
    page.get_by_text(f"{MANY:,} of {MANY:,} peerings", exact=True).wait_for()
    whole = page.evaluate("performance.now()")
    times = [page.evaluate(_FILTER, text) for text in ("00000000-0000-0000-0000-0000000001", "", "vnet") * _ROUNDS]
    return PageCost(first_rows=first / 1000, all_rows=whole / 1000, filtering=median(times) / 1000)


def main() -> None:
    """Measure and print."""
    cost = page_cost()
    print(f"with {MANY:,} peerings: first rows after {cost['first_rows']:.2f} s (goal 1 s),")
    print(f"all after {cost['all_rows']:.1f} s, a filter {cost['filtering'] * 1000:.0f} ms (goal 150 ms)")


if __name__ == "__main__":
    main()
