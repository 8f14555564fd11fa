"""The time that what paces requests lives by."""

from datetime import UTC, datetime, timedelta

import pytest


class Time:
    """A time that a test moves; it stands in for the registry, which has the service's."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def pass_by(self, seconds: float) -> None:
        """Move it on."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def time_of_budgets(monkeypatch: pytest.MonkeyPatch) -> Time:
    """What budgets, turns and shared reads take for the present moment."""
    time = Time()
    for module in ("clients.budgets", "clients.shared_reads", "activities.turns"):
        monkeypatch.setattr(f"{module}.registry", lambda: time)
    return time
