"""The preflight, before anything is changed: address spaces, rights, limits and policies.

A start and a dry run do the same preflight. Rights are read, never tested by a change.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from typing_extensions import override

from activities.looks import remotes
from activities.looks.ahead import ahead
from activities.looks.own_rights import (
    MAY_WRITE_ALL,
    graph_permissions,
    lacking_for_applications,
    lacking_ownership,
    permissions_in_subscription,
    permissions_on_vnet,
    rights_in_aiven,
)
from activities.looks.vault_rights import WRITE_SECRETS, rights_in_vault
from activities.step import step
from activities.steps.federated import is_federated
from clients.azure import graph
from clients.settings import settings
from peering.addresses import network_of_vpc, overlaps
from peering.aiven_vpc import AivenVpc
from peering.facts import OWN, Facts, needed
from peering.naming import (
    VNetId,
    within,
)
from peering.outcome import Occurrence, ProblemError
from peering.problems.codes import ProblemCode
from peering.rights import (
    lacking,
)
from peering.sides import has_lost_its_side, side_of
from peering.spec import Peering
from peering.step_names import StepName

_MAKES_ROLE: Final = "Microsoft.Authorization/roleDefinitions/write"
#: The actions that the app needs, on the VNet or above it, for each object that it would have to create.
_NEEDED_TO_MAKE: Final[Mapping[StepName, str]] = {
    "user_role_assignment": "Microsoft.Authorization/roleAssignments/write",
    "platform_role_assignment": "Microsoft.Authorization/roleAssignments/write",
    "user_role": _MAKES_ROLE,
    "platform_role": _MAKES_ROLE,
}
#: Azure's limits (learn.microsoft.com, "Azure subscription limits"), and from which share of one on it is near.
_MOST_PEERINGS: Final = 500
_MOST_ASSIGNMENTS: Final = 4000
_NEAR: Final = 0.9
#: Graph's answers to an identity that may not read policies, and from a tenant that has none.
_NOT_FOR_US: Final = (403, 404)


@step
async def address_spaces(_: Peering, facts: Facts) -> Facts:
    """Whether the VPC in Aiven shares addresses with the VNet, or with a network that is peered with it.

    Where there is a connection, also whether the VNet has lost its side of it.
    """
    sides, cidr = facts["peered_networks"], facts["project_network_cidr"]
    known = _known_network(facts)
    own = known if facts["existing"] == "none" else network_of_vpc(sides, cidr, known)
    if found := overlaps(facts["address_prefixes"], sides, cidr, own):
        raise ProblemError.of(found)
    return {"addresses_checked": "nothing overlaps", "side_is_lost": has_lost_its_side(facts, sides)}


def _known_network(facts: Facts) -> str | None:
    known = facts.get("to_network_id")
    return known if isinstance(known, str) else None


@step
async def automation_rights(peering: Peering, facts: Facts) -> Facts:
    """Whether the app's own identity may do the remaining steps: in Azure, Graph, Key Vault and Aiven."""
    found = set(facts["found"])
    if facts["existing"] == "foreign":
        return {"rights_checked": "nothing to be done"}
    to_write = [WRITE_SECRETS] if _makes_password(peering, facts) else []
    problems = await asyncio.gather(
        _rights_on_vnet(facts["vnet_id"], found),
        _rights_in_graph(facts, found),
        rights_in_vault(facts["automation_object_id"], *to_write),
        rights_in_aiven(AivenVpc.of(peering)),
    )
    if missing := [problem for part in problems for problem in part]:
        raise ProblemError.of(missing)
    return {"rights_checked": "sufficient"}


async def _rights_on_vnet(vnet_id: str, found: set[StepName]) -> list[Occurrence]:
    """A role is created in the subscription: rights on the VNet alone are not sufficient for that."""
    held, vnet = await ahead(permissions_on_vnet, vnet_id), VNetId.parse(vnet_id)
    needed = {action for name, action in _NEEDED_TO_MAKE.items() if name not in found}
    above = needed & {_MAKES_ROLE}
    missing = lacking(held, needed - above, vnet_id)
    held_above = await permissions_in_subscription(vnet.subscription_id) if above else None
    return missing + lacking(held_above, above, vnet.subscription_scope) if held_above is not None else missing


async def _rights_in_graph(facts: Facts, found: set[StepName]) -> list[Occurrence]:
    """What the token says of the app's Graph permissions; a token without any, such as a person's, says nothing."""
    roles = await graph_permissions()
    missing = []
    if facts["existing"] in OWN:
        # The connection of an adopted peering may have been deleted.
        application_id = needed(facts.get("application_id") or facts["found_connection_application_id"])
        missing += await lacking_ownership(roles, application_id, facts["automation_object_id"])
    if "application" not in found or facts.get("application_changes"):
        missing += lacking_for_applications(roles, "change" if "application" in found else "make")
    if roles and "platform_service_principal" not in found and not roles & MAY_WRITE_ALL:
        detail = f"The tenant has no service principal of {settings().platform_application_id}, and"
        detail += f" {', '.join(sorted(roles))} does not let the app create it."
        missing.append(Occurrence(code="platform-principal-forbidden", detail=detail))
    return missing


@step
async def limits(_: Peering, facts: Facts) -> Facts:
    """Whether a limit of Azure leaves no room for what the start creates, or is nearly reached."""
    wanted = len({"user_role_assignment", "platform_role_assignment"} - set(facts["found"]))
    counts = [*_peerings_of_vnet(facts), *await assignments_of_subscription(facts["vnet_id"], wanted)]
    if reached := [one.problem for one in counts if one.is_reached]:
        raise ProblemError.of(reached)
    return {"limits_checked": [str(one) for one in counts if one.held >= _NEAR * one.most]}


class Count(NamedTuple):
    """How many things there are of `most`, and how many more a start creates."""

    code: ProblemCode
    what: str
    held: int
    wanted: int
    most: int

    @property
    def is_reached(self) -> bool:
        """Whether the limit leaves no room."""
        return self.held + self.wanted > self.most

    @property
    def problem(self) -> Occurrence:
        """The problem of a limit that is reached."""
        return Occurrence(code=self.code, detail=str(self))

    @override
    def __str__(self) -> str:
        needed = f", and {self.wanted} more are needed" if self.wanted > 1 else ""
        return f"{self.held} of {self.most} {self.what}{needed}."


def _peerings_of_vnet(facts: Facts) -> list[Count]:
    """The VNet's peerings; a start that finds the peering's side needs no further place."""
    sides, cidr = facts["peered_networks"], facts["project_network_cidr"]
    if side_of(facts, sides, cidr) is not None:
        return []
    return [Count("peering-limit-reached", "peerings of the VNet", len(sides), 1, _MOST_PEERINGS)]


async def assignments_of_subscription(vnet_id: str, wanted: int) -> list[Count]:
    """The subscription's role assignments, if more are wanted: those that it inherits do not count.

    Args:
        vnet_id: the VNet's ARM id.
        wanted: how many more there are to be.

    Raises:
        RemoteError: Azure refused, or did not answer.
    """
    vnet = VNetId.parse(vnet_id)
    held = await ahead(remotes.assignments_in_subscription, vnet.subscription_id) if wanted else None
    if held is None:
        return []
    own = [one for one in held if within(one["scope"], vnet.subscription_scope)]
    return [Count("role-limit-reached", "role assignments in the subscription", len(own), wanted, _MOST_ASSIGNMENTS)]


def _makes_password(peering: Peering, facts: Facts) -> bool:
    """Whether the start makes a password: there is none that it can use, and no federated credential in its place."""
    is_made = "application_credential" not in facts["found"] and facts["existing"] != "foreign"
    return is_made and not is_federated(peering, facts)


@step
async def password_policy(peering: Peering, facts: Facts) -> Facts:
    """Whether the tenant's app management policy allows the password, if the app may read the policy."""
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

    if not _makes_password(peering, facts):
        return {"password_policy_checked": "no password"}
    async with graph() as client:
        try:
            policy = await client.policies.default_app_management_policy.get()
        except ODataError as error:
            if error.response_status_code not in _NOT_FOR_US:
                raise
            return {"password_policy_checked": "not readable"}
    restrictions = (policy and policy.is_enabled and policy.application_restrictions) or None
    warnings = []
    for restriction in (restrictions and restrictions.password_credentials) or []:
        since = restriction.restrict_for_apps_created_after_date_time
        if str(getattr(restriction.state, "value", "enabled")) != "enabled" or (since and since > datetime.now(UTC)):
            continue
        try:
            _obey(peering, str(getattr(restriction.restriction_type, "value", "")), restriction.max_lifetime)
        except ProblemError as refused:
            if restriction.exclude_actors is None:
                raise
            # Only Graph knows whether the app is exempted.
            warnings.append(refused.occurrence["detail"])
    return {"password_policy_checked": warnings}


def _obey(peering: Peering, kind: str, longest: "timedelta | None") -> None:
    lifetime = timedelta(days=peering["secret_lifetime_days"])
    if kind == "passwordAddition":
        raise ProblemError(
            "secret-policy", "The tenant's policy forbids passwords; `credential: federated` needs none."
        )
    if kind == "passwordLifetime" and longest is not None and lifetime > longest:
        detail = f"secret_lifetime_days is {lifetime.days}; the tenant's policy allows {longest.days} at most."
        raise ProblemError("secret-policy", detail)
