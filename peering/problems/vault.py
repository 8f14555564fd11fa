"""Problems with Key Vault."""

from typing import Final

from peering.problems.problem import Problem

VAULT: Final = (
    Problem(
        "vault-access-denied",
        "The app's own identity may not use the Key Vault",
        "It needs to read, write and list secrets.",
        "Assign it Key Vault Secrets Officer on the vault, then send the request again.",
        "an Azure administrator",
    ),
    Problem(
        "vault-access-policy-missing",
        "No access policy lets the app use the Key Vault",
        "The vault decides by access policies, not by roles, and none of them allows the app what the detail names.",
        "Give the app's identity an access policy with get, list, set, delete and recover on secrets, or switch the"
        " vault to Azure RBAC and assign Key Vault Secrets Officer.",
        "an Azure administrator",
    ),
    Problem(
        "vault-firewall",
        "The Key Vault's firewall keeps the app out",
        "The vault takes requests from some networks only, and the app's is not one of them.",
        "Allow the app's network in the vault's firewall, then send the request again.",
        "an Azure administrator",
    ),
    Problem(
        "vault-not-found",
        "The Key Vault does not exist",
        "There is no such name as KEY_VAULT_NAME makes of a vault's host.",
        "Set KEY_VAULT_NAME to the name of the vault that holds the passwords; check the app's DNS if it exists.",
        "the operator of this app",
        "propagation",
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
    Problem(
        "secret-expires-soon",
        "The application's password expires soon",
        "Less than a fifth of its lifetime, or less than thirty days, is left.",
        "Nothing with `repair: safe`: it is rotated. Otherwise `POST /api/peerings/{id}/rotate`.",
        "the operator of this app",
    ),
    Problem(
        "secret-not-on-application",
        "The application does not have the stored password",
        "Somebody removed the password from the application, or replaced the secret in Key Vault.",
        "Nothing with `repair: safe`: a new one is made and stored. Otherwise `POST /api/peerings/{id}/rotate`.",
        "the operator of this app",
    ),
)
