"""Who may change what on the page, by the app roles of Entra; alone, for a process has one app at a time."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from local.deployment import Deployment, deploy
from tests.ui.browser import PATIENCE, visit

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(600)]
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def signed(browser: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The app behind App Service authentication."""
    with deploy(tmp_path_factory.mktemp("entra"), settings={"WEBSITE_AUTH_ENABLED": "true"}) as deployed:
        yield deployed


def test_a_reader_of_entra_is_told_which_role_is_needed(browser: Browser, signed: Deployment) -> None:
    tokens = {name: signed.host.app_service.sign_in(f"{name}@example.com", [name]) for name in ("reader", "operator")}
    headers = {
        name: {"authorization": f"Bearer {token}", "x-functions-key": signed.host.keys.function}
        for name, token in tokens.items()
    }
    answer = signed.api.post("/api/peerings", json=signed.request(), headers=headers["operator"])
    with visit(browser, signed, key="", headers=headers["reader"], refused=True) as visiting:
        page = visiting.to(f"/peerings/{answer.json()['id']}")
        expect(page.locator(".stand")).to_contain_text("connected")
        page.get_by_role("button", name="Rotate").click()
        page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
        refused = page.get_by_role("dialog").locator("[data-code='role-missing']")
        expect(refused).to_contain_text("operator")
