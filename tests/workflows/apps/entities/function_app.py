"""What version 0.2.0 leaves in a task hub: entities with the state that `set` gives them, instances that wait."""

from collections.abc import Generator
from typing import Protocol

import azure.functions as func
from azure.durable_functions import DFApp

app = DFApp(http_auth_level=func.AuthLevel.FUNCTION)
NAMES = ("establish", "repair", "rotate", "remove", "stop_and_remove", "check_health", "await_step")


class Entity(Protocol):
    """The part of the SDK's entity context that is used here."""

    def get_input(self) -> object: ...
    def set_state(self, state: object) -> None: ...


class Orchestration(Protocol):
    """The part of the SDK's orchestration context that is used here."""

    def wait_for_external_event(self, name: str) -> object: ...


def _entity(name: str) -> None:
    def entity(context: Entity) -> None:
        context.set_state(context.get_input())

    entity.__name__ = name
    app.entity_trigger(context_name="context")(entity)


def _orchestrator(name: str) -> None:
    def orchestrator(context: Orchestration) -> Generator[object, object, None]:
        yield context.wait_for_external_event("the end")

    orchestrator.__name__ = name
    app.orchestration_trigger(context_name="context")(orchestrator)


for _name in ("registry", "registry_index"):
    _entity(_name)
for _name in NAMES:
    _orchestrator(_name)
