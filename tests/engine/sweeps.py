"""Every worker call of a sweep is lost, before and after it ran."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any, Final

from local.deployment import Deployment
from local.genuine import Verdict, genuine_engine
from peering.runs import SWEEP
from tests.engine.figures import Cell, cell, side_by_side
from tests.engine.losing import Losing, Loss

SWEPT: Final = "sweep"
_PEERINGS: Final = 3
#: A peering may be unknown to a sweep that one of these was lost in.
_LOOKS: Final = frozenset({"look_at_secrets", "look_at_project_vpcs", "look_at_assignments", "check_vnets"})


def swept(deployment: Deployment) -> dict[str, Any]:
    """Sweep, and wait for the end."""
    deployment.fire("check_all_peerings")
    return deployment.until_ended(SWEEP)


def sweep_cells(deployment: Deployment, every: int = 1, most: int | None = None) -> list[Cell]:
    """Sweep some peerings again and again, with another lost call each time.

    Args:
        deployment: gets some peerings for that time.
        every: take one of so many cells.
        most: at most so many cells.
    """
    losing = Losing()
    genuine_engine(deployment.host).intercept(losing)
    statuses = side_by_side(lambda v: deployment.settle(vnet_id=v), deployment.cloud.vnet_ids[-_PEERINGS:], _PEERINGS)
    identities = [str(status["id"]) for status in statuses]
    for identity in identities:
        deployment.until_ended(identity)
    course = losing.follow(None, SWEEP)
    swept(deployment)
    cells = list[Cell]()
    for verdict, call in list(product((Verdict.LOSE_BEFORE, Verdict.LOSE_AFTER), course.calls))[::every][:most]:
        loss = Loss(*call, verdict)
        course = losing.follow(loss, SWEEP)
        one = cell(SWEPT, str(loss), partial(_with_a_loss, deployment, loss, identities))
        cells.append(replace(one, is_missed=not course.is_met))
    side_by_side(deployment.remove, identities, _PEERINGS)
    return cells


def _with_a_loss(deployment: Deployment, loss: Loss, identities: list[str]) -> Iterator[str]:
    """Sweep with a lost call. One that lost an episode of its orchestrator has failed; the next one comes in time."""
    ended = swept(deployment)
    if ended["runtimeStatus"] == "Failed" and loss.name == "check_health":
        ended = swept(deployment)
    if (
        ended["runtimeStatus"] != "Completed"
        or ended["output"] is None
        or ended["output"]["checked"] != len(identities)
    ):
        yield f"{ended['runtimeStatus']}: {ended['output']}"
    allowed = {"healthy", *(["unknown"] if loss.name in _LOOKS else [])}
    verdicts = {deployment.status(identity)["health"]["verdict"] for identity in identities}
    if not verdicts <= allowed:
        yield f"verdicts {', '.join(sorted(verdicts))}"
