"""The time that what paces requests lives by."""

from datetime import UTC, datetime, timedelta

import pytest

from activities import turns
from clients import budgets, shared_reads


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
    # These names may refer to other modules by now: the local host reimports the app.
    for module in (budgets, shared_reads, turns):
        monkeypatch.setattr(module, "registry", lambda: time)
    return time
