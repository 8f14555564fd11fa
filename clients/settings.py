"""The app settings: one typed place, read from the environment as Azure Functions gives it."""

import os
from functools import cache
from typing import Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from clients.clouds import CLOUDS, Cloud, CloudName
from clients.known_secrets import remember
from peering.outcome import ProblemError
from peering.spec import Deadlines

#: The prefix of a setting whose Key Vault secret Azure Functions could not read, in lower case.
_KEY_VAULT_REFERENCE: Final = "@microsoft.keyvault("
#: The app setting, or the prefix of those, that the Functions host finds its storage account by.
STORAGE: Final = "AzureWebJobsStorage"


class Settings(BaseModel):
    """Everything that an operator can set. Field names are the names of the app settings, in lower case."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, str_strip_whitespace=True)

    azure_cloud: Annotated[CloudName, Field(description="The Azure cloud, as `az cloud list` names it.")] = "AzureCloud"
    azure_credential: Annotated[
        Literal["managed-identity", "service-principal", "azure-cli"],
        Field(description="What the app signs in with; there is no default."),
    ]
    azure_tenant_id: Annotated[
        UUID | None, Field(description="The customer's tenant; required with `service-principal`.")
    ] = None
    azure_client_id: Annotated[
        UUID | None,
        Field(description="The service principal's application id, or the user-assigned managed identity's client id."),
    ] = None
    azure_client_secret: Annotated[
        SecretStr | None, Field(description="The service principal's password; required with `service-principal`.")
    ] = None
    key_vault_id: Annotated[
        str | None,
        Field(
            pattern=r"(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.KeyVault/vaults/[^/]+$",
            description="The vault's ARM id; with it, the plan also reports whether the app may write secrets.",
        ),
    ] = None
    webhook_url: Annotated[
        str | None, Field(pattern=r"^https://", description="Where changes of verdict are sent to; https only.")
    ] = None
    webhook_secret: Annotated[
        SecretStr | None, Field(min_length=16, description="The key that the webhook's events are signed with.")
    ] = None
    key_vault_name: Annotated[
        str,
        Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$", description="The vault that stores the passwords."),
    ]
    aiven_auth_token: Annotated[SecretStr, Field(min_length=1, description="The Aiven token of the app's user.")]
    registry_table_endpoint: Annotated[
        str | None,
        Field(pattern=r"^https://", description="The Table service that keeps the registry; the app's own otherwise."),
    ] = None
    allowed_subscriptions: Annotated[
        str | None,
        Field(
            pattern=r"^[0-9A-Fa-f-]{36}( *, *[0-9A-Fa-f-]{36})*$",
            description="The subscriptions whose VNets may be peered, separated by commas; without it, all.",
        ),
    ] = None
    peerings_per_caller: Annotated[
        int | None, Field(gt=0, description="How many peerings of one caller may exist at a time; without it, any.")
    ] = None
    history_days: Annotated[int, Field(gt=0, description="How long completed runs are kept.")] = 400
    read_timeout_seconds: Annotated[
        float, Field(gt=0, le=120, description="How long to wait for a response of a remote service.")
    ] = 30
    platform_application_id: Annotated[
        UUID, Field(description="The application that Aiven's platform signs in as (article step 7).")
    ] = UUID("55f300d4-fc50-4c5e-9222-e90a6e2187fb")
    propagation_deadline_minutes: Annotated[
        float, Field(gt=0, le=24 * 60, description="How long new objects and rights may take to become effective.")
    ] = 15
    platform_deadline_hours: Annotated[
        float,
        Field(gt=0, le=5 * 24, description="How long Aiven may take to build its side or to detect the Azure side."),
    ] = 24

    @model_validator(mode="after")
    def _service_principal_is_whole(self) -> Self:
        parts = (self.azure_tenant_id, self.azure_client_id, self.azure_client_secret)
        if self.azure_credential == "service-principal" and None in parts:
            raise ValueError(
                "AZURE_CREDENTIAL=service-principal needs AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
            )
        return self

    @model_validator(mode="after")
    def _webhook_is_signed(self) -> Self:
        if self.webhook_url is not None and self.webhook_secret is None:
            raise ValueError("WEBHOOK_URL needs WEBHOOK_SECRET, so that events can be signed")
        return self

    def check_credential(self, wanted: str) -> None:
        """Whether the app can give applications a credential of a kind.

        Raises:
            ProblemError: `federated-needs-managed-identity`.
        """
        if wanted == "federated" and self.azure_credential != "managed-identity":
            raise ProblemError("federated-needs-managed-identity", f"AZURE_CREDENTIAL is {self.azure_credential}.")

    def check_subscription(self, subscription_id: str) -> None:
        """Whether the VNets of a subscription may be peered.

        Raises:
            ProblemError: `subscription-not-allowed`.
        """
        allowed = [one.strip().lower() for one in (self.allowed_subscriptions or "").split(",") if one.strip()]
        if allowed and subscription_id.lower() not in allowed:
            raise ProblemError("subscription-not-allowed", f"The VNet is in {subscription_id}.")

    @property
    def registry_endpoint(self) -> str | None:
        """Where the Table service of the registry is; None when only a connection string tells.

        Without a setting it is that of the storage account that the Functions host uses, `AzureWebJobsStorage`, whose
        `__accountName` means the public cloud.
        """
        account = os.environ.get(f"{STORAGE}__accountName")
        named = f"https://{account}.table.core.windows.net" if account else None
        return self.registry_table_endpoint or os.environ.get(f"{STORAGE}__tableServiceUri") or named

    @property
    def cloud(self) -> Cloud:
        """The endpoints of the chosen Azure cloud."""
        return CLOUDS[self.azure_cloud]

    @property
    def deadlines(self) -> Deadlines:
        """The deadlines in seconds, for the orchestrator's input."""
        return Deadlines(
            propagation=self.propagation_deadline_minutes * 60, platform=self.platform_deadline_hours * 3600
        )


@cache
def settings() -> Settings:
    """The app's settings.

    Raises:
        ProblemError: `setting-invalid`, naming every setting that is missing or wrong, without its value;
            `key-vault-reference-unresolved`, naming those whose secret the platform could not read.
    """
    given = {name: os.environ[name.upper()] for name in Settings.model_fields if os.environ.get(name.upper())}
    if unresolved := [
        name.upper() for name, value in given.items() if value.strip().lower().startswith(_KEY_VAULT_REFERENCE)
    ]:
        raise ProblemError("key-vault-reference-unresolved", f"Not resolved: {', '.join(unresolved)}.")
    try:
        found = Settings.model_validate(given)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}".lstrip(": ") for e in error.errors())
        raise ProblemError("setting-invalid", "; ".join(faults)) from None
    for secret in (found.aiven_auth_token, found.azure_client_secret, found.webhook_secret):
        remember(secret.get_secret_value() if secret is not None else None)
    remember(found.webhook_url)
    # The platform's secret for requests to the managed identity endpoint; older hosting plans call it MSI_SECRET.
    for name in ("IDENTITY_HEADER", "MSI_SECRET"):
        remember(os.environ.get(name))
    return found
