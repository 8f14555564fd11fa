"""Runs the work in the task hub: each orchestration and entity by itself, activities in parallel, timers when due."""

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

from local.clock import Clock, VirtualClock
from local.host import episode
from local.host.activity_calls import ActivityCalls
from local.host.history import EventType, event, parse_timestamp
from local.host.hostility import RACE, Hostility, Kind
from local.host.task_hub import FINAL, Announcement, Instance, TaskHub
from local.host.worker import Worker, WorkerRestartedError

log: Final = logging.getLogger("local.host.engine")
#: The longest time in seconds between two polls of the timers, in case the machine's clock was set.
_LONGEST_SLEEP: Final = 60.0
#: How often, in seconds, an idle engine on a virtual clock asks whether something else is waited for.
_ASK_EVERY: Final = 0.05


class InstanceRunsError(Exception):
    """An instance of that id is running, and host.json says that it must not be replaced."""


class Engine:
    """The dispatcher of a task hub. All of it runs on one event loop; the app's code runs on the worker's threads."""

    def __init__(self, hub: TaskHub, worker: Worker, clock: Clock, hostility: Hostility | None = None) -> None:
        self._hub, self._worker, self._clock = hub, worker, clock
        self._hostility = hostility or Hostility.none()
        settings = worker.app.durable_settings
        orchestrators = int(settings.get("maxConcurrentOrchestratorFunctions", 16))
        self._limits = {
            "orchestration": orchestrators,
            "entity": int(settings.get("maxConcurrentEntityFunctions", orchestrators)),
            "activity": int(settings.get("maxConcurrentActivityFunctions", 64)),
        }
        self._replaces_running = settings.get("overridableExistingInstanceStates", "NonRunningStates") == "AnyState"
        self._queues: dict[str, deque[str]] = {kind: deque() for kind in self._limits}
        self._queued: set[tuple[str, str]] = set()
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._timers: list[tuple[float, str]] = []
        self._wake = asyncio.Event()
        self._calls = ActivityCalls(worker, self._hostility, self._wake.set)
        self._held = 0
        #: The next time that a caller outside the task hub waits for; a virtual clock is moved there as well.
        self.awaited_moment: Callable[[], datetime | None] | None = None
        self._timer_task: asyncio.Task[None] | None = None
        self._work: dict[str, Callable[[str], Awaitable[None]]] = {
            "orchestration": self._orchestration,
            "activity": self._activity,
            "entity": self._entity,
        }

    async def start(self) -> None:
        """Continue the unfinished work in the hub."""
        self._announce(self._hub.unfinished())
        self._timer_task = asyncio.create_task(self._fire_timers())

    async def stop(self) -> None:
        """Stop; work that has not been committed runs again at the next start."""
        tasks = [*self._running.values(), *([self._timer_task] if self._timer_task else [])]
        for queue in self._queues.values():
            queue.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._calls.stop()

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
                instance = self._hub.instance(work.key)
                late = self._hostility.lateness(instance.name, instance.id) if instance else 0
                heapq.heappush(self._timers, (work.due + late, work.key))
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
            # An error of this host: the item is still in the hub and runs again at the next start.
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
            if isinstance(self._clock, VirtualClock) and self._idle and self._next_moment() is not None:
                # Pending callbacks may add work before time is skipped.
                await asyncio.sleep(0.002)
                if self._idle and (moment := self._next_moment()) is not None:
                    self._clock.advance_to(moment)
                continue
            pause = min(self._timers[0][0] - now, _LONGEST_SLEEP) if self._timers else _LONGEST_SLEEP
            pause = pause if self.awaited_moment is None else min(pause, _ASK_EVERY)
            with suppress(TimeoutError):
                # Not wait_for, which loses a cancellation that comes together with the event.
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    def _next_moment(self) -> datetime | None:
        """When the next durable timer fires, or the next awaited trigger, whichever is first."""
        moments = [datetime.fromtimestamp(self._timers[0][0], UTC)] if self._timers else []
        if self.awaited_moment is not None and (awaited := self.awaited_moment()) is not None:
            moments.append(awaited)
        return min(moments, default=None)

    @property
    def has_timers(self) -> bool:
        """Whether a durable timer is pending."""
        return bool(self._timers)

    @property
    def _idle(self) -> bool:
        return not self._running and self._calls.idle and not self._held and not any(self._queues.values())

    @contextmanager
    def hold_time(self) -> Iterator[None]:
        """Keep a virtual clock from being moved while work outside the engine is in progress."""
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
        if not crash and self._hostility.strikes(Kind.ORCHESTRATOR_FAILED, name, instance_id):
            crash = "The language worker ended before it answered."
        current = self._hub.instance(instance_id)
        if current is None or current.execution != begun.instance.execution:
            return
        self._hostility.changes(current)
        with self._transaction():
            if crash:
                episode.fail(self._hub, begun, crash, self._clock.now())
            else:
                episode.commit(self._hub, begun, answer, self._worker.app.exists, self._clock.now())
        self._note_end(begun.instance, crashed=bool(crash))

    def _note_end(self, begun: Instance, *, crashed: bool) -> None:
        after = self._hub.instance(begun.id)
        if crashed or after is None or after.status == "Completed" or after.execution != begun.execution:
            self._hostility.note_end(begun.id, well=not crashed)

    async def _activity(self, number: str) -> None:
        item = self._hub.activity(int(number))
        if item is None:
            return
        try:
            result = await self._calls.result(item)
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
            repeated = self._hostility.strikes(Kind.ENTITY_REPEATED, name, entity)
        except WorkerRestartedError:
            repeated = True
        except Exception as error:
            log.exception("entity=%s", entity)
            failed = {"isError": True, "result": json.dumps(str(error))}
            answer = {
                "results": [failed] * len(operations),
                "entityExists": held is not None,
                "entityState": held and held[0],
            }
            repeated = False
        if repeated:
            self._announce([Announcement("entity", entity)])
            return
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

    # Clients' requests, each in one transaction.

    def start_instance(self, name: str, instance_id: str | None, given: str | None, version: str | None = None) -> str:
        """Start an orchestration; returns its id.

        Raises:
            InstanceRunsError: the id belongs to one that runs, and `overridableExistingInstanceStates` protects it.
        """
        instance_id, now = instance_id or uuid.uuid4().hex, self._clock.now()
        existing = self._hub.instance(instance_id)
        if existing is not None and existing.status not in FINAL and not self._replaces_running:
            young = now - parse_timestamp(existing.created) < RACE
            if not young or not self._hostility.strikes(Kind.RACING_START, name, instance_id):
                raise InstanceRunsError(f"An Orchestration instance with the status {existing.status} already exists.")
            if existing.status != "Pending" or self._hostility.either(Kind.RACING_START, name):
                return instance_id
        if self._hostility.strikes(Kind.LOST_START, name, instance_id):
            return instance_id
        with self._transaction():
            episode.create(self._hub, instance_id, name, given, version, now)
            if self._hostility.strikes(Kind.PENDING_START, name, instance_id):
                self._hub.take_all_messages(instance_id)
        return instance_id

    def send(self, instance: Instance, kind: EventType, **fields: object) -> None:
        """Send an instance an event: one raised by name, a termination, a suspension or a resumption."""
        early = kind is EventType.EVENT_RAISED and instance.status == "Pending"
        if early and self._hostility.strikes(Kind.LOST_EVENT, instance.name, instance.id):
            return
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


def _signal(operation: str, given: str | None) -> dict[str, Any]:
    return {"op": operation, "signal": True, "id": str(uuid.uuid4()), "input": given}
