"""Who holds which rights for a peering according to Azure, for the report. No I/O."""

from collections.abc import Iterator
from typing import Final

from typing_extensions import TypedDict

from peering.facts import AssignmentLook
from peering.look import AccessLook, Look, RoleLook, if_seen
from peering.naming import last_part, same_id
from peering.record import Record
from peering.rights import all_granted, assignments_of

_NOT_ASKED_FOR: Final = "not assigned by this app"
#: The principals: their names in the report, the fact with the role of each, and its purpose.
_HOLDERS: Final = (
    (
        "user_principal",
        "the application",
        "user_role_id",
        "to create, repair and remove this VNet's side of the peering",
    ),
    (
        *("platform_principal", "the Aiven platform's application", "platform_role_id"),
        "to create a peering that leads to the VNet, and nothing else",
    ),
)


class Right(TypedDict):
    """What one service principal may do, on which scope, and why; not `standing` if it is removed again soon."""

    holder: str
    principal_id: str
    role: str
    actions: list[str]
    scope: str
    why: str
    standing: bool


def held_rights(record: Record, look: Look) -> Iterator[Right]:
    """The rights of the application and of the platform's service principal, as assigned; empty if unread.

    Args:
        record: the peering's record.
        look: what both clouds show of it.
    """
    access, peering, facts = if_seen(look["access"]), record["peering"], record["facts"]
    principals = {name: if_seen(look[name]) for name in ("user_principal", "platform_principal")}
    for name, holder, role, why in _HOLDERS:
        principal = principals[name]
        if access is None or principal is None:
            continue
        # The platform's service principal has roles on other VNets, for other peerings.
        for assignment in _of_principal(access, principal["id"], everywhere=name == "user_principal"):
            given = same_id(assignment["role"], last_part(str(facts.get(role))))
            asked_for = given and same_id(assignment["scope"], str(facts.get("vnet_id", peering["vnet_id"])))
            released = name == "user_principal" and asked_for and peering["privilege"] == "setup-only"
            yield Right(
                holder=holder,
                principal_id=principal["id"],
                **_of_role(assignment, access["roles"].get(assignment["role"])),
                scope=assignment["scope"],
                why=why if asked_for else _NOT_ASKED_FOR,
                standing=not released,
            )


def _of_principal(access: AccessLook, principal_id: str, *, everywhere: bool) -> list[AssignmentLook]:
    elsewhere = [a for a in access["elsewhere"] if same_id(a["principal_id"], principal_id)]
    return [*assignments_of(access, principal_id), *(elsewhere if everywhere else [])]


class _Named(TypedDict):
    role: str
    actions: list[str]


def _of_role(assignment: AssignmentLook, role: RoleLook | None) -> _Named:
    if role is None:
        return _Named(role=assignment["role"], actions=[])
    return _Named(role=role["name"], actions=[*all_granted(role), *(["but for some"] if role["takes_away"] else [])])
