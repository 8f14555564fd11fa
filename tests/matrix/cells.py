"""One cell of the matrix: an operation, one of its calls, its first or second occurrence, and a fault."""

import atexit
import json
import logging
import re
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any, Final

import httpx

from local.cloud import LocalCloud
from local.cloud.server.wire import Request, Response
from local.deployment import Deployment, Status, deploy_to, platform
from tests.matrix.faults import FAULTS, MatrixFault
from tests.matrix.operations import OPERATIONS, Operation

SETTINGS: Final = {"READ_TIMEOUT_SECONDS": "2"}
_IDS = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?<=/)[0-9a-f]{32}(?=/|$)")
#: A JWT, as every token here is one: two parts that are JSON objects in base64.
_TOKEN: Final = re.compile(r"eyJ[\w-]{8,}\.eyJ")
#: What is another one in each run: ids, the short ones in names too, moments, and the hints of passwords.
_OWN_TO_A_RUN: Final = re.compile(
    r"(?P<id>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b|\b(?:[0-9a-f]{32}|[0-9a-f]{8})\b)"
    r'|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)|"expires": \d+|"hint": "[^"]*"'
)
_OCCURRENCES: Final = (1, 2)
_BY_NAME: Final = {one.name: one for one in OPERATIONS}
#: A stateless answer of the API's that says to come again is asked again, as a client would.
_COME_AGAIN: Final = 503
_PATIENCE: Final = 20
_WORLD: Final = "world"


@dataclass(frozen=True)
class Call:
    """A kind of remote call: its method, its host's pattern, and its path's with all ids left open.

    `times` says how often it comes, `parts` which names its answers hold, however deep.
    """

    method: str
    host: str
    path: str
    times: int
    parts: frozenset[str]

    @classmethod
    def of(cls, service: str, request: Request) -> tuple[str, str, str]:
        """What a request is one of."""
        named = service in ("vault", "table")
        host = ".*" + re.escape(request.host[request.host.index(".") :]) if named else request.host
        return request.method, host, "[^/]+".join(map(re.escape, _IDS.split(request.path)))


@dataclass(frozen=True)
class Cell:
    """One cell."""

    operation: str
    call: Call
    occurrence: int
    fault: str

    @property
    def name(self) -> str:
        """Names the cell in a report; the same in every run."""
        return f"{self.operation} {self.call.method} {self.call.host}{self.call.path} {self.occurrence} {self.fault}"


@dataclass(frozen=True)
class Ended:
    """How a cell ended: `converged`, in a `problem` of the table, or `neither`; and why."""

    cell: str
    outcome: str
    why: str


def calls_of(operation: Operation) -> list[Call]:
    """The remote calls of an operation without any fault, each kind once."""
    heard: list[tuple[str, Request, Response]] = []
    identity = _prepared(operation.name).identity
    with _deployed(operation) as deployment:
        deployment.cloud.after_each_answer(lambda *answered: heard.append(answered))
        status = operation.ask(deployment, identity)
        if not operation.converged(deployment, identity, status):
            raise RuntimeError(f"{operation.name} does not converge without a fault: {status}")
    asked, parts = Counter[tuple[str, str, str]](), defaultdict[tuple[str, str, str], set[str]](set)
    for service, request, response in heard:
        if service in operation.services and re.search(operation.paths, request.path):
            kind = Call.of(service, request)
            asked[kind] += 1
            parts[kind] |= set(_parts(response.body))
    return [Call(*kind, times, frozenset(parts[kind])) for kind, times in sorted(asked.items())]


def _parts(body: object) -> Iterator[str]:
    """The names of a document's parts, however deep."""
    for name, value in body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ():
        if isinstance(name, str):
            yield name
        yield from _parts(value)


def cells(only: str | None = None) -> Iterator[Cell]:
    """All cells, or those of one operation, in an order that is the same in every run."""
    for operation in (one for one in OPERATIONS if only in (None, one.name)):
        for call in calls_of(operation):
            for fault in FAULTS:
                for occurrence in _OCCURRENCES[: call.times] if _makes_sense(fault, call) else ():
                    yield Cell(operation.name, call, occurrence, fault.name)


def _makes_sense(fault: MatrixFault, call: Call) -> bool:
    """Whether a fault can happen to a call: what an answer does not hold cannot be left out of it."""
    return (
        not (fault.changes and call.method == "GET")
        and (fault.of is None or fault.of in call.parts)
        and re.search(fault.host, call.host.replace("\\", "")) is not None
    )


def play(cell: Cell) -> Ended:
    """Play a cell; after a problem, the same is asked for again without the fault, and has to converge.

    Then the peering is removed, and nothing may be left. An end that is, but for ids and moments, the end without any
    fault is not removed again: that end was.
    """
    operation = _BY_NAME[cell.operation]
    fault = next(one for one in FAULTS if one.name == cell.fault)
    prepared, end = _prepared(operation.name), _end_without_fault(cell.operation)
    identity = prepared.identity
    with _heard() as log, _deployed(operation) as deployment:
        deployment.knobs(faults=[_knob(cell, fault)])
        status = _asked(operation, deployment, identity)
        deployment.knobs(faults=[])
        # Before the removal deletes them.
        places = _kept_in(deployment)
        outcome, why = _judged(deployment, operation, fault, identity, status)
        if outcome == "problem":
            again = operation.ask(deployment, identity)
            if not operation.converged(deployment, identity, again):
                outcome, why = "neither", f"{why}, and again without the fault: {_shown(again)}"
        as_without = outcome == "converged" and _shape(deployment) == end
        left = _left(deployment, prepared.before) if outcome != "neither" and not as_without else []
        if left := [kind for kind in left if kind not in fault.leaves]:
            outcome, why = "neither", f"after the removal there is still {left}"
        if secret := _told(deployment, {"status": str(status), "log": log.getvalue(), **places}):
            outcome, why = "neither", secret
    return Ended(cell.name, outcome, why)


@cache
def _end_without_fault(name: str) -> str:
    """The shape of an operation's end without any fault, of which a removal leaves nothing."""
    operation, prepared = _BY_NAME[name], _prepared(name)
    with _deployed(operation) as deployment:
        operation.ask(deployment, prepared.identity)
        shape = _shape(deployment)
        if left := _left(deployment, prepared.before):
            raise RuntimeError(f"{operation.name} leaves {left} without a fault")
    return shape


def _shape(deployment: Deployment) -> str:
    """What the cloud holds and the registry knows of it. Ids are numbered as they come, moments are left out."""
    known = [deployment.record(row["id"]) for row in deployment.api.get("/api/peerings").json()["peerings"]]
    parts = [[row["facts"], row["objects"]] for row in known]
    numbers: dict[str, str] = {}
    return _OWN_TO_A_RUN.sub(
        lambda found: numbers.setdefault(found["id"], f"id {len(numbers)}") if found["id"] else "",
        json.dumps(_in_order([deployment.cloud_state(), *parts]), sort_keys=True),
    )


def _in_order(value: object) -> object:
    """The same, with lists in an order that ids and moments have no part in."""
    if isinstance(value, dict):
        return {name: _in_order(part) for name, part in value.items()}
    if not isinstance(value, list):
        return value
    texts = [json.dumps(_in_order(part), sort_keys=True) for part in value]
    return [json.loads(text) for text in sorted(texts, key=lambda text: (_OWN_TO_A_RUN.sub("", text), text))]


def _asked(operation: Operation, deployment: Deployment, identity: str) -> Status:
    """What an operation came to; a request that the API itself refused is a status without a run."""
    try:
        return operation.ask(deployment, identity)
    except RuntimeError as error:
        _, _, document = str(error).partition(": ")
        return {"state": "refused", "problem": json.loads(document)}


def _knob(cell: Cell, fault: MatrixFault) -> dict[str, Any]:
    call = cell.call
    where = {"method": call.method, "host": call.host, "path": f"^{call.path}$", "skip": cell.occurrence - 1}
    return {"times": 1, **fault.knob, **where}


def _judged(
    deployment: Deployment, operation: Operation, fault: MatrixFault, identity: str, status: Status
) -> tuple[str, str]:
    if status["state"] != "refused" and operation.converged(deployment, identity, status):
        return "converged", ""
    codes = set(_codes(status))
    if codes and codes <= {*fault.ends, *(_UNKNOWN_VERDICT if operation.checks else ())}:
        return "problem", ", ".join(sorted(codes))
    return "neither", _shown(status)


#: What a check may say of what it could not look at: the verdict is unknown, nothing is repaired.
_UNKNOWN_VERDICT: Final = ("remote-unavailable", "remote-throttled")


def _codes(status: Status) -> Sequence[str]:
    problem = status.get("problem")
    run = status["runs"][-1] if status.get("runs") else {}
    found = [problem["code"]] if problem else [run["problem"]["code"]] if "problem" in run else []
    return found or [one["code"] for one in status.get("health", {}).get("problems", [])]


def _shown(status: Status) -> str:
    problems = [(p["code"], p["detail"][:200]) for p in [status.get("problem")] if p]
    verdict = status.get("health", {}).get("verdict")
    return f"{status.get('state')} {verdict} {problems} {list(_codes(status))}"


def _left(deployment: Deployment, before: dict[str, Any]) -> list[str]:
    """What is left in the cloud once the peering has been removed."""
    for row in deployment.api.get("/api/peerings").json()["peerings"]:
        deployment.remove(row["id"])
    after = deployment.cloud_state()
    return [kind for kind, things in after.items() if things != before[kind]]


def _kept_in(deployment: Deployment) -> dict[str, str]:
    """What the app has written down: the rows of its tables, and the history of its orchestrations."""
    (account,) = deployment.cloud.world.storage_accounts.values()
    rows = {name: [row.properties for row in table.scan(("", ""))] for name, table in account.tables.items()}
    instances = deployment.instances(showInput="true")
    histories = [
        deployment.instance(one["instanceId"], showHistory="true", showHistoryOutput="true", showInput="true")
        for one in instances
    ]
    return {"rows": str(rows), "history": str(histories)}


def _told(deployment: Deployment, places: Mapping[str, str]) -> str:
    """Where a secret is that is the app's, an application's or a token, as a request holds them; empty if nowhere."""
    environment, world = deployment.cloud.environment, deployment.cloud.world
    secrets = [environment[name] for name in ("AIVEN_AUTH_TOKEN", "AZURE_CLIENT_SECRET")]
    secrets += [p.text for a in (*world.applications, *world.deleted_applications) for p in a.passwords]
    secrets.append(world.identity_header)
    for place, text in places.items():
        if any(secret in text for secret in secrets) or _TOKEN.search(text):
            return f"the {place} tells a secret"
    return ""


@contextmanager
def _heard() -> Iterator[StringIO]:
    """All that is logged, with its traces."""
    log, root = StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(log), root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield log
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


@dataclass(frozen=True)
class _Prepared:
    """A peering from where an operation begins: its id, what the cloud held before it, and both as files."""

    identity: str
    before: dict[str, Any]
    directory: Path


@cache
def _prepared(name: str) -> _Prepared:
    """Prepare an operation once in a process: each cell goes on from a copy."""
    operation = _BY_NAME[name]
    directory = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    clock = platform().clock()
    with LocalCloud(operation.scenario, directory / "cloud", clock=clock, seed=1) as cloud:
        with _run(operation, cloud, directory) as deployment:
            operation.laid(deployment)
            before = deployment.cloud_state()
            identity = operation.prepare(deployment)
        cloud.keep(directory / _WORLD)
    return _Prepared(identity, before, directory)


@contextmanager
def _deployed(operation: Operation) -> Iterator[Deployment]:
    """The app on a cloud of its own, where the operation begins."""
    prepared = _prepared(operation.name)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        shutil.copytree(prepared.directory / "app", directory / "app")
        with (
            LocalCloud(operation.scenario, directory / "cloud", kept=prepared.directory / _WORLD) as cloud,
            _run(operation, cloud, directory) as deployment,
        ):
            yield deployment


@contextmanager
def _run(operation: Operation, cloud: LocalCloud, directory: Path) -> Iterator[Deployment]:
    """The app, as the identity that the operation is about, asked by a patient client."""
    client_id = cloud.environment["MANAGED_IDENTITY_CLIENT_ID"]
    managed = {"AZURE_CREDENTIAL": "managed-identity", "AZURE_CLIENT_ID": client_id} if operation.managed else {}
    with (
        deploy_to(cloud, directory / "app", cloud.world.clock, settings={**SETTINGS, **managed}) as deployment,
        httpx.Client(base_url=deployment.host.url, transport=_Patient(), timeout=60) as api,
    ):
        api.headers.update(deployment.api.headers)
        yield replace(deployment, api=api)


class _Patient(httpx.HTTPTransport):
    """A client that comes again after a 503, as the answer says."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, or the first one that is no 503."""
        for _ in range(_PATIENCE):
            response = super().handle_request(request)
            if response.status_code != _COME_AGAIN:
                return response
            response.close()
        return super().handle_request(request)


def played(cell: Cell) -> dict[str, str]:
    """How a cell ended, as a line of the report holds it; one that cannot be played has done neither."""
    try:
        return asdict(play(cell))
    except Exception as error:
        return asdict(Ended(cell.name, "neither", f"{type(error).__name__}: {error}"[:400]))
