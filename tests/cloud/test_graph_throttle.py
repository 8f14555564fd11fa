"""Microsoft Graph's resource units: what requests cost, who may use how many, and what a refusal tells."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from azure.identity import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from kiota_http.middleware.options import HeadersInspectionHandlerOption, RetryHandlerOption
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import GraphClientFactory

from local.cloud import LocalCloud, Scenario
from local.cloud.entra import Caller
from local.cloud.graph.throttle import GraphThrottle
from local.cloud.server.wire import ApiError, Headers, Request
from local.cloud.world.world import World
from tests.cloud.held_cloud import HeldClock, HeldCloud, held_cloud, held_servers, served

_UNITS: Final = "x-ms-resource-unit"
_GRAPH: Final = "https://graph.microsoft.com"
_COSTLY: Final = "/directoryObjects/getByIds"
_MISSING: Final = "/applications/00000000-0000-4000-8000-000000000000"


@pytest.fixture
def cloud() -> HeldCloud:
    """A cloud of small tenants."""
    return held_cloud(graph_tenant_size="S")


@pytest.mark.parametrize(
    ("method", "path", "query", "units"),
    [
        ("GET", "/applications", {}, "2"),
        ("GET", "/applications", {"$select": "id"}, "1"),
        ("GET", "/applications", {"$expand": "federatedIdentityCredentials"}, "3"),
        ("GET", "/applications", {"$top": "19"}, "1"),
        ("GET", "/applications", {"$top": "20"}, "2"),
        ("GET", "/applications", {"$select": "id", "$top": "1"}, "1"),
        ("GET", _MISSING, {}, "1"),
        ("GET", "/servicePrincipals", {}, "1"),
        ("GET", "/servicePrincipals", {"$select": "id"}, "1"),
        ("POST", _COSTLY, {}, "5"),
        ("POST", _COSTLY, {"$select": "id"}, "2"),
        ("PATCH", _MISSING, {}, "1"),
        ("GET", "/organization", {}, "1"),
    ],
)
def test_an_answer_tells_what_its_request_cost(method: str, path: str, query: dict[str, str], units: str) -> None:
    assert held_cloud().graph(method, path, **query).headers[_UNITS] == units


def units_in(cloud: HeldCloud) -> int:
    """How many units there were until a request was refused: by fives, then one by one."""
    fives = next(number for number in range(10_000) if not served([cloud.graph("POST", _COSTLY)])[0])
    ones = next(number for number in range(10) if not served([cloud.graph("GET", _MISSING)])[0])
    return 5 * fives + ones


@pytest.mark.parametrize(("size", "units"), [("S", 3_500), ("M", 5_000), ("L", 8_000)])
def test_an_applications_units_are_those_of_the_tenants_size(size: str, units: int) -> None:
    cloud = held_cloud(graph_tenant_size=size)
    assert units_in(cloud) == units
    cloud.clock.wait(1)
    assert units_in(cloud) == units // 10
    cloud.clock.wait(86_400)
    assert units_in(cloud) == units


def test_without_the_knob_nothing_is_refused() -> None:
    cloud = held_cloud()
    assert all(served(cloud.graph("POST", _COSTLY) for _ in range(1_000)))


def test_a_refusal_says_who_has_used_too_much_and_when_there_is_more(cloud: HeldCloud) -> None:
    units_in(cloud)
    cloud.clock.wait(0.01)
    refusal, cheap = cloud.graph("POST", _COSTLY), cloud.graph("GET", _MISSING)
    body: Any = refusal.body
    whose = f"{cloud.who.app_id}/{cloud.who.tenant_id}"
    assert (refusal.status, body["error"]["code"]) == (429, "TooManyRequests")
    assert {"date", "request-id", "client-request-id"} == set(body["error"]["innerError"])
    category = "aadgraph.app.tenant_small"
    assert f"Identifier:{whose.replace('/', '+')} under category:{category}" in body["error"]["message"]
    assert refusal.headers == {
        "Retry-After": "1",
        "x-ms-throttle-scope": f"Tenant_Application/ReadWrite/{whose}",
        "x-ms-throttle-information": "ResourceUnitLimitExceeded",
    }
    # It has taken nothing of what is enough for others.
    assert cheap.status == 404


def test_each_application_has_units_of_its_own(cloud: HeldCloud) -> None:
    units_in(cloud)
    cloud.who = cloud.another_principal()
    assert served([cloud.graph("POST", _COSTLY)]) == [True]


@dataclass
class Admission:
    """The throttle alone, and its clock."""

    clock: HeldClock = field(default_factory=HeldClock)

    def __post_init__(self) -> None:
        self._throttle = GraphThrottle(World(Scenario(graph_tenant_size="S"), self.clock, seed=1))

    def ask(self, method: str, app_id: str = "app", tenant: str = "tenant", path: str = "/applications") -> Headers:
        """The headers of a request that is let through, or of the refusal."""
        request = Request(method, "graph.microsoft.com", f"/v1.0{path}", {}, {}, b"")
        try:
            return self._throttle.admit(request, Caller(tenant, "object", app_id))
        except ApiError as refusal:
            return refusal.response.headers

    def writes(self, most: int, app_id: str = "app") -> int:
        """How many writes were let through until one was refused, or so many."""
        answers = (self.ask(("POST", "PATCH", "DELETE")[number % 3], app_id) for number in range(most))
        return next((number for number, headers in enumerate(answers) if "Retry-After" in headers), most)


def test_writes_are_counted_beside_the_units() -> None:
    admission = Admission()
    assert admission.writes(4_000) == 3_000
    refusal = admission.ask("POST")
    assert refusal["Retry-After"] == "1"
    assert refusal["x-ms-throttle-scope"] == "Tenant_Application/Write/app/tenant"
    assert refusal["x-ms-throttle-information"] == "WriteLimitExceeded"
    assert [admission.ask("GET"), admission.ask("POST", path=_COSTLY)] == [{_UNITS: "2"}, {_UNITS: "5"}]
    admission.clock.wait(10)
    assert admission.writes(1_000) == 200
    admission.clock.wait(150)
    assert admission.writes(4_000) == 3_000


def test_all_applications_of_a_tenant_share_its_writes() -> None:
    admission = Admission()
    assert [admission.writes(3_000, f"app-{number}") for number in range(6)] == [3_000] * 6
    assert admission.ask("POST", "app-6")["x-ms-throttle-scope"] == "Tenant/Write/app-6/tenant"
    assert admission.ask("GET", "app-6") == {_UNITS: "2"}
    assert admission.ask("POST", "app-6", "another tenant") == {_UNITS: "1"}


def test_who_is_nobody_uses_nothing(cloud: HeldCloud) -> None:
    cloud.world.revoked[cloud.who.id] = 1_000
    refused = cloud.graph("GET", _MISSING)
    assert (refused.status, _UNITS in refused.headers) == (401, False)


def client(cloud: LocalCloud) -> GraphServiceClient:
    """The genuine SDK as the automation identity, which tries nothing again."""
    secret = (cloud.environment[f"AZURE_{name}"] for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"))
    provider = AzureIdentityAuthenticationProvider(ClientSecretCredential(*secret), scopes=[f"{_GRAPH}/.default"])
    never = {RetryHandlerOption.get_key(): RetryHandlerOption(should_retry=False)}
    http = GraphClientFactory.create_with_default_middleware(options=never)
    return GraphServiceClient(request_adapter=GraphRequestAdapter(provider, http))


async def one_page(graph: GraphServiceClient) -> set[str]:
    """List applications; what the SDK shows of the cost."""
    seen = HeadersInspectionHandlerOption(inspect_response_headers=True)
    await graph.applications.get(RequestConfiguration(options=[seen]))
    return set(seen.response_headers.get(_UNITS))


def drain(cloud: LocalCloud) -> None:
    """Use all units of the automation identity, by plain HTTPS."""
    landscape = cloud.landscape
    form = {"grant_type": "client_credentials", "scope": f"{_GRAPH}/.default"}
    form |= {"client_id": landscape.automation.app_id, "client_secret": landscape.secret}
    with httpx.Client() as http:
        url = f"https://login.microsoftonline.com/{landscape.customer_tenant}/oauth2/v2.0/token"
        headers = {"authorization": f"Bearer {http.post(url, data=form).json()['access_token']}"}
        for _ in range(700):
            assert http.post(f"{_GRAPH}/v1.0{_COSTLY}", json={"ids": []}, headers=headers).status_code == 200


def test_the_sdk_reads_costs_and_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with held_servers(tmp_path, monkeypatch, graph_tenant_size="S") as (cloud, clock):
        drain(cloud)
        with pytest.raises(ODataError) as caught:
            asyncio.run(one_page(client(cloud)))
        clock.wait(1)
        assert asyncio.run(one_page(client(cloud))) == {"2"}
    refusal: Any = caught.value
    assert (refusal.response_status_code, refusal.error.code) == (429, "TooManyRequests")
    assert refusal.response_headers["retry-after"] == "1"
