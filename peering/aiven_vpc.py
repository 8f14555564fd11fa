"""The VPC in Aiven that a peering leads to: one of a project, or one that the projects of an organization share.

The two differ only in their owner and in the names of their ids.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from typing_extensions import TypedDict

Kind = Literal["project", "organization"]
#: The fields of requests, records and responses for a VPC's owner and id, as in Aiven's API.
NAMES: Final[Mapping[Kind, tuple[str, str]]] = {
    "project": ("project", "project_vpc_id"),
    "organization": ("organization_id", "organization_vpc_id"),
}
KINDS: Final = tuple(NAMES)


class VpcNames(TypedDict, total=False):
    """A VPC as requests, records and answers name it: one of the two pairs."""

    project: str
    project_vpc_id: str
    organization_id: str
    organization_vpc_id: str


class AivenVpc(NamedTuple):
    """One VPC in Aiven: its kind, owner and id."""

    kind: Kind
    owner: str
    id: str

    @classmethod
    def of(cls, named: Mapping[str, object]) -> "AivenVpc":
        """The VPC that a peering, or another mapping, names.

        Raises:
            KeyError: it names none.
        """
        kind: Kind = "organization" if NAMES["organization"][1] in named else "project"
        owner, vpc = NAMES[kind]
        return cls(kind, str(named[owner]), str(named[vpc]))

    @property
    def names(self) -> VpcNames:
        """The pair that names it."""
        if self.kind == "organization":
            return VpcNames(organization_id=self.owner, organization_vpc_id=self.id)
        return VpcNames(project=self.owner, project_vpc_id=self.id)

    @property
    def key(self) -> str:
        """Its unique key, independent of spelling; a VPC's id is unique across both kinds."""
        return f"{self.owner}|{self.id}".casefold()

    def __str__(self) -> str:
        return f"{self.kind} VPC"
