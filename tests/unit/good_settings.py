"""Settings of an app that can start."""

from typing import Final

GOOD: Final = {
    "AZURE_CREDENTIAL": "service-principal",
    "AZURE_TENANT_ID": "11111111-2222-3333-4444-555555555555",
    "AZURE_CLIENT_ID": "11111111-2222-3333-4444-666666666666",
    "AZURE_CLIENT_SECRET": "the-client-secret",
    "KEY_VAULT_NAME": "my-vault",
    "AIVEN_AUTH_TOKEN": "the-aiven-token",
}
