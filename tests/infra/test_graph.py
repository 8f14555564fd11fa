"""What the scripts of infra/ have az do: everything once, and nothing where all is there."""

import json
import os
import subprocess
from pathlib import Path
from typing import Final

import jmespath
import pytest

from clients.settings import Settings
from tests.infra.compiler import INFRA

PRINCIPAL, APPLICATION = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
PLATFORM: Final = str(Settings.model_fields["platform_application_id"].default)
ASSIGNEE, HOST = "33333333-3333-3333-3333-333333333333", "func-peering.azurewebsites.net"
#: The application's lists that are replaced as a whole.
PROPERTIES: Final = {"scopes": "oauth2PermissionScopes", "clients": "preAuthorizedApplications"}
#: The client that az is.
AZURE_CLI: Final = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
ROLES: Final = {one["value"]: one["id"] for one in json.loads((INFRA / "app-roles.json").read_text())}
SCOPE: Final = json.loads((INFRA / "api-scope.json").read_text())
#: An administrator's own scope, client and address, which the application keeps.
THEIR_SCOPE: Final = {"id": "theirs", "value": "read", "type": "Admin", "isEnabled": True}
THEIRS: Final = {"appId": "theirs", "delegatedPermissionIds": ["their-scope"]}
THEIR_ADDRESS: Final = "https://theirs.example.com/callback"
#: An az that keeps in files what there is, and notes what changes it; it fails where `FAILS` says.
AZ: Final = f"""#!/bin/sh
cd "$STATE"
changes() {{ case "$*" in "$FAILS"*) exit 1 ;; esac; echo "$*" >> changes; }}
case "$*" in
"cloud show "*) echo https://graph.microsoft.com/ ;;
"ad sp show --id 00000003-0000-0000-c000-000000000000 "*) echo graph ;;
"ad sp show --id {APPLICATION} --query id "*) echo resource ;;
"ad sp show --id {APPLICATION} --query appRoles"*"'operator'"*) echo {ROLES["operator"]} ;;
"ad sp show --id {APPLICATION} --query appRoles"*) ;;
"ad sp show --id moved "*) echo moved-principal ;;
"ad sp show --id "*) test -e "principal-$5" ;;
"ad app owner list --id moved "*) test -e owner && echo 1 || echo 0 ;;
"ad app owner add "*) changes "$@"; touch owner ;;
"rest --method get "*"/moved-principal/owners "*) test -e owner-of-principal && echo 1 || echo 0 ;;
"rest --method post "*"/moved-principal/owners/"*) changes "$@"; touch owner-of-principal ;;
"ad sp create --id "*) changes "$@"; touch "principal-$5" ;;
"rest --method get "*) test -e role && echo 1 || echo 0 ;;
"rest --method post "*) changes "$@"; touch role ;;
"rest --method patch "*"scopes as queried"*) changes "$@"; echo {SCOPE["id"]} > scope ;;
"rest --method patch "*) changes "$@"; touch client ;;
"ad app list --filter displayName eq 'Aiven peerings' "*) test ! -e application || echo {APPLICATION} ;;
"ad app create "*) changes "$@"; touch application; echo {APPLICATION} ;;
"ad app show "*"length(identifierUris)"*) test -e address && echo 1 || echo 0 ;;
"ad app show "*"oauth2PermissionScopes[?"*) cat scope 2>/dev/null || true ;;
"ad app show "*"preAuthorizedApplications[?"*) test -e client && echo 1 || echo 0 ;;
"ad app show "*"{{oauth2PermissionScopes:"*) echo "$*" > scopes; echo '{{"api": "scopes as queried"}}' ;;
"ad app show "*"{{preAuthorizedApplications:"*) echo "$*" > clients; echo '{{"api": "clients as queried"}}' ;;
"ad app show "*"web.redirectUris "*) echo {THEIR_ADDRESS}; cat redirect 2>/dev/null || true ;;
"ad app update "*" --web-redirect-uris "*) changes "$@"; echo "$8" > redirect ;;
"ad app update "*) changes "$@"; touch address ;;
*) echo "az $*" >&2; exit 2 ;;
esac
"""


class Tenant:
    """A tenant that the script is run in."""

    def __init__(self, directory: Path) -> None:
        self._state = directory / "tenant"
        self._state.mkdir()
        az = directory / "az"
        az.write_text(AZ)
        az.chmod(0o755)
        self._path = f"{directory}:{os.environ['PATH']}"

    def run(self, *arguments: str, script: str = "graph.sh", fails: str = "nothing") -> str:
        """What a script prints, whether it comes to its end or not."""
        environment = {"PATH": self._path, "STATE": str(self._state), "FAILS": fails}
        command = [str(INFRA / script), *arguments]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (ran.returncode != 0) == (fails != "nothing"), ran.stderr
        return ran.stdout

    def has_scope(self, scope: str) -> None:
        """The application has the scope `user_impersonation` under this id."""
        (self._state / "scope").write_text(scope)

    def queried(self, name: str, there: object) -> list[dict[str, object]]:
        """The `scopes` or `clients` that az is given for an application that has these."""
        asked = (self._state / name).read_text().partition("--query ")[2].partition(" --output")[0]
        (found,) = jmespath.search(asked, {"api": {PROPERTIES[name]: there}})["api"].items()
        assert found[0] == PROPERTIES[name]
        listed: list[dict[str, object]] = found[1]
        return listed

    def changes(self) -> list[str]:
        """What was changed since this was last asked."""
        noted = self._state / "changes"
        found = noted.read_text().splitlines() if noted.exists() else []
        noted.unlink(missing_ok=True)
        return found


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    return Tenant(tmp_path)


def test_everything_is_made_once(tenant: Tenant) -> None:
    said = tenant.run(PRINCIPAL, "Aiven peerings")
    platform, role, application, address, scope, client, principal = tenant.changes()
    assert platform.startswith(f"ad sp create --id {PLATFORM}")
    assert f"https://graph.microsoft.com/v1.0/servicePrincipals/{PRINCIPAL}/appRoleAssignments" in role
    assert json.loads(role.partition("--body ")[2]) == {
        "principalId": PRINCIPAL,
        "resourceId": "graph",
        "appRoleId": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    }
    assert Path(application.partition("--app-roles @")[2].split(" ")[0]).samefile(INFRA / "app-roles.json")
    # The issuer that the app's authentication is set up with issues tokens of that version.
    assert "--requested-access-token-version 2 " in application
    assert "/v2.0'" in (INFRA / "modules/function-app.bicep").read_text()
    assert address.endswith(f"--identifier-uris api://{APPLICATION}")
    url = f"https://graph.microsoft.com/v1.0/applications(appId='{APPLICATION}')"
    assert url in scope
    assert json.loads(scope.partition("--body ")[2]) == {"api": "scopes as queried"}
    for others in (None, [], [THEIR_SCOPE]):
        assert tenant.queried("scopes", others) == [*(others or []), SCOPE]
    assert (SCOPE["value"], SCOPE["type"], SCOPE["isEnabled"]) == ("user_impersonation", "User", True)
    assert url in client
    assert json.loads(client.partition("--body ")[2]) == {"api": "clients as queried"}
    ours = {"appId": AZURE_CLI, "delegatedPermissionIds": [SCOPE["id"]]}
    for there in (None, [], [THEIRS]):
        assert tenant.queried("clients", there) == [*(there or []), ours]
    assert principal.startswith(f"ad sp create --id {APPLICATION}")
    assert said.endswith(f"API_APPLICATION_ID={APPLICATION}\n")
    assert tenant.run(PRINCIPAL, "Aiven peerings") == said
    assert tenant.changes() == []


def test_an_existing_scope_is_the_one_that_az_gets(tenant: Tenant) -> None:
    tenant.has_scope("made-in-the-portal")
    tenant.run(PRINCIPAL, "Aiven peerings")
    assert [one for one in tenant.changes() if "scopes as queried" in one] == []
    (client,) = tenant.queried("clients", [])
    assert client["delegatedPermissionIds"] == ["made-in-the-portal"]


def test_without_a_name_no_application_is_made(tenant: Tenant) -> None:
    assert "API_APPLICATION_ID" not in tenant.run(PRINCIPAL)
    assert [one for one in tenant.changes() if one.startswith("ad app")] == []


def test_with_the_apps_host_a_browser_can_return_to_it(tenant: Tenant) -> None:
    tenant.run(PRINCIPAL, "Aiven peerings")
    tenant.changes()
    tenant.run(PRINCIPAL, "Aiven peerings", HOST)
    (update,) = tenant.changes()
    addresses = f"{THEIR_ADDRESS} https://{HOST}/.auth/login/aad/callback"
    # App Service has no secret of the application, so it asks for an id token.
    assert update.endswith(f"--web-redirect-uris {addresses} --enable-id-token-issuance true")
    tenant.run(PRINCIPAL, "Aiven peerings", HOST)
    assert tenant.changes() == []


@pytest.mark.parametrize(
    "fails",
    [
        *("rest", "ad app create", "ad app update", "rest --method patch", f"ad sp create --id {APPLICATION}"),
        f"ad app update --id {APPLICATION} --web-redirect-uris",
    ],
)
def test_what_a_broken_run_has_left_is_made_by_the_next(tenant: Tenant, fails: str) -> None:
    tenant.run(PRINCIPAL, "Aiven peerings", HOST, fails=fails)
    made = tenant.changes()
    tenant.run(PRINCIPAL, "Aiven peerings", HOST)
    assert len({*made, *tenant.changes()}) == 8


def test_a_role_is_assigned_once(tenant: Tenant) -> None:
    arguments = APPLICATION, "operator", ASSIGNEE
    assert tenant.run(*arguments, script="assign-role.sh") == f"{ASSIGNEE} has the role operator.\n"
    (change,) = tenant.changes()
    assert "https://graph.microsoft.com/v1.0/servicePrincipals/resource/appRoleAssignedTo " in change
    assert json.loads(change.partition("--body ")[2]) == {
        "principalId": ASSIGNEE,
        "resourceId": "resource",
        "appRoleId": ROLES["operator"],
    }
    tenant.run(*arguments, script="assign-role.sh")
    assert tenant.changes() == []


def test_a_role_that_the_application_does_not_have_is_named(tenant: Tenant) -> None:
    tenant.run(APPLICATION, "owner", ASSIGNEE, script="assign-role.sh", fails="the role")
    assert tenant.changes() == []


@pytest.mark.parametrize("fails", ["nothing", "ad app owner add", "rest --method post"])
def test_an_identity_owns_what_an_earlier_one_has_created(tenant: Tenant, fails: str) -> None:
    tenant.run(PRINCIPAL, "moved", script="own.sh", fails=fails)
    made = tenant.changes()
    said = tenant.run(PRINCIPAL, "moved", script="own.sh")
    application, service_principal = [*made, *tenant.changes()]
    assert said == f"{PRINCIPAL} owns moved.\n"
    assert application.endswith(f"--id moved --owner-object-id {PRINCIPAL}")
    assert "https://graph.microsoft.com/v1.0/servicePrincipals/moved-principal/owners/$ref " in service_principal
    reference = json.loads(service_principal.partition("--body ")[2])
    assert reference == {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{PRINCIPAL}"}
    tenant.run(PRINCIPAL, "moved", script="own.sh")
    assert tenant.changes() == []
