"""Problems with applications, service principals and passwords in Entra."""

from typing import Final

from peering.problems.problem import Problem

DIRECTORY: Final = (
    Problem(
        "directory-replicating",
        "Entra has not replicated the new object yet",
        "A new application or service principal takes time to replicate.",
        "Wait; if the deadline passed, send the request again. If that fails the same way, check that the object"
        " exists in Entra, and look at Azure's service health.",
        "an Entra administrator",
        "propagation",
    ),
    Problem(
        "directory-quota-reached",
        "The directory's object quota is reached",
        "The tenant, or the app's identity, has reached its quota of directory objects; deleted applications count for"
        " 30 days.",
        "Permanently delete objects that are not needed, or have the quota raised, then send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "application-name-reserved",
        "A deleted application still holds the unique name",
        "Entra keeps the unique name of a deleted application for 30 days. The app restores the application, if Graph"
        " lists it.",
        "Wait; if the deadline passed, delete the application permanently in Entra's deleted applications, then send"
        " the request again.",
        "an Entra administrator",
        "propagation",
    ),
    Problem(
        "application-sign-in-failed",
        "The application cannot sign in",
        "Entra rejected the sign-in of the created application; the detail has the tenant and Entra's own message.",
        "Look up the AADSTS code in Entra's documentation, correct the cause and send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "application-kept-out",
        "A tenant blocks the application",
        "Tenant restrictions or cross-tenant access settings block the created application in the tenant that the"
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
        "The platform's application belongs to another tenant; creating its service principal here requires more than"
        " Application.ReadWrite.OwnedBy.",
        "An administrator runs `az ad sp create --id` with the platform's application id once per tenant, or grants the"
        " app's identity Application.ReadWrite.All.",
        "an Entra administrator",
    ),
    Problem(
        "platform-principal-disabled",
        "The platform's service principal is disabled",
        "Sign-in of the platform's application is disabled in this tenant, so Aiven fails.",
        "Enable the service principal in Entra (Enterprise applications) and send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "secret-policy",
        "A policy of the tenant forbids the password",
        "An app management policy limits passwords or their lifetime.",
        "Have the application exempted from the policy, then send the request again. A start may ask for a shorter"
        " secret_lifetime_days instead.",
        "an Entra administrator",
    ),
    Problem(
        "audience-policy",
        "A policy of the tenant forbids multi-tenant applications",
        "The application must also sign in to the platform's tenant, so it must be multi-tenant.",
        "Have the application exempted from the app management policy.",
        "an Entra administrator",
    ),
    Problem(
        "secret-not-accepted",
        "Entra does not accept the new password yet",
        "A new password takes some seconds to reach every sign-in server.",
        "Wait; if the deadline passed, the stored password is not the application's: send the request again.",
        "an Entra administrator",
        "propagation",
    ),
    Problem(
        "secret-expired",
        "The application's password has expired",
        "Entra refuses sign-ins with it.",
        "Send the request again: a new password is created and stored.",
        "the operator of this app",
    ),
    Problem(
        "application-not-in-tenant",
        "The platform's tenant does not know the application yet",
        "The platform creates a service principal of the application in its own tenant; Entra needs time to show it.",
        "Wait; if the deadline passed and the connection is not ACTIVE, delete it in Aiven and send the request"
        " again. If it is ACTIVE, ask Aiven's support to restore the application's service principal in the"
        " platform's tenant, then send the request again.",
        "an Aiven project administrator",
        "propagation",
    ),
    Problem(
        "application-principal-unknown",
        "The customer's tenant does not know the application yet",
        "Entra shows no service principal of the application in the customer's tenant. A new one takes some minutes to"
        " reach every sign-in server.",
        "Wait; if the deadline passed, it was deleted: restore it in Entra, or start the peering again, which creates"
        " it.",
        "an Entra administrator",
        "propagation",
    ),
    Problem(
        "application-disabled",
        "The application is disabled",
        "The service principal of the created application is disabled in one of the two tenants.",
        "Enable it in Entra (Enterprise applications) and send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "platform-principal-missing",
        "The platform has no service principal in this tenant",
        "The service principal of the platform's application was deleted; the platform could not recreate the peering.",
        "Restore it in Entra, or send the request again: it is recreated and given its role.",
        "an Entra administrator",
    ),
    Problem(
        "application-missing",
        "The application does not exist any more",
        "The application that created the peering was deleted. Traffic flows, but nothing could be repaired or"
        " removed.",
        "Restore it from Entra's deleted applications within 30 days, then send the request again. After that only an"
        " Azure administrator can delete the VNet peering. While it is Connected (`az network vnet peering list`), its"
        " deletion stops the traffic: have it deleted only when it is not needed. Then remove the peering here, and"
        " start it again if required.",
        "an Entra administrator",
    ),
    Problem(
        "application-not-multi-tenant",
        "The application is not multi-tenant",
        "Its sign-in audience was changed, so it cannot sign in to the platform's tenant.",
        "Send the request again: the audience is restored.",
        "an Entra administrator",
    ),
    Problem(
        "application-principal-missing",
        "The application has no service principal in this tenant",
        "The application's service principal was deleted; the application cannot sign in.",
        "Restore it in Entra, or send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "federated-needs-managed-identity",
        "A federated credential needs a managed identity",
        "`credential: federated` lets the created application trust the app's own managed identity instead of a"
        " password.",
        "Run the app with AZURE_CREDENTIAL=managed-identity and a user-assigned identity, or use `credential: secret`.",
        "the operator of this app",
        status=422,
    ),
    Problem(
        "federated-credential-missing",
        "The application's federated credential is missing",
        "The trust in the app's managed identity was removed from the application.",
        "No action with `repair: safe`: it is added again. Otherwise rotate the credential.",
        "an Entra administrator",
    ),
    Problem(
        "federated-credential-not-accepted",
        "Entra does not accept the federated credential yet",
        "A new federated credential takes some minutes to reach every sign-in server.",
        "Wait; if the deadline passed, compare the credential's issuer and subject with the app's identity, then send"
        " the request again.",
        "an Entra administrator",
        "propagation",
    ),
)
