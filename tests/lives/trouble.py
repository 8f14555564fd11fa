"""What goes wrong outside the platform: faults of the remote services, and damage in the cloud."""

from random import Random
from typing import Final, cast

from local.deployment import Deployment

#: A fault of the local cloud, and an event, as its admin routes take them.
Fault = dict[str, object]
Event = dict[str, object]

_HOSTS: Final = (
    r"management\.azure\.com",
    r"graph\.microsoft\.com",
    r"login\.microsoftonline\.com",
    r"api\.aiven\.io",
    r".*\.vault\.azure\.net",
    r".*\.table\.core\.windows\.net",
    ".*",
)
_CODES: Final = {429: "TooManyRequests", 500: "InternalServerError", 503: "ServiceUnavailable"}
#: What an event explains: operations that meet it, and the problems they may end with.
EXPLAINS: Final[dict[str, frozenset[tuple[str, str]]]] = {
    # Without the customer's side the platform gives the connection up; only the next start makes another one.
    "delete-vnet-peering": frozenset({("establish", "connection-deleted-by-peer")}),
    # A start has looked whether the password is there before it signs in; the next one creates another password.
    "remove-passwords": frozenset({("establish", "secret-not-accepted")}),
    # Where the connection is gone, the platform forgets the application that a rotation proves a password with.
    "delete-connection": frozenset({("rotate", "application-not-in-tenant")}),
    "set-connection-state": frozenset({("rotate", "application-not-in-tenant")}),
}
_METHODS: Final = (".*", "GET", "PUT|POST|PATCH|MERGE", "DELETE")
_MOST_FAULTS: Final = 5
_MOST_TIMES: Final = 3


def faults(dice: Random) -> list[Fault]:
    """Some faults: refusals, and answers that are lost after the request has been carried out."""
    return [_fault(dice) for _ in range(dice.randint(1, _MOST_FAULTS))]


def _fault(dice: Random) -> Fault:
    status = dice.choice(sorted(_CODES))
    fault: Fault = {
        "host": dice.choice(_HOSTS),
        "method": dice.choice(_METHODS),
        "status": status,
        "code": _CODES[status],
        "times": dice.randint(1, _MOST_TIMES),
        "after": status != 429 and dice.random() < 0.5,
    }
    if status != 500 and dice.random() < 0.5:
        fault["retry_after"] = dice.choice((0, 1, 7))
    return fault


def delays(dice: Random) -> dict[str, object]:
    """How long the cloud takes for what it does, in seconds."""
    return {
        "directory_visible": dice.choice((0, 0, 5)),
        "role_effective": dice.choice((0, 0, 30)),
        "secret_accepted": dice.choice((0, 0, 10)),
        "operation": dice.choice((0, 2)),
        "approved": dice.choice((0, 20, 1800)),
        "detect": dice.choice((0, 15)),
        "deleted": dice.choice((0, 40)),
        "list_stale": dice.choice((0, 0, 5)),
    }


def event(deployment: Deployment, identity: str, vnet_id: str, vpc_id: str, dice: Random) -> Event:
    """Damage to a peering that the app can repair."""
    vpc = deployment.cloud.world.vpcs[vpc_id]
    try:
        facts = cast("dict[str, object]", deployment.record(identity)["facts"])
    except LookupError:
        facts = {}
    side: Event = {"vnet_id": vnet_id, "remote_id": vpc.network.id}
    connection: Event = {"vnet_id": vnet_id, "project_vpc_id": vpc_id}
    events: list[Event] = [
        {"kind": "delete-vnet-peering", **side},
        {"kind": "fail-vnet-peering", **side},
        {"kind": "delete-connection", **connection},
        {"kind": "disconnect", **connection},
        {"kind": "set-connection-state", "state": "DELETED_BY_PEER", **connection},
    ]
    for name in ("user_principal_id", "platform_principal_id"):
        if name in facts:
            events.append({"kind": "remove-role-assignments", "principal_id": facts[name], "scope": vnet_id})
    if "secret_name" in facts:
        events += [{"kind": kind, "name": facts["secret_name"]} for kind in ("disable-secret", "delete-secret")]
    if "application_id" in facts:
        events.append({"kind": "remove-passwords", "app_id": facts["application_id"]})
    return dice.choice(events)
