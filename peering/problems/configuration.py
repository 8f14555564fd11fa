"""Problems with the app's own settings, identity and rights."""

from typing import Final

from peering.problems.problem import Problem

CONFIGURATION: Final = (
    Problem(
        "setting-invalid",
        "A setting of the app is missing or wrong",
        "The app cannot talk to the clouds without it.",
        "Set the named app setting and send the request again.",
        "the operator of this app",
    ),
    Problem(
        "key-vault-reference-unresolved",
        "A setting's Key Vault reference is not resolved",
        "The setting still holds the reference itself: the platform could not read the secret.",
        "Look at the setting under Environment variables in the portal, which says why; the app's identity needs Key"
        " Vault Secrets User on the vault and a way through its firewall. Then restart the app.",
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
        "The identity that the app is configured to run as gets no token; the detail says who refused it and why.",
        "Check AZURE_CREDENTIAL and the identity it names: it exists in the tenant, is enabled, and its secret has not"
        " expired.",
        "the operator of this app",
    ),
    Problem(
        "automation-secret-expired",
        "The app's own secret has expired",
        "Entra does not take AZURE_CLIENT_SECRET any more: it has ended. Traffic flows, but nothing can be set up,"
        " checked, repaired or removed.",
        "Add a new client secret to the app's registration (Certificates & secrets), put its value into"
        " AZURE_CLIENT_SECRET and restart the app; with AZURE_CREDENTIAL=managed-identity there is none that ends.",
        "the operator of this app",
    ),
    Problem(
        "automation-secret-invalid",
        "The app's own secret is not the right one",
        "AZURE_CLIENT_SECRET is none of the secrets of the application that AZURE_CLIENT_ID names: another one's, one"
        " that was removed, or the secret's id in place of its value.",
        "Put the value of a client secret of that application into AZURE_CLIENT_SECRET and restart the app; Entra shows"
        " a value only once, when it is made.",
        "the operator of this app",
    ),
    Problem(
        "automation-not-in-tenant",
        "The tenant does not know the app's own identity",
        "The tenant has no application with the id in AZURE_CLIENT_ID, or no service principal of it.",
        "Compare AZURE_CLIENT_ID and AZURE_TENANT_ID with the registration's overview in Entra; where only the service"
        " principal is missing, `az ad sp create --id` with the application's id makes it. Then restart the app.",
        "the operator of this app",
    ),
    Problem(
        "automation-tenant-not-found",
        "There is no such tenant",
        "Entra knows no tenant with the id in AZURE_TENANT_ID, at least not in this cloud.",
        "Put the id that `az account show --query tenantId` prints into AZURE_TENANT_ID, see that AZURE_CLOUD is the"
        " cloud of that tenant, and restart the app.",
        "the operator of this app",
    ),
    Problem(
        "automation-disabled",
        "The app's own sign-in is switched off",
        "The service principal of the app's own identity is disabled in the tenant.",
        "Enable it in Entra (Enterprise applications) and send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "automation-kept-out",
        "A tenant does not let the app's own identity in",
        "Tenant restrictions or cross-tenant access settings keep it out of the tenant that the detail names.",
        "Have the app's identity allowed in that tenant's restrictions, or the app taken out of the proxy that adds"
        " them, then send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "automation-conditional-access",
        "Conditional Access blocks the app's own identity",
        "A Conditional Access policy, or the tenant's security defaults, block its sign-in; Entra's sign-in log names"
        " which.",
        "Exclude the identity from the policy, or allow the addresses that the app calls from, then send the request"
        " again.",
        "an Entra administrator",
    ),
    Problem(
        "automation-token-refused",
        "A service refuses the token of the app's own identity",
        "The token was refused, and a new one as well.",
        "Check that the identity still exists and is enabled, and that AZURE_CLOUD is the subscription's cloud.",
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
        "Application.ReadWrite.OwnedBy lets it make an application and change those that it owns;"
        " Application.ReadWrite.All lets it change all of them and make the platform's service principal.",
        "Grant the permission to the identity and consent to it; where it has it, make the identity an owner of the"
        " application. Then send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "subscription-disabled",
        "The subscription is disabled",
        "Azure takes no changes in a subscription that is disabled or read-only.",
        "Have the subscription enabled again, then send the request again.",
        "an Azure administrator",
    ),
    Problem(
        "subscription-in-other-tenant",
        "The VNet's subscription belongs to another tenant",
        "The app's identity signs in to one tenant; Azure says that the VNet's subscription is in a different one.",
        "Check the subscription in vnet_id, or run the app with an identity of that tenant.",
        "the caller",
        status=422,
    ),
)
