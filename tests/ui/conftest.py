"""One browser and one app for the tests of a module."""

from collections.abc import Iterator

import pytest

from local.cloud import Scenario
from local.deployment import Deployment, deploy


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Chromium. Playwright's event loop ends with the module: other tests of the process run loops of their own."""
    from playwright.sync_api import sync_playwright

    from tests.ui.browser import launch

    with sync_playwright() as playwright:
        launched = launch(playwright)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def deployment(browser: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The app against a cloud without delays, with a VNet for each test."""
    with deploy(tmp_path_factory.mktemp("ui"), Scenario.model_validate({"vnets": 12})) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def _vnets(deployment: Deployment) -> Iterator[str]:
    return iter(deployment.cloud.vnet_ids)


@pytest.fixture
def vnet_id(_vnets: Iterator[str]) -> str:
    """A VNet that no other test uses."""
    return next(_vnets)
