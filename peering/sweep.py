"""A check of all peerings in pieces: what one activity takes, and what it leaves for the next. Plain JSON."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NotRequired, TypedDict, TypeVar

from peering.aiven_vpc import AivenVpc, VpcNames
from peering.facts import AssignmentLook, named
from peering.look import Part, SecretLook, VpcLook
from peering.naming import VNetId, folded
from peering.outcome import THROTTLED, Occurrence
from peering.record import Record, is_busy, is_paused, is_watched
from peering.rights import RIGHTS
from peering.spec import Deadlines

#: The number of VPCs in Aiven, or of VNets, that one activity reads.
PROJECT_VPCS_IN_A_PIECE: Final = 25
VNETS_IN_A_PIECE: Final = 50
#: The pause in seconds after a throttled request, if the remote service does not name one.
_PAUSE: Final = 10.0
#: The parts of a record that a check reads, in addition to its last run.
_READ: Final = (
    "peering",
    "facts",
    "revision",
    "connected",
    "state",
    "health",
    "attempts",
    "unsettled",
    "events",
    "paused",
)
_Thing = TypeVar("_Thing")


class SweepPlan(TypedDict):
    """The answer of `plan_sweep`: when the check began, and how much there is to do.

    VPCs in Aiven, subscriptions, VNets, and pieces of further peerings with events to deliver; `unreadable` records are
    left out.
    """

    at: str
    project_vpcs: int
    subscriptions: int
    vnets: int
    undelivered: int
    unreadable: int


class SweepCounts(TypedDict):
    """The result of a check of all, or of a piece of it: the numbers of checks, changed verdicts and started repairs.

    `failed` counts, by activity, the items for which it failed every time.
    """

    checked: int
    changed: int
    repairs: int
    failed: NotRequired[dict[str, int]]


class PieceResult(TypedDict, total=False):
    """The result of a piece of a check, as in `SweepCounts`, and what is left of it.

    `again` are the numbers of failed items; `put_off` are those of throttled items, to be repeated `after` some
    seconds.
    """

    checked: int
    changed: int
    repairs: int
    again: list[int]
    put_off: list[int]
    after: float


class PutOff(TypedDict):
    """The numbers of throttled items, to be repeated `after` some seconds."""

    numbers: list[int]
    after: float


class Sweep(TypedDict):
    """The input of `check_health`: whether it may start repairs, and the deadlines of the orders that it places.

    The other fields it passes to itself when it continues with an empty history: the division, the number of completed
    stages, the counts so far, and the deferred VNets. Later only the VNets in `vnets` are left. With `last` they are
    assessed by whatever can be read.
    """

    repairs: bool
    deadlines: Deadlines
    plan: NotRequired[SweepPlan]
    done: NotRequired[int]
    counts: NotRequired[SweepCounts]
    put_off: NotRequired[PutOff]
    vnets: NotRequired[list[int]]
    last: NotRequired[bool]


class Piece(TypedDict):
    """The input of the activities that do a piece of a check: the numbers of what they take, and of which check.

    `attempt` counts the earlier calls for some of it. The `last` time nothing is put off.
    """

    numbers: list[int]
    at: str
    repairs: bool
    deadlines: Deadlines
    attempt: int
    last: bool


class PieceIds(TypedDict):
    """Of a piece of VNets, the ids of its peerings and its VNets, and of the service principals on record.

    Those are the applications' and the platform's.
    """

    peerings: list[str]
    vnets: list[str]
    principals: list[str]
    platforms: list[str]


class VpcToLookAt(VpcNames):
    """A VPC in Aiven: its VNets to assess, by the numbers of their pieces, and all VNets with a peering.

    For the latter it also has the peering's application, as far as it is known.
    """

    wanted: dict[str, list[str]]
    ours: dict[str, str | None]


class Snapshot(TypedDict):
    """A peering when the check was divided: what a check reads of its record, and the ETag of its row."""

    record: Record
    etag: str


class LeftForPiece(TypedDict):
    """All that is left for a piece of VNets, in parts: the peerings on each VNet, and what was read for them.

    VPCs in Aiven are by key, role assignments by subscription. If something was read again, the latest look is in the
    last part.
    """

    records: list[list[Snapshot]]
    vpcs: list[dict[str, Part[VpcLook]]]
    secrets: list[Part[dict[str, SecretLook]]]
    assignments: list[dict[str, Part[list[AssignmentLook]]]]


@dataclass(frozen=True)
class _Checked:
    """A peering to check. Its snapshot is kept as text: there may be many thousands."""

    id: str
    key: str
    vnet_id: str
    principal: str
    platform: str
    snapshot: str


class Division:
    """All peerings, divided into pieces."""

    def __init__(self) -> None:
        self._on_vnet: dict[str, list[_Checked]] = {}
        self._vpcs: dict[str, AivenVpc] = {}
        self._ours: dict[str, dict[str, str | None]] = {}
        #: The keys of the VPCs that watched peerings are in.
        self.watched: set[str] = set()
        #: The peerings with events to deliver that are not checked.
        self.undelivered: list[str] = []

    def add(self, record: Record, etag: str, at: str) -> None:
        """Add a peering. It is checked if it is watched, not paused, and has no open order.

        Args:
            record: its record.
            etag: that of the row that the record was read from.
            at: when the check began.

        Raises:
            KeyError, ValueError: the record is malformed.
        """
        peering = record["peering"]
        VNetId.parse(peering["vnet_id"])
        vnet_id, vpc = peering["vnet_id"], AivenVpc.of(peering)
        key = vpc.key
        if record.get("state") != "existing":
            self._ours.setdefault(key, {})[vnet_id] = named(record["facts"], "application_id")
        if is_watched(record):
            self.watched.add(key)
        if not is_watched(record) or is_busy(record) or is_paused(record, at):
            self.undelivered += [peering["id"]] if record.get("events") else []
            return
        self._vpcs.setdefault(key, vpc)
        read = {name: value for name, value in record.items() if name in _READ}
        read["runs"] = record["runs"][-1:]
        principal, platform = (str(named(record["facts"], names.principal)) for names in RIGHTS)
        snapshot = json.dumps({"record": read, "etag": etag}, ensure_ascii=False)
        checked = _Checked(peering["id"], key, vnet_id, principal, platform, snapshot)
        self._on_vnet.setdefault(folded(vnet_id), []).append(checked)

    def vnets(self) -> list[list[list[_Checked]]]:
        """The peerings to check on each VNet, by the pieces of VNets."""
        return list(cut([self._on_vnet[vnet] for vnet in sorted(self._on_vnet)], VNETS_IN_A_PIECE))

    def ids(self) -> list[PieceIds]:
        """What each piece of VNets is about."""
        pieces = [[one for on_vnet in piece for one in on_vnet] for piece in self.vnets()]
        return [
            PieceIds(
                peerings=[one.id for one in there],
                vnets=sorted({folded(one.vnet_id) for one in there}),
                principals=[one.principal for one in there],
                platforms=sorted({one.platform for one in there}),
            )
            for there in pieces
        ]

    def subscriptions(self) -> list[str]:
        """The subscriptions of the VNets to read."""
        return sorted({VNetId.parse(there[0].vnet_id).subscription_id.lower() for there in self._on_vnet.values()})

    def project_vpcs(self) -> list[list[VpcToLookAt]]:
        """The VPCs in Aiven to read, in batches for one activity each."""
        wanted: dict[str, dict[str, list[str]]] = {}
        for number, piece in enumerate(self.vnets()):
            for one in (one for on_vnet in piece for one in on_vnet):
                wanted.setdefault(one.key, {}).setdefault(str(number), []).append(one.vnet_id)
        found = [
            VpcToLookAt(**vpc.names, wanted=wanted.get(key, {}), ours=self._ours.get(key, {}))
            for key, vpc in sorted(self._vpcs.items())
        ]
        return list(cut(found, PROJECT_VPCS_IN_A_PIECE))


def cut(things: Sequence[_Thing], most: int) -> Iterator[list[_Thing]]:
    """The items in lists of at most this length."""
    return (list(things[start : start + most]) for start in range(0, len(things), most))


def asked_by(problems: Iterable[Occurrence]) -> float:
    """The seconds after which to repeat throttled requests; 0 if none was throttled."""
    asked = (p.get("retry_after", _PAUSE) for p in problems if p["code"] == THROTTLED and not p.get("final"))
    return max((max(seconds, 1.0) for seconds in asked), default=0.0)


def is_news(before: Record, after: Record) -> bool:
    """Whether a check has found anything that the record does not have yet, except for the time of the look."""

    def said(record: Record) -> Record:
        return {**record, "health": {**record["health"], "checked": ""}} if "health" in record else record

    return said(before) != said(after)
