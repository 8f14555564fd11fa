"""The rights that docs/security.md lists; the module prints the result for a peering without each, as a table."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from local.cloud.arm.roles import SECRETS_OFFICER, TABLE_CONTRIBUTOR
from local.cloud.world.world import ACCESS_ADMINISTRATOR
from local.deployment import Deployment, deploy
from tests.workflows.least_privilege import give_least, template_role

#: The custom role of the templates that reads roles and assignments.
READER: Final = "reader of roles"


def take(deployment: Deployment, principal_id: str, *roles: str) -> None:
    """Remove a principal's assignments of roles, at any scope; at least one."""
    world = deployment.cloud.world
    held = [a for a in world.assignments.by("principal", principal_id) if not roles or a.role in roles]
    assert held
    for assignment in held:
        world.assignments.remove(assignment)


def take_reader(deployment: Deployment, principal_id: str) -> None:
    """Remove the right to read roles and assignments in the subscription."""
    (reader,) = (role.name for role in deployment.cloud.world.roles if f"({READER})" in role.role_name)
    take(deployment, principal_id, reader)


def give(deployment: Deployment) -> str:
    """Everything that the document lists; returns the id of the app's identity."""
    give_least(deployment)
    me, subscription = deployment.cloud.landscape.automation.id, deployment.cloud.landscape.subscription
    reader = template_role(deployment, READER).name
    deployment.event(kind="assign-role", principal_id=me, scope=f"/subscriptions/{subscription}", role=reader)
    return me


class Right(NamedTuple):
    """One row of the document: how to remove it, and the code and the words of the resulting problem."""

    row: str
    take: Callable[[Deployment, str], None]
    code: str
    words: str


#: What a start needs.
OF_A_START: Final = (
    Right(
        "Role Based Access Control Administrator",
        lambda d, me: take(d, me, ACCESS_ADMINISTRATOR),
        "automation-not-authorized",
        # The role also reads the VNet: the detail has the look that Azure refused first, the remedy the role.
        "Role Based Access Control Administrator",
    ),
    Right(
        "Key Vault Secrets Officer",
        lambda d, me: take(d, me, SECRETS_OFFICER),
        "vault-access-denied",
        "Key Vault Secrets Officer",
    ),
    Right(
        "Microsoft Graph: `Application.ReadWrite.OwnedBy`",
        lambda d, _: setattr(d.cloud.landscape.automation, "graph_roles", []),
        "automation-graph-permission-missing",
        "Application.ReadWrite.OwnedBy",
    ),
    Right(
        "a token with `project:networking:write`",
        lambda d, _: d.knobs(aiven_role="developer"),
        "aiven-not-permitted",
        "developer",
    ),
)


#: What keeps a peering up, by the document's words and the fact that names who has it.
OF_A_PEERING: Final = {
    "a custom role: read the VNet; read, write and delete its peerings": "user_principal_id",
    "a custom role: `virtualNetworks/peer/action`": "platform_principal_id",
}
TABLE: Final = "Storage Table Data Contributor"
#: What the Functions host works and reports with, which the local host does by itself.
OF_THE_HOST: Final = (
    "Storage Blob Data Owner",
    "Storage Queue Data Contributor",
    "Monitoring Metrics Publisher",
    "Durable Task Data Contributor",
)
#: What the app does without: then it leaves alone what it cannot look up.
NOT_NEEDED: Final = (
    "reads role definitions and role assignments",
    "Microsoft Graph, not needed: `Policy.Read.ApplicationConfiguration`",
)


def without_one_of_a_start(deployment: Deployment, right: Right) -> str:
    """What a start ends with that lacks a right."""
    right.take(deployment, give(deployment))
    status = deployment.settle()
    return f"start: {status['state']}, `{status.get('problem', {}).get('code')}`"


def without_the_table(deployment: Deployment) -> str:
    """What a request is answered whose registry cannot be written."""
    take(deployment, give(deployment), TABLE_CONTRIBUTOR)
    answer = deployment.api.post("/api/peerings", json=deployment.request())
    return f"request: {answer.status_code}, `{answer.json()['code']}`"


def without_reading_the_subscription(deployment: Deployment) -> str:
    """What a life comes to without it."""
    take_reader(deployment, give(deployment))
    identity = deployment.settle()["id"]
    verdict = deployment.check(identity)["health"]["verdict"]
    return f"start, check, removal: {verdict}, then {deployment.remove(identity)['state']}"


def without_one_of_a_peering(deployment: Deployment, fact: str) -> str:
    """What a check finds of a peering whose right was removed, and how another start leaves it."""
    give(deployment)
    status = deployment.settle(repair="off")
    take(deployment, status["facts"][fact])
    codes = [problem["code"] for problem in deployment.check(status["id"])["health"]["problems"]]
    return f"check: `{', '.join(codes)}`; another start: {deployment.settle(repair='safe')['state']}"


def rows() -> Iterator[tuple[str, str]]:
    """Each right that the local cloud can remove, and the state of a peering without it."""
    plays: dict[str, Callable[[Deployment], str]] = {
        right.row: lambda one, right=right: without_one_of_a_start(one, right)  # type: ignore[misc]
        for right in OF_A_START
    }
    plays |= {TABLE: without_the_table, NOT_NEEDED[0]: without_reading_the_subscription}
    plays |= {
        row: lambda one, fact=fact: without_one_of_a_peering(one, fact)  # type: ignore[misc]
        for row, fact in OF_A_PEERING.items()
    }
    for row, play in plays.items():
        with tempfile.TemporaryDirectory() as directory, deploy(Path(directory)) as deployment:
            yield row, play(deployment)


def main() -> None:
    """Print the table."""
    print("| removed right | result |\n| --- | --- |")
    for row, outcome in rows():
        print(f"| {row} | {outcome} |", flush=True)


if __name__ == "__main__":
    main()
