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
