"""Problems with Key Vault."""

from typing import Final

from peering.problems.problem import Problem

VAULT: Final = (
    Problem(
        "vault-access-denied",
        "The app's own identity may not use the Key Vault",
        "The identity needs to read, write and list secrets.",
        "Assign it Key Vault Secrets Officer on the vault, then send the request again.",
        "an Azure administrator",
    ),
    Problem(
        "vault-access-policy-missing",
        "No access policy lets the app use the Key Vault",
        "The vault uses access policies, not roles, and none of them allows the app the operation that the detail"
        " names.",
        "Give the app's identity an access policy with get, list, set, delete and recover on secrets, or switch the"
        " vault to Azure RBAC and assign Key Vault Secrets Officer.",
        "an Azure administrator",
    ),
    Problem(
        "vault-firewall",
        "The Key Vault's firewall blocks the app",
        "The vault accepts requests from some networks only, and the app's network is not one of them.",
        "Allow the app's network in the vault's firewall, then send the request again.",
        "an Azure administrator",
    ),
    Problem(
        "vault-in-other-tenant",
        "The Key Vault belongs to another tenant",
        "The vault accepts tokens of its own tenant only, and the app's identity signs in to another one.",
        "Set KEY_VAULT_NAME to a vault in the tenant of the app's identity, or move the vault to that tenant.",
        "the operator of this app",
    ),
    Problem(
        "vault-not-found",
        "The Key Vault does not exist",
        "The host name of the vault in KEY_VAULT_NAME does not exist.",
        "Set KEY_VAULT_NAME to the name of the vault that holds the passwords; if that vault exists, check the app's"
        " DNS. Then send the request again.",
        "the operator of this app",
        "propagation",
    ),
    Problem(
        "secret-being-deleted",
        "The secret of an earlier peering is still being deleted",
        "Key Vault takes some seconds to delete or recover a secret.",
        "Wait; if the deadline passed, look for the secret among the deleted ones (`az keyvault secret"
        " list-deleted`), then send the request again.",
        "the operator of this app",
        "propagation",
    ),
    Problem(
        "secret-missing",
        "The stored password is missing",
        "Key Vault no longer has the version of the secret that this run wrote, or it is disabled.",
        "Send the request again: a new password is created and stored.",
        "the operator of this app",
    ),
    Problem(
        "secret-expires-soon",
        "The application's password expires soon",
        "Less than a fifth of its lifetime, or less than thirty days, is left.",
        "No action with `repair: safe`: it is rotated. Otherwise `POST /api/peerings/{id}/rotate`.",
        "the operator of this app",
    ),
    Problem(
        "secret-not-on-application",
        "The application does not have the stored password",
        "The password was removed from the application, or the secret was replaced in Key Vault.",
        "No action with `repair: safe`: a new one is created and stored. Otherwise `POST /api/peerings/{id}/rotate`.",
        "the operator of this app",
    ),
)
