"""`make engine-races`: requests that meet at one peering. The answers that the callers got must be what happened."""

import argparse
import asyncio
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from local.deployment import Deployment, Status
from local.genuine import Verdict, WorkerCall, genuine_engine
from tests.engine.deployments import standalone
from tests.engine.figures import Cell, at_once, cell, show, side_by_side
from tests.engine.outcomes import (
    Answer,
    ask,
    credentials_beside_one,
    doubles,
    left_over,
    not_as_before,
    runs_of,
    unaccounted,
)

#: Pairs side by side; of rotations, which one sweep meets all at once.
LANES: Final = 6
#: The second request of a pair comes so late at most, where it need not come at once.
_LATEST: Final = 1.5
#: A pair at a VNet: says what is wrong.
Race = Callable[[Deployment, str], Iterator[str]]


def post(deployment: Deployment, vnet_id: str, **options: object) -> Answer:
    """Ask for a peering of the VNet."""
    return ask(deployment, "POST", "", deployment.request(vnet_id=vnet_id, **options))


def delete(deployment: Deployment, identity: str) -> Answer:
    """Ask for the removal of a peering."""
    return ask(deployment, "DELETE", f"/{identity}")


def different_posts(deployment: Deployment, vnet_id: str) -> Iterator[str]:
    """Two starts with different options: one is carried out, the other refused."""
    answers = at_once(*(_poster(deployment, vnet_id, allow_forwarded_traffic=value) for value in (True, False)))
    refused = [answer for answer in answers if not answer.is_accepted]
    if [answer.body.get("code") for answer in refused] != ["running-with-other-options"]:
        yield f"answered {', '.join(map(str, answers))}"
    wanted = answers[0].is_accepted
    (winner, *_) = [answer for answer in answers if answer.is_accepted]
    if winner.joined:
        yield "the accepted one joined"
    identity = winner.body["id"]
    status = deployment.until(identity)
    if (status["state"], status["peering"]["allow_forwarded_traffic"]) != ("connected", wanted):
        yield f"{status['state']} with forwarding {status['peering']['allow_forwarded_traffic']}, accepted was {wanted}"
    state = deployment.cloud_state()
    sides = [p for p in state["virtualNetworkPeerings"] if p["id"].casefold().startswith(f"{vnet_id}/".casefold())]
    if [side["options"].get("allowForwardedTraffic") for side in sides] != [wanted]:
        yield f"the VNet's peerings forward {[side['options'].get('allowForwardedTraffic') for side in sides]}"
    yield from credentials_beside_one(state, identity)
    yield from _removed(deployment, identity, vnet_id, answers)


def equal_posts(deployment: Deployment, vnet_id: str) -> Iterator[str]:
    """Two equal starts: one begins, the other joins it."""
    answers = at_once(*(_poster(deployment, vnet_id) for _ in range(2)))
    if sorted((answer.status, answer.joined) for answer in answers) != [(202, False), (202, True)]:
        yield f"answered {', '.join(map(str, answers))}"
    if len({answer.body.get("run") for answer in answers}) != 1:
        yield "the answers name different runs"
    identity = answers[0].body["id"]
    status = deployment.until(identity)
    if status["state"] != "connected":
        yield status["state"]
    yield from credentials_beside_one(deployment.cloud_state(), identity)
    yield from _removed(deployment, identity, vnet_id, answers)


def post_and_delete_of_a_connected_one(deployment: Deployment, vnet_id: str) -> Iterator[str]:
    """A start and a removal meet at a peering that is connected."""
    identity = deployment.settle(vnet_id=vnet_id)["id"]
    yield from _start_and_removal(deployment, vnet_id, identity, [])


def post_and_delete_of_one_being_set_up(deployment: Deployment, vnet_id: str) -> Iterator[str]:
    """A start and a removal meet at a peering that is being set up."""
    first = post(deployment, vnet_id)
    time.sleep(_spread(vnet_id))
    yield from _start_and_removal(deployment, vnet_id, first.body["id"], [first])


def _start_and_removal(deployment: Deployment, vnet_id: str, identity: str, earlier: Sequence[Answer]) -> Iterator[str]:
    started, removed = at_once(_poster(deployment, vnet_id), lambda: delete(deployment, identity))
    answers = [*earlier, started, removed]
    if not removed.is_accepted or removed.joined:
        yield f"DELETE was answered {removed}"
    if not started.is_accepted and started.body.get("code") != "being-removed":
        yield f"POST was answered {started}"
    status = deployment.until(identity)
    runs = {run["run"]: run for run in runs_of(deployment, identity)}
    if status["state"] != "removed":
        afterwards = started.is_accepted and runs[started.body["run"]]["started"] >= runs[removed.body["run"]]["ended"]
        if not (afterwards and status["state"] == "connected"):
            yield f"{status['state']} after {started} and {removed}"
    yield from _removed(deployment, identity, vnet_id, answers)


def deletes(deployment: Deployment, vnet_id: str) -> Iterator[str]:
    """Two removals: one begins, the other joins it or comes when all is gone."""
    identity = deployment.settle(vnet_id=vnet_id)["id"]
    answers = at_once(*(lambda: delete(deployment, identity) for _ in range(2)))
    accepted = [answer for answer in answers if answer.is_accepted]
    if {answer.status for answer in answers} - {202, 404} or sum(not answer.joined for answer in accepted) != 1:
        yield f"answered {', '.join(map(str, answers))}"
    yield from _removed(deployment, identity, vnet_id, answers)


def _spread(vnet_id: str) -> float:
    """A pause in seconds that follows from the VNet: the moments in which requests meet are spread."""
    return zlib.crc32(vnet_id.rpartition("/")[2].encode()) % 1000 / 1000 * _LATEST


def _poster(deployment: Deployment, vnet_id: str, **options: object) -> Callable[[], Answer]:
    return lambda: post(deployment, vnet_id, **options)


def _removed(deployment: Deployment, identity: str, vnet_id: str, answers: Sequence[Answer]) -> Iterator[str]:
    """Remove what is there; every accepted request must have its outcome, and nothing may be left."""
    status = deployment.until(identity)
    if status["state"] != "removed":
        last = delete(deployment, identity)
        answers = [*answers, last]
        status = deployment.until(identity)
    if status["state"] != "removed":
        yield f"{status['state']} after the removal"
    yield from unaccounted(answers, runs_of(deployment, identity))
    yield from left_over(deployment.cloud_state(), status, vnet_id)


RACES: Final[dict[str, Race]] = {
    "different-posts": different_posts,
    "equal-posts": equal_posts,
    "post-delete-connected": post_and_delete_of_a_connected_one,
    "post-delete-starting": post_and_delete_of_one_being_set_up,
    "deletes": deletes,
}
ROTATIONS: Final = "rotate-repair"


def race(deployment: Deployment, name: str, ids: Sequence[str], lanes: int = LANES) -> list[Cell]:
    """Run a race once at each of some VNets, and see that the cloud is as before."""
    before, run = deployment.cloud_state(), RACES[name]
    cells = side_by_side(lambda vnet: cell(name, vnet.rpartition("/")[2], lambda: run(deployment, vnet)), ids, lanes)
    return [*cells, cell(f"{name}, the cloud after all", "cloud", lambda: _as_before(deployment, before))]


def _as_before(deployment: Deployment, before: Status) -> Iterator[str]:
    after = deployment.cloud_state()
    yield from doubles(after)
    yield from not_as_before(before, after)


class RepairsHeld:
    """Holds the sweep where it looks at the VNets and begins its repairs, until it is let go."""

    def __init__(self) -> None:
        self.began, self.let_go = threading.Event(), threading.Event()

    async def __call__(self, call: WorkerCall) -> Verdict:
        if call.name == "check_vnets":
            self.began.set()
            await asyncio.to_thread(self.let_go.wait, 60)
        return Verdict.RUN


def rotations(deployment: Deployment, ids: Sequence[str], lanes: int = LANES) -> list[Cell]:
    """At each of some VNets a rotation meets the repair that a sweep begins; one sweep for so many at a time."""
    before, cells = deployment.cloud_state(), list[Cell]()
    for start in range(0, len(ids), lanes):
        cells += _rotations(deployment, ids[start : start + lanes])
    return [*cells, cell(f"{ROTATIONS}, the cloud after all", "cloud", lambda: _as_before(deployment, before))]


def _rotations(deployment: Deployment, ids: Sequence[str]) -> list[Cell]:
    started = time.monotonic()
    statuses = side_by_side(lambda vnet: deployment.settle(vnet_id=vnet), ids, len(ids))
    for status in statuses:
        facts = status["facts"]
        deployment.event(kind="delete-vnet-peering", vnet_id=facts["vnet_id"], remote_id=facts["to_network_id"])
    held = RepairsHeld()
    genuine_engine(deployment.host).intercept(held)
    deployment.fire("check_all_peerings")
    if not held.began.wait(60):
        raise TimeoutError("the sweep has begun no repair")

    def rotate(vnet_id: str, status: Status) -> Answer:
        time.sleep(_spread(vnet_id) / 3)
        held.let_go.set()
        return ask(deployment, "POST", f"/{status['id']}/rotate")

    answers = at_once(*(partial(rotate, *pair) for pair in zip(ids, statuses, strict=True)))
    swept = deployment.until_ended("health-sweep")
    side_by_side(lambda status: deployment.until(status["id"]), statuses, len(ids))
    # The next sweep repairs what was deferred.
    deployment.fire("check_all_peerings")
    again = deployment.until_ended("health-sweep")
    sweeps = [sweep["runtimeStatus"] for sweep in (swept, again)]
    took = (time.monotonic() - started) / len(ids)

    def judged(met: tuple[str, Status, Answer]) -> Cell:
        return cell(ROTATIONS, met[0].rpartition("/")[2], lambda: _rotated(deployment, *met, sweeps))

    found = side_by_side(judged, list(zip(ids, statuses, answers, strict=True)), len(ids))
    return [Cell(one.row, one.name, one.wrong, one.seconds + took) for one in found]


def _rotated(
    deployment: Deployment, vnet_id: str, before: Status, answer: Answer, sweeps: Sequence[str]
) -> Iterator[str]:
    if set(sweeps) != {"Completed"}:
        yield f"the sweeps ended {', '.join(sweeps)}"
    identity = before["id"]
    status = deployment.until(identity)
    if not answer.is_accepted and answer.body.get("code") != "operation-under-way":
        yield f"answered {answer}"
    if (status["state"], status["health"]["verdict"]) != ("connected", "healthy"):
        yield f"{status['state']} and {status['health']['verdict']} after both"
    runs = runs_of(deployment, identity)
    rotated = [run["outcome"] for run in runs if run["operation"] == "rotate"]
    repaired = [run["outcome"] for run in runs if run["operation"] == "repair"]
    if rotated != ["done"] * answer.is_accepted or repaired != ["done"]:
        yield f"rotations {rotated}, repairs {repaired} after {answer}"
    if (status["facts"]["secret_version"] != before["facts"]["secret_version"]) != answer.is_accepted:
        yield f"the answer was {answer}, the secret's version tells otherwise"
    yield from credentials_beside_one(deployment.cloud_state(), identity)
    yield from _removed(deployment, identity, vnet_id, [answer])


def main() -> int:
    """Run the races, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100, help="pairs of each race")
    parser.add_argument("--race", action="append", choices=(*RACES, ROTATIONS), help="only these")
    given = parser.parse_args()
    cells = list[Cell]()
    with standalone(vnets=min(max(given.pairs, LANES), 250)) as (_, deployment):
        there = deployment.cloud.vnet_ids
        ids = [there[number % len(there)] for number in range(given.pairs)]
        for name in given.race or (*RACES, ROTATIONS):
            cells += rotations(deployment, ids) if name == ROTATIONS else race(deployment, name, ids)
    return show("races", "pairs", cells)


if __name__ == "__main__":
    sys.exit(main())
