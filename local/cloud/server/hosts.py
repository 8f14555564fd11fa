"""The host names that the local cloud answers on: those of Azure's clouds (`az cloud list`) and Aiven's."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

AIVEN: Final = "api.aiven.io"


@dataclass(frozen=True)
class Hosts:
    """The hosts of one Azure cloud."""

    logins: tuple[str, ...]
    arm: str
    graph: str
    vault_suffix: str
    table_suffix: str
    audience: str

    @property
    def authority(self) -> str:
        """Where a Key Vault sends its clients for a token."""
        return f"https://{self.logins[-1]}"

    @property
    def certificate_names(self) -> list[str]:
        """All names that a certificate has to hold."""
        return [*self.logins, self.arm, self.graph, f"*.{self.vault_suffix}", f"*.{self.table_suffix}", AIVEN]

    def table_endpoint(self, account: str) -> str:
        """The URL of a storage account's Table service."""
        return f"https://{account}.{self.table_suffix}"

    def service(self, host: str, vaults: Collection[str], accounts: Collection[str]) -> str | None:
        """Which service a host name leads to; None for a host that is not there."""
        if host in self.logins:
            return "entra"
        name, _, suffix = host.partition(".")
        if suffix == self.vault_suffix:
            return "vault" if name in vaults else None
        if suffix == self.table_suffix:
            return "table" if name in accounts else None
        return {self.arm: "arm", self.graph: "graph", AIVEN: "aiven"}.get(host)

    @property
    def metadata(self) -> dict[str, object]:
        """ARM's `GET /metadata/endpoints`."""
        return {
            "portal": "https://portal.azure.com",
            "authentication": {
                "loginEndpoint": f"https://{self.logins[0]}",
                "audiences": [f"https://{self.audience}/", f"https://{self.arm}/"],
                "tenant": "common",
                "identityProvider": "AAD",
            },
            "graphAudience": f"https://{self.graph}/",
            "name": "AzureCloud",
            "suffixes": {"keyVaultDns": self.vault_suffix, "storage": self.table_suffix.removeprefix("table.")},
            "resourceManager": f"https://{self.arm}/",
            "microsoftGraphResourceId": f"https://{self.graph}/",
        }


HOSTS: Final = {
    "AzureCloud": Hosts(
        ("login.microsoftonline.com", "sts.windows.net", "login.windows.net"),
        "management.azure.com",
        "graph.microsoft.com",
        "vault.azure.net",
        "table.core.windows.net",
        "management.core.windows.net",
    ),
    "AzureUSGovernment": Hosts(
        ("login.microsoftonline.us",),
        "management.usgovcloudapi.net",
        "graph.microsoft.us",
        "vault.usgovcloudapi.net",
        "table.core.usgovcloudapi.net",
        "management.core.usgovcloudapi.net",
    ),
    "AzureChinaCloud": Hosts(
        ("login.partner.microsoftonline.cn", "login.chinacloudapi.cn"),
        "management.chinacloudapi.cn",
        "microsoftgraph.chinacloudapi.cn",
        "vault.azure.cn",
        "table.core.chinacloudapi.cn",
        "management.core.chinacloudapi.cn",
    ),
}
