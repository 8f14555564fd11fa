"""What a deployment makes is in force: settings lead to secrets, callers sign in, names are private, rules fire."""

import json
import re
from typing import Any, Final

import pytest

from tests.infra.compiler import INFRA
from tests.infra.predicted import NAMES, app_settings, of_type, resources

TEMPLATE: Final[dict[str, Any]] = json.loads((INFRA / "main.json").read_text())
SECRETS: Final = {"AIVEN_AUTH_TOKEN": "aiven-auth-token", "WEBHOOK_SECRET": "webhook-secret"}
PRIVATE: Final = ("private-network", "us-government")
#: How urgent each rule is (0 is critical), how often it looks and how far back, and what its query counts as too much.
RULES: Final = {
    "verdict-broken": (1, "PT5M", "P2D", "ago(30m)"),
    "checks-missing": (1, "PT15M", "PT1H", "begun == 0"),
    "order-failed": (2, "PT5M", "PT10M", 'state in ("failed", "rolled-back")'),
    "verdict-unknown": (2, "PT15M", "P2D", "ago(1h)"),
    "secret-near-expiry": (2, "PT1H", "P2D", "tries > 1"),
    "order-unended": (2, "PT1H", "PT1H", "event=order-lasting"),
    "webhook-dead": (2, "PT15M", "P2D", "tries >= 3"),
    "own-errors": (2, "PT15M", "PT15M", "SeverityLevel >= 3"),
    "throttled": (3, "PT15M", "PT1H", "steps > 20"),
}


def secure(template: dict[str, Any]) -> set[str]:
    """The parameters of a template whose values nobody may see."""
    return {
        name for name, one in template.get("parameters", {}).items() if one.get("type", "").lower() == "securestring"
    }


def test_the_secrets_are_the_parameters_that_nobody_may_see() -> None:
    assert secure(TEMPLATE) == {"aivenToken", "webhookSecret"}


@pytest.mark.parametrize("deployment", NAMES)
def test_a_setting_with_a_secret_leads_to_the_vault(deployment: str) -> None:
    (vault,) = of_type(deployment, "Microsoft.KeyVault/vaults")
    settings = app_settings(deployment)
    assert "AIVEN_AUTH_TOKEN" in settings
    for name in SECRETS.keys() & settings.keys():
        assert settings[name] == f"'@Microsoft.KeyVault(VaultName={vault['name']};SecretName={SECRETS[name]})'"


@pytest.mark.parametrize("deployment", NAMES)
def test_only_the_vaults_secrets_hold_what_nobody_may_see(deployment: str) -> None:
    vaults = "Microsoft.KeyVault/vaults/secrets"
    told = json.dumps([one for one in resources(deployment) if one["type"] != vaults])
    assert [name for name in secure(TEMPLATE) if f"parameters('{name}')" in told] == []
    for secret in of_type(deployment, vaults):
        assert re.search(r"^\[parameters\('(\w+)'\)\]$", secret["properties"]["value"])


def test_callers_sign_in_to_the_application_of_the_apps_tenant() -> None:
    (given,) = (
        one["properties"]
        for one in of_type("webhook", "Microsoft.Web/sites/config")
        if one["name"].endswith("/authsettingsV2")
    )
    assert given["platform"]["enabled"] is True
    assert given["httpSettings"]["requireHttps"] is True
    (name,) = given["identityProviders"]
    provider = given["identityProviders"][name]
    application = provider["registration"]["clientId"]
    assert (name, provider["enabled"]) == ("azureActiveDirectory", True)
    assert set(provider["validation"]["allowedAudiences"]) == {application, f"api://{application}"}
    assert re.search(r"\.authority, '[0-9a-f-]{36}'\)\]$", provider["registration"]["openIdIssuer"])
    assert re.match(r"\[format\('\{0\}\{1\}/v2\.0'", provider["registration"]["openIdIssuer"])


@pytest.mark.parametrize("deployment", PRIVATE)
def test_each_private_endpoint_has_its_name_in_a_zone_that_the_apps_network_asks(deployment: str) -> None:
    zones = {one["id"]: one["name"] for one in of_type(deployment, "Microsoft.Network/privateDnsZones")}
    links = of_type(deployment, "Microsoft.Network/privateDnsZones/virtualNetworkLinks")
    (network,) = of_type(deployment, "Microsoft.Network/virtualNetworks")
    assert {one["properties"]["virtualNetwork"]["id"] for one in links} == {network["id"]}
    assert {one["id"].partition("/virtualNetworkLinks/")[0] for one in links} == zones.keys()
    endpoints = {one["name"]: one["properties"] for one in of_type(deployment, "Microsoft.Network/privateEndpoints")}
    records = of_type(deployment, "Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
    assert {one["name"].partition("/")[0] for one in records} == endpoints.keys()
    for record in records:
        (config,) = record["properties"]["privateDnsZoneConfigs"]
        (connection,) = endpoints[record["name"].partition("/")[0]]["privateLinkServiceConnections"]
        (part,) = connection["properties"]["groupIds"]
        kind = {"vault": "vaultcore", "sites": r"\w*sites"}.get(part, part)
        assert re.match(rf"privatelink\.{kind}\.", zones[config["properties"]["privateDnsZoneId"]])


def test_every_rule_fires_as_soon_as_its_query_finds_something() -> None:
    rules = {
        one["properties"]["displayName"]: one["properties"]
        for one in of_type("webhook", "Microsoft.Insights/scheduledQueryRules")
    }
    assert rules.keys() == RULES.keys()
    for name, (severity, every, within, literal) in RULES.items():
        (criterion,) = rules[name]["criteria"]["allOf"]
        assert (rules[name]["enabled"], rules[name]["severity"]) == (True, severity), name
        assert (rules[name]["evaluationFrequency"], rules[name]["windowSize"]) == (every, within), name
        assert (criterion["timeAggregation"], criterion["operator"], criterion["threshold"]) == (
            "Count",
            "GreaterThan",
            0,
        )
        assert criterion["failingPeriods"]["minFailingPeriodsToAlert"] == 1
        assert criterion["query"] == (INFRA / f"monitoring/{name}.kql").read_text()
        assert literal in criterion["query"], name
