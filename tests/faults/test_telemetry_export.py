"""Traces and metrics reach Application Insights' endpoint, by its own exporter, and no package's spans go along."""

import gzip
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from clients import telemetry
from clients.telemetry import count, span

TRACE: Final = "0af7651916cd43dd8448eb211c80319c"


class _Ingestion(http.server.BaseHTTPRequestHandler):
    """Application Insights' endpoint, as far as the exporter asks it."""

    envelopes: Final[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        found = [json.loads(line) for line in body.decode().splitlines()] if body[:1] == b"{" else json.loads(body)
        self.envelopes.extend(found)
        answer = json.dumps({"itemsReceived": len(found), "itemsAccepted": len(found), "errors": []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def ingestion() -> Iterator[str]:
    """The endpoint's address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Ingestion)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()


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
    with ingestion() as url:
        key = "00000000-0000-0000-0000-00000000000a"
        monkeypatch.setenv(telemetry.DESTINATION, f"InstrumentationKey={key};IngestionEndpoint={url}")
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
    traced = [one for one in _Ingestion.envelopes if one["data"]["baseType"] == "RemoteDependencyData"]
    assert {one["tags"]["ai.operation.id"] for one in traced} == {TRACE}
    assert {one["data"]["baseData"]["name"] for one in traced} == {"order establish", "GET /a"}
    counted = [one for one in _Ingestion.envelopes if one["data"]["baseType"] == "MetricData"]
    assert {m["name"] for one in counted for m in one["data"]["baseData"]["metrics"]} == {"peering.throttles"}
    assert {one["tags"]["ai.cloud.role"] for one in _Ingestion.envelopes} == {"aiven-azure-peering"}


def test_without_a_destination_nothing_is_made() -> None:
    assert telemetry._providers() == (None, None)
