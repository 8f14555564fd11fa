"""The steps that grant rights: role definitions and role assignments on the VNet (article steps 6, 8 and 9)."""

from typing import TYPE_CHECKING, Final, NamedTuple

from activities.looks import remotes
from activities.looks.neighbours import neighbours_of
from activities.looks.remotes import is_named, role_look, roles
from activities.step import step
from activities.steps.aiven import may_be_connected
from clients.aiven_answers import PeeringConnection
from clients.azure import authorization
from clients.known_secrets import without_secrets
from clients.remote_errors import RemoteError, or_none
from peering.aiven_vpc import AivenVpc
from peering.facts import Facts, named, needed
from peering.look import AssignmentLook
from peering.marks import DESCRIPTION
from peering.naming import VNetId, folded, last_part, role_assignment_name, role_definition_name, same_id
from peering.outcome import ProblemError
from peering.problems import PROBLEMS
from peering.remote_answers import read
from peering.removal_plan import made_role_names
from peering.rights import PLATFORM_ACTIONS, USER_ACTIONS, fits, is_in_use
from peering.spec import Peering
from peering.unfit import role_name_taken

if TYPE_CHECKING:
    from azure.mgmt.authorization.v2022_04_01.aio import AuthorizationManagementClient
    from azure.mgmt.authorization.v2022_04_01.models import RoleDefinition

_NO_ROLE: Final = "RoleDefinitionDoesNotExist"
_ALREADY_ASSIGNED: Final = "RoleAssignmentExists"
_UNAUTHORIZED: Final = 401
_STILL_ASSIGNED: Final = "RoleDefinitionHasAssignments"


class _CustomRole(NamedTuple):
    """A custom role as this app makes it."""

    name: str
    actions: tuple[str, ...]
    description: str


@step
async def user_role(peering: Peering, facts: Facts) -> Facts:
    """Article step 6, first half: the role for the created application: a custom one, or Network Contributor."""
    vnet = VNetId.parse(facts["vnet_id"])
    if peering["role"] == "least-privilege":
        return {"user_role_id": await _custom_role(vnet, _user_role(peering))}
    for role in await roles(str(vnet), is_named(peering["role"])):
        # A custom role may be called like the built-in one.
        if role["properties"].get("type") == "BuiltInRole":
            return {"user_role_id": role["id"]}
    raise ProblemError("role-not-replicated", f"Azure lists no role named {peering['role']}.")


@step
async def platform_role(peering: Peering, facts: Facts) -> Facts:
    """Article step 8: the custom role with the one action that lets the platform peer with a VNet."""
    vnet = VNetId.parse(facts["vnet_id"])
    return {"platform_role_id": await _custom_role(vnet, _platform_role(peering))}


@step
async def user_role_assignment(peering: Peering, facts: Facts) -> Facts:
    """Article step 6, second half: the created application may manage the VNet's peerings."""
    return {"user_role_assignment_id": await _assign(facts, "user", _user_role(peering))}


@step
async def platform_role_assignment(peering: Peering, facts: Facts) -> Facts:
    """Article step 9: the platform may make a peering that leads to the VNet."""
    return {"platform_role_assignment_id": await _assign(facts, "platform", _platform_role(peering))}


def _user_role(peering: Peering) -> _CustomRole:
    description = "Manages the peerings of the VNets it is assigned on."
    return _CustomRole(peering["user_role_name"], USER_ACTIONS, description)


def _platform_role(peering: Peering) -> _CustomRole:
    description = "Allows creating a peering to VNets in scope, but not from them."
    return _CustomRole(peering["platform_role_name"], PLATFORM_ACTIONS, description)


async def _custom_role(vnet: VNetId, wanted: _CustomRole) -> str:
    """The id of the custom role: the one of that name if it fits, else one made under a GUID that its name decides.

    Raises:
        ProblemError: `role-name-taken`, when the role of that name grants something else.
    """
    scope = vnet.subscription_scope
    # Asked for at the VNet, where the app's rights may end.
    for found in await roles(str(vnet), is_named(wanted.name)):
        if not fits(role_look(found), wanted.actions, scope):
            raise ProblemError.of([role_name_taken(wanted.name)])
        return str(found["id"])
    async with authorization(vnet.subscription_id) as client:
        return await _make_role(client, scope, wanted)


async def _make_role(client: "AuthorizationManagementClient", scope: str, wanted: _CustomRole) -> str:
    from azure.mgmt.authorization.v2022_04_01.models import Permission, RoleDefinition

    body = RoleDefinition(
        role_name=wanted.name,
        description=wanted.description,
        role_type="CustomRole",
        permissions=[Permission(actions=list(wanted.actions), not_actions=[])],
        assignable_scopes=[scope],
    )
    return _id(await client.role_definitions.create_or_update(scope, role_definition_name(scope, wanted.name), body))


def _id(role: "RoleDefinition") -> str:
    if role.id is None:
        raise ProblemError("role-not-replicated", "Azure returned the role without its id.")
    return role.id


async def _assign(facts: Facts, whose: str, role: _CustomRole) -> str:
    """The id of a principal's assignment of its role on the VNet, found or created.

    Lists may show a deleted role for a while: this app's own, `role`, is then recreated.
    """
    from azure.core.exceptions import HttpResponseError
    from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters

    vnet_id = facts["vnet_id"]
    role_id, principal_id = (needed(named(facts, f"{whose}_{what}_id")) for what in ("role", "principal"))
    guid = role_assignment_name(vnet_id, role_id, principal_id)
    wanted = RoleAssignmentCreateParameters(
        role_definition_id=role_id,
        principal_id=principal_id,
        # With the type given, Azure takes a principal that is seconds old and not replicated yet.
        principal_type="ServicePrincipal",
        description=DESCRIPTION,
    )
    vnet = VNetId.parse(vnet_id)
    async with authorization(vnet.subscription_id) as client:
        try:
            made = await client.role_assignments.create(vnet_id, guid, wanted)
        except HttpResponseError as error:
            code, scope = error.error and error.error.code, vnet.subscription_scope
            if code == _NO_ROLE and last_part(role_id) == role_definition_name(scope, role.name):
                await _make_role(client, scope, role)
            if code != _ALREADY_ASSIGNED:
                raise
            return await _existing_assignment(client, vnet_id, role_id, principal_id, guid)
    return made.id or f"{vnet_id}/providers/Microsoft.Authorization/roleAssignments/{guid}"


async def _existing_assignment(
    client: "AuthorizationManagementClient", vnet_id: str, role_id: str, principal_id: str, guid: str
) -> str:
    """The same assignment: this app's own from before, or a manually created one with another name."""
    # One's own by its name, as a list may lag behind.
    own = await or_none(client.role_assignments.get(vnet_id, guid))
    if own is not None and own.id:
        return own.id
    async for found in client.role_assignments.list_for_scope(vnet_id, filter=f"principalId eq '{principal_id}'"):
        same_role = last_part(found.role_definition_id or "") == last_part(role_id)
        if same_role and same_id(found.scope, vnet_id) and found.id:
            return found.id
    raise ProblemError("role-not-replicated", "Azure reports that the assignment exists but does not list it yet.")


@step
async def release_rights(_: Peering, facts: Facts) -> Facts:
    """With `setup-only`: remove the created application's role on the VNet once setup is complete.

    An assignment that this app did not create stays. A refusal does not undo the setup: checks report the role as long
    as it exists.
    """
    assignment, vnet_id = needed(facts["user_role_assignment_id"]), facts["vnet_id"]
    released: Facts = {"user_rights": "setup-only", "rights_kept": None}
    if _is_ours(assignment, vnet_id, facts):
        try:
            await delete_assignment(assignment)
        except RemoteError as error:
            return {**released, "rights_kept": refused_for_good(error)}
    return released


def refused_for_good(error: RemoteError) -> str:
    """Why a remote refuses a deletion, such as for a lock.

    Raises:
        RemoteError: it may be tried again.
    """
    refused = without_secrets(read(error.answer))
    if error.answer.status == _UNAUTHORIZED or PROBLEMS[refused["code"]].deadline is not None:
        raise error
    return refused["detail"]


@step
async def remove_role_assignments(peering: Peering, facts: Facts) -> Facts:
    """Undo article steps 6 and 9: delete the assignments on the VNet whose names say that this app made them.

    The platform's stays while another peering of the VNet needs it, whoever owns that peering.
    """
    vnet_id, neighbours = facts["vnet_id"], facts["neighbours"]
    shared = neighbours["on_vnet"] or await _leads_to_platform(peering, facts)
    principals = [facts["user_principal_id"], *([] if shared else [facts["platform_principal_id"]])]
    platform_role = role_definition_name(VNetId.parse(vnet_id).subscription_scope, peering["platform_role_name"])
    removed = []
    recorded = [facts.get("user_role_assignment_id"), None if shared else facts.get("platform_role_assignment_id")]
    listed = await assignments_on(vnet_id)
    for assignment in listed:
        name = role_assignment_name(vnet_id, assignment["role"], assignment["principal_id"])
        ours = last_part(assignment["id"]).casefold() == name
        # The platform's principal may have been recreated since: the old one's assignments are orphaned.
        of_platform = not shared and assignment["role"] == platform_role
        if ours and (of_platform or assignment["principal_id"] in principals):
            await delete_assignment(assignment["id"])
            removed.append(assignment["id"])
    for missing in [one for one in recorded if isinstance(one, str) and one not in removed]:
        # A list may lag behind: what was recorded and is ours by its name goes without it.
        if _is_ours(missing, vnet_id, facts) and not any(same_id(missing, a["id"]) for a in listed):
            await delete_assignment(missing)
            removed.append(missing)
    return {"role_assignments_removed": removed}


def _is_ours(assignment_id: str, vnet_id: str, facts: Facts) -> bool:
    """Whether the name of an assignment is the one that this app gives, for a role and principal of the peering."""
    name = last_part(assignment_id).casefold()
    pairs = (("user_role_id", "user_principal_id"), ("platform_role_id", "platform_principal_id"))
    known = [(facts.get(role), facts.get(principal)) for role, principal in pairs]
    return any(
        name == role_assignment_name(vnet_id, role, principal)
        for role, principal in known
        if isinstance(role, str) and isinstance(principal, str)
    )


async def assignments_on(vnet_id: str) -> list[AssignmentLook]:
    """The assignments on the VNet itself; a VNet that is gone has none."""
    held = await or_none(remotes.assignments(vnet_id))
    return [a for a in held or [] if same_id(a["scope"], vnet_id)]


async def _leads_to_platform(peering: Peering, facts: Facts) -> bool:
    """Whether the VNet has another peering into the platform's subscription, or Aiven another connection to it."""
    network = facts.get("to_network_id")
    platform = VNetId.parse(network).subscription_id.lower() if isinstance(network, str) else None
    vnet = await remotes.vnet(peering["vnet_id"])
    for side in vnet["peered_networks"] if vnet else []:
        leads = VNetId.parse(side["remote_id"]).subscription_id.lower() == platform
        # The list may lag behind and show the side that has just been deleted.
        if leads and await remotes.vnet_peering(side["id"]) is not None:
            return True
    wanted = VNetId.parse(peering["vnet_id"])

    def is_to_vnet(connection: PeeringConnection) -> bool | None:
        return connection.leads_to(wanted) or (None if connection.may_lead_to(wanted) else False)

    return await may_be_connected(AivenVpc.of(peering), is_to_vnet, facts)


async def delete_assignment(assignment_id: str) -> None:
    """Delete a role assignment; one that Azure does not find, which it answers with 204 or 404, is looked for again.

    Raises:
        ProblemError: `remote-unavailable`, it is there nevertheless.
    """
    scope, _, name = assignment_id.partition("/providers/Microsoft.Authorization/roleAssignments/")
    async with authorization(VNetId.parse(scope).subscription_id) as client:
        gone = await or_none(client.role_assignments.delete(scope, name)) is not None
    if not gone and await is_there(assignment_id):
        raise ProblemError("remote-unavailable", "Azure has the assignment that it did not find when deleting it.")


async def is_there(assignment_id: str) -> bool:
    """Whether a role assignment exists, which no list proves: one may show what was deleted."""
    scope, _, name = assignment_id.partition("/providers/Microsoft.Authorization/roleAssignments/")
    async with authorization(VNetId.parse(scope).subscription_id) as client:
        return await or_none(client.role_assignments.get(scope, name)) is not None


@step
async def remove_roles(peering: Peering, facts: Facts) -> Facts:
    """Undo article step 8: delete the custom roles that this app made, unless another peering needs them.

    So do those of earlier starts that named them otherwise.

    Azure itself refuses to delete a role that is still assigned anywhere.
    """
    from azure.core.exceptions import HttpResponseError

    vnet = VNetId.parse(facts["vnet_id"])
    removed, listed = [], await remotes.custom_roles(str(vnet))
    of_others = _names_of_others(peering, facts)
    recorded = {last_part(str(facts.get(name))).lower() for name in ("user_role_id", "platform_role_id")}
    # Read again: a start may have begun in the meantime.
    others = await neighbours_of(peering)
    async with authorization(vnet.subscription_id) as client:
        for name, guid in made_role_names(peering, facts).items():
            # Lists lag behind, and a start may not know what it has made: a role goes by its GUID, seen or not.
            if is_in_use(name, others) or (name in of_others and guid not in listed):
                continue
            try:
                # Neither 204 nor 404 proves that it is gone; the last look does.
                await or_none(client.role_definitions.delete(vnet.subscription_scope, guid))
            except HttpResponseError as error:
                if error.error is None or error.error.code != _STILL_ASSIGNED:
                    if guid in recorded or guid in listed or await remotes.role(str(vnet), guid):
                        raise
                    # A lock, or a right that the app lacks, does not matter where there is no role.
                    continue
                if await is_assigned(guid, vnet, facts):
                    continue
            removed.append(name)
    return {"roles_removed": removed}


def _names_of_others(peering: Peering, facts: Facts) -> set[str]:
    """The names of roles for which a start found another role than the one that it would have made."""
    made = made_role_names(peering, facts)
    used = (
        (peering["user_role_name"], facts.get("user_role_id")),
        (peering["platform_role_name"], facts.get("platform_role_id")),
    )
    return {name for name, role in used if role is not None and last_part(role).lower() != made[name]}


async def is_assigned(guid: str, vnet: VNetId, facts: Facts) -> bool:
    """Whether another principal has a role; the deletion of the peering's own assignments may not have replicated yet.

    Args:
        guid: the role's.
        vnet: the peering's VNet.
        facts: name the assignments that a removal has deleted.

    Raises:
        RemoteError: Azure did not answer.
    """
    held = await remotes.assignments_in_subscription(vnet.subscription_id)
    own = {folded(one) for one in facts["role_assignments_removed"]}
    return held is None or any(a["role"] == guid and folded(a["id"]) not in own for a in held)
