"""What each recorded deployment makes: every role, every setting, no key, and nothing public where it is private."""

import ast
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from clients.clouds import CLOUDS
from clients.settings import Settings
from local.package import _PLATFORM
from peering.rights import PLATFORM_ACTIONS, USER_ACTIONS
from tests.infra.compiler import INFRA, SUBSCRIPTION
from tests.infra.predicted import NAMES, Assignment, app_settings, assignments, of_type, resources

ROOT: Final = INFRA.parent
FIRST, SECOND = (f"/subscriptions/{'-'.join(one * n for n in (8, 4, 4, 4, 12))}" for one in "1a")
GROUP: Final = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-"
ACCESS_ADMINISTRATOR: Final = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
#: What the identity may do on the app's own resources: the role, and the kind of what it is for.
OWN_ROLES: Final = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Microsoft.Storage/storageAccounts/st",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Microsoft.Storage/storageAccounts/st",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Microsoft.Storage/storageAccounts/st",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Microsoft.KeyVault/vaults/kv-",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Microsoft.Insights/components/appi-",
}
#: All that the app itself needs on a subscription: to read its roles and assignments (activities/looks/remotes.py).
READER_ACTIONS: Final = (
    "Microsoft.Authorization/roleDefinitions/read",
    "Microsoft.Authorization/roleAssignments/read",
)
#: The custom roles by what their names say, and all that each of them grants.
CUSTOM_ROLES: Final = {"platform": PLATFORM_ACTIONS, "application": USER_ACTIONS, "reader of roles": READER_ACTIONS}
#: The subscriptions of the VNets of a deployment.
SUBSCRIPTIONS: Final = {"default": (FIRST,), "networks": (FIRST, SECOND)}
SCHEDULER_ROLE: Final = "0ad04412-c4d5-4796-b79c-f76d14c8d402"
#: Read by the Functions host and its extensions, not by the code.
HOSTS: Final = re.compile(r"AzureWebJobsStorage__|AzureFunctionsJobHost__|APPLICATIONINSIGHTS_|DURABLE_TASK_SCHEDULER$")
#: Those that lead the host to a Durable Task Scheduler.
SCHEDULERS: Final = re.compile(r"durableTask__|DURABLE_TASK_SCHEDULER$")
#: The parts of the storage account that the host and the registry use.
PARTS: Final = ("blob", "queue", "table")
#: The resources that something connects to, and the properties that say whether any network may.
ENDPOINTS: Final = {
    "Microsoft.Storage/storageAccounts": ("publicNetworkAccess",),
    "Microsoft.KeyVault/vaults": ("publicNetworkAccess",),
    "Microsoft.Web/sites": ("publicNetworkAccess",),
    "Microsoft.DurableTask/schedulers": ("publicNetworkAccess",),
    "Microsoft.OperationalInsights/workspaces": ("publicNetworkAccessForIngestion", "publicNetworkAccessForQuery"),
    "Microsoft.Insights/components": ("publicNetworkAccessForIngestion", "publicNetworkAccessForQuery"),
}
#: Those that only Azure Resource Manager knows, and networks, which let nobody in.
WITHOUT_ENDPOINT: Final = {
    *(f"Microsoft.Authorization/{one}" for one in ("locks", "roleAssignments", "roleDefinitions")),
    *(f"Microsoft.Insights/{one}" for one in ("diagnosticSettings", "scheduledQueryRules", "workbooks")),
    *(f"Microsoft.Network/{one}" for one in ("privateDnsZones", "privateEndpoints", "virtualNetworks")),
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Resources/resourceGroups",
    "Microsoft.Web/serverfarms",
}
#: What stays open in a private network, as infra/modules/monitoring.bicep explains.
LOGS: Final = {"Microsoft.OperationalInsights/workspaces", "Microsoft.Insights/components"}
#: Settings of the code that no deployment needs: with a managed identity there is no password.
NEVER: Final = {"AZURE_CLIENT_SECRET"}


def on_networks(deployment: str) -> set[tuple[str, str]]:
    """The roles that are given outside the app's own resource group, and where."""
    return {(one.role, one.scope) for one in assignments(deployment) if not one.scope.startswith(GROUP)}


def reader_role(subscription: str) -> str:
    """The custom role that reads roles and assignments in a subscription."""
    roles = of_type("networks", "Microsoft.Authorization/roleDefinitions")
    (found,) = (
        one["name"] for one in roles if one["id"].startswith(subscription) and "reader" in one["properties"]["roleName"]
    )
    return str(found)


@pytest.mark.parametrize(("deployment", "subscriptions"), [(name, SUBSCRIPTIONS.get(name, ())) for name in NAMES])
def test_each_custom_role_grants_what_the_code_needs_and_nothing_else(
    deployment: str, subscriptions: tuple[str, ...]
) -> None:
    roles = of_type(deployment, "Microsoft.Authorization/roleDefinitions")
    made = {(one["id"].partition("/providers/")[0], one["properties"]["roleName"]): one["properties"] for one in roles}
    named = {
        (place, f"Aiven VNet peering ({name}) {place.rpartition('/')[2]}"): actions
        for place in subscriptions
        for name, actions in CUSTOM_ROLES.items()
    }
    assert (len(roles), made.keys()) == (len(named), named.keys())
    for role, actions in named.items():
        assert made[role]["permissions"] == [{"actions": list(actions), "notActions": []}]
        assert made[role]["assignableScopes"] == [role[0]]


@pytest.mark.parametrize("deployment", NAMES)
def test_the_identity_has_these_roles_on_the_apps_own_resources_and_no_others(deployment: str) -> None:
    own = {one for one in assignments(deployment) if one.scope.startswith(GROUP)}
    name = next(iter(own)).principal.removeprefix("id-")
    expected = OWN_ROLES | (
        {SCHEDULER_ROLE: "Microsoft.DurableTask/schedulers/dts-"} if deployment == "scheduler" else {}
    )
    suffix = "2" if deployment == "again" else ""
    assert {(one.role, one.principal) for one in own} == {(role, f"id-{name}") for role in expected}
    for one in own:
        resource = f"{expected[one.role]}{name}{suffix if 'vaults' in one.scope else ''}"
        assert one.scope.endswith(f"/providers/{resource}")


def test_it_may_assign_roles_on_what_is_named_and_nowhere_else() -> None:
    def vnet(name: str) -> str:
        return f"{FIRST}/resourceGroups/net-prod/providers/Microsoft.Network/virtualNetworks/{name}"

    readers = {(reader_role(one), one) for one in (FIRST, SECOND)}
    scopes = (vnet("hub-vnet"), vnet("spoke-001"), f"{SECOND}/resourceGroups/net-test")
    assert on_networks("networks") == readers | {(ACCESS_ADMINISTRATOR, scope) for scope in scopes}
    assert on_networks("default") == {(reader_role(FIRST), FIRST), (ACCESS_ADMINISTRATOR, vnet("hub-vnet"))}
    assert on_networks("webhook") == set()


def test_each_assignment_of_roles_is_limited_to_the_two_roles_of_its_subscription_and_to_service_principals() -> None:
    roles = {one["name"]: one for one in of_type("networks", "Microsoft.Authorization/roleDefinitions")}
    found = [
        one["properties"]
        for one in of_type("networks", "Microsoft.Authorization/roleAssignments")
        if one["properties"]["roleDefinitionId"].endswith(ACCESS_ADMINISTRATOR)
    ]
    assert len(found) == 3
    for properties in found:
        subscription = properties["roleDefinitionId"].partition("/providers/")[0]
        named = set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", properties["condition"]))
        assert {tuple(roles[name]["properties"]["permissions"][0]["actions"]) for name in named} == {
            PLATFORM_ACTIONS,
            USER_ACTIONS,
        }
        assert all(roles[name]["id"].startswith(subscription) for name in named)
        assert properties["conditionVersion"] == "2.0"
        assert properties["condition"].count("{'ServicePrincipal'}") == 2


def in_the_document() -> set[str]:
    """The roles that docs/security.md lists for the app's identity in Azure."""
    section = (ROOT / "docs/security.md").read_text().partition("## Who holds which right")[2]
    own = section.partition("| the app's identity |")[2].partition("\n| the created application")[0]
    rights = {row.lstrip("| ").split(" | ")[0] for row in own.splitlines()}
    return {_name(right) for right in rights if not right.startswith(("Microsoft Graph", "a token"))}


def _name(description: str) -> str:
    """A role's name, or what it lets do, without what limits it."""
    return description.split(",")[0].removesuffix(".").capitalize()


def given_to_the_identity() -> set[str]:
    """The roles that deployments give the app's identity, as their descriptions call them."""
    custom = {
        one["name"]: one["properties"]["description"]
        for name in NAMES
        for one in of_type(name, "Microsoft.Authorization/roleDefinitions")
    }
    given = [one["properties"] for name in NAMES for one in of_type(name, "Microsoft.Authorization/roleAssignments")]
    return {_name(one.get("description") or custom[one["roleDefinitionId"].split("/")[-1]]) for one in given}


def test_the_document_lists_the_roles_that_deployments_give_and_no_others() -> None:
    assert in_the_document() == given_to_the_identity()


def test_the_document_names_all_that_the_platforms_role_grants() -> None:
    table = (ROOT / "docs/security.md").read_text().partition("## Who holds which right")[2].partition("\n## ")[0]
    (right,) = (line.split(" | ")[1] for line in table.splitlines() if line.startswith("| the platform's application"))
    assert tuple(f"Microsoft.Network/{one}" for one in re.findall(r"`([^`]+)`", right)) == PLATFORM_ACTIONS


def read_by_the_code() -> set[str]:
    """The names of the settings that the code reads, whether through `Settings` or by itself."""
    from triggers.timers import TIMERS

    platform = {"WEBSITE_AUTH_ENABLED", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_SECRET"}
    names = {name.upper() for name in Settings.model_fields} | {timer.setting for timer in TIMERS}
    for folder in ("activities", "clients", "orchestrators", "peering", "triggers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            names |= _read_directly(path)
    return names - platform


def _read_directly(path: Path) -> set[str]:
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return {
        call.args[0].value
        for call in calls
        if ast.unparse(call.func) == "os.environ.get"
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def test_every_setting_that_the_code_reads_can_be_given() -> None:
    assert read_by_the_code() - NEVER <= app_settings("webhook").keys()


@pytest.mark.parametrize("deployment", NAMES)
def test_no_setting_is_made_that_nobody_reads(deployment: str) -> None:
    made = {name for name in app_settings(deployment) if not HOSTS.match(name)}
    assert made <= read_by_the_code()


def test_what_is_not_given_stays_as_it_was_set() -> None:
    given = {name for name in app_settings("webhook") if name not in app_settings("default")}
    assert given >= {"HEALTH_CHECK_SCHEDULE", "WEBHOOK_URL", "HISTORY_DAYS", "PLATFORM_APPLICATION_ID"}


def in_the_readme() -> set[str]:
    """The settings that the README has a row for."""
    table = (ROOT / "README.md").read_text().partition("## Settings")[2].partition("\n## ")[0]
    return {name for line in table.splitlines() for name in re.findall(r"`([A-Z_]{8,})`", line.partition(" | ")[0])}


def test_the_readme_has_every_setting_that_the_code_reads_and_no_other() -> None:
    assert in_the_readme() == read_by_the_code()


def test_every_setting_of_the_readme_is_a_parameter_or_follows_from_the_deployment() -> None:
    parameters = json.loads((INFRA / "main.json").read_text())["parameters"].values()
    described = {one.get("metadata", {}).get("description", "").partition(":")[0] for one in parameters}
    follows = set(app_settings("default")) | {"WEBHOOK_SECRET"} | NEVER
    assert in_the_readme() <= described | follows


@pytest.mark.parametrize("deployment", NAMES)
def test_secrets_are_written_once_and_are_in_nothing_that_is_recorded(deployment: str) -> None:
    recorded = json.dumps(resources(deployment))
    assert "the-aiven-token" not in recorded
    assert "the-key-of-the-webhook" not in recorded
    for secret in of_type(deployment, "Microsoft.KeyVault/vaults/secrets"):
        assert secret["properties"]["value"].startswith("[parameters(")
        assert secret["condition"].startswith("[not(empty(parameters(")
    assert not re.search(r"list(Keys|AccountSas|ServiceSas)|AccountKey|SharedAccess", recorded)


def test_a_secret_that_is_there_is_left_as_it_is() -> None:
    (vault,) = (
        one for one in json.loads((INFRA / "main.json").read_text())["resources"].values() if one.get("name") == "vault"
    )
    secrets = [
        one
        for one in vault["properties"]["template"]["resources"].values()
        if one["type"] == "Microsoft.KeyVault/vaults/secrets"
    ]
    assert len(secrets) == 2
    assert all("onlyIfNotExists" in one["@options"] for one in secrets)


@pytest.mark.parametrize("deployment", NAMES)
def test_there_is_no_key_and_no_password_to_anything(deployment: str) -> None:
    (storage,) = of_type(deployment, "Microsoft.Storage/storageAccounts")
    (insights,) = of_type(deployment, "Microsoft.Insights/components")
    (workspace,) = of_type(deployment, "Microsoft.OperationalInsights/workspaces")
    (vault,) = of_type(deployment, "Microsoft.KeyVault/vaults")
    publishing = of_type(deployment, "Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert storage["properties"]["allowSharedKeyAccess"] is False
    assert storage["properties"]["allowBlobPublicAccess"] is False
    assert insights["properties"]["DisableLocalAuth"] is True
    assert workspace["properties"]["features"]["disableLocalAuth"] is True
    assert vault["properties"]["enableRbacAuthorization"] is True
    assert vault["properties"]["enablePurgeProtection"] is True
    assert {one["name"].split("/")[1]: one["properties"]["allow"] for one in publishing} == {"ftp": False, "scm": False}


@pytest.mark.parametrize("deployment", NAMES)
def test_the_host_finds_storage_secrets_and_records_as_the_identity(deployment: str) -> None:
    settings = app_settings(deployment)
    storage = {f"AzureWebJobsStorage__{one}" for one in ("credential", "clientId", *(f"{p}ServiceUri" for p in PARTS))}
    hosts = {name for name in settings if HOSTS.match(name) and not SCHEDULERS.search(name)}
    assert hosts == storage | {f"APPLICATIONINSIGHTS_{one}_STRING" for one in ("CONNECTION", "AUTHENTICATION")}
    assert settings["AzureWebJobsStorage__credential"] == "'managedidentity'"
    assert "Authorization=AAD" in settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"]
    (site,), (identity,) = (
        of_type(deployment, one) for one in ("Microsoft.Web/sites", "Microsoft.ManagedIdentity/userAssignedIdentities")
    )
    package = site["properties"]["functionAppConfig"]["deployment"]["storage"]["authentication"]
    assert set(site["identity"]["userAssignedIdentities"]) == {identity["id"]}
    assert site["properties"]["keyVaultReferenceIdentity"] == identity["id"]
    assert package["userAssignedIdentityResourceId"] == identity["id"]


def test_the_scheduler_takes_the_place_of_storage_as_the_identity() -> None:
    settings = app_settings("scheduler")
    provider = "AzureFunctionsJobHost__extensions__durableTask__storageProvider__"
    assert settings[f"{provider}type"] == "'azureManaged'"
    assert "Authentication=ManagedIdentity" in settings[settings[f"{provider}connectionStringName"].strip("'")]
    assert not [name for name in app_settings("default") if SCHEDULERS.search(name)]


def passed(deployed: dict[str, Any], module: str) -> dict[str, Any]:
    """The parameters of a module in a compiled template."""
    (found,) = (one for one in deployed["resources"].values() if one.get("name") == module)
    given = found["properties"]["parameters"].items()
    return {name: one["value"] for name, one in given if isinstance(one, dict) and "value" in one}


def test_a_return_to_storage_removes_what_leads_the_host_to_a_scheduler() -> None:
    template = json.loads((INFRA / "main.json").read_text())
    (app,) = (one for one in template["resources"].values() if one.get("name") == "function-app")
    assert passed(app["properties"]["template"], "app-settings")["unwanted"] == "[parameters('removedSettings')]"
    assert passed(template, "function-app")["removedSettings"] == "[variables('schedulerNames')]"
    made = {name for name in app_settings("scheduler") if SCHEDULERS.search(name)}
    assert set(template["variables"]["schedulerNames"]) == made


@pytest.mark.parametrize("deployment", NAMES)
def test_what_is_done_with_secrets_is_written_to_the_workspace(deployment: str) -> None:
    (audit,), (workspace,) = (
        of_type(deployment, one)
        for one in ("Microsoft.Insights/diagnosticSettings", "Microsoft.OperationalInsights/workspaces")
    )
    assert audit["properties"]["logs"] == [{"categoryGroup": "audit", "enabled": True}]
    assert (audit["properties"]["workspaceId"], "/vaults/kv-" in audit["id"]) == (workspace["id"], True)


def access_from_outside(deployment: str) -> dict[str, set[str]]:
    """Whether any network may connect, by the types of resources with an endpoint; Azure's default is that it may."""
    return {
        one["type"]: {one["properties"].get(name, "Enabled") for name in ENDPOINTS[one["type"]]}
        for one in resources(deployment)
        if one["type"] in ENDPOINTS
    }


@pytest.mark.parametrize("deployment", NAMES)
def test_of_every_resource_it_is_known_whether_something_connects_to_it(deployment: str) -> None:
    types = {"/".join(one["type"].split("/")[:2]) for one in resources(deployment)}
    assert types <= ENDPOINTS.keys() | WITHOUT_ENDPOINT


def without_a_rule(deployment: str) -> set[str]:
    """What storage and vault do with addresses that no rule names."""
    types = ("Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults")
    return {of_type(deployment, one)[0]["properties"]["networkAcls"]["defaultAction"] for one in types}


@pytest.mark.parametrize("deployment", ["private-network", "us-government"])
def test_in_a_private_network_only_logs_are_reachable_from_outside(deployment: str) -> None:
    found = access_from_outside(deployment)
    assert {type_ for type_, access in found.items() if access != {"Disabled"}} == LOGS
    assert found.keys() == access_from_outside("default").keys()
    assert all(access == {"Enabled"} for access in access_from_outside("default").values())
    assert (without_a_rule(deployment), without_a_rule("default")) == ({"Deny"}, {"Allow"})
    endpoints = of_type(deployment, "Microsoft.Network/privateEndpoints")
    parts = {one["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"][0] for one in endpoints}
    assert parts == {"blob", "queue", "table", "vault", "sites"}
    assert "appSubnet" in json.dumps(of_type(deployment, "Microsoft.Web/sites")) or "subnets[0]" in json.dumps(
        of_type(deployment, "Microsoft.Web/sites")[0]["properties"]["virtualNetworkSubnetId"]
    )


def test_another_cloud_has_names_of_its_own() -> None:
    zones = {one["name"] for one in of_type("us-government", "Microsoft.Network/privateDnsZones")}
    assert f"privatelink.vaultcore.{CLOUDS['AzureUSGovernment'].vault_suffix.removeprefix('vault.')}" in zones
    assert "privatelink.table.core.usgovcloudapi.net" in zones
    assert not [zone for zone in zones if zone.endswith((".windows.net", ".azure.net", ".azurewebsites.net"))]
    assert app_settings("us-government")["AZURE_CLOUD"] == "'AzureUSGovernment'"


def test_the_three_clouds_of_the_templates_are_those_of_the_code() -> None:
    clouds: dict[str, dict[str, str]] = json.loads((INFRA / "clouds.json").read_text())
    assert {name: cloud["authority"].rstrip("/") for name, cloud in clouds.items()} == {
        name: cloud.authority for name, cloud in CLOUDS.items()
    }


def app(deployment: str) -> dict[str, Any]:
    found: dict[str, Any] = of_type(deployment, "Microsoft.Web/sites")[0]["properties"]["functionAppConfig"]
    return found


def test_the_runtime_is_the_python_that_the_package_is_made_for() -> None:
    assert app("default")["runtime"] == {"name": "python", "version": _PLATFORM[1]}


def test_an_instance_waits_for_orders_unless_none_is_wanted() -> None:
    assert app("default")["scaleAndConcurrency"]["alwaysReady"] == [{"name": "durable", "instanceCount": 1}]
    assert app("scheduler")["scaleAndConcurrency"]["alwaysReady"] == []


def test_the_tables_of_the_registry_are_made_beforehand() -> None:
    from clients.registry import tables

    made = {
        one["name"].split("/")[-1]
        for one in of_type("default", "Microsoft.Storage/storageAccounts/tableServices/tables")
    }
    assert made == {tables.PEERINGS_TABLE, tables.RUNS_TABLE}


def test_callers_sign_in_where_the_application_is_given() -> None:
    def authentication(deployment: str) -> list[dict[str, Any]]:
        found = of_type(deployment, "Microsoft.Web/sites/config")
        return [one["properties"] for one in found if one["name"].endswith("/authsettingsV2")]

    (given,) = authentication("webhook")
    assert given["globalValidation"] == {"requireAuthentication": True, "unauthenticatedClientAction": "Return401"}
    assert authentication("default") == []


def locked(deployment: str) -> set[str]:
    """The kinds of resources that locks protect; rows and secrets can be written nevertheless."""
    found = of_type(deployment, "Microsoft.Authorization/locks")
    assert {one["properties"]["level"] for one in found} <= {"CanNotDelete"}
    return {one["id"].partition("/providers/Microsoft.")[2].split("/")[1] for one in found}


def test_locks_are_made_on_demand() -> None:
    assert locked("default") == set()
    assert locked("private-network") == {"storageAccounts", "vaults"}
    assert locked("scheduler") == {"storageAccounts", "vaults", "schedulers"}


def test_all_that_locks_protect_is_named() -> None:
    template = json.loads((INFRA / "main.json").read_text())
    (row,) = (line for line in (ROOT / "docs/deploying.md").read_text().splitlines() if line.startswith("| `locks`"))
    for text in (template["parameters"]["locks"]["metadata"]["description"], row):
        assert all(one in text for one in ("storage", "vault", "scheduler"))


def test_a_vault_whose_name_is_reserved_comes_back_or_gets_another_name() -> None:
    (vault,) = of_type("again", "Microsoft.KeyVault/vaults")
    assert (vault["name"], vault["properties"]["createMode"]) == ("kv-again2", "recover")
    assert of_type("default", "Microsoft.KeyVault/vaults")[0]["properties"]["createMode"] == "default"


def test_alerts_go_to_the_action_groups() -> None:
    rules = of_type("webhook", "Microsoft.Insights/scheduledQueryRules")
    assert len(rules) == len(list((INFRA / "monitoring").glob("*.kql")))
    assert {len(one["properties"]["actions"]["actionGroups"]) for one in rules} == {1}
    assert of_type("again", "Microsoft.Insights/scheduledQueryRules") == []


def test_an_assignment_is_read_whole() -> None:
    assert {type(one) for one in assignments("networks")} == {Assignment}
