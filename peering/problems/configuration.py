"""Problems with the app's own settings, identity and rights."""

from typing import Final

from peering.problems.problem import Problem

CONFIGURATION: Final = (
    Problem(
        "setting-invalid",
        "A setting of the app is missing or invalid",
        "The app cannot access the clouds without it.",
        "Set the named app setting and send the request again.",
        "the operator of this app",
    ),
    Problem(
        "key-vault-reference-unresolved",
        "A setting's Key Vault reference is not resolved",
        "The setting still contains the reference itself: the platform could not read the secret.",
        "Check the setting under Environment variables in the portal, which shows the reason; the app's identity needs"
        " Key Vault Secrets User on the vault and access through its firewall. Then restart the app.",
        "the operator of this app",
    ),
    Problem(
        "unexpected-error",
        "An unexpected error occurred in the app",
        "This is a defect of the app; the function's log has the stack trace under the peering's id.",
        "Report it with the log; sending the request again resumes the peering.",
        "the operator of this app",
    ),
    Problem(
        "automation-sign-in-failed",
        "The app's own identity cannot sign in",
        "The identity that the app is configured to use gets no token; the detail says which service refused it and"
        " why.",
        "Check AZURE_CREDENTIAL and the identity that it names: it must exist in the tenant, be enabled, and have a"
        " secret that has not expired.",
        "the operator of this app",
    ),
    Problem(
        "automation-secret-expired",
        "The app's own secret has expired",
        "Entra no longer accepts AZURE_CLIENT_SECRET, because it has expired. Traffic flows, but nothing can be set"
        " up, checked, repaired or removed.",
        "Add a new client secret to the app's registration (Certificates & secrets), set AZURE_CLIENT_SECRET to its"
        " value and restart the app; with AZURE_CREDENTIAL=managed-identity no secret expires.",
        "the operator of this app",
    ),
    Problem(
        "automation-secret-invalid",
        "The app's own secret is not valid",
        "AZURE_CLIENT_SECRET is not a secret of the application that AZURE_CLIENT_ID names: it belongs to another"
        " application, was removed, or is the secret's id instead of its value.",
        "Set AZURE_CLIENT_SECRET to the value of a client secret of that application and restart the app; Entra shows"
        " a value only once, when it is created.",
        "the operator of this app",
    ),
    Problem(
        "automation-not-in-tenant",
        "The app's own identity is unknown in the tenant",
        "The tenant has no application with the id in AZURE_CLIENT_ID, or no service principal of it.",
        "Compare AZURE_CLIENT_ID and AZURE_TENANT_ID with the registration's overview in Entra; if only the service"
        " principal is missing, create it with `az ad sp create --id` and the application's id. Then restart the app.",
        "the operator of this app",
    ),
    Problem(
        "automation-tenant-not-found",
        "The tenant does not exist",
        "Entra knows no tenant with the id in AZURE_TENANT_ID, at least not in this cloud.",
        "Set AZURE_TENANT_ID to the id that `az account show --query tenantId` prints, check that AZURE_CLOUD is the"
        " cloud of that tenant, and restart the app.",
        "the operator of this app",
    ),
    Problem(
        "automation-disabled",
        "The app's own identity is disabled",
        "The service principal of the app's own identity is disabled in the tenant.",
        "Enable it in Entra (Enterprise applications) and send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "automation-kept-out",
        "A tenant blocks the app's own identity",
        "Tenant restrictions or cross-tenant access settings block it in the tenant that the detail names.",
        "Have the app's identity allowed in that tenant's restrictions, or exclude the app from the proxy that adds"
        " them, then send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "automation-conditional-access",
        "Conditional Access blocks the app's own identity",
        "A Conditional Access policy, or the tenant's security defaults, block its sign-in; Entra's sign-in log shows"
        " which.",
        "Exclude the identity from the policy, or allow the addresses that the app calls from, then send the request"
        " again.",
        "an Entra administrator",
    ),
    Problem(
        "automation-token-refused",
        "A service rejects the token of the app's own identity",
        "The token was rejected, and so was a new one.",
        "Check that the identity still exists and is enabled, and that AZURE_CLOUD is the subscription's cloud.",
        "the operator of this app",
    ),
    Problem(
        "automation-not-authorized",
        "The app's own identity lacks an Azure role",
        "Azure Resource Manager refused the call because a role assignment is missing on the scope that the detail"
        " names.",
        "Assign the identity the role that infra/ describes (Role Based Access Control Administrator and Reader on the"
        " VNet, its resource group or subscription), then send the request again.",
        "an Azure administrator",
    ),
    Problem(
        "automation-graph-permission-missing",
        "The app's own identity lacks a Microsoft Graph permission",
        "Application.ReadWrite.OwnedBy lets it create applications and change those that it owns;"
        " Application.ReadWrite.All lets it change all applications and create the platform's service principal.",
        "Grant the permission to the identity and consent to it. If it has the permission, another identity created the"
        " application, such as that of an earlier deployment: make the identity an owner of the application and of its"
        " service principal. `infra/own.sh` does both, with the identity's object id and the application's id."
        " Then send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "subscription-disabled",
        "The subscription is disabled",
        "Azure accepts no changes in a subscription that is disabled or read-only.",
        "Have the subscription enabled again, then send the request again.",
        "an Azure administrator",
    ),
    Problem(
        "subscription-in-other-tenant",
        "The VNet's subscription belongs to another tenant",
        "The app's identity signs in to one tenant; according to Azure, the VNet's subscription is in another one.",
        "Check the subscription in vnet_id, or run the app with an identity of that tenant.",
        "the caller",
        status=422,
    ),
)
