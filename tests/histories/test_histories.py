"""What released versions have begun, today's orchestrators carry on: each history leads them to the same actions."""

import asyncio
from collections.abc import Iterator
from itertools import pairwise

import pytest

from local.host.worker import Worker
from orchestrators.blueprint import WORKFLOWS
from tests.histories.replay import FOLDER, kept, replayed, worker

#: The number of the action that calls an activity.
_CALL_ACTIVITY = "0"
RELEASES = sorted(FOLDER.glob("*.jsonl"))


@pytest.fixture(scope="module")
def app() -> Iterator[Worker]:
    with worker() as loaded:
        yield loaded


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.stem)
def test_what_a_release_began_goes_on(app: Worker, release: str) -> None:
    episodes = kept(FOLDER / release)
    assert {episode.workflow for episode in episodes} == set(WORKFLOWS)
    for episode in episodes:
        assert asyncio.run(replayed(app, episode)) == episode.actions


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.stem)
def test_what_a_release_may_still_call_is_registered(app: Worker, release: str) -> None:
    actions = [action for episode in kept(FOLDER / release) for action in episode.actions]
    called = {name for action in actions for kind, name in pairwise(action) if kind == _CALL_ACTIVITY}
    assert len(called) > 30
    assert {name for name in called if not app.app.exists("activity", name)} == set()


def test_an_orchestrator_that_does_something_else_is_noticed(app: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    episode = next(e for e in kept(RELEASES[-1]) if ["0", "take_order"] in e.actions and len(e.actions) > 3)
    assert asyncio.run(replayed(app, episode)) == episode.actions
    monkeypatch.setattr("orchestrators.run.LOOK_AHEAD", "look_behind")
    assert asyncio.run(replayed(app, episode)) != episode.actions
