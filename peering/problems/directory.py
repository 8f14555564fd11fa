"""Problems with applications, service principals and passwords in Entra."""

from typing import Final

from peering.problems.problem import Problem

DIRECTORY: Final = (
    Problem(
        "directory-replicating",
        "Entra has not replicated the new object yet",
        "An application or service principal that was just made is not known everywhere at once.",
        "Wait; the app tries again by itself.",
        "an Entra administrator",
        "propagation",
    ),
    Problem(
        "directory-quota-reached",
        "The directory has no room for another object",
        "The tenant, or the app's identity, has as many directory objects as it may have; deleted applications count"
        " for 30 days.",
        "Delete objects permanently that nobody needs, or have the quota raised, then send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "application-name-reserved",
        "A deleted application still has the unique name",
        "Entra keeps the unique name of a deleted application for 30 days.",
        "Delete the application permanently in Entra's deleted applications, then send the request again.",
        "an Entra administrator",
        "propagation",
    ),
    Problem(
        "application-sign-in-failed",
        "The application cannot sign in",
        "Entra refused the sign-in of the created application; the detail has the tenant and Entra's own words.",
        "Look the AADSTS code up in Entra's documentation, correct the cause and send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "application-kept-out",
        "A tenant does not let the application in",
        "Tenant restrictions or cross-tenant access settings keep the created application out of the tenant that the"
        " detail names.",
        "Have the application allowed in that tenant's restrictions, then send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "application-conditional-access",
        "Conditional Access blocks the application",
        "A Conditional Access policy, or the tenant's security defaults, block the sign-in of the created application.",
        "Exclude the application from the policy, or allow the addresses that the app calls from.",
        "an Entra administrator",
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
        "Wait; if the deadline passed and the connection is not ACTIVE, delete it in Aiven and send the request again.",
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
    Problem(
        "platform-principal-missing",
        "The platform has no service principal in this tenant",
        "Somebody deleted the service principal of the platform's application; it could not make the peering anew.",
        "Restore it in Entra, or send the request again: it is made anew and given its role.",
        "an Entra administrator",
    ),
    Problem(
        "application-missing",
        "The application does not exist any more",
        "The application that the peering was made with was deleted. Traffic flows, but nothing could be repaired or"
        " removed.",
        "Restore it from Entra's deleted applications within 30 days, then send the request again. After that nobody"
        " but an Azure administrator can delete the VNet peering, and while it is Connected (`az network vnet peering"
        " list`) that cuts the traffic: have it deleted only when nobody needs it, then remove the peering here, and"
        " start it again if it is wanted.",
        "an Entra administrator",
    ),
    Problem(
        "application-not-multi-tenant",
        "The application is not multi-tenant",
        "Its sign-in audience was changed, so it cannot sign in to the platform's tenant.",
        "Send the request again: the audience is set back.",
        "an Entra administrator",
    ),
    Problem(
        "application-principal-missing",
        "The application has no service principal in this tenant",
        "Somebody deleted the application's service principal; it cannot sign in.",
        "Restore it in Entra, or send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "federated-needs-managed-identity",
        "A federated credential needs a managed identity",
        "`credential: federated` lets the created application trust the app's own managed identity in place of a"
        " password.",
        "Run the app with AZURE_CREDENTIAL=managed-identity and a user-assigned identity, or use `credential: secret`.",
        "the operator of this app",
        status=422,
    ),
    Problem(
        "federated-credential-missing",
        "The application's federated credential is gone",
        "Somebody removed the trust in the app's managed identity from the application.",
        "Nothing with `repair: safe`: it is added again. Otherwise rotate the credential.",
        "an Entra administrator",
    ),
    Problem(
        "federated-credential-not-accepted",
        "Entra does not accept the federated credential yet",
        "A federated credential takes some minutes to reach every sign-in server.",
        "Wait; if the deadline passed, compare the credential's issuer and subject with the app's identity.",
        "an Entra administrator",
        "propagation",
    ),
)
