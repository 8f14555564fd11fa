"""A cloud that the app's clients in this process ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.credentials import automation_credential
from clients.settings import settings
from local.clock import VirtualClock
from local.cloud import LocalCloud, Scenario


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A cloud whose clients are this process."""
    directory: Path = tmp_path_factory.mktemp("cloud")
    with (
        LocalCloud(Scenario(), directory, clock=VirtualClock(), seed=1) as running,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in {**running.environment, "AZURE_CREDENTIAL": "service-principal"}.items():
            patch.setenv(name, value)
        settings.cache_clear()
        automation_credential.cache_clear()
        yield running
    settings.cache_clear()
    automation_credential.cache_clear()
