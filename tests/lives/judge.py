"""What has to be true at the end of a life, when platform and remotes behave again."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from local.deployment import ENDED, Deployment, Status, has_open_orders
from local.host import Kind
from peering.runs import SWEEP

#: How long accepted orders may take in peace, by the clock of the app, and by the machine's in seconds.
_LONGEST: Final = timedelta(days=2)
_PATIENCE: Final = 600.0
#: How often a peering is checked or started until it has to be well.
_TRIES: Final = 6
#: For how long a repair that did not help is not tried again, at first; the pause is doubled.
_LATER: Final = timedelta(minutes=70)
#: What has not begun after this time will not.
_NEVER_BEGAN: Final = timedelta(minutes=20)

#: What any run may end with that ended with a problem: what else a life meets clears up within the deadlines.
_EXPLAINED: Final = "interrupted"

#: A run as the API lists it, and what a caller did and was answered with 202.
Run = dict[str, Any]
Accepted = tuple[str, dict[str, Any]]


class Judge:
    """Judges the end of a life; what is wrong is a list of sentences.

    Args:
        deployment: where it was lived.
        vnets: the VNets of the peerings, by their ids.
        explained: the operations of each peering, and the problems that they may end with because of damage.
        before: what the cloud held before anything began.
    """

    def __init__(
        self,
        deployment: Deployment,
        vnets: Mapping[str, str],
        explained: Mapping[str, Collection[tuple[str, str]]],
        before: Mapping[str, object],
    ) -> None:
        self._deployment, self._vnets, self._explained, self._before = deployment, vnets, explained, before
        self.wrong: list[str] = []

    def judge(self, accepted: Sequence[Accepted]) -> list[str]:
        """See that every promise was kept, that what is there can be made well, and that all of it can go."""
        if not self._close("what was accepted"):
            return self.wrong
        self._promises(accepted)
        for identity in self._vnets:
            self._problems(identity)
            self._state(identity)
        there = [identity for identity in self._vnets if self._status(identity) is not None]
        self._sweep()
        for identity in there:
            self._make_well(identity)
        self._once_each(there)
        for identity in there:
            self._remove(identity)
        self._nothing_left()
        return self.wrong

    def _close(self, what: str) -> bool:
        """Wait until no order is open, and no check of all peerings could open one."""
        since, deadline = self._deployment.clock.now(), time.monotonic() + _PATIENCE * self._deployment.patience
        while has_open_orders(self._deployment.cloud) or self._sweeps():
            took = self._deployment.clock.now() - since
            if took > _LONGEST or time.monotonic() > deadline:
                self.wrong.append(f"after {took} {what} is open")
                return False
            time.sleep(0.05)
        return True

    def _sweeps(self) -> bool:
        instance = self._deployment.instance(SWEEP)
        if not instance or instance["runtimeStatus"] in ENDED:
            return False
        # One whose start the host has lost stays as it is.
        struck = {(one.kind, one.instance) for one in self._deployment.host.hostility.struck}
        return instance["runtimeStatus"] != "Pending" or (Kind.PENDING_START, SWEEP) not in struck

    def _sweep(self) -> None:
        """The check of all peerings goes on, whatever became of the last one."""
        self._deployment.virtual_clock.advance_to(self._deployment.clock.now() + _NEVER_BEGAN)
        self._deployment.fire("resume_orders")
        self._deployment.until_ended(SWEEP)
        self._deployment.fire("check_all_peerings")
        status = self._deployment.until_ended(SWEEP).get("runtimeStatus")
        if status != "Completed":
            self.wrong.append(f"the check of all peerings is {status}")
        self._close("what the check of all peerings found")

    def _status(self, identity: str) -> Status | None:
        answer = self._deployment.api.get(f"/api/peerings/{identity}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        status: Status = answer.raise_for_status().json()
        return None if status["state"] in ("removed", "rolled-back") else status

    def _runs(self, identity: str) -> list[Run]:
        """All runs that have ended, the oldest first."""
        answer = self._deployment.api.get(f"/api/peerings/{identity}/runs")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return []
        runs: list[Run] = answer.raise_for_status().json()["runs"]
        return [run for run in runs[::-1] if "outcome" in run]

    def _promises(self, accepted: Iterable[Accepted]) -> None:
        """Every 202 has one recorded outcome; what was superseded names what came in its place."""
        for what, answer in accepted:
            found = [run for run in self._runs(answer["id"]) if run["run"] == answer["run"]]
            if len(found) != 1 or found[0]["outcome"] not in ("done", "problem", "superseded"):
                self.wrong.append(f"{what} {answer['run']} has {len(found)} outcomes: {found}")
            if (superseded := answer.get("superseded")) is None:
                continue
            ends = [run for run in self._runs(answer["id"]) if run["run"] == superseded]
            if [(run["outcome"], run.get("superseded_by")) for run in ends] != [("superseded", answer["run"])]:
                self.wrong.append(f"{superseded}, which {answer['run']} superseded, ended so: {ends}")

    def _problems(self, identity: str) -> None:
        """No run ended with a problem without a cause."""
        for run in self._runs(identity):
            code = run.get("problem", {}).get("code", _EXPLAINED)
            if code != _EXPLAINED and (run["operation"], code) not in self._explained.get(identity, ()):
                self.wrong.append(f"{run['operation']} {run['run']} of {identity} ended with {code}: {run['problem']}")

    def _state(self, identity: str) -> None:
        """The record's state is what its runs say."""
        status, expected = self._status(identity), state_after(self._runs(identity))
        found = status["state"] if status is not None else None
        if found != expected:
            self.wrong.append(f"{identity} is {found}, its runs say {expected}: {_short(self._runs(identity))}")

    def _make_well(self, identity: str) -> None:
        """Check a peering, or start it again when its last run failed, until it is well."""
        tried = []
        for attempt in range(_TRIES):
            status = self._status(identity)
            last = status["runs"][-1] if status is not None else None
            well = status is not None and status["state"] == "connected"
            if well and last is not None and last.get("state") in ("connected", "rotated"):
                answer = self._deployment.api.post(f"/api/peerings/{identity}/check")
            else:
                body = self._deployment.request(vnet_id=self._vnets[identity])
                answer = self._deployment.api.post("/api/peerings", json=body)
            tried.append(f"{answer.request.method} {answer.request.url.path} {answer.status_code}")
            if not self._close(f"{identity} after {tried}"):
                return
            status = self._status(identity)
            health = status.get("health", {}) if status is not None else {}
            checked = str(answer.request.url).endswith("/check")
            if status is not None and checked and (status["state"], health.get("verdict")) == ("connected", "healthy"):
                return
            if checked:
                later = self._deployment.clock.now() + _LATER * 2**attempt
                self._deployment.virtual_clock.advance_to(later)
        problem = {name: (status or {}).get(name) for name in ("state", "problem", "health")}
        self.wrong.append(f"{identity} is not well after {tried}: {problem}, {_short(self._runs(identity))}")

    def _once_each(self, there: Sequence[str]) -> None:
        """One password, one connection, one VNet peering; no principal and no role assignment twice."""
        held = self._deployment.cloud_state()
        for identity in there:
            own = [one for one in held["applications"] if identity in (one["uniqueName"] or "")]
            passwords = [len(one["passwordCredentials"]) + len(one["federatedIdentityCredentials"]) for one in own]
            name = self._vnets[identity].rpartition("/")[2].lower()
            connections = [one for one in held["peeringConnections"] if one["peer_vpc"].lower() == name]
            sides = [one for one in held["virtualNetworkPeerings"] if f"/{name}/" in one["id"].lower()]
            found = (passwords, len(connections), len(sides))
            if found != ([1], 1, 1):
                self.wrong.append(f"{identity} has passwords {found[0]}, connections {found[1]}, sides {found[2]}")
        principals = Counter((one["appId"], one["tenantId"]) for one in held["servicePrincipals"])
        assigned = [one["properties"] for one in held["roleAssignments"]]
        rights = Counter((one["principalId"], one["roleDefinitionId"], one["scope"]) for one in assigned)
        roles = Counter(one["properties"]["roleName"] for one in held["roleDefinitions"])
        for things in (principals, rights, roles):
            self.wrong += [f"{count} times: {thing}" for thing, count in things.items() if count > 1]

    def _remove(self, identity: str) -> None:
        for _ in range(_TRIES):
            self._deployment.api.delete(f"/api/peerings/{identity}").raise_for_status()
            if not self._close(f"the removal of {identity}"):
                return
            if self._status(identity) is None:
                return
        self.wrong.append(f"{identity} cannot be removed: {self._status(identity)}")

    def _nothing_left(self) -> None:
        after = self._deployment.cloud_state()
        for kind, things in after.items():
            if things != self._before[kind]:
                self.wrong.append(f"left in the cloud, {kind}: {things}; before: {self._before[kind]}")


def state_after(runs: Iterable[Run]) -> str | None:
    """The state that runs leave a peering in, told again from their outcomes alone; None when it is gone."""
    state: str | None = None
    connected = False
    for run in runs:
        operation, ended = run["operation"], run.get("state", "")
        if run["outcome"] == "superseded":
            if operation == "remove" and "taken" in run:
                state = "removing"
            state = state or "failed"
        elif ended in ("removed", "rolled-back"):
            state, connected = None, False
        elif operation == "remove":
            state = "removal-failed"
        elif (
            operation == "establish"
            or ended == "connected"
            or (operation == "cancel" and (not connected or state == "removing"))
        ):
            state = ended
        connected = connected or ended == "connected"
    return state


def _short(runs: Iterable[Run]) -> str:
    """The runs in a line."""
    problems = [(run, run.get("problem", {}).get("code", "")) for run in runs]
    return ", ".join(f"{run['run']} {run['operation']} {run['outcome']} {run['state']} {why}" for run, why in problems)
