"""Loses calls of the worker where the host is hostile: what an engine in another process can be shown of that."""

import json

from local.genuine.worker_calls import Verdict, WorkerCall
from local.host.hostility import Hostility, Kind


class HostileCalls:
    """An interceptor that asks a `Hostility`, and tells it of instances that end."""

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
        return Verdict.RUN

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
