"""Who may see and change what on the page, by key."""

import pytest
from playwright.sync_api import Browser, expect

from local.deployment import Deployment
from tests.ui.browser import PATIENCE, visit
from triggers.route_table import ROUTES

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(600)]
expect.set_options(timeout=PATIENCE)


def test_nothing_is_asked_for_without_a_key_and_a_wrong_one_is_refused(
    browser: Browser, deployment: Deployment
) -> None:
    with visit(browser, deployment, key="", refused=True) as visiting:
        page = visiting.page
        page.get_by_label("Function key").wait_for()
        assert {url for url in visiting.requests if "/api/ui" not in url and not url.startswith("data:")} == set()
        visiting.sign_in("guess")
        expect(page.get_by_role("alert")).to_contain_text("The key is not accepted")
        assert page.evaluate("Object.values(sessionStorage)") == []
        visiting.sign_in(deployment.host.keys.function)
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        kept = page.evaluate("[Object.values(sessionStorage), Object.values(localStorage), document.cookie]")
        assert kept == [[deployment.host.keys.function], [], ""]
        page.get_by_role("button", name="Forget the key").click()
        page.get_by_label("Function key").wait_for()
        assert page.evaluate("Object.values(sessionStorage)") == []


def test_a_readers_key_shows_everything_and_changes_nothing(
    browser: Browser, deployment: Deployment, vnet_id: str
) -> None:
    status = deployment.settle(vnet_id=vnet_id)
    master = {"x-functions-key": deployment.host.keys.master}
    for one in ROUTES:
        if one.role == "reader":
            url = f"/admin/functions/{one.name}/keys/reader"
            deployment.api.put(url, headers=master, json={"value": "a-readers-key"}).raise_for_status()
    with visit(browser, deployment, key="a-readers-key", refused=True) as visiting:
        page = visiting.to(f"/peerings/{status['id']}")
        page.get_by_role("button", name="Rotate").click()
        page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
        expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("The key does not allow this")
    assert len(deployment.status(status["id"])["runs"]) == 1
