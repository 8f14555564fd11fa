"""The states of an Aiven peering connection and of an Azure VNet peering, and what each one means here.

Aiven's enum is the one of its public API clients (go-client-codegen, 2026-08); it has grown before, so a state that is
not listed counts as "keep polling". Azure's are those of `Microsoft.Network/virtualNetworks/virtualNetworkPeerings`.
"""

from collections.abc import Mapping
from typing import Final

from peering.problems.codes import ProblemCode

#: What an Aiven connection state means while Aiven's side is awaited: a problem's code, or None once it is built.
CONNECTION_BUILT: Final[Mapping[str, ProblemCode | None]] = {
    "APPROVED": "connection-not-built",
    "APPROVED_PEER_REQUESTED": "connection-not-built",
    "PENDING_PEER": None,
    "ACTIVE": None,
    "INVALID_SPECIFICATION": "connection-invalid-specification",
    "REJECTED_BY_PEER": "connection-rejected-by-peer",
    "DELETED_BY_PEER": "connection-deleted-by-peer",
    "ERROR": "connection-error",
    "DELETING": "connection-being-deleted",
    "DELETED": "connection-absent",
}

#: The same once the Azure side exists: only ACTIVE completes the wait.
CONNECTION_ACTIVE: Final[Mapping[str, ProblemCode | None]] = {
    **CONNECTION_BUILT,
    "PENDING_PEER": "connection-not-active",
}

#: States in which a connection has failed and Aiven rebuilds it when it is requested again (article step 12).
REQUEST_AGAIN: Final = frozenset({"INVALID_SPECIFICATION", "REJECTED_BY_PEER", "ERROR", "DELETED"})

#: The one failed state that is final: the row must be deleted before a new request.
DELETE_FIRST: Final = "DELETED_BY_PEER"


def connection_problem(state: str, expected: Mapping[str, ProblemCode | None]) -> ProblemCode | None:
    """The problem code of a connection in `state`, or None when the state is what was awaited."""
    return expected.get(state, "connection-state-unknown")


#: The states of a connection in order of progress; then follow unlisted states, then failed ones.
_WAY_UP: Final = ("ACTIVE", "PENDING_PEER", "APPROVED_PEER_REQUESTED", "APPROVED")
_ENDED: Final = ("ERROR", "REJECTED_BY_PEER", "INVALID_SPECIFICATION", DELETE_FIRST, "DELETING", "DELETED")


def how_far(state: str) -> int:
    """The progress of a connection; a lower number is more advanced.

    Whether Aiven makes a second connection to a VNet of an organization VPC, or answers with the first one, is not
    documented. Where it lists several, the furthest is the one that counts.
    """
    if state in _ENDED:
        return len(_WAY_UP) + 1 + _ENDED.index(state)
    return _WAY_UP.index(state) if state in _WAY_UP else len(_WAY_UP)
