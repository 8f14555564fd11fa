"""One orchestrator for each feature of Durable Functions, started by `POST /v1/start/{name}?id=`."""

import asyncio
import json
import time
from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.functions as func
from azure.durable_functions import Blueprint, DFApp, EntityId, RetryOptions

app = DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
extra = Blueprint()
Flow = Generator[Any, Any, Any]
CALLS: dict[str, int] = {}


async def start(req: func.HttpRequest, client: Any) -> func.HttpResponse:  # noqa: ANN401 - the SDK has no types
    """Start the orchestrator that the route names, with the body as its input."""
    body = req.get_body()
    given = json.loads(body) if body else None
    try:
        identity = await client.start_new(req.route_params["name"], req.params.get("id"), given)
    except Exception as error:
        return func.HttpResponse(str(error), status_code=409)
    return client.create_check_status_response(req, identity)  # type: ignore[no-any-return]


def secured(req: func.HttpRequest) -> func.HttpResponse:
    """A function that wants the function key, and shows its route."""
    return func.HttpResponse(json.dumps(dict(req.route_params)))


def calls(req: func.HttpRequest) -> func.HttpResponse:
    """How often was called what counts its calls, in the life of this process."""
    return func.HttpResponse(json.dumps(CALLS))


async def dawdle(req: func.HttpRequest) -> func.HttpResponse:
    """An HTTP function that takes its time."""
    await asyncio.sleep(20)
    return func.HttpResponse("at last")


def tick(timer: func.TimerRequest) -> None:
    """A timer trigger that counts its calls."""
    count("tick")


def chaining(context: Any) -> Flow:  # noqa: ANN401
    first = yield context.call_activity("greet", "Tokyo")
    second = yield context.call_activity("greet", "Seattle")
    return [first, second]


def fan_out(context: Any) -> Flow:  # noqa: ANN401
    results = yield context.task_all([context.call_activity("square", n) for n in range(context.get_input())])
    return sum(results)


def first_wins(context: Any) -> Flow:  # noqa: ANN401
    timer = context.create_timer(context.current_utc_datetime + timedelta(days=2))
    approval = context.wait_for_external_event("approval")
    winner = yield context.task_any([approval, timer])
    if winner == approval:
        timer.cancel()
        return approval.result
    return "timed out"


def retries(context: Any) -> Flow:  # noqa: ANN401
    options = RetryOptions(first_retry_interval_in_milliseconds=5000, max_number_of_attempts=3)
    return (yield context.call_activity_with_retry("fails_twice", options, context.instance_id))


def gives_up(context: Any) -> Flow:  # noqa: ANN401
    options = RetryOptions(first_retry_interval_in_milliseconds=1000, max_number_of_attempts=2)
    try:
        yield context.call_activity_with_retry("always_fails", options, None)
    except Exception as error:
        return "on purpose" in str(error)


def parent(context: Any) -> Flow:  # noqa: ANN401
    children = [context.call_sub_orchestrator("child", {"left": 3}, f"{context.instance_id}-{n}") for n in range(2)]
    return (yield context.task_all(children))


def child(context: Any) -> Flow:  # noqa: ANN401
    """Starts over until nothing is left; the parent waits for the last one."""
    left = context.get_input()["left"]
    if left:
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=8))
        context.continue_as_new({"left": left - 1})
        return None
    return context.parent_instance_id is not None


def monitor(context: Any) -> Flow:  # noqa: ANN401
    looks = 0
    while looks < 24:
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        looks += 1
        context.set_custom_status({"looks": looks})
    return looks


def counting(context: Any) -> Flow:  # noqa: ANN401
    counter = EntityId("counter", context.get_input())
    context.signal_entity(counter, "add", 1)
    yield context.call_entity(counter, "add", 1)
    return (yield context.call_entity(counter, "get"))


def broken(context: Any) -> Flow:  # noqa: ANN401
    yield context.call_activity("greet", "x")
    raise ValueError("broken on purpose")


def waits_forever(context: Any) -> Flow:  # noqa: ANN401
    return (yield context.wait_for_external_event("go"))


def broad_status(context: Any) -> Flow:  # noqa: ANN401
    context.set_custom_status("small")
    yield context.call_activity("count", "small status")
    context.set_custom_status("ä" * context.get_input()["characters"])
    return (yield context.call_activity("count", "broad status"))


def takes_over(context: Any) -> Flow:  # noqa: ANN401
    return (yield context.call_sub_orchestrator("waits_forever", None, context.get_input()["child"]))


def calls_nobody(context: Any) -> Flow:  # noqa: ANN401
    return (yield context.call_activity("nobody", 1))


def calls_no_child(context: Any) -> Flow:  # noqa: ANN401
    return (yield context.call_sub_orchestrator("nobody", 1))


def retries_soon(context: Any) -> Flow:  # noqa: ANN401
    """How many seconds pass with two pauses of less than one."""
    options = RetryOptions(first_retry_interval_in_milliseconds=900, max_number_of_attempts=3)
    began = context.current_utc_datetime
    yield context.call_activity_with_retry("fails_twice", options, context.instance_id)
    return (context.current_utc_datetime - began).total_seconds()


def counts(context: Any) -> Flow:  # noqa: ANN401
    """Calls an activity; returns what it returned, or why it failed."""
    try:
        return (yield context.call_activity("count", context.get_input()))
    except Exception as error:
        return str(error)


def naps(context: Any) -> Flow:  # noqa: ANN401
    try:
        return (yield context.call_activity("nap", context.get_input()["seconds"]))
    except Exception as error:
        return str(error)


def dawdles(context: Any) -> Flow:  # noqa: ANN401
    """An orchestrator that blocks."""
    time.sleep(3)
    yield context.call_activity("count", "dawdled")


def waits_an_hour(context: Any) -> Flow:  # noqa: ANN401
    """Waits for a timer; returns how many seconds passed."""
    began = context.current_utc_datetime
    yield context.create_timer(began + timedelta(hours=1))
    return (context.current_utc_datetime - began).total_seconds()


def counter(context: Any) -> None:  # noqa: ANN401
    value = context.get_state(lambda: 0)
    if context.operation_name == "add":
        value += context.get_input()
    context.set_state(value)
    context.set_result(value)


def greet(city: str) -> str:
    """A sync activity."""
    return f"Hello {city}!"


async def square(number: int) -> int:
    """An async activity."""
    return number * number


def fails_twice(key: str) -> str:
    CALLS[key] = CALLS.get(key, 0) + 1
    if CALLS[key] < 3:
        raise RuntimeError("not yet")
    return f"after {CALLS[key]}"


def count(key: str) -> int:
    CALLS[key] = CALLS.get(key, 0) + 1
    return CALLS[key]


async def nap(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "rested"


def always_fails(key: str) -> str:
    raise RuntimeError("on purpose")


app.route(route="start/{name}", methods=["POST"])(app.durable_client_input(client_name="client")(start))
app.route(route="secured/{number:int}/{rest?}", auth_level=func.AuthLevel.FUNCTION)(secured)
app.route(route="calls", methods=["GET"])(calls)
app.route(route="dawdle", methods=["GET"])(dawdle)
app.timer_trigger(arg_name="timer", schedule="0 */5 * * * *")(tick)
for orchestrator in (
    *(chaining, fan_out, first_wins, retries, gives_up, parent, child, monitor, counting, broken, waits_forever),
    *(broad_status, takes_over, calls_nobody, calls_no_child, retries_soon, counts, naps, dawdles, waits_an_hour),
):
    extra.orchestration_trigger(context_name="context")(orchestrator)
extra.entity_trigger(context_name="context")(counter)
extra.activity_trigger(input_name="city")(greet)
extra.activity_trigger(input_name="number")(square)
extra.activity_trigger(input_name="key")(fails_twice)
extra.activity_trigger(input_name="key")(always_fails)
extra.activity_trigger(input_name="key")(count)
extra.activity_trigger(input_name="seconds")(nap)
app.register_functions(extra)
