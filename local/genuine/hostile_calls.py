"""Loses or repeats calls of the worker if the host is hostile, for an engine in another process."""

import json

from local.genuine.worker_calls import Verdict, WorkerCall
from local.host.hostility import Hostility, Kind


class HostileCalls:
    """An interceptor that asks a `Hostility`, and reports ended instances to it."""

    def __init__(self, hostility: Hostility) -> None:
        self._hostility = hostility

    async def __call__(self, call: WorkerCall) -> Verdict:
        """Decide about a call."""
        strikes = self._hostility.strikes
        match call.kind:
            case "orchestration" if strikes(Kind.ORCHESTRATOR_FAILED, call.name, instance_of(call)):
                return Verdict.LOSE_AFTER
            case "activity" if strikes(Kind.ACTIVITY_NOT_RUN, call.name):
                return Verdict.LOSE_BEFORE
            case "activity" if strikes(Kind.ACTIVITY_RESULT_LOST, call.name):
                return Verdict.LOSE_AFTER
            case "activity" if strikes(Kind.ACTIVITY_TWICE, call.name):
                return Verdict.RUN_TWICE
        return Verdict.RUN

    def second_after(self, call: WorkerCall) -> float:
        """The seconds until the second of two calls begins."""
        return self._hostility.soon(Kind.ACTIVITY_TWICE, call.name)

    def answered(self, call: WorkerCall, answer: str) -> None:
        """An episode has been answered: its instance may have ended."""
        if self._hostility.is_hostile and json.loads(answer).get("isDone"):
            self._hostility.note_end(instance_of(call), well=True)

    def lost(self, call: WorkerCall) -> None:
        """An episode has been lost: its instance has failed."""
        self._hostility.note_end(instance_of(call), well=False)


def instance_of(call: WorkerCall) -> str:
    """The instance that an orchestrator is called for."""
    return str(json.loads(call.body)["instanceId"])
