"""The catalogue of everything that can stand in a peering's way: what it means, who can fix it, and how.

A problem with a `deadline` may clear by itself: the step looks again until then, and only then does it count.
`REMOTE_CODES` maps what the remotes answer to the catalogue; sources are the public API references and error reports
of Azure Resource Manager, Microsoft Graph, Entra ID, Key Vault and Aiven.
"""

from dataclasses import dataclass
from typing import Final, Literal

Deadline = Literal["propagation", "platform"]
Fixer = Literal[
    "the caller",
    "the network team",
    "an Entra administrator",
    "an Azure administrator",
    "an Aiven project administrator",
    "the operator of this app",
]


@dataclass(frozen=True)
class Problem:
    """One kind of obstacle: its code is stable, its texts are for people."""

    code: str
    title: str
    meaning: str
    remedy: str
    fixer: Fixer
    deadline: Deadline | None = None
    status: int = 500


_REQUESTS = (
    Problem(
        "invalid-request",
        "The request is not valid",
        "A field is missing, unknown, of the wrong type or breaks a rule; each one is listed in `errors`.",
        "Correct the named fields and send the request again. Nothing was started.",
        "the caller",
        status=400,
    ),
    Problem(
        "not-json",
        "The body is not JSON",
        "The request needs one JSON object in UTF-8 as its body.",
        "Send the body as JSON with `Content-Type: application/json`. Nothing was started.",
        "the caller",
        status=400,
    ),
    Problem(
        "body-too-large",
        "The body is too large",
        "A request for a peering is a few hundred bytes; more than 64 KiB is refused unread.",
        "Send only the documented fields. Nothing was started.",
        "the caller",
        status=413,
    ),
    Problem(
        "peering-not-found",
        "There is no such peering",
        "No peering with this id was ever requested here.",
        "List the known peerings with `GET /api/peerings`, or request this one with `POST /api/peerings`.",
        "the caller",
        status=404,
    ),
    Problem(
        "problem-not-found",
        "There is no such problem",
        "The catalogue has no problem with this code.",
        "List the catalogue with `GET /api/problems`.",
        "the caller",
        status=404,
    ),
    Problem(
        "running-with-other-options",
        "The peering is being set up with other options",
        "This pair of project VPC and VNet is under way already; the request asks for other options than that run.",
        "Wait until it has ended, then send the request again. The options that differ are listed in `errors`.",
        "the caller",
        status=409,
    ),
)

_RUNS = (
    Problem(
        "run-stopped",
        "The run was stopped",
        "Somebody asked for the peering to be removed while it was being set up.",
        "Nothing; send the request again to set the peering up after all.",
        "the caller",
    ),
    Problem(
        "run-still-ending",
        "The run is still ending",
        "The steps that had begun when the run was stopped are finished first, so that nothing is left half made.",
        "Wait; the removal goes on by itself.",
        "the operator of this app",
        "propagation",
    ),
    Problem(
        "being-removed",
        "The peering is being removed",
        "A removal of this peering is under way.",
        "Wait until it has ended, then send the request again.",
        "the caller",
        status=409,
    ),
    Problem(
        "vnet-peering-still-there",
        "The VNet peering is still being deleted",
        "Azure deletes a VNet peering in the background.",
        "Wait; the app looks again by itself.",
        "the network team",
        "propagation",
    ),
    Problem(
        "connection-still-there",
        "The connection is still being deleted",
        "Aiven takes its side of the peering away, which takes a few minutes.",
        "Wait; if the deadline passed, ask Aiven's support and send the request again.",
        "an Aiven project administrator",
        "platform",
    ),
)

_CONFIGURATION = (
    Problem(
        "setting-invalid",
        "A setting of the app is missing or wrong",
        "The app cannot talk to the clouds without it.",
        "Set the named app setting and send the request again.",
        "the operator of this app",
    ),
    Problem(
        "unexpected-error",
        "The app ran into an error that it does not know",
        "This is a defect of the app; the log of the function has the trace under the peering's id.",
        "Report it with the log; sending the request again resumes the peering.",
        "the operator of this app",
    ),
    Problem(
        "automation-sign-in-failed",
        "The app's own identity cannot sign in",
        "Entra refused a token to the identity that the app is configured to run as.",
        "Check AZURE_CREDENTIAL and the identity it names: it exists in the tenant, is enabled, and its secret has not"
        " expired.",
        "the operator of this app",
    ),
    Problem(
        "automation-not-authorized",
        "The app's own identity lacks an Azure role",
        "Azure Resource Manager refused the call for want of a role assignment on the scope that the detail names.",
        "Assign the identity the role that infra/ describes (Role Based Access Control Administrator and Reader on the"
        " VNet, its resource group or subscription), then send the request again.",
        "an Azure administrator",
    ),
    Problem(
        "automation-graph-permission-missing",
        "The app's own identity lacks a Microsoft Graph permission",
        "Application.ReadWrite.OwnedBy lets it make its own application; Application.ReadWrite.All also the platform's"
        " service principal.",
        "Grant the permission to the identity and consent to it, then send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "subscription-in-other-tenant",
        "The VNet's subscription belongs to another tenant",
        "The app's identity signs in to one tenant; Azure says that the VNet's subscription is in a different one.",
        "Check the subscription in vnet_id, or run the app with an identity of that tenant.",
        "the caller",
    ),
)

_AIVEN = (
    Problem(
        "aiven-token-rejected",
        "Aiven does not accept the token",
        "The token in AIVEN_AUTH_TOKEN is unknown to Aiven, expired or revoked.",
        "Create a token for a user with the operator role on the project and set AIVEN_AUTH_TOKEN.",
        "the operator of this app",
    ),
    Problem(
        "aiven-not-permitted",
        "The Aiven user may not manage the project's networks",
        "The token is good, but its user lacks project:networking:write on the project.",
        "Give the user the operator or admin role on the project.",
        "an Aiven project administrator",
    ),
    Problem(
        "project-vpc-not-found",
        "The project VPC does not exist",
        "Aiven knows no such project or no project VPC of this id in it.",
        "Compare project and project_vpc_id with `avn vpc list`.",
        "the caller",
    ),
    Problem(
        "project-vpc-not-azure",
        "The project VPC is not on Azure",
        "A VNet can only be peered with a project VPC in an Azure region.",
        "Choose a project VPC whose cloud name contains `azure`.",
        "the caller",
    ),
    Problem(
        "project-vpc-not-active",
        "The project VPC is still being built",
        "Peering connections can be made once the project VPC is ACTIVE.",
        "Wait for it; `avn vpc list` shows its state.",
        "an Aiven project administrator",
        "platform",
    ),
    Problem(
        "project-vpc-deleted",
        "The project VPC is being deleted",
        "A project VPC that is DELETING or DELETED takes no more peering connections.",
        "Choose or create another project VPC.",
        "the caller",
    ),
    Problem(
        "aiven-refused",
        "Aiven refused the request",
        "The detail is Aiven's own answer.",
        "Correct what the answer names and send the request again.",
        "the caller",
    ),
    Problem(
        "connection-not-built",
        "Aiven is still building its side of the peering",
        "The connection is APPROVED: the platform makes a service principal of the application in its tenant, then a"
        " VNet peering from its network.",
        "Wait; this takes a few minutes. If the deadline passed, ask Aiven's support and send the request again.",
        "an Aiven project administrator",
        "platform",
    ),
    Problem(
        "connection-not-active",
        "Aiven has not seen the Azure side yet",
        "The VNet peering exists; the platform looks for it regularly and then sets the connection ACTIVE.",
        "Wait a few minutes. If the deadline passed, check that the VNet peering is Connected, then send the request"
        " again.",
        "an Aiven project administrator",
        "platform",
    ),
    Problem(
        "connection-state-unknown",
        "The connection is in a state that this app does not know",
        "Aiven added a state; the detail names it. The app keeps looking, in case it passes.",
        "Look the state up in Aiven's documentation; a newer version of the app may know it.",
        "the operator of this app",
        "platform",
    ),
    Problem(
        "connection-invalid-specification",
        "Aiven could not build the connection",
        "INVALID_SPECIFICATION: the VNet does not exist under that name, its addresses overlap the project VPC's, or"
        " the platform's service principal may not peer with it.",
        "Correct the cause, then send the request again: the connection is requested anew (article step 12).",
        "the network team",
    ),
    Problem(
        "connection-rejected-by-peer",
        "Azure rejected the connection",
        "REJECTED_BY_PEER: the application or tenant id is unknown to the platform, the application is not"
        " multi-tenant, or the platform may not peer with the VNet.",
        "Correct the cause, then send the request again: the connection is requested anew (article step 12).",
        "an Entra administrator",
    ),
    Problem(
        "connection-deleted-by-peer",
        "The Azure side of the connection was deleted",
        "DELETED_BY_PEER: somebody removed the VNet peering after it had worked. Aiven never leaves this state.",
        "Send the request again: the connection is deleted and requested anew.",
        "the network team",
    ),
    Problem(
        "connection-error",
        "Aiven reports an error of the connection",
        "ERROR: the platform failed to build or keep the connection; the detail is its own message.",
        "Send the request again; if it fails the same way, ask Aiven's support with the detail.",
        "an Aiven project administrator",
    ),
    Problem(
        "connection-being-deleted",
        "An earlier connection is still being deleted",
        "Aiven is removing the previous connection of this pair; a new one can be made after that.",
        "Wait; the app goes on by itself.",
        "an Aiven project administrator",
        "platform",
    ),
    Problem(
        "connection-absent",
        "The connection has vanished",
        "Aiven no longer lists the connection: somebody deleted it while it was being set up.",
        "Send the request again to make a new one.",
        "an Aiven project administrator",
    ),
    Problem(
        "peer-network-unknown",
        "Aiven has not named its network yet",
        "The Azure side needs to-tenant-id and to-network-id, which the connection's state_info does not hold.",
        "Wait; if the deadline passed, delete the connection in Aiven and send the request again.",
        "an Aiven project administrator",
        "propagation",
    ),
)

_NETWORK = (
    Problem(
        "vnet-not-found",
        "The VNet does not exist",
        "Azure finds no VNet under this id, or the app's identity may not see it.",
        "Compare vnet_id with `az network vnet list`.",
        "the caller",
    ),
    Problem(
        "vnet-not-provisioned",
        "The VNet is busy with another change",
        "Azure takes no peering while the VNet, or one of its subnets, is being updated.",
        "Wait; the app tries again by itself.",
        "the network team",
        "propagation",
    ),
    Problem(
        "address-spaces-overlap",
        "The address spaces overlap",
        "Two networks with common addresses cannot be peered.",
        "Give the VNet or the project VPC other addresses; the detail names the overlapping prefixes.",
        "the network team",
    ),
    Problem(
        "address-space-overlaps-peered-vnet",
        "The address space overlaps a network that is already peered",
        "A network that is peered to one of the two has addresses in common with the other.",
        "Remove that peering or change the addresses; the detail names the networks.",
        "the network team",
    ),
    Problem(
        "peering-name-taken",
        "The VNet peering's name is taken",
        "The VNet has a peering of this name that leads to another network.",
        "Send the request with another peering_name.",
        "the caller",
    ),
    Problem(
        "remote-peering-disconnected",
        "The platform's side of the peering is Disconnected",
        "The Azure side was deleted earlier; Azure takes a new one only after the platform has renewed its own.",
        "Send the request again after the connection was deleted in Aiven, so that both sides are made anew.",
        "an Aiven project administrator",
    ),
    Problem(
        "remote-network-not-found",
        "The platform's network does not exist",
        "Azure finds no network under the to-network-id that Aiven gave.",
        "Delete the connection in Aiven and send the request again.",
        "an Aiven project administrator",
    ),
    Problem(
        "peering-not-connected",
        "The VNet peering is not Connected yet",
        "Azure is still joining the two sides.",
        "Wait; if the deadline passed, compare the peering on the VNet with the connection in Aiven.",
        "the network team",
        "propagation",
    ),
    Problem(
        "peering-failed",
        "Azure failed to provision the VNet peering",
        "The operation was accepted and then failed; the detail is Azure's own message.",
        "Correct what the detail names and send the request again.",
        "the network team",
    ),
)

_ACCESS = (
    Problem(
        "peering-role-not-effective",
        "The application may not peer the VNet yet",
        "Its role assignment on the VNet exists; Azure takes up to ten minutes to honour a new one (article step 13).",
        "Wait; if the deadline passed, look for a deny assignment or a policy on the VNet.",
        "an Azure administrator",
        "propagation",
    ),
    Problem(
        "platform-role-not-effective",
        "The application may not peer with the platform's network yet",
        "The platform gives the application that right in its own tenant; Azure takes a while to honour it.",
        "Wait; if the deadline passed, delete the connection in Aiven and send the request again.",
        "an Aiven project administrator",
        "propagation",
    ),
    Problem(
        "role-name-taken",
        "A different role of this name exists",
        "A role's name is unique in its tenant; the one that exists grants other actions or serves other scopes.",
        "Send the request with another role name, or mend the existing role.",
        "an Azure administrator",
    ),
    Problem(
        "role-not-replicated",
        "Azure has not replicated the role yet",
        "A role definition that was just made is not known everywhere at once.",
        "Wait; the app tries again by itself.",
        "an Azure administrator",
        "propagation",
    ),
    Problem(
        "role-limit-reached",
        "An Azure limit of roles is reached",
        "A tenant holds at most 5,000 custom roles and a subscription 4,000 role assignments.",
        "Remove unused roles or assignments and send the request again.",
        "an Azure administrator",
    ),
)

_DIRECTORY = (
    Problem(
        "directory-replicating",
        "Entra has not replicated the new object yet",
        "An application or service principal that was just made is not known everywhere at once.",
        "Wait; the app tries again by itself.",
        "an Entra administrator",
        "propagation",
    ),
    Problem(
        "platform-principal-forbidden",
        "The app may not create the platform's service principal",
        "The platform's application belongs to another tenant; making its service principal here takes more than"
        " Application.ReadWrite.OwnedBy.",
        "An administrator runs `az ad sp create --id` with the platform's application id once per tenant, or grants the"
        " app's identity Application.ReadWrite.All.",
        "an Entra administrator",
    ),
    Problem(
        "platform-principal-disabled",
        "The platform's service principal is disabled",
        "Somebody switched off the sign-in of the platform's application in this tenant; so Aiven fails.",
        "Enable the service principal in Entra (Enterprise applications) and send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "secret-policy",
        "A policy of the tenant forbids the password",
        "An app management policy limits passwords or their lifetime.",
        "Send the request with a shorter secret_lifetime_days, or have the application exempted from the policy.",
        "an Entra administrator",
    ),
    Problem(
        "audience-policy",
        "A policy of the tenant forbids multi-tenant applications",
        "The application has to sign in to the platform's tenant too, so it must be multi-tenant.",
        "Have the application exempted from the app management policy.",
        "an Entra administrator",
    ),
    Problem(
        "secret-not-accepted",
        "Entra does not accept the new password yet",
        "A password takes some seconds to reach every sign-in server.",
        "Wait; if the deadline passed, the stored password is not the application's: send the request again.",
        "an Entra administrator",
        "propagation",
    ),
    Problem(
        "secret-expired",
        "The application's password has expired",
        "Entra refuses sign-ins with it.",
        "Send the request again: a new password is made and stored.",
        "the operator of this app",
    ),
    Problem(
        "application-not-in-tenant",
        "The application is not known in a tenant yet",
        "The platform makes a service principal of the application in its own tenant; Entra takes a while to show it.",
        "Wait; if the deadline passed, delete the connection in Aiven and send the request again.",
        "an Aiven project administrator",
        "propagation",
    ),
    Problem(
        "application-disabled",
        "The application's sign-in is switched off",
        "The service principal of the created application is disabled in one of the two tenants.",
        "Enable it in Entra (Enterprise applications) and send the request again.",
        "an Entra administrator",
    ),
)

_VAULT = (
    Problem(
        "vault-access-denied",
        "The app's own identity may not use the Key Vault",
        "It needs to read, write and list secrets.",
        "Assign it Key Vault Secrets Officer on the vault and allow its network, then send the request again.",
        "an Azure administrator",
    ),
    Problem(
        "secret-being-deleted",
        "The secret of an earlier peering is still being deleted",
        "Key Vault takes some seconds to delete or recover a secret.",
        "Wait; the app tries again by itself.",
        "the operator of this app",
        "propagation",
    ),
    Problem(
        "secret-missing",
        "The stored password is gone",
        "Key Vault no longer has the version of the secret that this run wrote, or it is disabled.",
        "Send the request again: a new password is made and stored.",
        "the operator of this app",
    ),
)

_REMOTES = (
    Problem(
        "remote-throttled",
        "A remote asks for fewer requests",
        "Azure, Entra, Graph, Key Vault or Aiven answered 429; the app waits as long as it was told.",
        "Wait; the app tries again by itself.",
        "the operator of this app",
        "propagation",
    ),
    Problem(
        "remote-unavailable",
        "A remote does not answer",
        "The connection failed, timed out, or the remote answered with a server error.",
        "Wait; if the deadline passed, check the remote's status page and the app's network.",
        "the operator of this app",
        "propagation",
    ),
    Problem(
        "remote-refused",
        "A remote refused the request",
        "The answer has a code that this app does not know; the detail is the remote's own.",
        "Look the code up in the remote's documentation, correct the cause and send the request again.",
        "the operator of this app",
    ),
)

PROBLEMS: Final[dict[str, Problem]] = {
    problem.code: problem
    for group in (_REQUESTS, _RUNS, _CONFIGURATION, _AIVEN, _NETWORK, _ACCESS, _DIRECTORY, _VAULT, _REMOTES)
    for problem in group
}

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
}
