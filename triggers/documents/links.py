"""Links to the objects of a peering: in the Azure portal of the app's cloud, and in the Aiven console."""

import os
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from typing_extensions import TypedDict

from peering.aiven_vpc import AivenVpc
from peering.facts import Facts
from peering.spec import Peering

#: The portals of the clouds (learn.microsoft.com, "Azure portal URLs").
_PORTALS: Final = {
    "AzureCloud": "https://portal.azure.com",
    "AzureUSGovernment": "https://portal.azure.us",
    "AzureChinaCloud": "https://portal.azure.cn",
}
#: Aiven's console. Its pages of a project are at the project's name; the address of VPCs is not documented.
#: Pages of an organization are at an account's id, which is not the organization's.
_CONSOLE: Final = "https://console.aiven.io"
_PROJECT: Final = "/project/{}/services"
#: The console of Managed Service for TimescaleDB, and the prefix of its clouds' names.
_TIMESCALE, _TIMESCALE_CONSOLE = "timescale-", "https://portal.managed.timescale.com"
#: The portal's pages of an application and of a service principal, by the application's id and the object's.
_APPLICATION: Final = "#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/Overview/appId/{}"
_PRINCIPAL: Final = "#view/Microsoft_AAD_IAM/ManagedAppMenuBlade/~/Overview/objectId/{}"


class Link(TypedDict):
    """An external page about a part of a peering."""

    title: str
    url: str


def links_of(peering: Peering, facts: Facts) -> list[Link]:
    """The pages about a peering, for the parts that exist."""
    return [Link(title=title, url=url) for title, url in (*_in_azure(peering, facts), _in_aiven(peering, facts))]


def _in_azure(peering: Peering, facts: Facts) -> Iterator[tuple[str, str]]:
    portal = _PORTALS.get(os.environ.get("AZURE_CLOUD") or "AzureCloud")
    if portal is None:
        return
    # The portal opens a resource in the named directory; without one, in that of the signed-in user.
    tenant = facts.get("tenant_id", "")
    vnet = facts.get("vnet_id", peering["vnet_id"])
    yield "VNet in Azure", f"{portal}/#@{tenant}/resource{quote(vnet)}/overview"
    if "vnet_peering_id" in facts:
        yield "VNet's peerings in Azure", f"{portal}/#@{tenant}/resource{quote(vnet)}/peerings"
    if application := facts.get("application_id"):
        yield "Application in Entra", f"{portal}/{_APPLICATION.format(quote(application))}"
    if principal := facts.get("user_principal_id"):
        yield "Its service principal", f"{portal}/{_PRINCIPAL.format(quote(principal))}"
    if principal := facts.get("platform_principal_id"):
        yield "Platform's service principal", f"{portal}/{_PRINCIPAL.format(quote(principal))}"


def _in_aiven(peering: Peering, facts: Facts) -> tuple[str, str]:
    if facts.get("cloud_name", "").startswith(_TIMESCALE):
        return "Managed Service for TimescaleDB", _TIMESCALE_CONSOLE
    vpc = AivenVpc.of(peering)
    if vpc.kind == "project":
        return "Project in Aiven", f"{_CONSOLE}{_PROJECT.format(quote(vpc.owner, safe=''))}"
    return "Aiven's console", _CONSOLE
