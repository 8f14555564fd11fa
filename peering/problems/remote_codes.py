"""What the remotes' own error codes mean here, from the public API references and error reports of each service.

The HTTP status is read first: an answer that may pass, such as a 503, is tried again whatever its code says.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal

from peering.problems.codes import ProblemCode

Service = Literal[
    "Azure Resource Manager",
    "Microsoft Graph",
    "Entra ID",
    "the managed identity endpoint",
    "the Azure CLI",
    "Azure Key Vault",
    "Azure Table Storage",
    "Aiven",
]
#: Who acts: the app's own identity, or the application that it made.
Identity = Literal["automation", "application"]
Codes = Mapping[str, ProblemCode]

#: Not an answer: the name of the host is unknown.
NO_SUCH_HOST: Final = "NoSuchHost"
_VAULT_DENIED: Final[ProblemCode] = "vault-access-denied"

#: What a service's code means.
REMOTE_CODES: Final[Mapping[Service, Codes]] = {
    "Azure Resource Manager": {
        "AuthorizationFailed": "automation-not-authorized",
        "LinkedAuthorizationFailed": "automation-not-authorized",
        "LinkedAccessCheckFailed": "automation-not-authorized",
        "DenyAssignmentAuthorizationFailed": "deny-assignment",
        "RequestDisallowedByPolicy": "policy-denied",
        "ScopeLocked": "scope-locked",
        "ReadOnlyDisabledSubscription": "subscription-disabled",
        "SubscriptionNotActive": "subscription-disabled",
        "InvalidAuthenticationTokenTenant": "subscription-in-other-tenant",
        "InvalidAuthenticationToken": "automation-token-refused",
        "InvalidAuthenticationTokenAudience": "automation-token-refused",
        "ExpiredAuthenticationToken": "automation-token-refused",
        "AuthenticationFailed": "automation-token-refused",
        "AuthenticationFailedMissingToken": "automation-token-refused",
        "AuthenticationFailedInvalidHeader": "automation-token-refused",
        "SubscriptionNotFound": "vnet-not-found",
        "ResourceGroupNotFound": "vnet-not-found",
        "ResourceNotFound": "vnet-not-found",
        "ReferencedResourceNotProvisioned": "vnet-not-provisioned",
        "AnotherOperationInProgress": "vnet-not-provisioned",
        "RetryableErrorDueToTooManyCalls": "remote-throttled",
        "RetryableError": "vnet-not-provisioned",
        "RetryableErrorDueToAnotherOperation": "vnet-not-provisioned",
        "CanceledAndSupersededDueToAnotherOperation": "vnet-not-provisioned",
        "OperationPreempted": "vnet-not-provisioned",
        # It has been changed since it was read.
        "PreconditionFailed": "vnet-not-provisioned",
        "VnetAddressSpacesOverlap": "address-spaces-overlap",
        "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet": "address-space-overlaps-peered-vnet",
        "AnotherPeeringAlreadyReferencesRemoteVnet": "network-peered-already",
        "RemotePeeringIsDisconnected": "remote-peering-disconnected",
        "RemoteVnetHasNoGateways": "remote-gateway-missing",
        "ChangingRemoteVnetNotAllowed": "peering-name-taken",
        "VirtualNetworkPeeringLimitReached": "peering-limit-reached",
        "VirtualNetworkPeeringLimitExceeded": "peering-limit-reached",
        "InvalidGlobalResourceReference": "remote-network-not-found",
        "RoleDefinitionWithSameNameExists": "role-name-taken",
        "RoleDefinitionDoesNotExist": "role-not-replicated",
        "PrincipalNotFound": "directory-replicating",
        "RoleAssignmentLimitExceeded": "role-limit-reached",
        "RoleDefinitionLimitExceeded": "role-limit-reached",
        "SubscriptionRequestsThrottled": "remote-throttled",
    },
    "Microsoft Graph": {
        "Authorization_RequestDenied": "automation-graph-permission-missing",
        "InvalidAuthenticationToken": "automation-token-refused",
        "Authorization_IdentityNotFound": "automation-token-refused",
        "Request_ResourceNotFound": "directory-replicating",
        "NoBackingApplicationObject": "directory-replicating",
        # Another run created it at the same moment; the next poll finds it.
        "Request_MultipleObjectsWithSameKeyValue": "directory-replicating",
        "ObjectConflict": "directory-replicating",
        # Two changed it in the same moment.
        "Directory_ConcurrencyViolation": "directory-replicating",
        "Directory_QuotaExceeded": "directory-quota-reached",
        "CredentialInvalidLifetimeAsPerAppPolicy": "secret-policy",
        "CredentialTypeNotAllowedAsPerAppPolicy": "secret-policy",
        "SignInAudienceNotAllowedAsPerAppPolicy": "audience-policy",
    },
    "Azure Key Vault": {
        "Forbidden": _VAULT_DENIED,
        "ForbiddenByRbac": _VAULT_DENIED,
        # The policy is an access policy; older vaults call it AccessDenied.
        "ForbiddenByPolicy": "vault-access-policy-missing",
        "AccessDenied": "vault-access-policy-missing",
        "ForbiddenByFirewall": "vault-firewall",
        # The vault refuses requests from the public network.
        "ForbiddenByConnection": "vault-firewall",
        "Unauthorized": "automation-token-refused",
        NO_SUCH_HOST: "vault-not-found",
        "ObjectIsBeingDeleted": "secret-being-deleted",
        "ObjectIsBeingRecovered": "secret-being-deleted",
        "ObjectIsDeletedButRecoverable": "secret-being-deleted",
        "SecretNotFound": "secret-missing",
        "SecretDisabled": "secret-missing",
    },
    "Azure Table Storage": {
        "AuthorizationPermissionMismatch": "registry-access-denied",
        # The account's network rules, also where they forbid the public network.
        "AuthorizationFailure": "registry-firewall",
        "KeyBasedAuthenticationNotPermitted": "registry-key-refused",
        # A token that is not valid is answered 401, with a code of its own.
        "AuthenticationFailed": "registry-key-refused",
        "InvalidAuthenticationInfo": "automation-token-refused",
        "NoAuthenticationInformation": "automation-token-refused",
        # The table's name stays taken for a while ("Table service error codes").
        "TableBeingDeleted": "registry-unavailable",
    },
    # In Aiven's published schema; their statuses are not documented.
    "Aiven": {
        "feature_not_enabled": "aiven-not-offered",
        "action_forbidden_for_timescale_users": "aiven-not-offered",
        "action_forbidden_for_application_users": "aiven-user-not-accepted",
    },
}

#: Codes that count only if no more specific one comes with them; the service's text says what is wrong.
ALONE: Final[Mapping[Service, frozenset[str]]] = {"Azure Key Vault": frozenset({"Forbidden"})}

#: The same for requests of the created application, whose rights may be new.
AS_APPLICATION: Final[Codes] = {
    "AuthorizationFailed": "peering-role-not-effective",
    "LinkedAuthorizationFailed": "platform-role-not-effective",
    "LinkedAccessCheckFailed": "platform-role-not-effective",
    "InvalidAuthenticationToken": "application-token-refused",
    "ExpiredAuthenticationToken": "application-token-refused",
    "AuthenticationFailed": "application-token-refused",
    "AuthenticationFailedMissingToken": "application-token-refused",
    "AuthenticationFailedInvalidHeader": "application-token-refused",
}

#: Codes of Entra that pass, for any identity; the word is OAuth's.
_PASSING: Final[Codes] = {
    "temporarily_unavailable": "remote-unavailable",
    "AADSTS90006": "remote-unavailable",
    "AADSTS90012": "remote-unavailable",
    "AADSTS90024": "remote-unavailable",
    "AADSTS90025": "remote-unavailable",
    "AADSTS90033": "remote-unavailable",
    "AADSTS50196": "remote-throttled",
    "AADSTS90055": "remote-throttled",
}

#: What a code of Entra means for the identity that signs in.
SIGN_IN_CODES: Final[Mapping[Identity, Codes]] = {
    "automation": {
        **_PASSING,
        "AADSTS7000222": "automation-secret-expired",
        "AADSTS7000215": "automation-secret-invalid",
        "AADSTS700016": "automation-not-in-tenant",
        "AADSTS7000229": "automation-not-in-tenant",
        "AADSTS90002": "automation-tenant-not-found",
        "AADSTS900023": "automation-tenant-not-found",
        "AADSTS7000112": "automation-disabled",
        "AADSTS500021": "automation-kept-out",
        "AADSTS500022": "automation-kept-out",
        "AADSTS5000211": "automation-kept-out",
        # The cross-tenant access policy of the one tenant, or of the other.
        "AADSTS500212": "automation-kept-out",
        "AADSTS500213": "automation-kept-out",
        "AADSTS53003": "automation-conditional-access",
        "AADSTS53000": "automation-conditional-access",
        "AADSTS530021": "automation-conditional-access",
        "AADSTS50158": "automation-conditional-access",
        "AADSTS50131": "automation-conditional-access",
        "AADSTS53001": "automation-conditional-access",
        # A security policy of the tenant, and its security defaults.
        "AADSTS530032": "automation-conditional-access",
        "AADSTS530035": "automation-conditional-access",
    },
    "application": {
        **_PASSING,
        "AADSTS700016": "application-not-in-tenant",
        "AADSTS7000229": "application-not-in-tenant",
        "AADSTS7000215": "secret-not-accepted",
        "AADSTS7000222": "secret-expired",
        "AADSTS7000112": "application-disabled",
        "AADSTS70025": "federated-credential-not-accepted",
        "AADSTS7002138": "federated-credential-not-accepted",
        "AADSTS70021": "federated-credential-not-accepted",
        "AADSTS700211": "federated-credential-not-accepted",
        "AADSTS700212": "federated-credential-not-accepted",
        "AADSTS700213": "federated-credential-not-accepted",
        "AADSTS500021": "application-kept-out",
        "AADSTS500022": "application-kept-out",
        "AADSTS5000211": "application-kept-out",
        # The cross-tenant access policy of the one tenant, or of the other.
        "AADSTS500212": "application-kept-out",
        "AADSTS500213": "application-kept-out",
        "AADSTS53003": "application-conditional-access",
        "AADSTS53000": "application-conditional-access",
        "AADSTS530021": "application-conditional-access",
        "AADSTS50158": "application-conditional-access",
        "AADSTS50131": "application-conditional-access",
        "AADSTS53001": "application-conditional-access",
        # A security policy of the tenant, and its security defaults.
        "AADSTS530032": "application-conditional-access",
        "AADSTS530035": "application-conditional-access",
    },
}

#: What a code means for the created application in the customer's tenant, which is its own.
SIGN_IN_AT_HOME: Final[Codes] = {
    "AADSTS700016": "application-principal-unknown",
    "AADSTS7000229": "application-principal-unknown",
}

#: The meanings of codes in single steps, which take precedence.
STEP_READINGS: Final[Mapping[str, Codes]] = {
    "platform_service_principal": {"Authorization_RequestDenied": "platform-principal-forbidden"},
    "connected": {"NotFound": "peering-not-connected"},
}

#: Refusals that share a code and differ in their texts; the patterns match every language version seen.
TEXTS: Final[Mapping[Service, tuple[tuple[re.Pattern[str], ProblemCode], ...]]] = {
    "Azure Resource Manager": (
        (re.compile(r"ABAC condition", re.IGNORECASE), "role-assignment-condition"),
        (re.compile(r"another operation .{0,60}is in progress", re.IGNORECASE), "vnet-not-provisioned"),
    ),
    "Azure Key Vault": ((re.compile(r"AKV10032\b"), "vault-in-other-tenant"),),
    "Microsoft Graph": (
        (re.compile(r"same value for property uniqueName", re.IGNORECASE), "application-name-reserved"),
        (re.compile(r"directory object quota", re.IGNORECASE), "directory-quota-reached"),
    ),
    "Aiven": ((re.compile(r"does not refer to a valid application", re.IGNORECASE), "application-not-in-tenant"),),
}

#: What the operator can do about a sign-in that a program on the machine refuses, if its text does not say so.
TO_DO: Final[Mapping[Service, str]] = {
    "the Azure CLI": "Install the Azure CLI where the app runs and sign in with `az login` as the user that it runs as,"
    " or set AZURE_CREDENTIAL to another identity."
}

#: Codes of a 404 that speak of the API, or of nothing: no object is missing (azure-powershell #11022, #12061; Graph).
NO_ABSENCE: Final = frozenset(
    {"InvalidResourceType", "InvalidResourceNamespace", "NoRegisteredProviderFound", "UnknownError"}
)
#: The meanings of statuses without a known code; most codes of Aiven's refusals are not documented.
STATUSES: Final[Mapping[Service, Mapping[int, ProblemCode]]] = {
    "Azure Resource Manager": {401: "automation-token-refused"},
    "Microsoft Graph": {401: "automation-token-refused"},
    "Azure Key Vault": {401: "automation-token-refused"},
    "Azure Table Storage": {401: "automation-token-refused"},
    "Aiven": {401: "aiven-token-rejected", 403: "aiven-not-permitted", 404: "project-vpc-not-found"},
}
#: The same for requests about an object with rights of its own.
STATUSES_ABOUT: Final[Mapping[str, Mapping[int, ProblemCode]]] = {
    "organization": {403: "aiven-organization-not-permitted"}
}
#: The same for requests of the created application.
STATUSES_AS_APPLICATION: Final[Mapping[int, ProblemCode]] = {401: "application-token-refused"}
#: The problem of any other refusal, by service.
OTHERWISE: Final[Mapping[Service, ProblemCode]] = {"Aiven": "aiven-refused"}
