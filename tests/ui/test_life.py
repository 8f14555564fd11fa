"""A peering's life cycle on the page: each change with its plan first, followed without a reload."""

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from local.deployment import Deployment
from peering.runs import SWEEP
from tests.ui.browser import PATIENCE, visit
from tests.workflows.by_hand import made_by_hand

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(600)]
expect.set_options(timeout=PATIENCE)


def name_of(vnet_id: str) -> str:
    return vnet_id.rpartition("/")[2]


def act(page: Page, name: str, *, then: str | None = None) -> None:
    """Press an action's button, and confirm it in the dialog."""
    page.get_by_role("group", name="Actions on").get_by_role("button", name=name, exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=then or name, exact=True).click()


def test_one_is_planned_started_and_followed_until_it_is_active(
    browser: Browser, deployment: Deployment, vnet_id: str
) -> None:
    request = deployment.request(vnet_id=vnet_id, labels={"owner": "network", "ticket": "NET-7"})
    with visit(browser, deployment) as visiting:
        page = visiting.page
        page.get_by_role("link", name="New").click()
        for field in ("project", "project_vpc_id", "vnet_id"):
            page.locator(f"[name={field}]").fill(str(request[field]))
        page.get_by_label("Labels").fill("owner=network\nticket=NET-7")
        page.get_by_role("button", name="Show the plan").click()
        plan = page.get_by_role("region", name="The plan")
        expect(plan.get_by_role("heading", name="The plan")).to_contain_text("create")
        expect(plan.get_by_role("listitem")).to_have_count(10)
        expect(plan).to_contain_text("USD an hour")
        assert deployment.api.get("/api/overview").json()["peerings"] == 0
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name_of(vnet_id))
        expect(page.locator(".stand")).to_contain_text("connected")
        expect(page.locator("[data-is='done']", has_text="Wait for ACTIVE")).to_be_visible()
        expect(page.locator(".drawing")).to_contain_text("connection: ACTIVE")
        expect(page.get_by_text("ticket=NET-7")).to_be_visible()
        # Steps that run in parallel stand side by side.
        stage = page.locator(".stages > li", has_text="Platform's service principal")
        expect(stage).to_contain_text("Create the application")


def test_a_broken_one_is_found_and_repaired(browser: Browser, deployment: Deployment, vnet_id: str) -> None:
    status = deployment.settle(vnet_id=vnet_id)
    remote = status["facts"]["to_network_id"]
    with visit(browser, deployment) as visiting:
        page = visiting.to(f"/peerings/{status['id']}")
        page.get_by_role("button", name="Pause").click()
        page.get_by_label("Why").fill("The network team moves the hub.")
        page.get_by_role("dialog").get_by_role("button", name="Pause").click()
        expect(page.get_by_text("Checks and repairs are paused: The network team moves the hub.")).to_be_visible()
        deployment.event(kind="delete-vnet-peering", vnet_id=vnet_id, remote_id=remote)
        act(page, "Check")
        expect(page.locator(".stand")).to_contain_text("broken")
        expect(page.locator("[data-code='vnet-peering-missing']")).to_contain_text("Remedy")
        expect(page.locator(".drawing .link").first).to_have_attribute("data-is", "broken")
        act(page, "Resume")
        expect(page.get_by_text("Checks and repairs are paused")).to_have_count(0)
        act(page, "Check")
        expect(page.locator(".stand")).to_contain_text("healthy")
        expect(page.locator(".drawing .link").first).to_have_attribute("data-is", "healthy")
        expect(page.get_by_role("row", name="repair")).to_contain_text("connected")
        verdicts = page.get_by_role("region", name="Verdicts").get_by_role("row")
        expect(verdicts.nth(1)).to_contain_text("healthy")
        expect(verdicts.nth(2)).to_contain_text("The Azure side of the connection was deleted")


def test_the_pause_of_all_is_shown_with_each(browser: Browser, deployment: Deployment, vnet_id: str) -> None:
    status = deployment.settle(vnet_id=vnet_id)
    deployment.api.post("/api/pause", json={"why": "A freeze."}).raise_for_status()
    try:
        with visit(browser, deployment) as visiting:
            for view in ("/", "/peerings", f"/peerings/{status['id']}"):
                page = visiting.to(view)
                expect(page.get_by_text("Checks and repairs of all peerings are paused: A freeze.")).to_be_visible()
    finally:
        deployment.api.post("/api/resume").raise_for_status()


def test_its_password_is_rotated_and_it_is_removed(browser: Browser, deployment: Deployment, vnet_id: str) -> None:
    status = deployment.settle(vnet_id=vnet_id)
    with visit(browser, deployment) as visiting:
        page = visiting.to(f"/peerings/{status['id']}")
        act(page, "Rotate")
        expect(page.locator("[data-is='done']", has_text="Sign in with it to both tenants")).to_be_visible()
        # A plan is valid until the peering changes, so not beyond the end of a run.
        expect(page.locator(".stand")).to_contain_text("connected")
        page.get_by_role("button", name="Remove").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("region", name="The plan").get_by_role("listitem")).to_have_count(10)
        remove = dialog.get_by_role("button", name="Remove", exact=True)
        expect(remove).to_be_disabled()
        dialog.get_by_label("to confirm").fill("something else")
        expect(remove).to_be_disabled()
        dialog.get_by_label("to confirm").fill(name_of(vnet_id))
        remove.click()
        expect(page.locator(".stand")).to_contain_text("removed")
        expect(page.get_by_role("row", name="remove")).to_be_visible()
    assert status["id"] not in {one["id"] for one in deployment.api.get("/api/peerings").json()["peerings"]}


def test_a_connection_of_another_owner_is_adopted(browser: Browser, deployment: Deployment, vnet_id: str) -> None:
    made_by_hand(deployment.cloud, vnet_id)
    deployment.api.post("/api/checks").raise_for_status()
    deployment.until_ended(SWEEP)
    with visit(browser, deployment) as visiting:
        page = visiting.to("/unmanaged")
        page.get_by_role("link", name=f"Adopt {name_of(vnet_id).lower()}").click()
        page.get_by_role("button", name="Show the plan").click()
        expect(page.get_by_role("heading", name="The plan")).to_contain_text("adopt")
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.locator(".stand")).to_contain_text("connected")


def test_options_are_changed_with_a_plan(browser: Browser, deployment: Deployment, vnet_id: str) -> None:
    status = deployment.settle(vnet_id=vnet_id)
    with visit(browser, deployment) as visiting:
        page = visiting.to(f"/peerings/{status['id']}")
        page.get_by_role("button", name="Change").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Allow forwarded traffic").select_option("true")
        dialog.get_by_role("button", name="Show the plan").click()
        expect(dialog.get_by_role("row", name="allow forwarded traffic")).to_contain_text("true")
        dialog.get_by_role("button", name="Change", exact=True).click()
        expect(dialog).to_have_count(0)
        expect(page.get_by_role("row", name="establish")).to_have_count(2)
    assert deployment.status(status["id"])["peering"]["allow_forwarded_traffic"] is True


def test_a_note_and_a_label_are_removed(browser: Browser, deployment: Deployment, vnet_id: str) -> None:
    status = deployment.settle(vnet_id=vnet_id, note="Ask first", labels={"owner": "network", "ticket": "7"})
    with visit(browser, deployment) as visiting:
        page = visiting.to(f"/peerings/{status['id']}")
        expect(page.get_by_text("Ask first")).to_be_visible()
        page.get_by_role("button", name="Change").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("More options").click()
        dialog.get_by_label("Remove the note").check()
        expect(dialog.get_by_label("Note", exact=True)).to_be_disabled()
        expect(dialog).to_contain_text("To remove one: name= without a value. Now: owner=network, ticket=7.")
        dialog.get_by_label("Labels").fill("ticket=")
        dialog.get_by_role("button", name="Show the plan").click()
        expect(dialog.get_by_role("row", name="labels owner=network, ticket=7 owner=network")).to_be_visible()
        expect(dialog.get_by_role("row", name="note Ask first none")).to_be_visible()
        dialog.get_by_role("button", name="Change", exact=True).click()
        expect(page.get_by_text("Ask first")).to_have_count(0)
    after = deployment.status(status["id"])
    assert (after["note"], after["labels"]) == ("", {"owner": "network"})


def test_a_plan_does_not_hold_for_what_has_changed_since(
    browser: Browser, deployment: Deployment, vnet_id: str
) -> None:
    status = deployment.settle(vnet_id=vnet_id)
    with visit(browser, deployment, refused=True) as visiting:
        page = visiting.to(f"/peerings/{status['id']}")
        page.get_by_role("button", name="Remove").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("region", name="The plan")).to_be_visible()
        deployment.api.patch(f"/api/peerings/{status['id']}", json={"note": "Do not remove"}).raise_for_status()
        expect(page.get_by_text("Do not remove")).to_be_visible()
        dialog.get_by_label("to confirm").fill(name_of(vnet_id))
        dialog.get_by_role("button", name="Remove", exact=True).click()
        expect(dialog.get_by_role("button", name="Show the plan")).to_be_visible()
    assert deployment.status(status["id"])["state"] == "connected"


def test_a_change_whose_answer_was_lost_is_made_once(browser: Browser, deployment: Deployment, vnet_id: str) -> None:
    status = deployment.settle(vnet_id=vnet_id)
    keys = list[str]()

    def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            route.continue_()
            return
        route.fetch()
        route.abort()

    with visit(browser, deployment, refused=True) as visiting:
        page = visiting.to(f"/peerings/{status['id']}")
        page.route("**/rotate", lose)
        act(page, "Rotate")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("The app does not respond")
        dialog.get_by_role("button", name="Rotate", exact=True).click()
        expect(dialog).to_have_count(0)
    assert keys == keys[:1] * 2
    runs = deployment.api.get(f"/api/peerings/{status['id']}/runs").json()["runs"]
    assert [run["operation"] for run in runs].count("rotate") <= 1
