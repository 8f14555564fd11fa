"""One random life: what callers ask for, in what order, and what they are answered."""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Any, Final, cast

import httpx

from local.cloud import Scenario
from local.deployment import Deployment, deploy
from local.genuine import GenuineEngine, genuine_engine
from peering.naming import peering_id
from tests.lives.broken import broken_app
from tests.lives.judge import Judge
from tests.lives.trouble import EXPLAINS, delays, event, faults

#: What a life is made of: how often each thing is chosen.
CHOICES: Final = {
    "start": 4,
    "start with other options": 1,
    "start with a rollback": 1,
    "check": 3,
    "rotate": 2,
    "cancel": 1,
    "remove": 2,
    "sweep": 1,
    "break": 3,
    "faults": 3,
    "rest": 4,
}
#: What else a life on the genuine engine is made of.
ENGINE_CHOICES: Final = {**CHOICES, "kill": 1}
#: What the starts ask for beside the pair.
_OPTIONS: Final[dict[str, dict[str, object]]] = {
    "start": {},
    "start with other options": {"allow_forwarded_traffic": True},
    "start with a rollback": {"on_failure": "rollback"},
}
_OPERATIONS: Final = (7, 12)
_PEERINGS: Final = 2
#: After so long the leases and messages of an engine that was killed have come back.
_STANDSTILL: Final = timedelta(minutes=6)
#: The longest pause between two requests, and how long a life waits for a peering's rest, in the machine's seconds.
_PAUSE: Final = 0.4
_REST: Final = 6.0


@dataclass(frozen=True)
class Place:
    """A VNet and a project VPC, and the id of their peering."""

    identity: str
    vnet_id: str
    project_vpc_id: str


@dataclass(frozen=True)
class Asked:
    """One thing that was done in a life; `status` and `answer` are what came of a request."""

    what: str
    place: int
    moment: str
    status: int
    answer: dict[str, Any]

    @property
    def is_accepted(self) -> bool:
        """Whether a caller was promised a result."""
        return self.status == HTTPStatus.ACCEPTED

    def __str__(self) -> str:
        shown = ("run", "joined", "superseded", "code", "detail", "event", "faults", "state")
        answer = ", ".join(f"{name}={self.answer[name]}" for name in shown if name in self.answer)
        return f"{self.moment} {self.what} peering {self.place}: {self.status or ''} {answer}"


@dataclass
class Life:
    """How a life went: what is wrong with its end, if anything, and all that led there."""

    seed: int
    wrong: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    seconds: float = 0

    def __str__(self) -> str:
        """What there is to say of a red life."""
        parts = {"wrong": self.wrong, "operations": self.asked, "struck": self.struck}
        listed = [f"{name}:\n" + "\n".join(f"  {line}" for line in lines) for name, lines in parts.items()]
        return "\n".join([f"seed {self.seed}, {self.seconds:.0f} s", *listed])


class Living:
    """A deployment, and the dice that decide what happens to it."""

    def __init__(self, deployment: Deployment, seed: int) -> None:
        self.deployment, self.dice = deployment, Random(f"life {seed}")
        self.asked: list[Asked] = []
        #: Operations of each peering, and the problems that they may end with because of damage to it.
        self.explained: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self._choices = ENGINE_CHOICES if isinstance(deployment.host.engine, GenuineEngine) else CHOICES
        request = deployment.request()
        project, vpc = str(request["project"]), str(request["project_vpc_id"])
        self.places = [
            Place(peering_id(project, vpc, vnet), vnet, vpc) for vnet in deployment.cloud.vnet_ids[:_PEERINGS]
        ]

    def go_on(self) -> None:
        """Let one thing happen, and maybe a pause."""
        (what,) = self.dice.choices(list(self._choices), list(self._choices.values()))
        number = self.dice.randrange(len(self.places))
        if what == "break" and "connected" not in self._record(self.places[number]):
            what = "start"
        self.do("start" if not self.asked else what, number)
        time.sleep(self.dice.choice((0, 0, self.dice.uniform(0, _PAUSE))))

    def do(self, what: str, number: int) -> None:
        """Let something happen to a peering."""
        place = self.places[number]
        others: dict[str, Callable[[], dict[str, object]]] = {
            "sweep": self._sweep,
            "break": lambda: self._break(place),
            "faults": self._remote_faults,
            "rest": lambda: self._rest(place),
            "kill": self._kill_engine,
        }
        moment = f"{self.deployment.clock.now():%H:%M:%S.%f}"
        if what in others:
            self.asked.append(Asked(what, number, moment, 0, others[what]()))
            return
        status, answer = self._request(what, place)
        self.asked.append(Asked(what, number, moment, status, answer))

    def _request(self, what: str, place: Place) -> tuple[int, dict[str, Any]]:
        method, path, body = "POST", f"/api/peerings/{place.identity}", None
        if what.startswith("start"):
            path = "/api/peerings"
            body = self.deployment.request(vnet_id=place.vnet_id, **_OPTIONS[what])
        elif what == "remove":
            method = "DELETE"
        else:
            path += f"/{what}"
        try:
            answer = self.deployment.api.request(method, path, json=body)
            return answer.status_code, cast("dict[str, Any]", answer.json())
        except (httpx.HTTPError, ValueError) as error:
            return 0, {"detail": str(error)}

    def _sweep(self) -> dict[str, object]:
        self.deployment.fire("check_all_peerings")
        return {}

    def _break(self, place: Place) -> dict[str, object]:
        broken = event(self.deployment, place.identity, place.vnet_id, place.project_vpc_id, self.dice)
        answer = httpx.post(f"{self.deployment.cloud.admin_url}/events", json=broken, trust_env=False)
        self.explained[place.identity] |= EXPLAINS.get(str(broken["kind"]), frozenset())
        return {"event": broken, "detail": answer.text}

    def _remote_faults(self) -> dict[str, object]:
        chosen = faults(self.dice)
        self.deployment.knobs(faults=chosen)
        return {"faults": chosen}

    def _rest(self, place: Place) -> dict[str, object]:
        """Wait until no order of a peering is open, or for some seconds."""
        deadline = time.monotonic() + _REST * self.deployment.patience
        while "order" in self._record(place) and time.monotonic() < deadline:
            time.sleep(0.05)
        return {"state": self._record(place).get("state", "none")}

    def _kill_engine(self) -> dict[str, object]:
        """`kill -9` of the engine's process; another one takes its place."""
        engine, clock = genuine_engine(self.deployment.host), self.deployment.virtual_clock
        with engine.hold_time():
            engine.kill(engine.processes[0])
            engine.launch()
        clock.advance_to(clock.now() + _STANDSTILL)
        return {}

    def _record(self, place: Place) -> dict[str, Any]:
        try:
            return self.deployment.record(place.identity)
        except LookupError:
            return {}


def live(seed: int, directory: Path, broken: str | None = None) -> Life:
    """Live one life and judge its end; returns how it went.

    Args:
        seed: what all choices follow from.
        directory: where cloud and app keep their state.
        broken: how the app is broken on purpose.
    """
    life, begun = Life(seed), time.monotonic()
    scenario = Scenario.model_validate({"vnets": 3})
    with broken_app(broken), deploy(directory, scenario, hostile=seed) as deployment:
        before = deployment.cloud_state()
        living = Living(deployment, seed)
        deployment.knobs(**delays(living.dice))
        try:
            for _ in range(living.dice.randint(*_OPERATIONS)):
                living.go_on()
            deployment.host.hostility.make_peace()
            deployment.knobs(faults=[])
            vnets = {place.identity: place.vnet_id for place in living.places}
            judge = Judge(deployment, vnets, living.explained, before)
            life.wrong = judge.judge([(one.what, one.answer) for one in living.asked if one.is_accepted])
        except Exception as error:
            life.wrong.append(f"{type(error).__name__}: {error}")
        life.asked = [str(one) for one in living.asked]
        life.struck = [str(one) for one in deployment.host.hostility.struck]
    life.seconds = time.monotonic() - begun
    return life
