"""The registry of peerings: one Durable entity for each project VPC, and one that lists them. Pure state changes."""

from typing import Final, NotRequired, TypedDict

from peering.health import BLOCKERS, DRIFT, Verdict, connection_of, verdict_of
from peering.look import ConnectionLook, ProjectVpcLook
from peering.outcome import Facts, Occurrence
from peering.plan import OBJECTS, REMOVES, Operation
from peering.spec import Caller, Peering
from peering.version import VERSION

#: The entity that holds the peerings of one project VPC.
ENTITY: Final = "registry"
#: The entity that holds the keys of all of those.
INDEX: Final = "registry_index"
INDEX_KEY: Final = "all"


class Health(TypedDict):
    """The last verdict on a peering. `since` is when the verdict last changed; problems have a `since` of their own."""

    verdict: Verdict
    since: str
    checked: str
    problems: list["Finding"]


class Finding(TypedDict):
    """One problem of a verdict. `repaired`: when a repair was tried that has not been seen to help."""

    problem: Occurrence
    since: str
    repaired: NotRequired[str]


class Origin(TypedDict):
    """Where an object of a peering comes from: `created`, `found` or `adopted`; when, and by which app version."""

    origin: str
    at: str
    app_version: str


class Run(TypedDict):
    """One run on a peering: what it did, when, on whose request and how it ended."""

    operation: Operation
    run: str
    by: Caller
    started: str
    ended: NotRequired[str]
    state: NotRequired[str]
    problem: NotRequired[Occurrence]


class Record(TypedDict):
    """One peering as the registry keeps it. `revision` grows whenever a run begins or ends."""

    peering: Peering
    facts: Facts
    revision: int
    requested_by: Caller
    requested: str
    runs: list[Run]
    objects: dict[str, Origin]
    state: NotRequired[str]
    connected: NotRequired[str]
    health: NotRequired[Health]
    #: When a repair was begun for a finding that has not been seen to be gone since, by code.
    attempts: NotRequired[dict[str, str]]


class Beginning(TypedDict):
    """A run begins. `codes`: the findings that it is to mend, `revision`: those of which record."""

    peering: Peering
    operation: Operation
    run: str
    by: Caller
    at: str
    codes: NotRequired[list[str]]
    revision: NotRequired[int]


class Ending(TypedDict):
    """What a run leaves behind."""

    id: str
    run: str
    state: str
    facts: Facts
    at: str
    problem: NotRequired[Occurrence]


class Examination(TypedDict):
    """What a check found out about the peerings of one project VPC."""

    at: str
    connections: list[ConnectionLook] | None
    checked: dict[str, "Checked"]


class Checked(TypedDict):
    """What a check found out about one peering, as of a revision of its record."""

    revision: int
    problems: list[Occurrence]


class Change(TypedDict):
    """A verdict that changed. The first verdict changes from None."""

    id: str
    previous: Verdict | None
    verdict: Verdict
    codes: list[str]
    at: str


class ToRepair(TypedDict):
    """A peering with findings that a repair may mend."""

    id: str
    peering: Peering
    codes: list[str]
    revision: int


class ExaminationResult(TypedDict):
    """What came of an examination."""

    changes: list[Change]
    repairs: list[ToRepair]


#: The last runs that a record keeps.
KEPT_RUNS: Final = 10


class RunOf(TypedDict):
    """A run of a peering, and the key of the entity that keeps it."""

    key: str
    id: str
    run: str


class Registry(TypedDict):
    """The state of one project VPC's entity. `unmanaged`: connections that no peering of the registry has."""

    peerings: dict[str, Record]
    unmanaged: list[ConnectionLook]


def empty() -> Registry:
    """A registry without peerings."""
    return Registry(peerings={}, unmanaged=[])


def entity_key(project: str, project_vpc_id: str) -> str:
    """The key of a project VPC's entity."""
    return f"{project}|{project_vpc_id}".casefold()


def begin(registry: Registry, beginning: Beginning) -> Facts | None:
    """Note that a run begins; returns the facts that earlier runs gathered.

    None tells a repair or a rotation that it comes too late: the peering was removed, or changed since its findings.
    """
    peering, at, by = beginning["peering"], beginning["at"], beginning["by"]
    held = registry["peerings"].get(peering["id"])
    if beginning["operation"] in ("repair", "rotate") and (
        held is None or beginning.get("revision", held["revision"]) != held["revision"]
    ):
        return None
    record = registry["peerings"].setdefault(
        peering["id"],
        Record(peering=peering, facts={}, revision=0, requested_by=by, requested=at, runs=[], objects={}),
    )
    # Of which kind the credential is, only a rotation changes.
    kind = record["peering"]["credential"] if "credential" in record["facts"] else peering["credential"]
    record["peering"] = {**peering, "credential": kind}
    record["revision"] += 1
    run = Run(operation=beginning["operation"], run=beginning["run"], by=by, started=at)
    record["runs"] = [*record["runs"], run][-KEPT_RUNS:]
    record["attempts"] = {**record.get("attempts", {}), **dict.fromkeys(beginning.get("codes", ()), at)}
    for finding in record["health"]["problems"] if "health" in record else ():
        if finding["problem"]["code"] in record["attempts"]:
            finding["repaired"] = record["attempts"][finding["problem"]["code"]]
    if beginning["operation"] == "remove":
        record["state"] = "removing"
        record.pop("health", None)
    return record["facts"]


def is_current(registry: Registry, run: RunOf) -> bool:
    """Whether a run is the peering's last one, and has not ended."""
    record = registry["peerings"].get(run["id"])
    return record is not None and is_busy(record) and record["runs"][-1]["run"] == run["run"]


def end(registry: Registry, ending: Ending) -> None:
    """Note how a run ended; facts that it did not get to stay as they were."""
    record = registry["peerings"][ending["id"]]
    record["revision"] += 1
    run = next((run for run in record["runs"] if run["run"] == ending["run"]), None)
    operation = run["operation"] if run else "establish"
    if run is not None:
        run["ended"], run["state"] = ending["at"], ending["state"]
        if "problem" in ending:
            run["problem"] = ending["problem"]
    if operation == "remove":
        _note_removal(record, ending["facts"])
        return
    facts = record["facts"] = record["facts"] | ending["facts"]
    if operation == "establish" or ending["state"] == "connected":
        record["state"] = ending["state"]
    if ending["state"] == "connected":
        record.setdefault("connected", ending["at"])
    credential = facts.get("credential")
    if credential in ("secret", "federated"):
        record["peering"]["credential"] = credential
    _note_origins(record, ending["at"])


def _note_removal(record: Record, facts: Facts) -> None:
    """A removal that has not come to its end: what it took away is not there any more."""
    record["state"] = "removal-failed"
    for removed, objects in REMOVES.items():
        for name in objects if removed in facts else ():
            record["objects"].pop(name, None)


def _note_origins(record: Record, at: str) -> None:
    """Which objects were there before and which ones the run made; the first note of an object stands."""
    found = record["facts"].get("found")
    before = set(found) if isinstance(found, list) else set()
    there = "adopted" if record["facts"].get("existing") == "adopted" else "found"
    for step, fact in OBJECTS.items():
        if record["facts"].get(fact) is not None:
            origin = Origin(origin=there if step in before else "created", at=at, app_version=VERSION)
            record["objects"].setdefault(step, origin)


def drop(registry: Registry, identity: str) -> None:
    """Forget a peering that was removed."""
    registry["peerings"].pop(identity, None)


def is_busy(record: Record) -> bool:
    """Whether a run of the peering is under way, as far as the registry was told."""
    return bool(record["runs"]) and "ended" not in record["runs"][-1]


def is_watched(record: Record) -> bool:
    """Whether checks look after the peering: it has been connected, and nobody has begun to remove it."""
    return "connected" in record and not (record["runs"] and record["runs"][-1]["operation"] == "remove")


def examine(registry: Registry, examination: Examination) -> ExaminationResult:
    """Take in a check: verdicts, what is new about them, and which peerings to repair.

    A peering on which a run has begun or ended since the look is left as it was.
    """
    result = ExaminationResult(changes=[], repairs=[])
    for identity, checked in examination["checked"].items():
        record = registry["peerings"].get(identity)
        if record is not None and record["revision"] == checked["revision"]:
            _judge(identity, record, checked["problems"], examination["at"], result)
    connections = examination["connections"]
    if connections is not None:
        vpc = ProjectVpcLook(cloud_name="", network_cidr="", state="", connections=connections)
        ours = (record for record in registry["peerings"].values() if record.get("state") != "existing")
        managed = [connection_of(record["peering"], vpc) for record in ours]
        registry["unmanaged"] = [connection for connection in connections if connection not in managed]
    return result


def _judge(identity: str, record: Record, problems: list[Occurrence], at: str, result: ExaminationResult) -> None:
    last = record.get("health")
    if last is not None and at < last["checked"]:
        return
    known = {finding["problem"]["code"]: finding for finding in (last["problems"] if last else [])}
    found = {problem["code"] for problem in problems}
    attempts = record.get("attempts", {})
    if found <= set(DRIFT):
        # Only a check that saw everything can tell that a finding is gone.
        attempts = record["attempts"] = {code: begun for code, begun in attempts.items() if code in found}
    current: list[Finding] = []
    for problem in problems:
        finding = Finding(problem=problem, since=at)
        if (before := known.get(problem["code"])) is not None:
            finding |= {"since": before["since"]}
        if problem["code"] in attempts:
            finding["repaired"] = attempts[problem["code"]]
        current.append(finding)
    codes = sorted({problem["code"] for problem in problems})
    verdict = verdict_of(codes)
    previous = last["verdict"] if last else None
    since = last["since"] if last is not None and previous == verdict else at
    untried = {finding["problem"]["code"] for finding in current if "repaired" not in finding}
    to_repair = sorted(code for code in untried if _may_repair(record, code, codes))
    if previous != verdict:
        result["changes"].append(Change(id=identity, previous=previous, verdict=verdict, codes=codes, at=at))
    if to_repair:
        result["repairs"].append(
            ToRepair(id=identity, peering=record["peering"], codes=to_repair, revision=record["revision"])
        )
    record["health"] = Health(verdict=verdict, since=since, checked=at, problems=current)


def _may_repair(record: Record, code: str, codes: list[str]) -> bool:
    """Whether a finding is mended without asking: it is safe, switched on, and nothing else found makes it hopeless."""
    if not is_watched(record) or record["peering"]["repair"] != "safe" or code not in DRIFT:
        return False
    return bool(DRIFT[code].repair) and not (DRIFT[code].puts_peering and BLOCKERS.intersection(codes))
