"""One trace leads from a request over its order and the activities to each remote call, and metrics count along."""

from collections import Counter
from typing import Final, NamedTuple

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from clients.telemetry import METRICS
from local.cloud import Scenario
from local.cloud.server.request_log import LoggedRequest
from local.deployment import deploy
from tests.collected_telemetry import Attributes, attribute, collected, is_own
from triggers.timers import TIMERS as TIMER_TRIGGERS

TRACE: Final = "0af7651916cd43dd8448eb211c80319c"
CALLER: Final = "b7ad6b7169203331"
#: So that steps wait.
TIMERS: Final = {timer.name for timer in TIMER_TRIGGERS}
SCENARIO: Final = Scenario(approved=40, detect=20, role_effective=30)


class Played(NamedTuple):
    """What a peering's start left behind; `spans` are the start's own, `points` those after a check, too."""

    identity: str
    steps: list[str]
    spans: list[ReadableSpan]
    every: list[ReadableSpan]
    asked: list[LoggedRequest]
    points: dict[str, list[tuple[Attributes, float]]]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """A start in the name of a caller's trace."""
    collected().empty()
    with deploy(tmp_path_factory.mktemp("start"), SCENARIO) as deployment:
        headers = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
        answer = deployment.api.post("/api/peerings", json=deployment.request(), headers=headers)
        identity = str(answer.raise_for_status().json()["id"])
        steps = deployment.until(identity)["steps"]
        deployment.until_ended(identity)
        every, asked = collected().spans, list(deployment.cloud.requests)
        deployment.check(identity)
        deployment.fire("resume_orders")
    done = [step["name"] for step in steps if step["state"] == "done"]
    return Played(identity, done, _of_the_start(every), every, asked, collected().points())


def _of_the_start(every: list[ReadableSpan]) -> list[ReadableSpan]:
    """All spans but those of requests that only looked, and of timers."""
    others = {span.context.trace_id for span in every if span.name.startswith("GET /api/") or span.name in TIMERS}
    return [span for span in every if span.context.trace_id not in others]


def above(span: ReadableSpan, spans: list[ReadableSpan]) -> list[str]:
    """The names of what a span is a part of, from the inside out; its own parent may be a caller's."""
    by_id = {one.context.span_id: one for one in spans}
    names, parent = list[str](), span.parent
    while parent is not None:
        if parent.span_id not in by_id:
            return [*names, f"{parent.span_id:016x}"]
        names.append(by_id[parent.span_id].name)
        parent = by_id[parent.span_id].parent
    return names


def remote_calls(spans: list[ReadableSpan]) -> list[ReadableSpan]:
    return [span for span in spans if is_own(span) and span.kind is SpanKind.CLIENT]


def test_every_remote_call_of_a_start_is_in_one_tree_under_the_activity_that_made_it(start: Played) -> None:
    assert {f"{span.context.trace_id:032x}" for span in start.spans} == {TRACE}
    activities = {*start.steps, "look_ahead", "take_order", "renew_order", "conclude_order"}
    calls = remote_calls(start.spans)
    for call in calls:
        names = above(call, start.spans)
        assert names[-2:] == ["POST /api/peerings", CALLER]
        assert len(names) == 2 or names[-3] == "order establish"
        assert len(names) < 4 or set(names) & activities, call.name
    assert len(calls) > 50


def test_no_request_to_a_remote_is_without_a_span(start: Played) -> None:
    names = ("http.request.method", "server.address", "url.full", "http.response.status_code")
    traced = Counter(tuple(attribute(call, name) for name in names) for call in remote_calls(start.every))
    asked = Counter((one.method, one.host, f"https://{one.host}{one.path}", str(one.status)) for one in start.asked)
    assert asked == traced
    assert len(asked) > 30


def test_steps_have_names_durations_and_what_they_ended_with(start: Played) -> None:
    by_name = dict[str, list[ReadableSpan]]()
    for span in start.spans:
        by_name.setdefault(span.name, []).append(span)
    assert len(start.steps) > 20
    for step in start.steps:
        *tries, last = by_name[step]
        assert (attribute(last, "peering.outcome"), last.status.status_code) == ("done", StatusCode.OK)
        assert attribute(last, "peering.id") == start.identity
        # What only has to be waited for is no failure.
        assert {one.status.status_code for one in tries} <= {StatusCode.UNSET}
        assert all(one.start_time and one.end_time and one.end_time > one.start_time for one in (*tries, last))
    assert {attribute(one, "peering.outcome") for one in by_name["pending_peer"]} > {"done"}
    for step in start.steps:
        outer = [one for one in above(by_name[step][-1], start.spans) if one != "look_ahead"]
        assert outer == ["run_order establish", "take_order", "order establish", "POST /api/peerings", CALLER]


def test_the_ids_that_a_remotes_support_asks_for_are_kept(start: Played) -> None:
    def kept(host: str, header: str) -> int:
        calls = [call for call in remote_calls(start.spans) if attribute(call, "server.address") == host]
        assert calls
        return sum(1 for call in calls if attribute(call, f"http.response.header.{header}"))

    assert kept("management.azure.com", "x-ms-correlation-request-id") > 5
    assert kept("management.azure.com", "x-ms-request-id") > 5
    assert kept("graph.microsoft.com", "request-id") > 5
    # Of the local Aiven: whether the real one sends it is not known.
    assert kept("api.aiven.io", "x-request-id") > 5


def test_metrics_count_along(start: Played) -> None:
    def value(metric: str, **attributes: str) -> float:
        return sum(v for found, v in start.points[metric] if attributes.items() <= found.items())

    assert value("peering.orders.accepted", operation="establish") >= 1
    assert value("peering.orders.ended", operation="establish", state="connected", problem="") >= 1
    assert value("peering.step.duration", step="vnet_peering", outcome="done") >= 1
    assert value("peering.step.polls", step="pending_peer") >= 1
    assert value("peering.verdicts", verdict="healthy") >= 1
    assert ("peering.orders.oldest_age", [({}, 0.0)]) in start.points.items()
    assert start.points.keys() <= METRICS.keys()
