"""Runs what the task hub holds: each orchestration and entity by itself, activities side by side, timers when due."""

import asyncio
import heapq
import json
import logging
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from local.clock import Clock, VirtualClock
from local.host import episode
from local.host.history import HTTP_ACTIVITY, EventType, event
from local.host.task_hub import FINAL, ActivityItem, Announcement, Instance, TaskHub
from local.host.worker import Worker

log: Final = logging.getLogger("local.host.engine")
#: Timers are looked at again at least so often, in seconds, in case the machine's clock was set.
_LONGEST_SLEEP: Final = 60.0


class InstanceRunsError(Exception):
    """An instance of that id is running, and host.json says that it must not be replaced."""


class Engine:
    """The dispatcher of a task hub. All of it runs on one event loop; the app's code runs on the worker's threads."""

    def __init__(self, hub: TaskHub, worker: Worker, clock: Clock) -> None:
        self._hub, self._worker, self._clock = hub, worker, clock
        settings = worker.app.durable_settings
        orchestrators = int(settings.get("maxConcurrentOrchestratorFunctions", 16))
        self._limits = {
            "orchestration": orchestrators,
            "entity": int(settings.get("maxConcurrentEntityFunctions", orchestrators)),
            "activity": int(settings.get("maxConcurrentActivityFunctions", 64)),
        }
        self._replaces_running = settings.get("overridableExistingInstanceStates", "AnyState") == "AnyState"
        self._queues: dict[str, deque[str]] = {kind: deque() for kind in self._limits}
        self._queued: set[tuple[str, str]] = set()
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._timers: list[tuple[float, str]] = []
        self._wake = asyncio.Event()
        self._held = 0
        self._timer_task: asyncio.Task[None] | None = None
        self._work: dict[str, Callable[[str], Awaitable[None]]] = {
            "orchestration": self._orchestration,
            "activity": self._activity,
            "entity": self._entity,
        }

    async def start(self) -> None:
        """Take up everything that was under way when the hub was last used."""
        self._announce(self._hub.unfinished())
        self._timer_task = asyncio.create_task(self._fire_timers())

    async def stop(self) -> None:
        """Stop; whatever has not been committed will run again at the next start."""
        tasks = [*self._running.values(), *([self._timer_task] if self._timer_task else [])]
        for queue in self._queues.values():
            queue.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Dispatching.

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._hub.transaction() as announced:
            yield
        self._announce(announced)

    def _announce(self, announced: list[Announcement]) -> None:
        for work in announced:
            if work.due is None:
                self._ready(work.kind, work.key)
            else:
                heapq.heappush(self._timers, (work.due, work.key))
                self._wake.set()

    def _ready(self, kind: str, key: str) -> None:
        if (kind, key) not in self._queued:
            self._queued.add((kind, key))
            self._queues[kind].append(key)
            self._dispatch(kind)

    def _dispatch(self, kind: str) -> None:
        queue, busy = self._queues[kind], sum(1 for running in self._running if running[0] == kind)
        for _ in range(len(queue)):
            if busy >= self._limits[kind]:
                return
            key = queue.popleft()
            if (kind, key) in self._running:
                queue.append(key)
                continue
            self._queued.discard((kind, key))
            self._running[kind, key] = asyncio.create_task(self._run(kind, key))
            busy += 1

    async def _run(self, kind: str, key: str) -> None:
        try:
            await self._work[kind](key)
        except Exception:
            # A defect of this host: the item is still in the hub and runs again at the next start.
            log.exception("%s %s", kind, key)
        finally:
            del self._running[kind, key]
            self._dispatch(kind)
            self._wake.set()

    async def _fire_timers(self) -> None:
        while True:
            self._wake.clear()
            now = self._clock.now().timestamp()
            while self._timers and self._timers[0][0] <= now:
                self._ready("orchestration", heapq.heappop(self._timers)[1])
            if isinstance(self._clock, VirtualClock) and self._timers and self._idle:
                # Whatever is on its way here gets a chance to arrive before time is skipped.
                await asyncio.sleep(0.002)
                if self._idle and self._timers:
                    self._clock.advance_to(datetime.fromtimestamp(self._timers[0][0], UTC))
                continue
            pause = min(self._timers[0][0] - now, _LONGEST_SLEEP) if self._timers else _LONGEST_SLEEP
            with suppress(TimeoutError):
                # Not wait_for, which loses a cancellation that comes together with the event.
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    @property
    def _idle(self) -> bool:
        return not self._running and not self._held and not any(self._queues.values())

    @contextmanager
    def hold_time(self) -> Iterator[None]:
        """A virtual clock is not moved meanwhile: somebody outside is at work."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._wake.set()

    # Work items.

    async def _orchestration(self, instance_id: str) -> None:
        begun = episode.begin(self._hub, instance_id, self._clock.now())
        if begun is None:
            return
        name = begun.instance.name
        answer, crash = {}, ""
        try:
            answer = await self._worker.orchestrator(name, begun.context)
        except Exception as error:
            log.exception("orchestrator=%s instance=%s", name, instance_id)
            crash = str(error) or type(error).__name__
        current = self._hub.instance(instance_id)
        if current is None or current.execution != begun.instance.execution:
            return
        with self._transaction():
            if crash:
                episode.fail(self._hub, begun, crash, self._clock.now())
            else:
                episode.commit(self._hub, begun, answer, self._worker.app.exists, self._clock.now())

    async def _activity(self, number: str) -> None:
        item = self._hub.activity(int(number))
        if item is None:
            return
        try:
            result = await self._activity_result(item)
            fields: dict[str, object] = {"Result": result}
            kind = EventType.TASK_COMPLETED
        except Exception as error:
            log.exception("activity=%s instance=%s", item.name, item.id)
            message = f" {type(error).__name__}: {error}"
            fields = {"Reason": f"Activity function '{item.name}' failed: {message}", "Details": message}
            kind = EventType.TASK_FAILED
        with self._transaction():
            if self._hub.end_activity(item.number):
                answer = event(kind, self._clock.now(), TaskScheduledId=item.task, **fields)
                self._hub.post(item.id, answer, item.execution)

    async def _activity_result(self, item: ActivityItem) -> str | None:
        if item.name == HTTP_ACTIVITY:
            return await _http(json.loads(item.input or "{}"))
        return await self._worker.activity(item.name, item.input, item.id)

    async def _entity(self, entity: str) -> None:
        operations = self._hub.operations(entity)
        if not operations:
            return
        _, name, key = entity.split("@", 2)
        held = self._hub.entity(entity)
        batch = [{"name": m["op"], "input": m.get("input"), "isSignal": m["signal"]} for _, m in operations]
        given = {
            "self": {"name": name, "key": key},
            "exists": held is not None,
            "state": held and held[0],
            "batch": batch,
        }
        try:
            answer = await self._worker.entity(name, json.dumps(given))
        except Exception as error:
            log.exception("entity=%s", entity)
            failed = {"isError": True, "result": json.dumps(str(error))}
            answer = {
                "results": [failed] * len(operations),
                "entityExists": held is not None,
                "entityState": held and held[0],
            }
        now = self._clock.now()
        with self._transaction():
            self._hub.drop_operations([number for number, _ in operations])
            if answer["entityExists"]:
                self._hub.put_entity(entity, answer["entityState"], now)
            else:
                self._hub.delete_entity(entity)
            for (_, message), result in zip(operations, answer["results"], strict=False):
                self._answer_operation(message, result, now)
            for signal in answer.get("signals") or ():
                target = f"@{signal['target']['name'].lower()}@{signal['target']['key']}"
                self._hub.send(target, _signal(signal["name"], signal.get("input")))
            if self._hub.operations(entity, 1):
                self._announce([Announcement("entity", entity)])

    def _answer_operation(self, message: dict[str, Any], result: dict[str, Any], now: datetime) -> None:
        if not message["signal"]:
            body = {"result": result["result"], **({"exceptionType": "Error"} if result["isError"] else {})}
            answer = event(EventType.EVENT_RAISED, now, Name=message["id"], Input=json.dumps(body))
            self._hub.post(message["parent"], answer, message["execution"])

    # What clients ask for; each is one transaction.

    def start_instance(self, name: str, instance_id: str | None, given: str | None, version: str | None = None) -> str:
        """Start an orchestration; returns its id.

        Raises:
            InstanceRunsError: the id belongs to one that runs, and `overridableExistingInstanceStates` protects it.
        """
        instance_id = instance_id or uuid.uuid4().hex
        with self._transaction():
            existing = self._hub.instance(instance_id)
            if existing is not None and existing.status not in FINAL and not self._replaces_running:
                raise InstanceRunsError(f"An Orchestration instance with the status {existing.status} already exists.")
            episode.create(self._hub, instance_id, name, given, version, self._clock.now())
        return instance_id

    def send(self, instance: Instance, kind: EventType, **fields: object) -> None:
        """Send an instance an event: one raised by name, a termination, a suspension or a resumption."""
        with self._transaction():
            self._hub.post(instance.id, event(kind, self._clock.now(), **fields))
            if kind is EventType.EXECUTION_SUSPENDED:
                self._hub.update(instance.id, self._clock.now(), status="Suspended")
            elif kind is EventType.EXECUTION_RESUMED:
                self._hub.update(instance.id, self._clock.now(), status="Running")

    def signal_entity(self, entity: str, operation: str, given: str | None) -> None:
        """Send an entity an operation."""
        with self._transaction():
            self._hub.send(entity, _signal(operation, given))

    def purge(self, instances: list[Instance]) -> int:
        """Forget instances that have ended; returns how many."""
        ended = [instance for instance in instances if instance.status in FINAL]
        with self._transaction():
            for instance in ended:
                self._hub.delete_instance(instance.id)
        return len(ended)

    def rewind(self, instance: Instance, reason: str | None) -> None:
        """Take a failed instance, and the failed ones below it, back to before its failures."""
        with self._transaction():
            self._rewind(instance, reason)

    def _rewind(self, instance: Instance, reason: str | None) -> None:
        events = [json.loads(text) for text in self._hub.history(instance.id)]
        failures = {EventType.TASK_FAILED, EventType.SUB_ORCHESTRATION_INSTANCE_FAILED}
        failed = {past["TaskScheduledId"] for past in events if past["EventType"] in failures}
        kept = []
        for past in events:
            if past["EventType"] in failures or past["EventType"] == EventType.EXECUTION_COMPLETED:
                continue
            if past["EventType"] == EventType.TASK_SCHEDULED and past["EventId"] in failed:
                continue
            if past["EventType"] == EventType.SUB_ORCHESTRATION_INSTANCE_CREATED and past["EventId"] in failed:
                child = self._hub.instance(past["InstanceId"])
                if child is not None:
                    self._rewind(child, reason)
            kept.append(past)
        self._hub.clear(instance.id, messages=False)
        self._hub.append(instance.id, 0, kept)
        self._hub.update(instance.id, self._clock.now(), status="Running", output=None)
        self._hub.post(instance.id, event(EventType.GENERIC_EVENT, self._clock.now(), Data=f"rewind: {reason}"))


def _signal(operation: str, given: str | None) -> dict[str, Any]:
    return {"op": operation, "signal": True, "id": str(uuid.uuid4()), "input": given}


async def _http(request: dict[str, Any]) -> str:
    async with httpx.AsyncClient(timeout=100) as client:
        answer = await client.request(
            request["method"], request["uri"], content=request.get("content"), headers=request.get("headers")
        )
    return json.dumps({"statusCode": answer.status_code, "headers": dict(answer.headers), "content": answer.text})
