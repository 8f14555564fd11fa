"""`make engine-hub`: the task hub does not grow, however many sweeps, starts and removals there were."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from rich.console import Console
from rich.table import Table

from local.deployment import Deployment
from local.genuine import genuine_engine
from tests.engine.deployments import standalone
from tests.engine.figures import side_by_side
from tests.engine.storage_account import HubSize, hub_size
from tests.engine.sweeps import swept

#: Peerings that the sweeps look at.
PEERINGS: Final = 10
LANES: Final = 5
#: What is done again and again.
Round = Callable[[], object]
_BETWEEN_SWEEPS: Final = timedelta(minutes=15)
_A_WHILE: Final = timedelta(hours=1, minutes=2)


@dataclass(frozen=True)
class Growth:
    """The task hub an hour after something was done once, after it was done many times, and an hour later."""

    done: str
    once: HubSize
    at_once: HubSize
    later: HubSize

    @property
    def is_wrong(self) -> bool:
        """Whether more was left behind by many than by one."""
        return any(new > old for new, old in zip(_parts(self.later), _parts(self.once), strict=True))


def _parts(size: HubSize) -> tuple[int, int, int]:
    return size.instances, size.history, size.blobs


def growths(storage: str, deployment: Deployment, rounds: int, peerings: int = PEERINGS) -> list[Growth]:
    """Measure the task hub after one and after many sweeps, and after one and many lives of a peering.

    Args:
        storage: the connection string of the task hub's account.
        deployment: has `LANES` VNets more than `peerings`.
        rounds: how many are many.
        peerings: how many the sweeps look at.
    """
    there, clock = deployment.cloud.vnet_ids, deployment.virtual_clock
    looked_at, others = there[:peerings], there[peerings:][:LANES]

    def sweep() -> None:
        swept(deployment)
        clock.advance_to(clock.now() + _BETWEEN_SWEEPS)

    def life(vnet_id: str) -> None:
        deployment.remove(deployment.settle(vnet_id=vnet_id)["id"])

    def lives_of_a_lane(lane: int) -> None:
        for _ in range(lane, rounds, LANES):
            life(others[lane])

    def many_lives() -> None:
        side_by_side(lives_of_a_lane, range(LANES), LANES)

    def many_sweeps() -> None:
        for _ in range(rounds):
            sweep()

    identities = side_by_side(lambda v: str(deployment.settle(vnet_id=v)["id"]), looked_at, LANES)
    found = [
        _growth(storage, deployment, "sweeps", sweep, many_sweeps),
        _growth(storage, deployment, "starts and removals", lambda: life(others[0]), many_lives),
    ]
    side_by_side(deployment.remove, identities, LANES)
    return found


def _growth(storage: str, deployment: Deployment, done: str, one: Round, many: Round) -> Growth:
    one()
    once = _later(storage, deployment)
    many()
    at_once = hub_size(storage, genuine_engine(deployment.host).task_hub)
    return Growth(done, once, at_once, _later(storage, deployment))


def _later(storage: str, deployment: Deployment) -> HubSize:
    """The size after the resume timer has run an hour later."""
    # A removal is told as soon as its row has gone, and its instance ends just after.
    for instance in deployment.instances():
        deployment.until_ended(instance["instanceId"])
    clock = deployment.virtual_clock
    clock.advance_to(clock.now() + _A_WHILE)
    deployment.fire("resume_orders")
    return hub_size(storage, genuine_engine(deployment.host).task_hub)


def show(found: Sequence[Growth], rounds: int) -> int:
    """Print the sizes; returns the exit code of the program."""
    columns = ("", "an hour after one", f"after {rounds} more", "an hour later", "grown")
    table = Table(*columns, title="the size of the task hub")
    for one in found:
        table.add_row(one.done, *map(str, (one.once, one.at_once, one.later)), "yes" if one.is_wrong else "no")
    Console(width=200).print(table)
    return 1 if any(one.is_wrong for one in found) else 0


def main() -> int:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="how many sweeps, and how many starts and removals")
    parser.add_argument("--peerings", type=int, default=PEERINGS, help="how many peerings the sweeps look at")
    given = parser.parse_args()
    with standalone(vnets=given.peerings + LANES) as (platform, deployment):
        found = growths(platform.storage, deployment, given.rounds, given.peerings)
    return show(found, given.rounds)


if __name__ == "__main__":
    sys.exit(main())
