"""How the page looks and reads: in every width, light and dark, by keyboard, and as axe-core judges it."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from local.deployment import Deployment
from local.registry import connected, fill
from peering.request import PeeringRequest
from tests.arbitrary_facts import arbitrary_facts
from tests.ui.browser import PATIENCE, WIDE, Scheme, visit

pytestmark = [pytest.mark.chromium, pytest.mark.node, pytest.mark.timeout(600)]
expect.set_options(timeout=PATIENCE)
#: The texts of what is wider than the cell that it stands in.
CUT_OFF = (
    "all => all.filter(one => one.parentElement.scrollWidth > one.parentElement.clientWidth).map(one => one.innerText)"
)
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def identity(deployment: Deployment) -> str:
    """A peering that is broken, and another one that is well."""
    first, second, *_ = deployment.cloud.vnet_ids
    deployment.settle(vnet_id=second, labels={"owner": "network"})
    status = deployment.settle(vnet_id=first, repair="off", note="Ask the network team first.")
    remote = status["facts"]["to_network_id"]
    deployment.event(kind="delete-vnet-peering", vnet_id=first, remote_id=remote)
    deployment.check(status["id"])
    return str(status["id"])


def judged(page: Page) -> list[str]:
    """What axe-core reports of the page as it is."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run()")
    return [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found["violations"]]


def is_within(page: Page) -> bool:
    """Whether nothing sticks out of the window at its side."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, WIDE])
def test_every_view_passes_axe(
    browser: Browser, deployment: Deployment, identity: str, width: int, scheme: Scheme
) -> None:
    with visit(browser, deployment, width=width, scheme=scheme, key="") as visiting:
        page = visiting.page
        page.get_by_label("Function key").wait_for()
        assert judged(page) == []
        visiting.sign_in(deployment.host.keys.function)
        shown = {
            "/": page.get_by_role("heading", name="By verdict"),
            "/peerings": page.get_by_role("link", name="Hub-VNet"),
            f"/peerings/{identity}": page.get_by_role("row", name="check"),
            "/new": page.get_by_label("VNet id"),
            "/unmanaged": page.get_by_text("There are none."),
            "/api": page.get_by_role("row", name="/api/overview"),
        }
        for view, sign in shown.items():
            visiting.to(view)
            sign.first.wait_for()
            assert judged(page) == [], view
            assert is_within(page), view
            assert "`" not in page.inner_text("body"), view
        visiting.to("/peerings")
        page.locator(".row .badge").first.wait_for()
        assert page.locator(".row .badge").evaluate_all(CUT_OFF) == []
        visiting.to(f"/peerings/{identity}")
        page.get_by_role("button", name="Remove").click()
        page.get_by_label("to confirm").wait_for()
        assert judged(page) == []
        assert "`" not in page.inner_text("body")


def test_what_has_been_is_not_told_as_to_come_by_a_browser_whose_clock_is_slow(
    browser: Browser, deployment: Deployment, identity: str
) -> None:
    with visit(browser, deployment) as visiting:
        visiting.page.clock.set_fixed_time(deployment.clock.now() - timedelta(hours=1))
        page = visiting.to(f"/peerings/{identity}")
        expect(page.locator("main > p.quiet", has_text="checked")).to_contain_text("checked now")
        page = visiting.to("/peerings")
        expect(page.locator(".row").first).to_contain_text("in 180 days")


def test_the_list_is_filtered_by_the_address(browser: Browser, deployment: Deployment, identity: str) -> None:
    with visit(browser, deployment) as visiting:
        page = visiting.to("/peerings")
        rows = page.locator(".row")
        expect(rows).to_have_count(2)
        page.get_by_role("combobox", name="verdict").select_option("broken")
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("The Azure side of the connection was deleted")
        assert page.url.endswith("#/peerings?verdict=broken")
        visiting.to("/peerings?label=owner%3Dnetwork")
        expect(rows).to_have_count(1)
        page.get_by_role("button", name="label: owner=network").click()
        expect(rows).to_have_count(2)
        visiting.to("/peerings?label=owner%3DNETWORK&changedSince=2020-01-01T00%3A00%3A00Z&limit=1")
        expect(rows).to_have_count(1)
        expect(page.get_by_role("button", name="limit")).to_have_count(0)
        page.get_by_role("button", name="label: owner=NETWORK").click()
        expect(rows).to_have_count(2)
        visiting.to("/peerings?changedSince=2999-01-01T00%3A00%3A00Z")
        expect(page.get_by_text("0 of 2 peerings")).to_be_visible()
        visiting.to("/peerings?search=side+of+the+connection+was+DELETED")
        expect(rows).to_have_count(1)
        page.get_by_role("searchbox").fill("nothing like it")
        expect(page.get_by_text("0 of 2 peerings")).to_be_visible()
        page.reload()
        expect(page.get_by_role("searchbox")).to_have_value("nothing like it")
        page.get_by_role("searchbox").fill("")
        page.get_by_role("button", name="VNet", exact=True).click()
        expect(page.get_by_role("columnheader", name="VNet")).to_have_attribute("aria-sort", "ascending")
        names = rows.get_by_role("link").all_inner_texts()
        assert names == sorted(names)


def test_the_list_is_sorted_on_a_phone(browser: Browser, deployment: Deployment, identity: str) -> None:
    with visit(browser, deployment, width=360) as visiting:
        page = visiting.to("/peerings")
        names = page.locator(".row").get_by_role("link")
        expect(page.get_by_role("combobox", name="sort")).to_have_value("-changed")
        for order, turned in (("vnet_id", False), ("-vnet_id", True)):
            page.get_by_role("combobox", name="sort").select_option(order)
            expect(page).to_have_url(re.compile(f"sort={order}$"))
            found = names.all_inner_texts()
            assert found == sorted(found, reverse=turned)


def test_the_api_is_listed_without_another_sign_in(browser: Browser, deployment: Deployment) -> None:
    with visit(browser, deployment) as visiting:
        page = visiting.page
        page.get_by_role("link", name="The HTTP API").click()
        expect(page.get_by_role("row", name="/api/peerings/{id}/rotate")).to_contain_text("operator")
        expect(page.get_by_text("curl -H")).to_be_visible()


def test_it_is_used_by_keyboard_alone(browser: Browser, deployment: Deployment, identity: str) -> None:
    with visit(browser, deployment) as visiting:
        page = visiting.to(f"/peerings/{identity}")
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        rotate = page.get_by_role("button", name="Rotate")
        while not rotate.evaluate("one => one === document.activeElement"):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(rotate).to_be_focused()


def test_a_run_of_which_no_steps_are_kept_is_not_shown_as_one_that_waits(
    browser: Browser, deployment: Deployment
) -> None:
    request = PeeringRequest.model_validate(deployment.request(vnet_id=deployment.cloud.vnet_ids[-1]), strict=False)
    record = connected(request.peering(), arbitrary_facts({"vnet_id": request.vnet_id}))
    fill(deployment.cloud, [record])
    with visit(browser, deployment) as visiting:
        page = visiting.to(f"/peerings/{record['peering']['id']}")
        expect(page.get_by_role("region", name="Steps of the last run")).to_contain_text("No steps are recorded.")
        expect(page.locator(".step")).to_have_count(0)
