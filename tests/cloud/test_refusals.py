"""Each step of the article, left out or done wrong, is refused as the real cloud refuses it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cloud.article import Article, Verdict, running_cloud

NOT_REAL = (
    "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v"
)


@pytest.fixture
def article(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Article]:
    """A cloud without delays."""
    with running_cloud(tmp_path, monkeypatch) as found:
        yield found


def done(article: Article) -> Verdict:
    """The steps up to the VNet peering, with whatever mistakes the article was given."""
    application = article.steps_2_to_9()
    article.step_11(application).raise_for_status()
    return article.step_13(application, article.connection()["state_info"]["to-network-id"])


def test_done_right_it_ends_connected_and_active(article: Article) -> None:
    assert done(article) == "Connected"
    assert article.connection()["state"] == "ACTIVE"


@pytest.mark.parametrize(
    ("mistake", "verdict"),
    [
        ({"skip": {"our role"}}, (403, "AuthorizationFailed")),
        ({"sign_in_to": ("customer", None)}, (403, "LinkedAuthorizationFailed")),
        ({"sign_in_to": ("customer", "customer")}, (403, "LinkedAuthorizationFailed")),
        ({"sign_in_to": ("platform", "customer")}, (401, "InvalidAuthenticationTokenTenant")),
        ({"skip": {"our service principal"}}, (401, "AADSTS7000229")),
    ],
    ids=[
        "no role",
        "no auxiliary token",
        "auxiliary of the wrong tenant",
        "primary of the wrong tenant",
        "no principal",
    ],
)
def test_azure_refuses_the_vnet_peering(article: Article, mistake: dict[str, object], verdict: Verdict) -> None:
    for name, value in mistake.items():
        setattr(article, name, value)
    assert done(article) == verdict


@pytest.mark.parametrize(
    ("mistake", "state"),
    [
        ({"skip": {"peer/action"}}, "INVALID_SPECIFICATION"),
        ({"skip": {"platform service principal"}}, "REJECTED_BY_PEER"),
        ({"audience": "AzureADMyOrg"}, "REJECTED_BY_PEER"),
    ],
    ids=["no peer/action for the platform", "no service principal for the platform", "single-tenant application"],
)
def test_aiven_cannot_build_its_side(article: Article, mistake: dict[str, object], state: str) -> None:
    for name, value in mistake.items():
        setattr(article, name, value)
    article.step_11(article.steps_2_to_9()).raise_for_status()
    assert article.connection()["state"] == state


def test_aiven_takes_no_upper_case(article: Article) -> None:
    article.upper_case = True
    answer = article.step_11(article.steps_2_to_9())
    assert answer.status_code == 400
    assert "lower case" in answer.json()["message"]


def test_aiven_takes_no_unknown_application(article: Article) -> None:
    application = article.steps_2_to_9()
    article.cloud.world.applications.remove(application)
    article.step_11(application).raise_for_status()
    assert article.connection()["state"] == "REJECTED_BY_PEER"


def test_overlapping_addresses_are_refused_on_both_sides(article: Article) -> None:
    application = article.steps_2_to_9()
    article.vnet.prefixes = ["10.240.4.0/24"]
    article.step_11(application).raise_for_status()
    assert article.connection()["state"] == "INVALID_SPECIFICATION"
    vpc = next(iter(article.cloud.world.vpcs.values()))
    assert article.step_13(application, vpc.network.id) == (400, "VnetAddressSpacesOverlap")


def test_a_network_that_overlaps_one_already_peered_is_refused(article: Article) -> None:
    application = article.steps_2_to_9()
    article.step_11(application).raise_for_status()
    remote = article.connection()["state_info"]["to-network-id"]
    vpc = next(iter(article.cloud.world.vpcs.values()))
    vpc.network.peerings[0].remote_id = list(article.cloud.world.vnets.values())[1].id
    list(article.cloud.world.vnets.values())[1].prefixes = article.vnet.prefixes
    assert article.step_13(application, remote) == (400, "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet")


def test_a_network_that_is_not_there_is_no_linked_scope(article: Article) -> None:
    assert article.step_13(article.steps_2_to_9(), NOT_REAL) == (401, "AADSTS700016")
    article.sign_in_to = ("customer", None)
    application = article.steps_2_to_9()
    assert article.step_13(application, NOT_REAL) == (403, "LinkedAuthorizationFailed")


def test_a_second_peering_to_the_same_network_is_refused(article: Article) -> None:
    assert done(article) == "Connected"
    article.vnet.peerings[0].name = "another"
    application = article.cloud.world.applications[-1]
    remote = article.connection()["state_info"]["to-network-id"]
    assert article.step_13(application, remote) == (400, "AnotherPeeringAlreadyReferencesRemoteVnet")


def test_a_disconnected_side_has_to_be_renewed_first(article: Article) -> None:
    assert done(article) == "Connected"
    vpc = next(iter(article.cloud.world.vpcs.values()))
    article.vnet.peerings.clear()
    vpc.network.peerings[0].state = "Disconnected"
    application = article.cloud.world.applications[-1]
    assert article.step_13(application, vpc.network.id) == (400, "RemotePeeringIsDisconnected")


def test_delays_are_those_of_the_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_cloud(tmp_path, monkeypatch, "realistic") as article:
        application = article.steps_2_to_9()
        article.step_11(application).raise_for_status()
        assert article.connection()["state"] == "APPROVED"
        remote = next(iter(article.cloud.world.vpcs.values())).network.id
        article.sign_in_to = ("customer", None)
        assert article.step_13(application, remote) == (401, "AADSTS700016")
        _wait(article, 18)
        assert article.step_13(application, remote) == (401, "AADSTS7000215")
        _wait(article, 5)
        assert article.step_13(application, remote) == (403, "AuthorizationFailed")
        _wait(article, 40)
        assert article.step_13(application, remote) == (403, "LinkedAuthorizationFailed")
        assert article.connection()["state"] == "PENDING_PEER"


def _wait(article: Article, seconds: float) -> None:
    article.clock.advance_to(article.cloud.world.after(seconds))


def test_every_other_host_is_refused(article: Article) -> None:
    with pytest.raises(httpx.ProxyError, match="403"):
        httpx.get("https://example.com/")
    with pytest.raises(httpx.ProxyError, match="403"):
        httpx.get("https://another-vault.vault.azure.net/secrets/x")


def test_what_is_not_served_says_so(article: Article) -> None:
    answer = article.aiven("GET", "/nothing-of-the-kind")
    assert answer.status_code == 501
    assert "does not serve GET" in answer.json()["message"]


def test_a_token_is_good_for_its_own_resource_and_tenant_only(article: Article) -> None:
    environment = article.cloud.environment
    form = {
        "grant_type": "client_credentials",
        "client_id": environment["AZURE_CLIENT_ID"],
        "client_secret": environment["AZURE_CLIENT_SECRET"],
        "scope": "https://graph.microsoft.com/.default",
    }
    url = f"https://login.microsoftonline.com/{environment['AZURE_TENANT_ID']}/oauth2/v2.0/token"
    token = httpx.post(url, data=form).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    arm = httpx.get("https://management.azure.com/subscriptions?api-version=2022-12-01", headers=headers)
    assert (arm.status_code, arm.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    graph = httpx.get("https://graph.microsoft.com/v1.0//organization", headers=headers)
    assert graph.json()["value"][0]["id"] == environment["AZURE_TENANT_ID"]
    without = httpx.get("https://management.azure.com/subscriptions")
    assert without.json()["error"]["code"] == "MissingApiVersionParameter"
