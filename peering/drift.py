"""Drift: what is wrong with a peering according to a look at both clouds, how severe it is, and what repairs it.

`findings` compares one look with the registry. All detection uses it: the scheduled check, the diagnosis of a failed
connection and the report.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from peering.addresses import overlaps
from peering.aiven_vpc import AivenVpc
from peering.drift_of_access import of_access
from peering.facts import FactName, Facts, VNetPeering, named
from peering.look import (
    OWN_TENANT_ONLY,
    ApplicationLook,
    ConnectionLook,
    Look,
    Part,
    PrincipalLook,
    SecretLook,
    VpcLook,
    if_seen,
)
from peering.naming import VNetId, federated_credential_name, folded, same_id
from peering.outcome import Occurrence
from peering.problems.codes import ProblemCode
from peering.sides import side_of
from peering.spec import Peering
from peering.states import CONNECTION_ACTIVE, connection_problem, how_far
from peering.steps import CREDENTIAL

Verdict = Literal["healthy", "degraded", "broken", "unknown"]
#: From best to worst.
ORDER: Final[tuple[Verdict, ...]] = ("healthy", "degraded", "unknown", "broken")

#: The facts that recreating a connection invalidates. The VNet is read again first: whether the old connection can be
#: deleted depends on the current state of its side of the peering.
_CONNECTION: Final[tuple[FactName, ...]] = (
    *("found_connection_state", "found_connection_application_id", "existing", "address_prefixes", "peered_networks"),
    *(
        "connection_is_clear",
        "side_is_clear",
        "vnet_is_clear",
        "requested_connection_state",
        "to_tenant_id",
        "to_network_id",
    ),
    *("vnet_peering_id", "peering_state", "peering_sync_level", "in_sync", "connection_state"),
)
#: What identifies a connection's VNet.
_KEYS: Final[tuple[Literal["account", "resource_group", "vnet"], ...]] = ("account", "resource_group", "vnet")


@dataclass(frozen=True)
class Drift:
    """One kind of drift: its severity, and the facts to discard so that a repair restores them.

    Without facts it is only reported: a person has to decide.
    """

    verdict: Verdict
    repair: tuple[FactName, ...] = ()

    @property
    def rotates(self) -> bool:
        """Whether the repair is a rotation of the credential."""
        return self.repair == CREDENTIAL

    @property
    def puts_peering(self) -> bool:
        """Whether the repair updates the VNet peering."""
        return "in_sync" in self.repair


#: With one of these, recreating or syncing the peering cannot succeed.
BLOCKERS: Final[frozenset[ProblemCode]] = frozenset(
    {"vnet-not-found", "project-vpc-not-found", "project-vpc-deleted", "address-spaces-overlap"}
)

#: Every finding that is not here means that something could not be read: the verdict is unknown.
DRIFT: Final[Mapping[ProblemCode, Drift]] = {
    # Traffic does not flow, or the next change of either side will stop it.
    "connection-absent": Drift("broken", _CONNECTION),
    "connection-deleted-by-peer": Drift("broken", _CONNECTION),
    "vnet-peering-missing": Drift("broken", _CONNECTION),
    "vnet-peering-disconnected": Drift("broken", _CONNECTION),
    "peering-failed": Drift("broken", ("vnet_peering_id", "peering_state", "peering_sync_level", "in_sync")),
    "connection-being-deleted": Drift("broken"),
    "connection-not-built": Drift("broken"),
    "connection-not-active": Drift("broken"),
    "connection-state-unknown": Drift("degraded"),
    "connection-invalid-specification": Drift("broken"),
    "connection-rejected-by-peer": Drift("broken"),
    "connection-error": Drift("broken"),
    "connection-of-another-application": Drift("broken"),
    "connection-wrong-tenant": Drift("broken"),
    "connection-name-case": Drift("broken"),
    "project-vpc-not-found": Drift("broken"),
    "project-vpc-deleted": Drift("broken"),
    "vnet-not-found": Drift("broken"),
    "peering-not-connected": Drift("broken"),
    "traffic-not-allowed": Drift("broken"),
    "address-spaces-overlap": Drift("broken"),
    # Traffic flows, but the peering cannot be repaired or recreated.
    "address-space-overlaps-peered-vnet": Drift("degraded"),
    "vnet-not-provisioned": Drift("degraded"),
    "peering-not-in-sync": Drift("degraded", ("peering_sync_level", "peering_state", "in_sync")),
    "platform-side-not-in-sync": Drift("degraded"),
    "peering-options-differ": Drift("degraded"),
    "user-role-assignment-missing": Drift("degraded", ("user_principal_id", "user_role_assignment_id")),
    "user-rights-not-released": Drift("degraded", ("user_rights",)),
    "platform-role-assignment-missing": Drift("degraded", ("platform_principal_id", "platform_role_assignment_id")),
    "surplus-rights": Drift("degraded"),
    "role-definition-changed": Drift("degraded"),
    "platform-principal-missing": Drift("degraded"),
    "platform-principal-disabled": Drift("degraded"),
    "application-missing": Drift("degraded"),
    "application-not-multi-tenant": Drift("degraded"),
    "application-principal-missing": Drift("degraded"),
    "application-disabled": Drift("degraded"),
    "federated-credential-missing": Drift("degraded", CREDENTIAL),
    "secret-missing": Drift("degraded", CREDENTIAL),
    "secret-not-on-application": Drift("degraded", CREDENTIAL),
    "secret-expired": Drift("degraded", CREDENTIAL),
    "secret-expires-soon": Drift("degraded", CREDENTIAL),
}


def verdict_of(codes: Sequence[ProblemCode]) -> Verdict:
    """The one verdict on all findings."""
    found = (DRIFT[code].verdict if code in DRIFT else "unknown" for code in codes)
    return max(found, key=ORDER.index, default="healthy")


def findings(peering: Peering, facts: Facts, look: Look, now: datetime) -> list[Occurrence]:
    """Everything that is wrong with a peering, symptoms and causes alike; nothing when it is healthy.

    Args:
        peering: its specification.
        facts: what its runs collected.
        look: what both clouds show of it.
        now: the moment of the look.
    """
    return [
        *_of_connection(peering, facts, look["project_vpc"]),
        *_of_vnet(peering, facts, look),
        *_of_access(peering, facts, look),
        *_of_directory(facts, look),
        *_of_secret(peering, facts, look, now),
    ]


def _unseen(*parts: Part[Any]) -> list[Occurrence]:
    """The problems of unreadable parts; parts of one read have the same problem."""
    problems = [_only_unseen(part["problem"]) for part in parts if "problem" in part]
    return [problem for number, problem in enumerate(problems) if problem not in problems[:number]]


def _only_unseen(problem: Occurrence) -> Occurrence:
    """The problem of an unread part; one with a code of drift would claim that the object was read."""
    return {**problem, "code": "remote-unavailable"} if problem["code"] in DRIFT else problem


def _occurrence(code: ProblemCode, detail: str) -> list[Occurrence]:
    return [Occurrence(code=code, detail=detail)]


def connection_of(vnet_id: str, vpc: VpcLook, facts: Facts) -> ConnectionLook | None:
    """A VNet's connection among those of a VPC in Aiven: all three names count, without case; the peering's own first.

    If Aiven lists the peering's own connection beside another application's, the other one does not count.

    Args:
        vnet_id: the VNet.
        vpc: the VPC, from a look.
        facts: what is known of the peering.
    """
    vnet = VNetId.parse(vnet_id)
    wanted = [folded(part) for part in (vnet.subscription_id, vnet.resource_group, vnet.name)]
    leading = [c for c in vpc["connections"] if [folded(c[k]) for k in _KEYS] == wanted]
    application_id = named(facts, "application_id")
    found = own_among(leading, application_id)
    is_anothers = found is not None and not same_id(found["application_id"], application_id)
    return None if is_anothers and facts.get("is_beside_anothers") else found


def own_among(connections: Iterable[ConnectionLook], application_id: str | None) -> ConnectionLook | None:
    """A peering's own connection among those to its VNet: its application's, else the most advanced one.

    Args:
        connections: those to the VNet; one that is DELETED counts as none.
        application_id: the peering's application, as far as it is known.
    """
    there = [connection for connection in connections if connection["state"] != "DELETED"]
    own = [one for one in there if application_id and same_id(one["application_id"], application_id)]
    return min(own or there, key=lambda connection: how_far(connection["state"]), default=None)


def _of_connection(peering: Peering, facts: Facts, part: Part[VpcLook]) -> list[Occurrence]:
    if "problem" in part:
        return _unseen(part)
    vpc, named = part["found"], AivenVpc.of(peering)
    if vpc is None:
        return _occurrence("project-vpc-not-found", f"Aiven has no {named} {named.id}.")
    if vpc["state"] in ("DELETING", "DELETED"):
        return _occurrence("project-vpc-deleted", f"The {named} is {vpc['state']}.")
    connection = connection_of(peering["vnet_id"], vpc, facts)
    if connection is None:
        return _occurrence("connection-absent", "Aiven lists no connection to the VNet.")
    found = []
    problem = connection_problem(connection["state"], CONNECTION_ACTIVE)
    if problem is not None:
        message = f": {connection['message']}" if connection["message"] else "."
        found += _occurrence(problem, f"The connection is {connection['state']}{message}")
    return [*found, *_of_names(facts, connection)]


def _of_names(facts: Facts, connection: ConnectionLook) -> Iterator[Occurrence]:
    """Whether the connection was requested for this peering, in the spelling that Aiven accepts."""
    application, tenant = facts.get("application_id"), facts.get("tenant_id")
    if isinstance(application, str) and not same_id(connection["application_id"], application):
        detail = f"The connection belongs to the application {connection['application_id']}, not to {application}."
        yield Occurrence(code="connection-of-another-application", detail=detail)
    if isinstance(tenant, str) and not same_id(connection["tenant_id"], tenant):
        detail = f"The connection names the tenant {connection['tenant_id']}; the VNet is in {tenant}."
        yield Occurrence(code="connection-wrong-tenant", detail=detail)
    names = (connection["account"], connection["resource_group"], connection["vnet"])
    if upper := [name for name in names if name != name.lower()]:
        yield Occurrence(code="connection-name-case", detail=f"Not in lower case: {', '.join(upper)}.")


def _of_vnet(peering: Peering, facts: Facts, look: Look) -> list[Occurrence]:
    if "problem" in look["vnet"]:
        return _unseen(look["vnet"])
    vnet = look["vnet"]["found"]
    if vnet is None:
        return _occurrence("vnet-not-found", f"Azure lists no VNet {peering['vnet_id']}.")
    found = []
    if vnet["provisioning_state"] not in ("Succeeded", "Updating"):
        detail = f"The VNet's provisioning state is {vnet['provisioning_state']}."
        found += _occurrence("vnet-not-provisioned", detail)
    vpc = if_seen(look["project_vpc"])
    side = side_of(facts, vnet["peered_networks"], vpc["network_cidr"] if vpc else None)
    if vpc is not None:
        # Before Aiven has named the VPC's network, equal addresses belong to another network, and overlap.
        own = side["remote_id"] if side is not None and "to_network_id" in facts else None
        found += overlaps(vnet["address_prefixes"], vnet["peered_networks"], vpc["network_cidr"], own)
    if side is not None:
        return [*found, *_of_side(peering, side)]
    if "vnet_peering_id" in facts:
        found += _occurrence("vnet-peering-missing", f"The VNet has no peering to {facts.get('to_network_id')}.")
    return found


def _of_access(peering: Peering, facts: Facts, look: Look) -> list[Occurrence]:
    if "problem" not in look["access"]:
        return of_access(peering, facts, look)
    is_vnet_gone = "found" in look["vnet"] and look["vnet"]["found"] is None
    return [] if is_vnet_gone else _unseen(look["access"])


def _of_side(peering: Peering, side: VNetPeering) -> Iterator[Occurrence]:
    if side["provisioning_state"] == "Failed":
        yield Occurrence(code="peering-failed", detail="The VNet peering's provisioning state is Failed.")
    if side["state"] != "Connected":
        code: ProblemCode = "vnet-peering-disconnected" if side["state"] == "Disconnected" else "peering-not-connected"
        yield Occurrence(code=code, detail=f"The VNet peering is {side['state']}.")
    elif side["sync_level"] in ("LocalNotInSync", "LocalAndRemoteNotInSync"):
        yield Occurrence(code="peering-not-in-sync", detail=f"The VNet peering is {side['sync_level']}.")
    elif side["sync_level"] == "RemoteNotInSync":
        yield Occurrence(code="platform-side-not-in-sync", detail="The VNet peering is RemoteNotInSync.")
    if not side["options"]["allow_virtual_network_access"]:
        yield Occurrence(code="traffic-not-allowed", detail="allowVirtualNetworkAccess is false.")
    wanted = {name: peering.get(name) for name in side["options"] if name != "allow_virtual_network_access"}
    if differing := [n for n, v in wanted.items() if v is not None and v != side["options"][n]]:
        yield Occurrence(code="peering-options-differ", detail=f"Not as requested: {', '.join(differing)}.")


def _of_directory(facts: Facts, look: Look) -> list[Occurrence]:
    application, user, platform = look["application"], look["user_principal"], look["platform_principal"]
    found = _unseen(application, user, platform)
    if "found" in platform:
        found += _of_principal(platform["found"], "platform-principal-missing", "platform-principal-disabled")
    if "found" in application and application["found"] is None and "application_id" in facts:
        return [*found, *_occurrence("application-missing", f"Entra has no application {facts['application_id']}.")]
    if "found" in application and application["found"] is not None:
        audience = application["found"]["audience"]
        if audience == OWN_TENANT_ONLY:
            found += _occurrence("application-not-multi-tenant", f"The application's audience is {audience}.")
        if "found" in user:
            found += _of_principal(user["found"], "application-principal-missing", "application-disabled")
    return found


def _of_principal(principal: PrincipalLook | None, missing: ProblemCode, disabled: ProblemCode) -> list[Occurrence]:
    if principal is None:
        return _occurrence(missing, "Entra has no service principal of it in this tenant.")
    if not principal["enabled"]:
        return _occurrence(disabled, f"The service principal {principal['id']} is disabled.")
    return []


def _of_secret(peering: Peering, facts: Facts, look: Look, now: datetime) -> list[Occurrence]:
    application = if_seen(look["application"])
    if application is None or "credential" not in facts:
        return []
    if facts["credential"] == "federated":
        missing = federated_credential_name(peering["id"]) not in application["federated"]
        detail = "The application has no federated credential of this app."
        return _occurrence("federated-credential-missing", detail) if missing else []
    if "problem" in look["secret"]:
        return _unseen(look["secret"])
    secret, name = look["secret"]["found"], facts["secret_name"]
    if secret is None or not secret["enabled"]:
        state = "missing from" if secret is None else "disabled in"
        return _occurrence("secret-missing", f"The secret {name} is {state} Key Vault.")
    if secret["key_id"] not in application["passwords"]:
        return _occurrence("secret-not-on-application", f"The application does not have the password of {name}.")
    return _of_expiry(secret, application, str(name), now, peering["secret_lifetime_days"])


def _of_expiry(
    secret: SecretLook, application: ApplicationLook, name: str, now: datetime, lifetime_days: int
) -> list[Occurrence]:
    """Whether the password expires soon: Entra's date takes precedence over the vault's."""
    in_entra = application["passwords"].get(secret["key_id"] or "")
    ends = [datetime.fromisoformat(end) for end in (secret["expires"], in_entra) if end is not None]
    if not ends:
        return []
    left = min(ends) - now
    detail = f"The password of {name} expires at {min(ends).isoformat()}."
    if left <= timedelta():
        return _occurrence("secret-expired", detail)
    return _occurrence("secret-expires-soon", detail) if left < renewal_window(lifetime_days) else []


def renewal_window(lifetime_days: int) -> timedelta:
    """How long before its expiry a password is renewed: a fifth of its lifetime, at most thirty days."""
    return min(timedelta(days=30), timedelta(days=lifetime_days) / 5)
