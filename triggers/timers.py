"""The timers of the app. Every cold start imports this module, so the check of the schedules is in another one."""

import os
from typing import Final, NamedTuple


class Timer(NamedTuple):
    """A timer: its module and function, the setting with its schedule, the default schedule, and its purpose."""

    module: str
    name: str
    setting: str
    default: str
    description: str

    @property
    def schedule(self) -> str:
        """The schedule in force."""
        return os.environ.get(self.setting) or self.default


TIMERS: Final = (
    Timer("health", "check_all_peerings", "HEALTH_CHECK_SCHEDULE", "0 */15 * * * *", "When all peerings are checked."),
    Timer(
        *("resume", "resume_orders", "RESUME_SCHEDULE", "30 */5 * * * *"),
        "When orders without a running execution are started again.",
    ),
    Timer(
        *("resume", "forget_old_runs", "HISTORY_SCHEDULE", "0 17 3 * * *"),
        "When old runs are deleted.",
    ),
)
