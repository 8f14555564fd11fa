"""Records what the workflows of this version do: `python -m tests.histories.record 0.3.0` at the release of 0.3.0."""

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from local.cloud import Scenario
from local.deployment import Deployment, deploy, peered_with
from local.host.worker import Worker
from peering.aiven_vpc import KINDS
from peering.runs import delivery_instance_id
from tests.histories.replay import FOLDER, Episode, actions_of, keep

#: What is waited for, and how long, so that the histories have waits of every kind.
SCENARIO: Final = Scenario(role_effective=30, approved=40, detect=20, operation=5, secret_accepted=10, deleted=30)

#: Nobody takes the events, and they are not sent for long.
SETTINGS: Final = {
    "WEBHOOK_URL": "https://events.invalid/",
    "WEBHOOK_SECRET": "a-key-for-nobody",
    "PLATFORM_DEADLINE_HOURS": "1",
}


@contextmanager
def recorded() -> Iterator[list[Episode]]:
    """The episodes, from now on, in which a workflow came to its end or continued as new; one of each course."""
    found, run = dict[str, Episode](), Worker.orchestrator

    async def recording(worker: Worker, name: str, context: str) -> dict[str, Any]:
        state = await run(worker, name, context)
        if state["isDone"] and "error" not in state:
            episode = Episode(name, context, actions_of(state))
            found.setdefault(json.dumps([name, _course(episode)]), episode)
        return state

    Worker.orchestrator = recording  # type: ignore[method-assign, assignment]
    episodes = list[Episode]()
    try:
        yield episodes
    finally:
        Worker.orchestrator = run  # type: ignore[method-assign]
        episodes += found.values()


def _course(episode: Episode) -> list[str]:
    """What a workflow did, without how often and without the ids that differ from run to run."""
    return sorted({" ".join(action[:3]) for action in episode.actions})


def life(deployment: Deployment) -> None:
    """Everything that a peering may live through."""
    status = deployment.settle()
    identity, facts = status["id"], status["facts"]
    deployment.check(identity)
    deployment.event(kind="delete-vnet-peering", vnet_id=facts["vnet_id"], remote_id=facts["to_network_id"])
    deployment.check(identity)
    deployment.rotate(identity)
    deployment.fire("check_all_peerings")
    deployment.until_ended("health-sweep")
    deployment.until_ended(delivery_instance_id(identity))
    deployment.settle(privilege="setup-only")
    deployment.remove(identity)
    deployment.start()
    deployment.remove(identity)
    deployment.knobs(outcome="ERROR")
    deployment.settle(on_failure="rollback")


def main() -> None:
    """Play the lives and write what the workflows did."""
    parser = argparse.ArgumentParser(prog="python -m tests.histories.record", description=__doc__)
    parser.add_argument("release", help="the version, or `unreleased`")
    given = parser.parse_args()
    with recorded() as episodes:
        for kind in KINDS:
            with (
                tempfile.TemporaryDirectory() as directory,
                peered_with(kind),
                deploy(Path(directory), SCENARIO, settings=SETTINGS) as one,
            ):
                life(one)
    keep(FOLDER / f"{given.release}.jsonl", episodes)


if __name__ == "__main__":
    main()
