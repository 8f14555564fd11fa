"""The app, broken on purpose in the process that it is loaded in: what lives have to notice."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from clients.durable import DurableClient
from local.host import worker
from local.host.function_app import FunctionApp, load_function_app
from peering.orders import Order
from peering.record import Record
from peering.registry import Placed


def _forget_orders() -> None:
    """The order goes from the row as soon as it is accepted: it is with the engine alone."""
    orders = importlib.import_module("triggers.orders")
    place: Callable[[Record | None, Order], tuple[Record | None, Placed]] = orders.place

    def placing(record: Record | None, wanted: Order) -> tuple[Record | None, Placed]:
        record, placed = place(record, wanted)
        if record is not None:
            record.pop("order", None)
        return record, placed

    vars(orders)["place"] = placing


def _never_resume() -> None:
    """Nothing begins an overdue order again."""

    async def resuming(_: DurableClient) -> int:
        return 0

    vars(importlib.import_module("clients.registry.resuming"))["resume_overdue"] = resuming


@contextmanager
def broken_app(how: str | None) -> Iterator[None]:
    """Break every app that is loaded meanwhile, in one of the ways: a worker that restarts reloads it."""

    def loading(directory: Path) -> FunctionApp:
        app = load_function_app(directory)
        if how is not None:
            BROKEN[how]()
        return app

    vars(worker)["load_function_app"] = loading
    try:
        yield
    finally:
        vars(worker)["load_function_app"] = load_function_app


#: The ways to break an app that has just been loaded.
BROKEN: Final[dict[str, Callable[[], None]]] = {"no-orders": _forget_orders, "no-resume": _never_resume}
