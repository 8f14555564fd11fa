"""What infra/graph.sh has az do: everything once, what a broken run has left, and nothing where all is there."""

import json
import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

from clients.settings import Settings
from tests.infra.compiler import INFRA

PRINCIPAL, APPLICATION = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
PLATFORM: Final = str(Settings.model_fields["platform_application_id"].default)
#: An az that keeps in files what there is, and notes what changes it; it fails where `FAILS` says.
AZ: Final = f"""#!/bin/sh
cd "$STATE"
changes() {{ case "$*" in "$FAILS"*) exit 1 ;; esac; echo "$*" >> changes; }}
case "$*" in
"cloud show "*) echo https://graph.microsoft.com/ ;;
"ad sp show --id 00000003-0000-0000-c000-000000000000 "*) echo graph ;;
"ad sp show --id "*) test -e "principal-$5" ;;
"ad sp create --id "*) changes "$@"; touch "principal-$5" ;;
"rest --method get "*) test -e role && echo 1 || echo 0 ;;
"rest --method post "*) changes "$@"; touch role ;;
"ad app list --filter displayName eq 'Aiven peerings' "*) test ! -e application || echo {APPLICATION} ;;
"ad app create "*) changes "$@"; touch application; echo {APPLICATION} ;;
"ad app show "*) test -e address && echo 1 || echo 0 ;;
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

    def run(self, *arguments: str, fails: str = "nothing") -> str:
        """What the script prints, whether it comes to its end or not."""
        environment = {"PATH": self._path, "STATE": str(self._state), "FAILS": fails}
        command = [str(INFRA / "graph.sh"), *arguments]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (ran.returncode != 0) == (fails != "nothing"), ran.stderr
        return ran.stdout

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
    platform, role, application, address, principal = tenant.changes()
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
    assert principal.startswith(f"ad sp create --id {APPLICATION}")
    assert said.endswith(f"API_APPLICATION_ID={APPLICATION}\n")
    assert tenant.run(PRINCIPAL, "Aiven peerings") == said
    assert tenant.changes() == []


def test_without_a_name_no_application_is_made(tenant: Tenant) -> None:
    assert "API_APPLICATION_ID" not in tenant.run(PRINCIPAL)
    assert [one for one in tenant.changes() if one.startswith("ad app")] == []


@pytest.mark.parametrize("fails", ["rest", "ad app create", "ad app update", f"ad sp create --id {APPLICATION}"])
def test_what_a_broken_run_has_left_is_made_by_the_next(tenant: Tenant, fails: str) -> None:
    tenant.run(PRINCIPAL, "Aiven peerings", fails=fails)
    made = tenant.changes()
    tenant.run(PRINCIPAL, "Aiven peerings")
    assert len({*made, *tenant.changes()}) == 5
