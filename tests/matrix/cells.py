"""One cell of the matrix: an operation, one of its calls, its first or second occurrence, and a fault."""

import logging
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from local.cloud.request_log import LoggedRequest
from local.deployment import Deployment, Status, deploy
from tests.matrix.faults import FAULTS, MatrixFault
from tests.matrix.operations import OPERATIONS, Operation

SETTINGS: Final = {"READ_TIMEOUT_SECONDS": "2"}
#: The services whose calls are played with; the registry's are the hostile lives' part.
_SERVICES: Final = ("arm", "graph", "entra", "vault", "aiven")
_IDS = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?<=/)[0-9a-f]{32}(?=/|$)")
_OCCURRENCES: Final = (1, 2)


@dataclass(frozen=True)
class Call:
    """A kind of remote call: its method, its host's pattern, and its path's with all ids left open."""

    method: str
    host: str
    path: str
    times: int

    @classmethod
    def of(cls, request: LoggedRequest) -> tuple[str, str, str]:
        """What a request is one of."""
        host = ".*" + re.escape(request.host[request.host.index(".") :]) if request.service == "vault" else request.host
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
    """The remote calls of an operation without any fault, each kind once, with how often it comes."""
    with tempfile.TemporaryDirectory() as directory, deploy(Path(directory), settings=SETTINGS) as deployment:
        identity = operation.prepare(deployment)
        deployment.clear_requests()
        status = operation.ask(deployment, identity)
        if not operation.converged(deployment, identity, status):
            raise RuntimeError(f"{operation.name} does not converge without a fault: {status}")
        asked = Counter(Call.of(request) for request in deployment.cloud.requests if request.service in _SERVICES)
    return [Call(*kind, times) for kind, times in sorted(asked.items())]


def cells(only: str | None = None) -> Iterator[Cell]:
    """All cells, or those of one operation, in an order that is the same in every run."""
    for operation in (one for one in OPERATIONS if only in (None, one.name)):
        for call in calls_of(operation):
            for fault in FAULTS:
                if (fault.changes and call.method == "GET") or not re.search(fault.host, call.host.replace("\\", "")):
                    continue
                for occurrence in _OCCURRENCES[: call.times]:
                    yield Cell(operation.name, call, occurrence, fault.name)


def play(cell: Cell) -> Ended:
    """Play a cell; after a problem, the same is asked for again without the fault, and has to converge."""
    operation = next(one for one in OPERATIONS if one.name == cell.operation)
    fault = next(one for one in FAULTS if one.name == cell.fault)
    with tempfile.TemporaryDirectory() as directory, deploy(Path(directory), settings=SETTINGS) as deployment:
        before = deployment.cloud_state()
        identity = operation.prepare(deployment)
        deployment.knobs(faults=[_knob(cell, fault)])
        status = operation.ask(deployment, identity)
        deployment.knobs(faults=[])
        outcome, why = _judged(deployment, operation, fault, identity, status)
        if outcome == "problem":
            again = operation.ask(deployment, identity)
            if not operation.converged(deployment, identity, again):
                outcome, why = "neither", f"{why}, and again without the fault: {_shown(again)}"
        if outcome != "neither" and (left := _left(deployment, before)):
            outcome, why = "neither", f"after the removal there is still {left}"
        if secret := _told(deployment, status):
            outcome, why = "neither", f"the status tells {secret}"
    return Ended(cell.name, outcome, why)


def _knob(cell: Cell, fault: MatrixFault) -> dict[str, Any]:
    call = cell.call
    where = {"method": call.method, "host": call.host, "path": f"^{call.path}$", "skip": cell.occurrence - 1}
    return {"times": 1, **fault.knob, **where}


def _judged(
    deployment: Deployment, operation: Operation, fault: MatrixFault, identity: str, status: Status
) -> tuple[str, str]:
    if operation.converged(deployment, identity, status):
        return "converged", ""
    codes = set(_codes(status))
    if codes and codes <= {*fault.ends, *_UNKNOWN_VERDICT}:
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


def _told(deployment: Deployment, status: Status) -> str:
    environment = deployment.cloud.environment
    secrets = [environment[name] for name in ("AIVEN_AUTH_TOKEN", "AZURE_CLIENT_SECRET")]
    secrets += [p.text for a in deployment.cloud.world.applications for p in a.passwords]
    text = str(status)
    return next(("a secret" for secret in secrets if secret in text), "a token" if "eyJ" in text else "")


def played(cell: Cell) -> dict[str, str]:
    """How a cell ended, as a line of the report holds it; one that cannot be played has done neither."""
    logging.disable(logging.CRITICAL)
    try:
        return asdict(play(cell))
    except Exception as error:
        return asdict(Ended(cell.name, "neither", f"{type(error).__name__}: {error}"[:400]))
