"""`make screenshots`: the screenshots of the page in docs/, of sixty peerings, some of them unhealthy."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

from playwright.sync_api import Browser, Page, sync_playwright

from local.cloud.scenario import load_scenario
from local.deployment import PROJECT, Deployment, deploy
from local.populated import populate
from peering.runs import SWEEP
from tests.ui.browser import Scheme, launch

IMAGES: Final = PROJECT / "docs" / "images"
_EXTRA: Final = 2


@contextmanager
def estate() -> Iterator[tuple[Deployment, str, dict[str, object]]]:
    """The app with sixty peerings, one more that a start has made and that broke, checked; and a further request."""
    scenario = load_scenario("sixty")
    wanted = scenario.model_copy(update={"vnets": scenario.vnets + _EXTRA})
    with tempfile.TemporaryDirectory() as directory, deploy(Path(directory), wanted) as deployed:
        populate(deployed.cloud, scenario.established)
        *_, broken, fresh = (one.id for one in deployed.cloud.world.vnets.values() if _is_ours(deployed, one.id))
        status = deployed.settle(vnet_id=broken, repair="off", labels={"owner": "network", "ticket": "NET-7"})
        remote = status["facts"]["to_network_id"]
        deployed.event(kind="delete-vnet-peering", vnet_id=broken, remote_id=remote)
        deployed.api.post("/api/checks", json={}).raise_for_status()
        deployed.until_ended(SWEEP, 600)
        yield deployed, str(status["id"]), deployed.request(vnet_id=fresh)


def _is_ours(deployed: Deployment, vnet_id: str) -> bool:
    return vnet_id.split("/")[2] in deployed.cloud.landscape.subscriptions


def _opened(browser: Browser, deployed: Deployment, size: tuple[int, int], scheme: Scheme) -> Page:
    """The page in a window of a size, signed in."""
    viewport = {"width": size[0], "height": size[1]}
    page = browser.new_context(viewport=cast("None", viewport), color_scheme=scheme).new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{deployed.host.url}/api/ui")
    page.get_by_label("Function key").fill(deployed.host.keys.function)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("group", name="Actions on all").wait_for()
    # Nothing is drawn as what the pointer rests on.
    page.mouse.move(0, 0)
    return page


def _to(page: Page, view: str, shown: str) -> None:
    page.goto(f"{page.url.partition('#')[0]}#{view}")
    page.locator(shown).first.wait_for()


def main() -> None:
    """Make the pictures."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        with estate() as (deployed, identity, request):
            page = _opened(browser, deployed, (1280, 800), "light")
            page.screenshot(path=IMAGES / "page-overview.png", full_page=True)
            _to(page, f"/peerings/{identity}", "th:has-text('establish')")
            page.set_viewport_size({"width": 1280, "height": 1250})
            page.screenshot(path=IMAGES / "page-peering.png")
            page.set_viewport_size({"width": 800, "height": 1220})
            _to(page, "/new", "#field-vnet_id")
            for name in ("project", "project_vpc_id", "vnet_id"):
                page.locator(f"[name={name}]").fill(str(request[name]))
            page.get_by_role("button", name="Show the plan").click()
            page.locator(".plan").wait_for()
            page.get_by_role("button", name="Start", exact=True).scroll_into_view_if_needed()
            page.screenshot(path=IMAGES / "page-plan.png", full_page=True)
            dark = _opened(browser, deployed, (1280, 800), "dark")
            _to(dark, "/peerings?sort=verdict", ".row")
            dark.get_by_text("61 of 61 peerings").wait_for()
            dark.screenshot(path=IMAGES / "page-list.png")
            phone = _opened(browser, deployed, (360, 740), "dark")
            _to(phone, f"/peerings/{identity}", "th:has-text('establish')")
            phone.screenshot(path=IMAGES / "page-phone.png")
        browser.close()


if __name__ == "__main__":
    main()
