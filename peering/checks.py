"""What the activities of a check hand to one another: plain JSON."""

from typing import TypedDict

from peering.look import Part, ProjectVpcLook, SecretLook
from peering.registry import Change, Checked, ToRepair
from peering.spec import Deadlines


class One(TypedDict):
    """A single peering: the key of its project VPC's entity, and its id."""

    key: str
    id: str


class CheckInput(TypedDict):
    """What `check_health` is started with: everything, or one peering; and whether it may begin repairs."""

    only: One | None
    repairs: bool
    deadlines: Deadlines


class VNetScope(TypedDict):
    """A VNet with the peerings to check on it: their revisions by id, by the key of their project VPC's entity."""

    vnet_id: str
    peerings: dict[str, dict[str, int]]


class ProjectVpcScope(TypedDict):
    """A project VPC as Aiven spells it, and the key of its entity."""

    key: str
    project: str
    project_vpc_id: str


class Scope(TypedDict):
    """What a check has to look at."""

    project_vpcs: list[ProjectVpcScope]
    vnets: list[VNetScope]


class VNetsToCheck(TypedDict):
    """The input of `check_vnets`: some VNets, and what is known of Aiven's side and of the vault for them."""

    vnets: list[VNetScope]
    project_vpcs: dict[str, Part[ProjectVpcLook]]
    secrets: Part[dict[str, SecretLook]]
    at: str


#: The answer of `check_vnets`: the peerings by the key of their project VPC's entity.
CheckedPeerings = dict[str, dict[str, Checked]]


class FollowUp(TypedDict):
    """The input of `follow_up`: the verdicts that changed, and the peerings to repair."""

    changes: list[Change]
    repairs: list[ToRepair]
    deadlines: Deadlines
    at: str


class Neighbours(TypedDict):
    """Who else needs what a peering shares: another one on the VNet, the names of roles in use, any other at all."""

    on_vnet: bool
    roles: list[str]
    any: bool
