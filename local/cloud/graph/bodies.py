"""Directory objects as Microsoft Graph shows them, after the recorded answers in azure-cli's tests (role module)."""

from datetime import UTC, datetime
from typing import Any

from local.cloud.world import Application, FederatedCredential, Password, ServicePrincipal


def _stamp(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def application_body(application: Application) -> dict[str, Any]:
    """An application as Graph shows it; passwords without their text."""
    return {
        "@odata.type": "#microsoft.graph.application",
        "id": application.id,
        "deletedDateTime": _stamp(application.deleted),
        "appId": application.app_id,
        "uniqueName": application.unique_name,
        "createdDateTime": _stamp(application.created),
        "displayName": application.display_name,
        "identifierUris": [],
        "signInAudience": application.sign_in_audience,
        "tags": application.tags,
        "keyCredentials": [],
        "passwordCredentials": [password_body(password) for password in application.passwords],
        "requiredResourceAccess": [],
        "web": {"redirectUris": []},
    }


def password_body(password: Password) -> dict[str, Any]:
    """A password as Graph shows it, without its text."""
    return {
        "customKeyIdentifier": None,
        "displayName": password.display_name,
        "endDateTime": _stamp(password.ends),
        "hint": password.text[:3],
        "keyId": password.key_id,
        "secretText": None,
        "startDateTime": _stamp(password.starts),
    }


def principal_body(principal: ServicePrincipal, home: str | None) -> dict[str, Any]:
    """A service principal as Graph shows it; `home` is its application's tenant."""
    return {
        "@odata.type": "#microsoft.graph.servicePrincipal",
        "id": principal.id,
        "deletedDateTime": _stamp(principal.deleted),
        "accountEnabled": principal.enabled,
        "appDisplayName": principal.display_name,
        "appId": principal.app_id,
        "appOwnerOrganizationId": home,
        "createdDateTime": _stamp(principal.created),
        "displayName": principal.display_name,
        "servicePrincipalNames": [principal.app_id],
        "servicePrincipalType": principal.kind,
        "tags": principal.tags,
    }


def federated_body(credential: FederatedCredential) -> dict[str, Any]:
    """A federated credential as Graph shows it."""
    return {
        "id": credential.id,
        "name": credential.name,
        "issuer": credential.issuer,
        "subject": credential.subject,
        "description": credential.description,
        "audiences": credential.audiences,
    }
