"""Traces and metrics reach Application Insights' endpoint, by its own exporter, and no package's spans go along."""

from collections.abc import Iterator
from typing import Final

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from clients import telemetry
from clients.telemetry import count, span
from tests.ingestion import ingestion

TRACE: Final = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(autouse=True)
def _nothing_collects(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Detect the collector again for each test."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    caches = (telemetry._providers, telemetry._counter)
    for one in caches:
        one.cache_clear()
    yield
    for one in caches:
        one.cache_clear()


def test_what_is_traced_and_counted_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with ingestion() as endpoint:
        monkeypatch.setenv(telemetry.DESTINATION, endpoint.connection_string)
        with span("order establish", f"00-{TRACE}-b7ad6b7169203331-01", attributes={"peering.id": "p"}):
            telemetry.end_remote_call(telemetry.begin_remote_call("GET", "example.com", "/a"), "example.com", 200, {})
        count("peering.throttles", host="example.com")
        spans, metrics = telemetry._providers()
        assert isinstance(spans, TracerProvider)
        assert isinstance(metrics, MeterProvider)
        assert spans.force_flush()
        assert metrics.force_flush()
        spans.shutdown()
        metrics.shutdown()
    traced = endpoint.of_type("RemoteDependencyData")
    assert {one["tags"]["ai.operation.id"] for one in traced} == {TRACE}
    assert {one["data"]["baseData"]["name"] for one in traced} == {"order establish", "GET /a"}
    counted = endpoint.of_type("MetricData")
    assert {m["name"] for one in counted for m in one["data"]["baseData"]["metrics"]} == {"peering.throttles"}
    assert {one["tags"]["ai.cloud.role"] for one in endpoint.envelopes} == {"aiven-azure-peering"}


def test_without_a_destination_nothing_is_made() -> None:
    assert telemetry._providers() == (None, None)
