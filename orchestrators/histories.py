"""Durable's histories, which the SDK reads again at every replay."""

import sys
from functools import lru_cache
from typing import Final

from azure.durable_functions.models.history import HistoryEvent

#: The number of cached timestamps: enough for the current runs on one instance of the app.
_REMEMBERED: Final = 8192


def remember_moments() -> None:
    """Let the SDK parse each timestamp of a history once instead of at every replay.

    azure-functions-durable lets dateutil guess the format of each, which takes a quarter of the time of replays
    (measured with 1.x on Python 3.11).
    """
    read = vars(sys.modules[HistoryEvent.__module__])
    if not hasattr(read["dt_parse"], "cache_info"):
        read["dt_parse"] = lru_cache(_REMEMBERED)(read["dt_parse"])
