"""Azure Resource Manager's token buckets and its network provider's limit, and what the answers tell of them."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import ClientSecretCredential
from azure.mgmt.network import NetworkManagementClient

from local.cloud import LocalCloud
from local.cloud.server.wire import Response
from local.cloud.world.landscape import FIRST_VNET, GROUP
from local.cloud.world.peerings import put_side
from local.cloud.world.world import NETWORK_CONTRIBUTOR
from tests.cloud.held_cloud import HeldCloud, held_cloud, held_servers, served

_PEERING: Final = (
    f"/resourceGroups/{GROUP}/providers/Microsoft.Network/virtualNetworks/{FIRST_VNET}/virtualNetworkPeerings/ours"
)
_REMAINING: Final = "x-ms-ratelimit-remaining-"


@pytest.fixture
def cloud() -> HeldCloud:
    """A cloud of two subscriptions with the documented limits."""
    return held_cloud(arm_limits=1, subscriptions=2)


def told(answer: Response) -> dict[str, str]:
    """What an answer tells of what is left."""
    return {name.removeprefix(_REMAINING): v for name, v in answer.headers.items() if name.startswith(_REMAINING)}


def code_and_text(refusal: Response) -> tuple[str, str]:
    """What a refusal says."""
    body: Any = refusal.body
    return body["error"]["code"], body["error"]["message"]


def drained(cloud: HeldCloud, method: str, most: int = 10_000) -> int:
    """How many requests were served until one was refused."""
    return next(number for number in range(most) if not served([cloud.arm(method)])[0])


@pytest.mark.parametrize(
    ("method", "holds", "per_second"), [("GET", 250, 25), ("PUT", 200, 10), ("PATCH", 200, 10), ("DELETE", 200, 10)]
)
def test_a_bucket_is_drained_and_filled_again_by_the_clock(
    cloud: HeldCloud, method: str, holds: int, per_second: int
) -> None:
    assert drained(cloud, method) == holds
    cloud.clock.wait(1)
    assert drained(cloud, method) == per_second
    cloud.clock.wait(0.5)
    assert drained(cloud, method) == per_second // 2
    cloud.clock.wait(86_400)
    assert drained(cloud, method) == holds


def test_reads_writes_and_deletes_have_buckets_of_their_own(cloud: HeldCloud) -> None:
    drained(cloud, "PUT")
    assert served(cloud.arm(method) for method in ("PUT", "POST", "GET", "DELETE")) == [False, False, True, True]
    drained(cloud, "DELETE")
    assert served(cloud.arm(method) for method in ("DELETE", "GET")) == [False, True]


def test_each_principal_has_a_bucket_for_each_subscription(cloud: HeldCloud) -> None:
    drained(cloud, "GET")
    assert served([cloud.arm("GET", subscription=1)]) == [True]
    cloud.who = cloud.another_principal()
    assert served([cloud.arm("GET")]) == [True]


def test_all_principals_of_a_subscription_have_fifteen_times_as_much(cloud: HeldCloud) -> None:
    for _ in range(15):
        cloud.who = cloud.another_principal()
        assert drained(cloud, "DELETE") == 200
    cloud.who = cloud.another_principal()
    refusal = cloud.arm("DELETE")
    assert served([refusal, cloud.arm("DELETE", subscription=1)]) == [False, True]
    assert told(refusal) == {"subscription-deletes": "200", "subscription-global-deletes": "0"}
    assert "actor" not in code_and_text(refusal)[1]
    cloud.clock.wait(1)
    assert drained(cloud, "DELETE") == 150


def test_requests_outside_subscriptions_are_the_tenants(cloud: HeldCloud) -> None:
    answers = [cloud.tenant("GET", "/subscriptions") for _ in range(251)]
    assert served(answers) == [True] * 250 + [False]
    assert [told(answer) for answer in (answers[0], answers[-1])] == [{"tenant-reads": "249"}, {"tenant-reads": "0"}]
    assert code_and_text(answers[-1])[0] == "TenantRequestsThrottled"
    assert f"requests for tenant '{cloud.who.tenant_id}' actor '{cloud.who.id}'" in code_and_text(answers[-1])[1]
    assert served([cloud.arm("GET")]) == [True]


def test_every_answer_tells_what_is_left(cloud: HeldCloud) -> None:
    assert told(cloud.arm("GET")) == {"subscription-reads": "249", "subscription-global-reads": "3749"}
    assert told(cloud.arm("PUT")) == {"subscription-writes": "199", "subscription-global-writes": "2999"}
    assert told(cloud.arm("DELETE")) == {"subscription-deletes": "199", "subscription-global-deletes": "2999"}
    listed, unserved = cloud.arm("GET", "/providers/Microsoft.Authorization/locks"), cloud.arm("GET", "/nothing")
    assert [(a.status, told(a)["subscription-reads"]) for a in (listed, unserved)] == [(200, "248"), (501, "247")]
    cloud.who = cloud.another_principal()
    denied = cloud.arm("GET")
    assert (denied.status, told(denied)) == (
        403,
        {"subscription-reads": "249", "subscription-global-reads": "3746"},
    )


def test_without_the_knob_nothing_is_refused_and_answers_tell_what_would_be_left() -> None:
    cloud = held_cloud()
    answers = [cloud.arm("GET") for _ in range(300)]
    assert served(answers) == [True] * 300
    assert [told(answers[number])["subscription-reads"] for number in (0, 249, 299)] == ["249", "0", "0"]


def test_the_knob_is_how_many_times_the_limits_hold() -> None:
    assert drained(held_cloud(arm_limits=2), "GET") == 500
    few = held_cloud(arm_limits=0.02)
    assert [drained(few, "GET"), drained(few, "PUT")] == [5, 4]


def test_a_bucket_that_becomes_smaller_lacks_no_more_than_it_holds(cloud: HeldCloud) -> None:
    drained(cloud, "PUT")
    cloud.world.knobs.arm_limits = 0.02
    assert cloud.arm("PUT").headers["Retry-After"] == "5"


def test_a_refusal_says_who_asked_for_how_much_and_when_there_is_a_token() -> None:
    cloud = held_cloud(arm_limits=0.02)
    drained(cloud, "PUT")
    refusal = cloud.arm("PUT")
    code, text = code_and_text(refusal)
    assert (refusal.status, code) == (429, "SubscriptionRequestsThrottled")
    actor = f"subscription '{cloud.subscriptions[0]}' actor '{cloud.who.id}' exceeded"
    assert f"'write' requests for {actor}. Please try again after '5' seconds" in text
    assert refusal.headers["Retry-After"] == "5"
    assert told(refusal) == {"subscription-writes": "0", "subscription-global-writes": "56"}


def test_a_refused_request_takes_no_token() -> None:
    cloud = held_cloud(arm_limits=0.02)
    drained(cloud, "PUT")
    assert {cloud.arm("PUT").headers["Retry-After"] for _ in range(50)} == {"5"}
    cloud.clock.wait(4)
    assert cloud.arm("PUT").headers["Retry-After"] == "1"
    cloud.clock.wait(1)
    assert served([cloud.arm("PUT"), cloud.arm("PUT")]) == [True, False]


def test_nobody_in_particular_takes_no_token(cloud: HeldCloud) -> None:
    assert told(cloud.tenant("GET", "/metadata/endpoints")) == {}
    cloud.gateway.world.revoked[cloud.who.id] = 1_000
    refused = cloud.arm("GET")
    assert (refused.status, told(refused)) == (401, {})


def test_the_network_provider_counts_the_writes_and_deletions_of_five_minutes(cloud: HeldCloud) -> None:
    for number in range(1_000):
        assert served([cloud.arm(("PUT", "DELETE")[number % 2], _PEERING)]) == [True]
        cloud.clock.wait(0.1)
    refusal = cloud.arm("PUT", _PEERING)
    body: Any = refusal.body
    assert (refusal.status, body["error"]["code"]) == (429, "RetryableError")
    (detail,) = body["error"]["details"]
    assert detail["code"] == "RetryableErrorDueToTooManyCalls"
    wait = int(refusal.headers["Retry-After"])
    assert f"can be retried in {wait} seconds" in detail["message"]
    assert wait in (200, 201)
    assert served([cloud.arm("GET", _PEERING), cloud.arm("PUT"), cloud.arm("PUT", _PEERING, 1)]) == [True] * 3
    cloud.clock.wait(wait)
    assert served([cloud.arm("PUT", _PEERING)]) == [True]


def test_the_network_provider_counts_the_reads_of_all_principals() -> None:
    cloud = held_cloud(arm_limits=0.02)
    for _ in range(40):
        cloud.who = cloud.another_principal()
        assert served(cloud.arm("GET", _PEERING) for _ in range(5)) == [True] * 5
        cloud.clock.wait(1)
    cloud.who = cloud.another_principal()
    refusal = cloud.arm("GET", _PEERING)
    # ARM has let it through, and its token is gone.
    assert (refusal.status, told(refusal)["subscription-reads"]) == (429, "4")
    assert served([cloud.arm("GET")]) == [True]


def test_a_poll_of_an_operation_is_a_read(cloud: HeldCloud) -> None:
    world, (vnet, other, *_) = cloud.world, list(cloud.world.vnets.values())
    put_side(world, vnet, other, "ours", {})
    contributor = world.role(NETWORK_CONTRIBUTOR)
    assert contributor
    world.assign(world.guid(), vnet.id, contributor, cloud.who.id)
    begun = cloud.arm("DELETE", _PEERING)
    poll = cloud.tenant("GET", urlsplit(begun.headers["Azure-AsyncOperation"]).path)
    assert (begun.status, told(begun)["subscription-deletes"]) == (202, "199")
    assert (poll.status, told(poll)["subscription-reads"]) == (200, "249")


def sdk(cloud: LocalCloud, **options: Any) -> NetworkManagementClient:  # noqa: ANN401 - those of an SDK's client
    """The genuine SDK as the automation identity."""
    secret = (cloud.environment[f"AZURE_{name}"] for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"))
    return NetworkManagementClient(ClientSecretCredential(*secret), cloud.landscape.subscription, **options)


def test_the_sdk_reads_refusals_and_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[str] = []

    def note(response: Any) -> None:  # noqa: ANN401 - one of the SDK's pipeline
        left.append(response.http_response.headers[f"{_REMAINING}subscription-reads"])

    with held_servers(tmp_path, monkeypatch, arm_limits=0.01) as (cloud, _), sdk(cloud, retry_total=0) as client:
        for _ in range(2):
            client.virtual_networks.get(GROUP, FIRST_VNET, raw_response_hook=note)
        with pytest.raises(HttpResponseError) as caught:
            client.virtual_networks.get(GROUP, FIRST_VNET, raw_response_hook=note)
    refusal: Any = caught.value
    assert left == ["1", "0", "0"]
    assert (refusal.status_code, refusal.error.code) == (429, "SubscriptionRequestsThrottled")
    assert refusal.response.headers["Retry-After"] == "2"


def test_the_sdk_waits_as_long_as_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    with held_servers(tmp_path, monkeypatch, arm_limits=0.01) as (cloud, clock):

        def wait(seconds: float) -> None:
            waits.append(seconds)
            clock.wait(seconds)

        transport = RequestsTransport()
        monkeypatch.setattr(transport, "sleep", wait)
        with sdk(cloud, transport=transport) as client:
            found = [client.virtual_networks.get(GROUP, FIRST_VNET).name for _ in range(4)]
    assert found == [FIRST_VNET] * 4
    assert waits == [2, 4]
