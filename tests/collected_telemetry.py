"""What a process collects of its traces and metrics, for tests: there is one collector for each process."""

from functools import cache

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from clients.telemetry import SCOPE

Attributes = dict[str, object]


class Collected:
    """Spans since it was last emptied, and metrics since the process began."""

    def __init__(self) -> None:
        self._spans, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._spans))
        trace.set_tracer_provider(provider)
        metrics.set_meter_provider(MeterProvider([self._reader]))

    def empty(self) -> None:
        """Forget the spans."""
        self._spans.clear()

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans that have ended, those of packages too, in the order of their beginning."""
        return sorted(self._spans.get_finished_spans(), key=lambda span: span.start_time or 0)

    def points(self) -> dict[str, list[tuple[Attributes, float]]]:
        """The values of each of the app's metrics with what tells them apart; of a histogram how many there are."""
        found, data = dict[str, list[tuple[Attributes, float]]](), self._reader.get_metrics_data()
        scopes = [scope for one in (data.resource_metrics if data else ()) for scope in one.scope_metrics]
        for metric in (metric for scope in scopes if scope.scope.name == SCOPE for metric in scope.metrics):
            found[metric.name] = [(dict(point.attributes or {}), _value(point)) for point in metric.data.data_points]
        return found


def _value(point: object) -> float:
    if isinstance(point, NumberDataPoint):
        return float(point.value)
    assert isinstance(point, HistogramDataPoint)
    return float(point.count)


@cache
def collected() -> Collected:
    """This process's collector."""
    return Collected()


def is_own(span: ReadableSpan) -> bool:
    """Whether the app made a span, not a package that it uses."""
    return span.instrumentation_scope is not None and span.instrumentation_scope.name == SCOPE


def attribute(span: ReadableSpan, name: str) -> str:
    """An attribute of a span as text; empty without it."""
    return str((span.attributes or {}).get(name, ""))
