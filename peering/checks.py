"""What the activities of a check hand to one another: plain JSON."""

from typing import TypedDict

from peering.look import ConnectionLook, Part, ProjectVpcLook, SecretLook
from peering.registry import Checked
from peering.spec import Deadlines


class CheckInput(TypedDict):
    """What `check_health` is started with: whether it may begin repairs, and how long what it begins may wait."""

    repairs: bool
    deadlines: Deadlines


class VNetScope(TypedDict):
    """A VNet with the peerings to check on it: their revisions by id, by the key of their project VPC."""

    vnet_id: str
    peerings: dict[str, dict[str, int]]


class ProjectVpcScope(TypedDict):
    """A project VPC as Aiven spells it, and its key."""

    key: str
    project: str
    project_vpc_id: str


class Scope(TypedDict):
    """What a check has to look at.

    `undelivered`: the peerings that have events to deliver, watched or not; `unreadable`: those whose row is spoilt.
    """

    project_vpcs: list[ProjectVpcScope]
    vnets: list[VNetScope]
    undelivered: list[str]
    unreadable: list[str]


class VNetsToCheck(TypedDict):
    """The input of `check_vnets`: some VNets, and what is known of Aiven's side and of the vault for them."""

    vnets: list[VNetScope]
    project_vpcs: dict[str, Part[ProjectVpcLook]]
    secrets: Part[dict[str, SecretLook]]
    at: str


#: The answer of `check_vnets`: what was found of each peering, by id.
CheckedPeerings = dict[str, Checked]


class ToRepair(TypedDict):
    """A peering with findings that a repair may mend, as of a revision of its record."""

    id: str
    codes: list[str]
    revision: int


class Verdicts(TypedDict):
    """The input of `note_verdicts`: what was found, and when the look began."""

    checked: CheckedPeerings
    at: str


class NotedVerdicts(TypedDict):
    """The answer of `note_verdicts`: how many changed, what to repair or to settle, whose events to deliver.

    `failed`: the peerings whose verdict could not be noted.
    """

    changed: int
    unsettled: list[str]
    repairs: list[ToRepair]
    undelivered: list[str]
    failed: list[str]


class FollowUp(TypedDict):
    """The input of `follow_up`: the peerings to repair, those to settle, and those with events to deliver."""

    unsettled: list[str]
    repairs: list[ToRepair]
    undelivered: list[str]
    deadlines: Deadlines
    at: str


class UnmanagedScope(TypedDict):
    """The input of `note_unmanaged`: one project VPC and its connections."""

    project: str
    project_vpc_id: str
    connections: list[ConnectionLook]


def vpc_key(project: str, project_vpc_id: str) -> str:
    """What tells a project VPC from all others, however its names are spelled."""
    return f"{project}|{project_vpc_id}".casefold()


class Neighbours(TypedDict):
    """Who else needs what a peering shares: another one on the VNet, the names of roles in use, any other at all."""

    on_vnet: bool
    roles: list[str]
    any: bool
