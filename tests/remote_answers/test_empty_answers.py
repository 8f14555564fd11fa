"""Good answers that hold nothing of what they should: they are asked for again, and are not taken for absence."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from activities.remote_errors import occurrence_of
from clients.azure import graph
from clients.reads import Document, list_arm, list_graph, read_graph
from clients.remote_errors import is_absence
from local.cloud import LocalCloud
from local.cloud.scenario import Fault
from peering.problems.remote_codes import Service
from tests.remote_answers.asking import ASK

_NOBODY: Final = "00000000-0000-4000-8000-000000000000"


async def _list_of_arm() -> list[Document]:
    subscription = os.environ["AZURE_SUBSCRIPTION_ID"]
    return await list_arm(subscription, "/subscriptions", "2022-12-01", "subscriptionId")


async def _list_of_graph() -> list[Document]:
    async with graph() as client:
        return await list_graph(client, "applications", {"$select": "id"}, "id")


async def _object_of_arm() -> object:
    return await ASK["Azure Resource Manager"][1]("automation")


async def _object_of_graph() -> Document:
    async with graph() as client:
        wanted = client.applications_with_app_id(_NOBODY).to_get_request_information()
        return await read_graph(client, wanted, "id")


async def _row() -> object:
    return await ASK["Azure Table Storage"][1]("automation")


_NO_LISTS: Final[list[Any]] = [{"id": _NOBODY}, "nothing", {}, "", 5, True]
_NO_ROWS: Final[list[Any]] = [
    {"RowKey": "r", "number@odata.type": "Edm.Int64", "number": None},
    {"RowKey": "r", "number@odata.type": "Edm.Int64", "number": "many"},
    {"RowKey": "r", "Timestamp": "yesterday"},
    [1],
]
_LISTS: Final[dict[Service, Callable[[], Awaitable[object]]]] = {
    "Azure Resource Manager": _list_of_arm,
    "Microsoft Graph": _list_of_graph,
}
_OBJECTS: Final[dict[Service, Callable[[], Awaitable[object]]]] = {
    "Azure Resource Manager": _object_of_arm,
    "Microsoft Graph": _object_of_graph,
}


def see_told(
    cloud: LocalCloud, service: Service, ask: Callable[[], Awaitable[object]], body: object, status: int = 200
) -> None:
    """An answer is told as one that cannot be read, and that may be another one the next time."""
    fault = {"host": ASK[service][0], "status": status, "body": body, "times": 100}
    cloud.world.knobs.faults = [Fault.model_validate(fault)]
    error = asyncio.run(_refusal(ask))
    occurrence = occurrence_of(error)
    assert occurrence is not None, repr(error)
    assert (occurrence["code"], occurrence["remote"]["service"]) == ("remote-unavailable", service)
    assert not is_absence(error)


async def _refusal(ask: Callable[[], Awaitable[object]]) -> Exception:
    try:
        found = await ask()
    except Exception as error:
        return error
    raise AssertionError(f"it is taken for an answer: {found}")


@pytest.mark.parametrize("value", _NO_LISTS, ids=repr)
@pytest.mark.parametrize("service", _LISTS)
def test_a_list_that_is_no_list_is_asked_for_again(cloud: LocalCloud, service: Service, value: object) -> None:
    see_told(cloud, service, _LISTS[service], {"value": value})


@pytest.mark.parametrize("service", _LISTS)
def test_a_thing_of_a_list_that_is_no_object_is_asked_for_again(cloud: LocalCloud, service: Service) -> None:
    see_told(cloud, service, _LISTS[service], {"value": [5]})


@pytest.mark.parametrize(("status", "body"), [(200, [1]), (200, []), (204, "")])
@pytest.mark.parametrize("service", _OBJECTS)
def test_an_object_that_is_none_is_asked_for_again(
    cloud: LocalCloud, service: Service, status: int, body: object
) -> None:
    see_told(cloud, service, _OBJECTS[service], body, status)


@pytest.mark.parametrize("shown", _NO_ROWS, ids=repr)
def test_a_row_that_is_none_is_asked_for_again(cloud: LocalCloud, shown: object) -> None:
    see_told(cloud, "Azure Table Storage", _row, shown)
    # Nothing but the answer was wrong: the row is not there.
    cloud.world.knobs.faults[0].times = 1
    assert asyncio.run(_asked_once_more()) is None
    assert cloud.world.knobs.faults[0].times == 0


async def _asked_once_more() -> object:
    return await _row()
