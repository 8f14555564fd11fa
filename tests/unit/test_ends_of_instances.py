"""Ending an instance: how long it may take, and what is told of one that does not end."""

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest

from clients import durable
from clients.durable import DurableClient, end_instance


class Engine:
    """Durable's client: its instance is seen to run so often after it was terminated."""

    def __init__(self, looks: int) -> None:
        self.left, self.ended = looks, list[tuple[str, str]]()

    async def terminate(self, instance_id: str, reason: str) -> None:
        self.ended.append((instance_id, reason))

    async def get_status(self, _: str) -> SimpleNamespace:
        self.left -= 1
        return SimpleNamespace(runtime_status=SimpleNamespace(name="Running" if self.left >= 0 else "Terminated"))


@pytest.mark.parametrize(("looks", "has_ended"), [(0, True), (3, True), (1000, False)])
def test_one_is_terminated_once_and_looked_at_until_it_has_ended(
    monkeypatch: pytest.MonkeyPatch, looks: int, has_ended: bool
) -> None:
    monkeypatch.setattr(durable, "_PAUSE", 0.0)
    engine = Engine(looks)
    assert asyncio.run(end_instance(cast("DurableClient", engine), "one", "why")) is has_ended
    assert engine.ended == [("one", "why")]
