"""Losing one call of the worker in the course of one operation, while others go on beside it."""

import json
import threading
from collections import Counter
from dataclasses import dataclass, field

from local.genuine import Verdict, WorkerCall


@dataclass(frozen=True)
class Loss:
    """Which call is lost: a function's, by its number in the course of an operation, before or after it has run."""

    name: str
    number: int
    verdict: Verdict

    def __str__(self) -> str:
        return f"{self.name} {self.number} {'before' if self.verdict is Verdict.LOSE_BEFORE else 'after'}"


@dataclass
class Course:
    """The calls of one operation so far, and the one that is lost, if one is."""

    loss: Loss | None = None
    calls: list[tuple[str, int]] = field(default_factory=list)
    is_met: bool = False
    _seen: Counter[str] = field(default_factory=Counter)

    def decide(self, name: str) -> Verdict:
        """Note a call; what becomes of it."""
        self._seen[name] += 1
        self.calls.append((name, self._seen[name]))
        if self.loss is None or self.is_met or (self.loss.name, self.loss.number) != self.calls[-1]:
            return Verdict.RUN
        self.is_met = True
        return self.loss.verdict


class Losing:
    """An interceptor that tells the operations under way apart by what their calls name."""

    def __init__(self) -> None:
        self._by_instance: dict[str, Course] = {}
        self._by_project_vpc: dict[str, Course] = {}
        self._lock = threading.Lock()

    def follow(self, loss: Loss | None, instance: str, project_vpc_id: str = "") -> Course:
        """Follow the calls that name an instance, and those that name nothing but its project VPC.

        Without a project VPC these are all calls that name no other instance.
        """
        course = Course(loss)
        with self._lock:
            self._by_instance[instance] = self._by_project_vpc[project_vpc_id] = course
        return course

    async def __call__(self, call: WorkerCall) -> Verdict:
        """Decide about a call."""
        told = str(json.loads(call.body).get("instanceId")) if call.kind == "orchestration" else call.body
        with self._lock:
            for courses in (self._by_instance, self._by_project_vpc):
                for mark, course in courses.items():
                    if mark in told:
                        return course.decide(call.name)
        return Verdict.RUN
