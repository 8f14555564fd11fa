"""The Azure clouds: the hosts of the public and the sovereign ones (`az cloud list`)."""

from dataclasses import dataclass
from typing import Final, Literal

CloudName = Literal["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"]


@dataclass(frozen=True)
class Cloud:
    """The endpoints of one Azure cloud."""

    authority: str
    resource_manager: str
    graph: str
    vault_suffix: str
    token_exchange: str

    @property
    def resource_manager_scope(self) -> str:
        """The scope of a token for Azure Resource Manager."""
        return f"{self.resource_manager}/.default"

    @property
    def graph_scope(self) -> str:
        """The scope of a token for Microsoft Graph."""
        return f"{self.graph}/.default"

    @property
    def token_exchange_scope(self) -> str:
        """The scope of a managed identity's token that an application accepts instead of a password."""
        return f"{self.token_exchange}/.default"

    def vault_url(self, name: str) -> str:
        """The URL of a Key Vault."""
        return f"https://{name}.{self.vault_suffix}"


CLOUDS: Final[dict[CloudName, Cloud]] = {
    "AzureCloud": Cloud(
        "https://login.microsoftonline.com",
        "https://management.azure.com",
        "https://graph.microsoft.com",
        "vault.azure.net",
        "api://AzureADTokenExchange",
    ),
    "AzureUSGovernment": Cloud(
        "https://login.microsoftonline.us",
        "https://management.usgovcloudapi.net",
        "https://graph.microsoft.us",
        "vault.usgovcloudapi.net",
        "api://AzureADTokenExchangeUSGov",
    ),
    "AzureChinaCloud": Cloud(
        "https://login.chinacloudapi.cn",
        "https://management.chinacloudapi.cn",
        "https://microsoftgraph.chinacloudapi.cn",
        "vault.azure.cn",
        "api://AzureADTokenExchangeChina",
    ),
}
