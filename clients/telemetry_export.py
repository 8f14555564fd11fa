"""Sends traces and metrics to Application Insights. The sending threads import the exporters, not a cold start."""

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from peering.version import VERSION

#: The settings that switch off the exporter's own statistics and remote configuration.
_OF_ITS_OWN: Final = (
    *("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "APPLICATIONINSIGHTS_SDKSTATS_DISABLED"),
    *("APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED", "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED"),
)
_METRICS_EVERY_MILLISECONDS: Final = 60_000


class LateSpanExporter(SpanExporter):
    """An exporter of spans that is created when the first spans are sent."""

    def __init__(self, make: Callable[[], SpanExporter]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> SpanExporter:
        return self._make()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans."""
        return self._made.export(spans)

    def shutdown(self) -> None:
        """Close what was made, if anything was."""
        if "_made" in vars(self):
            self._made.shutdown()


class LateMetricExporter(MetricExporter):
    """The same for metrics."""

    def __init__(self, make: Callable[[], MetricExporter]) -> None:
        super().__init__()
        self._make = make

    @cached_property
    def _made(self) -> MetricExporter:
        return self._make()

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: object) -> MetricExportResult:
        """Send metrics."""
        return self._made.export(metrics_data, timeout_millis)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Send what was made, if anything was."""
        return self._made.force_flush(timeout_millis) if "_made" in vars(self) else True

    def shutdown(self, timeout_millis: float = 30_000, **_: object) -> None:
        """Close what was made, if anything was."""
        if "_made" in vars(self):
            self._made.shutdown(timeout_millis)


def begin(destination: str) -> tuple[TracerProvider, MeterProvider]:
    """Start to send traces and metrics.

    The exporter reads `APPLICATIONINSIGHTS_AUTHENTICATION_STRING`, which names the identity, itself.

    Args:
        destination: the connection string.
    """
    for name in _OF_ITS_OWN:
        os.environ.setdefault(name, "true")
    resource = Resource.create({"service.name": "aiven-azure-peering", "service.version": VERSION})
    given: dict[str, Any] = {"connection_string": destination, "disable_offline_storage": True}
    spans = TracerProvider(resource=resource)
    spans.add_span_processor(BatchSpanProcessor(LateSpanExporter(lambda: _span_exporter(given))))
    reader = PeriodicExportingMetricReader(
        LateMetricExporter(lambda: _metric_exporter(given)), export_interval_millis=_METRICS_EVERY_MILLISECONDS
    )
    return spans, MeterProvider([reader], resource)


def _span_exporter(given: dict[str, Any]) -> SpanExporter:
    from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter

    return AzureMonitorTraceExporter(**given)


def _metric_exporter(given: dict[str, Any]) -> MetricExporter:
    from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter

    return AzureMonitorMetricExporter(**given)
