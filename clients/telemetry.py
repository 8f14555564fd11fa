"""Traces and metrics through OpenTelemetry's interface. Without a collector they cost next to nothing.

The interface of traces is there already, as Durable Functions imports it; that of metrics, and whatever collects and
sends, is imported when a function first runs.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypedDict

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import Counter, Histogram, Meter, MeterProvider, _Gauge
    from opentelemetry.trace import Tracer, TracerProvider

#: The name of the instrumentation that creates spans and metrics.
SCOPE: Final = "aiven_azure_peering"
#: The app setting that says where Application Insights is; the platform reads it, too.
DESTINATION: Final = "APPLICATIONINSIGHTS_CONNECTION_STRING"
#: The headers by which a remote service's support finds a request.
CORRELATION_HEADERS: Final = (
    *("x-ms-request-id", "x-ms-correlation-request-id", "request-id", "client-request-id", "x-request-id"),
)
_W3C: Final = TraceContextTextMapPropagator()
_FAILED: Final = 400
_TOO_MANY: Final = 429

Value = str | int | float | bool


class Metric(NamedTuple):
    """A metric: its kind, its unit, its description."""

    kind: str
    unit: str
    tells: str


#: All metrics by name. They have no peering's id as an attribute: each peering would be a series of its own.
METRICS: Final[Mapping[str, Metric]] = {
    "peering.orders.accepted": Metric("counter", "{order}", "orders that were accepted, by operation"),
    "peering.orders.ended": Metric("counter", "{order}", "orders that ended, by operation, state and problem"),
    "peering.orders.oldest_age": Metric("gauge", "s", "age of the oldest open order; 0 without one"),
    "peering.step.duration": Metric("histogram", "s", "duration of a try of a step, by step and outcome"),
    "peering.step.polls": Metric("counter", "{poll}", "tries of a step after its first one, by step"),
    "peering.throttles": Metric("counter", "{refusal}", "requests that a remote service throttled, by host"),
    "peering.put_offs": Metric(
        "counter", "{activity}", "work that was deferred because a budget was exhausted, by activity"
    ),
    "peering.verdicts": Metric(
        "counter", "{verdict}", "verdicts that changed or are not healthy, by verdict and the last one"
    ),
}


class Traced(TypedDict, total=False):
    """The context of a trace: the W3C `traceparent` of the parent span."""

    trace: str


@contextmanager
def span(
    name: str,
    parent: str | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Mapping[str, Value] | None = None,
) -> Iterator[Span]:
    """A span around a block; an exception is recorded by its class, because its text may be secret.

    Args:
        name: the span's name.
        parent: the `traceparent` of the parent, unless the current span belongs to that trace already.
        kind: whose side it is.
        attributes: the span's attributes.
    """
    with _tracer().start_as_current_span(
        name,
        context=_after(parent),
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        try:
            yield made
        except Exception as error:
            note_failure(made, type(error).__name__)
            raise


@contextmanager
def span_named(name: str) -> Iterator[Span]:
    """The current span if it has that name, else a child: a step is an activity, or a part of one."""
    current = trace.get_current_span()
    if getattr(current, "name", None) == name:
        yield current
        return
    with span(name) as made:
        yield made


def note_failure(made: Span, what: str) -> None:
    """Mark a span as failed.

    Args:
        made: the span.
        what: a problem's code, a status, or the class of an exception.
    """
    made.set_attribute("error.type", what)
    made.set_status(Status(StatusCode.ERROR, what))


def note_outcome(made: Span, problem: str | None, *, is_final: bool) -> None:
    """Record the outcome of an activity.

    Args:
        made: its span.
        problem: the code of its problem, if it has one.
        is_final: whether the problem is a failure: one that a retry may clear is not.
    """
    made.set_attribute("peering.outcome", problem or "done")
    if problem is None:
        made.set_status(Status(StatusCode.OK))
    elif is_final:
        note_failure(made, problem)


def begin_remote_call(method: str, host: str, path: str = "", scheme: str = "https") -> Span:
    """The span of a request to a remote service, a child of the current one; `end_remote_call` ends it.

    Args:
        method: its HTTP method.
        host: its host.
        path: its path, unless that is secret; never the query, which may contain a signature.
        scheme: its scheme.
    """
    attributes = {"http.request.method": method, "server.address": host, "url.full": f"{scheme}://{host}{path}"}
    return _tracer().start_span(f"{method} {host}", kind=SpanKind.CLIENT, attributes=attributes)


def end_remote_call(
    made: Span, host: str, status: int | None = None, headers: Mapping[str, str] | None = None, error: str | None = None
) -> None:
    """End the span of a request to a remote service.

    Args:
        made: the span.
        host: the request's host.
        status: the status of the answer, if there was one.
        headers: the response's headers, of which the ids for the service's support are recorded.
        error: the class of the exception, if there was no response.
    """
    if status is not None:
        made.set_attribute("http.response.status_code", status)
    for name in CORRELATION_HEADERS:
        if headers is not None and (value := headers.get(name)):
            made.set_attribute(f"http.response.header.{name}", value)
    if status == _TOO_MANY:
        count("peering.throttles", host=host)
    if error is not None or (status is not None and status >= _FAILED):
        note_failure(made, error or str(status))
    made.end()


def carried() -> Traced:
    """The current trace's context, for the input of work that continues the trace; empty without a trace."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return Traced(trace=carrier["traceparent"]) if "traceparent" in carrier else Traced()


def trace_of(given: object) -> str | None:
    """The trace in an activity's input: its own, or that of its fence."""
    if not isinstance(given, Mapping):
        return None
    fence = given.get("fence")
    found = given.get("trace") or (fence.get("trace") if isinstance(fence, Mapping) else None)
    return found if isinstance(found, str) else None


def count(name: str, **attributes: Value) -> None:
    """Add one to a counter."""
    _counter(name).add(1, attributes)


def measure(name: str, value: float, **attributes: Value) -> None:
    """Add a value to a metric that shows how values are distributed."""
    _histogram(name).record(value, attributes)


def show(name: str, value: float) -> None:
    """Set a metric to its current value."""
    _gauge(name).set(value)


@cache
def _counter(name: str) -> "Counter":
    return _meter().create_counter(name, METRICS[name].unit, METRICS[name].tells)


@cache
def _histogram(name: str) -> "Histogram":
    return _meter().create_histogram(name, METRICS[name].unit, METRICS[name].tells)


@cache
def _gauge(name: str) -> "_Gauge":
    return _meter().create_gauge(name, METRICS[name].unit, METRICS[name].tells)


def _after(parent: str | None) -> "Context | None":
    """The context of a new span: the current one, unless that belongs to another trace."""
    if not parent:
        return None
    context = _W3C.extract({"traceparent": parent})
    wanted, current = (trace.get_current_span(one).get_span_context() for one in (context, None))
    return None if current.trace_id == wanted.trace_id or not wanted.is_valid else context


class Providers(NamedTuple):
    """The providers. Without them the process-wide ones are used, if there are any."""

    spans: "TracerProvider | None" = None
    metrics: "MeterProvider | None" = None


@cache
def _providers() -> Providers:
    """The app's own, if there is a destination. They are not process-wide: other packages' data are not sent."""
    if not os.environ.get(DESTINATION):
        return Providers()
    from clients.telemetry_export import begin

    return Providers(*begin(os.environ[DESTINATION]))


def _tracer() -> "Tracer":
    return trace.get_tracer(SCOPE, tracer_provider=_providers().spans)


def _meter() -> "Meter":
    from opentelemetry.metrics import get_meter

    return get_meter(SCOPE, meter_provider=_providers().metrics)
