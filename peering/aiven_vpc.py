"""Which VPC of Aiven's a peering leads to: one of a project, or one that the projects of an organization share.

The two differ in whom they belong to and in how they are named; everything else here treats them alike.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from typing_extensions import TypedDict

Kind = Literal["project", "organization"]
#: What a request, a record and an answer call a VPC's owner and its id, as Aiven does.
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
    """One VPC of Aiven's: of which kind it is, whose, and its id."""

    kind: Kind
    owner: str
    id: str

    @classmethod
    def of(cls, named: Mapping[str, object]) -> "AivenVpc":
        """The VPC that a peering, or anything else that names one, is about.

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
        """What tells it from all others, however its names are spelled; a VPC's id is one of both kinds."""
        return f"{self.owner}|{self.id}".casefold()

    def __str__(self) -> str:
        return f"{self.kind} VPC"
