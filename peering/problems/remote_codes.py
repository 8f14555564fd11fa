"""What the remotes' own error codes mean here, from the public API references and error reports of each."""

from typing import Final

#: What a remote's own error code means here, unless the step that met it knows better.
REMOTE_CODES: Final[dict[str, str]] = {
    # Azure Resource Manager and its network provider
    "AuthorizationFailed": "automation-not-authorized",
    "LinkedAuthorizationFailed": "automation-not-authorized",
    "LinkedAccessCheckFailed": "automation-not-authorized",
    "InvalidAuthenticationTokenTenant": "subscription-in-other-tenant",
    "InvalidAuthenticationToken": "automation-sign-in-failed",
    "SubscriptionNotFound": "vnet-not-found",
    "ResourceGroupNotFound": "vnet-not-found",
    "ResourceNotFound": "vnet-not-found",
    "ReferencedResourceNotProvisioned": "vnet-not-provisioned",
    "AnotherOperationInProgress": "vnet-not-provisioned",
    "RetryableError": "vnet-not-provisioned",
    "RetryableErrorDueToAnotherOperation": "vnet-not-provisioned",
    "VnetAddressSpacesOverlap": "address-spaces-overlap",
    "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet": "address-space-overlaps-peered-vnet",
    "RemotePeeringIsDisconnected": "remote-peering-disconnected",
    "InvalidGlobalResourceReference": "remote-network-not-found",
    "RoleDefinitionWithSameNameExists": "role-name-taken",
    "RoleDefinitionDoesNotExist": "role-not-replicated",
    "PrincipalNotFound": "directory-replicating",
    "RoleAssignmentLimitExceeded": "role-limit-reached",
    "RoleDefinitionLimitExceeded": "role-limit-reached",
    "SubscriptionRequestsThrottled": "remote-throttled",
    # Microsoft Graph
    "Authorization_RequestDenied": "automation-graph-permission-missing",
    "Request_ResourceNotFound": "directory-replicating",
    "NoBackingApplicationObject": "directory-replicating",
    # Another run made it in the same moment; the next look finds it.
    "Request_MultipleObjectsWithSameKeyValue": "directory-replicating",
    "ObjectConflict": "directory-replicating",
    "CredentialInvalidLifetimeAsPerAppPolicy": "secret-policy",
    "CredentialTypeNotAllowedAsPerAppPolicy": "secret-policy",
    "SignInAudienceNotAllowedAsPerAppPolicy": "audience-policy",
    # Key Vault
    "Forbidden": "vault-access-denied",
    "ForbiddenByRbac": "vault-access-denied",
    "ForbiddenByFirewall": "vault-access-denied",
    "ObjectIsBeingDeleted": "secret-being-deleted",
    "ObjectIsBeingRecovered": "secret-being-deleted",
    "ObjectIsDeletedButRecoverable": "secret-being-deleted",
    "SecretNotFound": "secret-missing",
    "SecretDisabled": "secret-missing",
    # Table Storage
    "AuthorizationPermissionMismatch": "registry-access-denied",
}
