"""Where a peering's parts are shown: pages whose addresses are known, and no others."""

import pytest

from peering.facts import Facts
from peering.spec import Peering
from triggers.documents.links import links_of

VNET = (
    "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v"
)
OF_PROJECT = Peering(id="", vnet_id=VNET, project="a/project", project_vpc_id="vpc")  # type: ignore[typeddict-item]
OF_ORGANIZATION = Peering(  # type: ignore[typeddict-item]
    id="", vnet_id=VNET, organization_id="org1", organization_vpc_id="vpc"
)


@pytest.mark.parametrize(
    ("peering", "facts", "url"),
    [
        (OF_PROJECT, Facts(cloud_name="azure-westeurope"), "https://console.aiven.io/project/a%2Fproject/services"),
        (OF_PROJECT, Facts(), "https://console.aiven.io/project/a%2Fproject/services"),
        (OF_ORGANIZATION, Facts(), "https://console.aiven.io"),
        (OF_PROJECT, Facts(cloud_name="timescale-azure-westeurope"), "https://portal.managed.timescale.com"),
    ],
    ids=["a project's", "not looked up yet", "an organization's", "of the managed service"],
)
def test_the_console_is_the_one_that_has_the_vpc(peering: Peering, facts: Facts, url: str) -> None:
    assert links_of(peering, facts)[-1]["url"] == url


@pytest.mark.parametrize(
    ("cloud", "portal"),
    [
        ("", "https://portal.azure.com"),
        ("AzureUSGovernment", "https://portal.azure.us"),
        ("AzureChinaCloud", "https://portal.azure.cn"),
    ],
)
def test_the_portal_is_that_of_the_cloud_and_only_what_is_there_has_a_page(
    monkeypatch: pytest.MonkeyPatch, cloud: str, portal: str
) -> None:
    monkeypatch.setenv("AZURE_CLOUD", cloud)
    links = {one["title"]: one["url"] for one in links_of(OF_PROJECT, Facts(tenant_id="t", application_id="app"))}
    assert links["VNet in Azure"] == f"{portal}/#@t/resource{VNET}/overview"
    assert links["Application in Entra"].startswith(f"{portal}/#view/")
    assert "VNet's peerings in Azure" not in links
    assert "Its service principal" not in links
