"""Directory objects as Microsoft Graph shows them, after the recorded answers in azure-cli's tests (role module)."""

from datetime import UTC, datetime
from typing import Any, Final

from local.cloud.world.world import Application, FederatedCredential, Password, ServicePrincipal

#: What Graph shows of every application besides, as this cloud leaves it.
_APPLICATION: Final[dict[str, Any]] = {
    **dict.fromkeys(
        (
            "applicationTemplateId", "certification", "defaultRedirectUri", "description", "disabledByMicrosoftStatus",
            "groupMembershipClaims", "isDeviceOnlyAuthSupported", "isFallbackPublicClient",
            "nativeAuthenticationApisEnabled", "notes", "optionalClaims", "publisherDomain",
            "requestSignatureVerification", "samlMetadataUrl", "serviceManagementReference",
            "servicePrincipalLockConfiguration", "tokenEncryptionKeyId",
        )
    ),
    "addIns": [],
    "api": {
        "acceptMappedClaims": None,
        "knownClientApplications": [],
        "oauth2PermissionScopes": [],
        "preAuthorizedApplications": [],
        "requestedAccessTokenVersion": None,
    },
    "appRoles": [],
    "info": dict.fromkeys(("logoUrl", "marketingUrl", "privacyStatementUrl", "supportUrl", "termsOfServiceUrl")),
    "keyCredentials": [],
    "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
    "publicClient": {"redirectUris": []},
    "requiredResourceAccess": [],
    "spa": {"redirectUris": []},
    "verifiedPublisher": dict.fromkeys(("addedDateTime", "displayName", "verifiedPublisherId")),
    "web": {
        "homePageUrl": None,
        "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
        "logoutUrl": None,
        "redirectUriSettings": [],
        "redirectUris": [],
    },
}  # fmt: skip
#: The same of every service principal.
_PRINCIPAL: Final[dict[str, Any]] = {
    **dict.fromkeys(
        (
            "appDescription", "applicationTemplateId", "description", "disabledByMicrosoftStatus", "homepage",
            "loginUrl", "logoutUrl", "notes", "preferredSingleSignOnMode", "preferredTokenSigningKeyThumbprint",
            "samlSingleSignOnSettings", "tokenEncryptionKeyId",
        )
    ),
    "addIns": [],
    "alternativeNames": [],
    "appRoleAssignmentRequired": False,
    "appRoles": [],
    "info": dict.fromkeys(("logoUrl", "marketingUrl", "privacyStatementUrl", "supportUrl", "termsOfServiceUrl")),
    "keyCredentials": [],
    "notificationEmailAddresses": [],
    "oauth2PermissionScopes": [],
    "passwordCredentials": [],
    "replyUrls": [],
    "resourceSpecificApplicationPermissions": [],
    "signInAudience": "AzureADMultipleOrgs",
    "verifiedPublisher": dict.fromkeys(("addedDateTime", "displayName", "verifiedPublisherId")),
}  # fmt: skip


def _stamp(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def application_body(application: Application) -> dict[str, Any]:
    """An application as Graph shows it; passwords without their text."""
    return {
        "id": application.id,
        "deletedDateTime": _stamp(application.deleted),
        "appId": application.app_id,
        "uniqueName": application.unique_name,
        "createdDateTime": _stamp(application.created),
        "displayName": application.display_name,
        "identifierUris": [],
        "signInAudience": application.sign_in_audience,
        "tags": application.tags,
        "passwordCredentials": [password_body(password) for password in application.passwords],
        **_APPLICATION,
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
        **_PRINCIPAL,
    }


def as_directory_object(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """An object where any kind of directory object could be: it says which kind it is."""
    return {"@odata.type": f"#microsoft.graph.{kind}", **body}


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
