"""The self-check for an operator after a deployment: it only reads, and shows no secrets."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, Literal, NotRequired

from typing_extensions import TypedDict

from activities.looks import own_rights, remotes, vault_rights
from activities.remote_errors import problem_of
from clients import pauses
from clients.aiven import AivenClient
from clients.aiven_vpcs import vpc_client
from clients.registry import registry
from clients.settings import Settings, settings
from peering.aiven_vpc import AivenVpc
from peering.naming import VNetId
from peering.outcome import Occurrence, ProblemError
from peering.rights import permits

#: How many VNets, and how many projects and organizations, of existing peerings have their rights checked.
MOST_LOOKED_AT: Final = 10
_ASSIGN_ROLES: Final = "Microsoft.Authorization/roleAssignments/write"
_READ_VNET: Final = "Microsoft.Network/virtualNetworks/read"

State = Literal["ok", "problem", "not checked"]


class CheckedPart(TypedDict):
    """One checked item: whether it is correct, what was found, and the problems if it is not."""

    name: str
    state: State
    detail: str
    problems: NotRequired[list[Occurrence]]


class Setting(TypedDict):
    """An app setting: whether it is set or has its default, and its problems. Never its value."""

    name: str
    description: str
    is_set: bool
    is_needed: bool
    problem: NotRequired[Occurrence]


#: What a read found, and the problems that it met.
_Found = tuple[str, Sequence[Occurrence]]


def check_settings() -> Iterator[Setting]:
    """Every setting with its problems; a problem of several settings is listed for each."""
    faults = _faults()
    for name, field in Settings.model_fields.items():
        variable = name.upper()
        setting = Setting(
            name=variable,
            description=field.description or "",
            is_set=bool(os.environ.get(variable)),
            is_needed=field.is_required(),
        )
        if variable in faults:
            setting["problem"] = faults[variable]
        yield setting


def _faults() -> dict[str, Occurrence]:
    """The problems of the settings, by their names."""
    try:
        settings()
    except ProblemError as error:
        occurrence, detail = error.occurrence, error.occurrence["detail"]
        return {name.upper(): occurrence for name in Settings.model_fields if name.upper() in detail}
    return {}


async def look_at_app(owners: Sequence[AivenVpc], vnets: Sequence[str]) -> list[CheckedPart]:
    """Check the app's identity, its vault, its registry, and its rights in Graph, Azure and Aiven, in parallel.

    Args:
        owners: Aiven projects and organizations that the token has to reach, as the owners of VPCs.
        vnets: VNets that the app has to be able to peer.
    """
    looks: dict[str, Callable[[], Awaitable[_Found]]] = {
        "identity": _identity,
        "key vault": _vault,
        "registry": _registry,
        "automatic checks": _pauses,
        "graph": _graph,
        "aiven token": _aiven,
        **{f"aiven {one.kind} {one.owner}": _look_at_owner(one) for one in owners[:MOST_LOOKED_AT]},
        **{f"vnet {one}": _look_at_vnet(one) for one in vnets[:MOST_LOOKED_AT]},
    }
    found = list(await asyncio.gather(*(_checked(name, look) for name, look in looks.items())))
    if not vnets:
        found.append(_unchecked("vnets", "No peering yet; pass a VNet as vnet_id."))
    if left_out := len(vnets[MOST_LOOKED_AT:]):
        found.append(_unchecked("vnets", f"{left_out} of {len(vnets)} VNets were left out; pass one as vnet_id."))
    if left_out := len(owners[MOST_LOOKED_AT:]):
        told = f"{left_out} of {len(owners)} projects and organizations were left out; pass one as project."
        found.append(_unchecked("aiven", told))
    return found


def _unchecked(name: str, why: str) -> CheckedPart:
    return CheckedPart(name=name, state="not checked", detail=why)


async def _checked(name: str, look: Callable[[], Awaitable[_Found]]) -> CheckedPart:
    try:
        detail, problems = await look()
    except Exception as error:
        detail, problems = "It could not be read.", [problem_of(error, "self_check")]
    if not problems:
        return CheckedPart(name=name, state="ok", detail=detail)
    return CheckedPart(name=name, state="problem", detail=detail, problems=list(problems))


async def _identity() -> _Found:
    tenant, object_id = await own_rights.identity()
    return f"{settings().azure_credential}, object {object_id} in tenant {tenant}", []


async def _vault() -> _Found:
    part = await remotes.part(remotes.all_secrets)
    if "problem" in part:
        return "Its secrets cannot be listed.", [part["problem"]]
    _, object_id = await own_rights.identity()
    needed = (vault_rights.WRITE_SECRETS, vault_rights.DELETE_SECRETS)
    how = (
        "may be written, according to its roles"
        if settings().key_vault_id
        else "can be listed; checking more requires KEY_VAULT_ID"
    )
    return f"{settings().key_vault_name}: secrets {how}", await vault_rights.rights_in_vault(object_id, *needed)


async def _registry() -> _Found:
    await registry().page("", 1)
    await registry().check_known()
    return settings().registry_endpoint or "the storage account of AzureWebJobsStorage", []


async def _pauses() -> _Found:
    pause = await pauses.of_all()
    if pause is None:
        return "They are active, except for peerings that are paused themselves.", []
    return f"All peerings are paused until {pause['until'] or 'they are resumed'}: {pause['why']}", []


async def _graph() -> _Found:
    held = await own_rights.graph_permissions()
    said = ", ".join(sorted(held)) or "The token names no permissions."
    return said, own_rights.lacking_for_applications(held, "make")


async def _aiven() -> _Found:
    return f"It reaches {len(await AivenClient().projects())} projects.", []


def _look_at_owner(owner: AivenVpc) -> Callable[[], Awaitable[_Found]]:
    async def look() -> _Found:
        role = await AivenClient().project_role(owner.owner, older=0) if owner.kind == "project" else None
        lacking = await own_rights.rights_in_aiven(owner, of_now=True)
        count = len(await vpc_client(owner).listed())
        told = f"is {role}" if role else f"has rights in this {owner.kind} that Aiven does not tell"
        return f"The token's user {told}, and may see {count} VPCs.", lacking

    return look


def _look_at_vnet(vnet_id: str) -> Callable[[], Awaitable[_Found]]:
    async def look() -> _Found:
        vnet = VNetId.parse(vnet_id)
        granted = await own_rights.permissions_on_vnet(str(vnet))
        lacking = [action for action in (_READ_VNET, _ASSIGN_ROLES) if not permits(granted, action)]
        problems = [
            Occurrence(code="automation-not-authorized", detail=f"The app's identity lacks {action} on {vnet}.")
            for action in lacking
        ]
        return "It may be read, and roles may be assigned on it." if not lacking else "Rights are missing.", problems

    return look
