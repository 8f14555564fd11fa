"""The app settings: which are needed, how they are named when wrong, and that no value is repeated."""

import re
from pathlib import Path
from typing import Final

import pytest

from clients.clouds import CLOUDS
from clients.settings import Settings, settings
from peering.outcome import ProblemError
from tests.unit.good_settings import GOOD

ROOT: Final = Path(__file__).parents[2]
DEPLOYED: Final = ("activities", "clients", "orchestrators", "peering", "triggers")


def _read(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> Settings:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    try:
        return settings()
    finally:
        settings.cache_clear()


def test_settings_have_the_defaults_of_the_public_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    read = _read(monkeypatch, GOOD)
    assert read.cloud is CLOUDS["AzureCloud"]
    assert str(read.platform_application_id) == "55f300d4-fc50-4c5e-9222-e90a6e2187fb"
    assert read.deadlines == {"propagation": 900, "platform": 86400}


def test_a_sovereign_cloud_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    read = _read(monkeypatch, {**GOOD, "AZURE_CLOUD": "AzureChinaCloud"})
    assert read.cloud.vault_url("my-vault") == "https://my-vault.vault.azure.cn"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"AZURE_CREDENTIAL": ""}, "AZURE_CREDENTIAL"),
        ({"AZURE_CREDENTIAL": "guess"}, "AZURE_CREDENTIAL"),
        ({"AZURE_CLIENT_SECRET": ""}, "AZURE_CLIENT_SECRET"),
        ({"KEY_VAULT_NAME": "https://my-vault"}, "KEY_VAULT_NAME"),
        ({"AIVEN_AUTH_TOKEN": ""}, "AIVEN_AUTH_TOKEN"),
        ({"PLATFORM_DEADLINE_HOURS": "soon"}, "PLATFORM_DEADLINE_HOURS"),
        ({"AZURE_CLOUD": "AzureGermanCloud"}, "AZURE_CLOUD"),
        ({"ALLOWED_SUBSCRIPTIONS": "Production"}, "ALLOWED_SUBSCRIPTIONS"),
        ({"PEERINGS_PER_CALLER": "0"}, "PEERINGS_PER_CALLER"),
        ({"WEBHOOK_URL": "https://hooks.example.com"}, "WEBHOOK_SECRET"),
    ],
)
def test_a_wrong_setting_is_named_without_any_value(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, str], named: str
) -> None:
    with pytest.raises(ProblemError) as refused:
        _read(monkeypatch, {**GOOD, **change})
    assert refused.value.occurrence["code"] == "setting-invalid"
    assert named in refused.value.occurrence["detail"]
    assert "the-client-secret" not in str(refused.value)
    assert "the-aiven-token" not in str(refused.value)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_read_by_something(name: str) -> None:
    sources = (path.read_text() for room in DEPLOYED for path in sorted((ROOT / room).rglob("*.py")))
    assert any(re.search(rf"\.{name}\b", source) for source in sources)
