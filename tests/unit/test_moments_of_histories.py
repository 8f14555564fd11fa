"""The SDK reads a moment of a history once, as it would read it itself."""

import json
import subprocess
import sys

_PROGRAM = """
import json, sys
from azure.durable_functions.models.history import HistoryEvent
from azure.durable_functions.models.history.HistoryEventType import HistoryEventType

parse, parsed = sys.modules[HistoryEvent.__module__].dt_parse, []
sys.modules[HistoryEvent.__module__].dt_parse = lambda text: parsed.append(text) or parse(text)
if LEAN:
    from orchestrators.histories import remember_moments
    remember_moments()
    remember_moments()
moments = ["2026-11-29T14:25:32.4034291Z", "2026-11-29T14:25:32Z", "2026-11-29T14:25:32.403429+00:00"] * 3
events = [HistoryEvent(HistoryEventType.TIMER_FIRED, 1, False, moment, TimerId=1) for moment in moments]
print(json.dumps([[[event.timestamp.isoformat(), str(event.timestamp.tzinfo)] for event in events], len(parsed)]))
"""


def _read(*, lean: bool) -> tuple[object, int]:
    program = _PROGRAM.replace("LEAN", str(lean))
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    moments, parsed = json.loads(result.stdout)
    return moments, parsed


def test_the_same_moments_are_read_with_one_reading_of_each() -> None:
    usual, every_time = _read(lean=False)
    assert _read(lean=True) == (usual, 3)
    assert every_time == 9
