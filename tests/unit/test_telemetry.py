"""What docs/operating.md says of metrics, and how a trace is carried on."""

import re
from pathlib import Path
from typing import Final

from opentelemetry import trace

from clients.telemetry import METRICS, span, trace_of

OPERATING: Final = Path(__file__).parents[2] / "docs/operating.md"
#: Inputs of activities that carry no trace.
NOTHING: Final[tuple[object, ...]] = ({}, {"fence": {}}, [], "text", None)
TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_the_documents_have_every_metric_and_what_it_tells() -> None:
    rows = dict(re.findall(r"^\| `(peering\.[\w.]+)` \| (.*) \|$", OPERATING.read_text(), re.MULTILINE))
    assert rows == {name: metric.tells for name, metric in METRICS.items()}


def test_a_trace_comes_with_the_input_or_its_fence() -> None:
    assert trace_of({"id": "p", "trace": TRACE}) == TRACE
    assert trace_of({"facts": {}, "fence": {"id": "p", "trace": TRACE}}) == TRACE
    assert [trace_of(one) for one in NOTHING] == [None] * len(NOTHING)


def test_a_span_goes_on_from_what_is_carried_and_from_nothing_that_is_none() -> None:
    with span("one", TRACE):
        assert f"{trace.get_current_span().get_span_context().trace_id:032x}" == TRACE.split("-")[1]
    with span("one", "no traceparent"):
        assert f"{trace.get_current_span().get_span_context().trace_id:032x}" != TRACE.split("-")[1]
