"""One orchestrator for each feature of Durable Functions, started by `POST /v1/start/{name}?id=`."""

import json
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


def always_fails(key: str) -> str:
    raise RuntimeError("on purpose")


app.route(route="start/{name}", methods=["POST"])(app.durable_client_input(client_name="client")(start))
app.route(route="secured/{number:int}/{rest?}", auth_level=func.AuthLevel.FUNCTION)(secured)
for orchestrator in (
    *(chaining, fan_out, first_wins, retries, gives_up, parent, child, monitor, counting, broken, waits_forever),
):
    extra.orchestration_trigger(context_name="context")(orchestrator)
extra.entity_trigger(context_name="context")(counter)
extra.activity_trigger(input_name="city")(greet)
extra.activity_trigger(input_name="number")(square)
extra.activity_trigger(input_name="key")(fails_twice)
extra.activity_trigger(input_name="key")(always_fails)
app.register_functions(extra)
