"""Azure's built-in roles, as far as they matter here, and the platform's fixed application id."""

from typing import Final

from local.cloud.world.records import RoleDefinition

NETWORK_CONTRIBUTOR: Final = "4d97b98b-1d4f-4787-a291-c67834d212e7"
READER: Final = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
OWNER: Final = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
USER_ACCESS_ADMINISTRATOR: Final = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
ACCESS_ADMINISTRATOR: Final = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
SECRETS_OFFICER: Final = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
SECRETS_USER: Final = "4633458b-17de-408a-b874-0445c86b69e6"
TABLE_CONTRIBUTOR: Final = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"
TABLE_READER: Final = "76199698-9eea-4c19-bc75-cec21354c6b6"
PLATFORM_APP: Final = "55f300d4-fc50-4c5e-9222-e90a6e2187fb"

_AUTHORIZATION: Final = "Microsoft.Authorization/roleAssignments"
_SECRETS: Final = "Microsoft.KeyVault/vaults/secrets"
_TABLES: Final = "Microsoft.Storage/storageAccounts/tableServices/tables"
#: Name, actions, data actions.
_BUILT_IN: Final[dict[str, tuple[str, list[str], list[str]]]] = {
    OWNER: ("Owner", ["*"], []),
    READER: ("Reader", ["*/read"], []),
    NETWORK_CONTRIBUTOR: (
        "Network Contributor",
        ["Microsoft.Authorization/*/read", "Microsoft.Network/*", "Microsoft.Resources/deployments/*"],
        [],
    ),
    USER_ACCESS_ADMINISTRATOR: ("User Access Administrator", ["*/read", "Microsoft.Authorization/*"], []),
    ACCESS_ADMINISTRATOR: (
        "Role Based Access Control Administrator",
        [f"{_AUTHORIZATION}/write", f"{_AUTHORIZATION}/delete", "*/read"],
        [],
    ),
    SECRETS_OFFICER: ("Key Vault Secrets Officer", ["*/read"], [f"{_SECRETS}/*"]),
    SECRETS_USER: ("Key Vault Secrets User", [], [f"{_SECRETS}/getSecret/action", f"{_SECRETS}/readMetadata/action"]),
    TABLE_CONTRIBUTOR: (
        "Storage Table Data Contributor",
        [f"{_TABLES}/{right}" for right in ("read", "write", "delete")],
        [f"{_TABLES}/entities/{right}" for right in ("read", "write", "delete", "add/action", "update/action")],
    ),
    TABLE_READER: ("Storage Table Data Reader", [f"{_TABLES}/read"], [f"{_TABLES}/entities/read"]),
}


def built_in_roles() -> list[RoleDefinition]:
    """The built-in roles that every tenant has."""
    return [
        RoleDefinition(name, title, "", True, "", ["/"], list(actions), data_actions=list(data))
        for name, (title, actions, data) in _BUILT_IN.items()
    ]
