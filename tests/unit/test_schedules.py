"""What the self-check takes for a schedule: what the Functions host takes, which leaves a timer out with another."""

import pytest

from triggers.schedules import faults, is_schedule
from triggers.timers import TIMERS


@pytest.mark.parametrize(
    "text",
    [
        *(timer.default for timer in TIMERS),
        "* * * * * *",
        "*/15 * * * *",
        "0 0 0 1 1 *",
        "0 30 9 * * Mon-Fri",
        "0 0 5,8-10/2,23 31 Jan,12 0",
    ],
)
def test_a_schedule_is_one(text: str) -> None:
    assert is_schedule(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "every day",
        "* * * *",
        "* * * * * * *",
        "60 * * * * *",
        "0 0 24 * * *",
        "0 0 0 0 1 *",
        "0 0 0 1-32 1 *",
        "0 0 0 1 13 *",
        "0 0 0 * * 7",
        "0 */0 * * * *",
        "0 1, * * * *",
        "00:15:00",
        "%OTHER%",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert not is_schedule(text)


def test_a_wrong_schedule_is_told_with_the_one_that_holds_without(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [fault for _, fault in faults()] == [None, None, None]
    monkeypatch.setenv("RESUME_SCHEDULE", "every day")
    found = {timer.setting: fault for timer, fault in faults()}
    assert found["RESUME_SCHEDULE"] == {
        "code": "setting-invalid",
        "detail": "RESUME_SCHEDULE: must be an NCRONTAB expression of six fields, such as 30 */5 * * * *.",
    }
    assert found["HISTORY_SCHEDULE"] is None
