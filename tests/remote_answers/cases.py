"""Situations reported in public by people who peer VNets or run such apps: what a remote answers, and what is to come.

The sources are issues and documents of public repositories; ids and texts are not theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

ARM: Final = "management.azure.com"
GRAPH: Final = "graph.microsoft.com"
ENTRA: Final = "login.microsoftonline.com"

_LOCK: Final = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Authorization/locks/do-not-touch"
_POLICY: Final = (
    "/providers/Microsoft.Management/managementGroups/g/providers/Microsoft.Authorization/policyAssignments/p"
)


@dataclass(frozen=True)
class Case:
    """What a start meets, and how it ends.

    Attributes:
        name: the case.
        source: where it was reported.
        fault: the remote's answer, as the local cloud's knob takes it.
        state: how the start ends.
        code: the problem that it ends with, if it does.
        says: what the problem's detail contains.
        tells: what other parts of the problem contain.
        options: of the request.
    """

    name: str
    source: str
    fault: Mapping[str, Any]
    state: str
    code: str = ""
    says: tuple[str, ...] = ()
    tells: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)


def _error(code: str, message: str, **more: object) -> dict[str, object]:
    return {"error": {"code": code, "message": message, **more}}


def _aadsts(number: int, error: str, text: str) -> dict[str, object]:
    return {"error": error, "error_description": f"AADSTS{number}: {text}", "error_codes": [number]}


_FOR_EVER: Final = 10_000

CASES: Final = (
    Case(
        "scope-locked-read-only",
        "Azure/enterprise-azure-policy-as-code #661, Azure/azure-sdk-for-java #2560",
        {
            "host": ARM,
            "method": "PUT",
            "path": "/providers/Microsoft.Authorization/roleAssignments/",
            "status": 409,
            "body": _error("ScopeLocked", f"The scope cannot be written, since it is locked: '{_LOCK}'."),
            "times": _FOR_EVER,
        },
        "failed",
        "scope-locked",
        (_LOCK,),
    ),
    Case(
        "entra-transient",
        "Azure/azure-sdk-for-python #14241",
        {
            "host": ENTRA,
            "method": "POST",
            "path": "/oauth2/v2.0/token",
            "status": 503,
            "body": _aadsts(90033, "temporarily_unavailable", "A transient error has occurred."),
            "skip": 1,
        },
        "connected",
    ),
    Case(
        "tenant-restriction",
        "MicrosoftDocs/azure-docs #69022, #94478",
        {
            "host": ENTRA,
            "method": "POST",
            "path": "^/{platform_tenant}/oauth2/v2.0/token",
            "status": 400,
            "body": _aadsts(500021, "invalid_request", "Access to the tenant is denied."),
            "times": _FOR_EVER,
        },
        "failed",
        "application-kept-out",
        ("The application", "{platform_tenant}", "AADSTS500021"),
    ),
    Case(
        "graph-throttled-in-preflight",
        "microsoftgraph/msgraph-sdk-dotnet #3105, hashicorp/terraform-provider-azuread #1891",
        {
            "host": GRAPH,
            "method": "GET",
            "path": "/servicePrincipals",
            "status": 429,
            "body": _error("TooManyRequests", "Too many requests."),
            "headers": {"Retry-After": "10"},
        },
        "connected",
    ),
    Case(
        "network-provider-throttled",
        "kaevans/management-client-dotnet, MicrosoftDocs/SupportArticles-docs (toomanyrequestsreceived-error)",
        {
            "host": ARM,
            "method": "PUT",
            "path": "/virtualNetworkPeerings/",
            "status": 429,
            "body": _error(
                "RetryableError",
                "A retryable error occurred.",
                details=[{"code": "RetryableErrorDueToTooManyCalls", "message": "The subscription calls too often."}],
            ),
            "headers": {"Retry-After": "39"},
            "times": _FOR_EVER,
        },
        "failed",
        "remote-throttled",
    ),
    Case(
        "graph-html-502",
        "microsoftgraph/microsoft-graph-explorer-v4 #4022",
        {
            "host": GRAPH,
            "method": "GET",
            "path": "/applications",
            "status": 502,
            "body": "<html><body>Bad gateway</body></html>",
        },
        "connected",
    ),
    Case(
        "policy-denies-peering",
        "Azure/Azure-Landing-Zones #243, Azure/Enterprise-Scale #1674",
        {
            "host": ARM,
            "method": "PUT",
            "path": "/virtualNetworkPeerings/",
            "status": 403,
            "body": _error(
                "RequestDisallowedByPolicy",
                "Disallowed by policy. " + "Policy identifiers: ... " * 150,
                additionalInfo=[
                    {
                        "type": "PolicyViolation",
                        "info": {
                            "policyAssignmentDisplayName": "No peering across subscriptions",
                            "policyAssignmentId": _POLICY,
                        },
                    }
                ],
            ),
            "times": _FOR_EVER,
        },
        "failed",
        "policy-denied",
        ("No peering across subscriptions", _POLICY),
    ),
    Case(
        "no-remote-gateway",
        "hashicorp/terraform #30569, Azure/terraform-azurerm-lz-vending #398",
        {
            "host": ARM,
            "method": "PUT",
            "path": "/virtualNetworkPeerings/",
            "status": 400,
            "body": _error("RemoteVnetHasNoGateways", "The remote virtual network does not have any gateways."),
            "times": _FOR_EVER,
        },
        "failed",
        "remote-gateway-missing",
        tells={"remedy": "use_remote_gateways", "fixable_by": "the caller"},
        options={"use_remote_gateways": True},
    ),
    Case(
        "expired-token-once",
        "hashicorp/terraform-provider-azurerm #20867",
        {
            "host": ARM,
            "method": "GET",
            "path": "/virtualNetworks/",
            "status": 401,
            "body": _error("ExpiredAuthenticationToken", "The access token's time is over."),
        },
        "connected",
    ),
)

#: The same kinds in other services and steps.
SIBLINGS: Final = (
    Case(
        "conditional-access",
        "Entra's error codes",
        {
            "host": ENTRA,
            "method": "POST",
            "path": "^/{platform_tenant}/oauth2/v2.0/token",
            "status": 400,
            "body": _aadsts(53003, "access_denied", "Access has been blocked by Conditional Access policies."),
            "times": _FOR_EVER,
        },
        "failed",
        "application-conditional-access",
        ("{platform_tenant}",),
    ),
    Case(
        "security-defaults",
        "Entra's error codes",
        {
            "host": ENTRA,
            "method": "POST",
            "path": "^/{platform_tenant}/oauth2/v2.0/token",
            "status": 400,
            "body": _aadsts(530035, "access_denied", "Access has been blocked by security defaults."),
            "times": _FOR_EVER,
        },
        "failed",
        "application-conditional-access",
        ("{platform_tenant}", "AADSTS530035"),
    ),
    Case(
        "two-changes-of-an-application-at-once",
        "Graph's error codes",
        {
            "host": GRAPH,
            "method": "PATCH",
            "path": "/applications",
            "status": 409,
            "body": _error("Directory_ConcurrencyViolation", "Another request changes the object."),
        },
        "connected",
    ),
    Case(
        "the-vault-forbids-for-a-new-reason",
        "Key Vault's innererror",
        {
            "host": r".*\.vault\.azure\.net",
            "method": "PUT",
            "path": "/secrets/",
            "status": 403,
            "body": _error("Forbidden", "The vault is at rest.", innererror={"code": "ForbiddenByRest"}),
            "times": _FOR_EVER,
        },
        "failed",
        "remote-refused",
        ("The vault is at rest.",),
    ),
    *(
        Case(
            f"cross-tenant-access-{number}",
            "Entra's error codes",
            {
                "host": ENTRA,
                "method": "POST",
                "path": "^/{platform_tenant}/oauth2/v2.0/token",
                "status": 400,
                "body": _aadsts(number, "invalid_request", "The tenant's administrator restricts the access."),
                "times": _FOR_EVER,
            },
            "failed",
            "application-kept-out",
            ("{platform_tenant}", f"AADSTS{number}"),
        )
        for number in (500212, 500213)
    ),
    *(
        Case(
            f"entra-transient-{name}",
            "Entra's error codes, RFC 6749",
            {
                "host": ENTRA,
                "method": "POST",
                "path": "/oauth2/v2.0/token",
                "status": 400,
                "body": body,
                "skip": 1,
            },
            "connected",
        )
        for name, body in {
            "number": _aadsts(90024, "invalid_request", "A transient error has occurred. Please try again."),
            "word": {"error": "temporarily_unavailable", "error_description": "Please try again."},
            "number-beside-the-text": {
                "error": "server_busy",
                "error_description": "Try again.",
                "error_codes": [90033],
            },
        }.items()
    ),
    Case(
        "policy-in-the-details",
        "Azure's error codes",
        {
            "host": ARM,
            "method": "PUT",
            "path": "/virtualNetworkPeerings/",
            "status": 403,
            "body": _error(
                "InvalidTemplateDeployment",
                "The deployment failed; see details.",
                details=[
                    {
                        "code": "RequestDisallowedByPolicy",
                        "message": "Disallowed by policy.",
                        "additionalInfo": [
                            {
                                "type": "PolicyViolation",
                                "info": {"policyAssignmentDisplayName": "No peering", "policyAssignmentId": _POLICY},
                            }
                        ],
                    }
                ],
            ),
            "times": _FOR_EVER,
        },
        "failed",
        "policy-denied",
        ("No peering", _POLICY),
    ),
    Case(
        "policy-by-its-name-alone",
        "Azure's error codes",
        {
            "host": ARM,
            "method": "PUT",
            "path": "/virtualNetworkPeerings/",
            "status": 403,
            "body": _error(
                "RequestDisallowedByPolicy",
                "Disallowed by policy.",
                additionalInfo=[{"type": "PolicyViolation", "info": {"policyAssignmentName": "hub-only"}}],
            ),
            "times": _FOR_EVER,
        },
        "failed",
        "policy-denied",
        ("hub-only",),
    ),
    Case(
        "password-policy-two-levels-down",
        "Graph's error codes",
        {
            "host": GRAPH,
            "method": "POST",
            "path": "addPassword",
            "status": 400,
            "body": _error(
                "Request_BadRequest",
                "Not allowed.",
                innerError={"code": "BadRequest", "innerError": {"code": "CredentialTypeNotAllowedAsPerAppPolicy"}},
            ),
            "times": _FOR_EVER,
        },
        "failed",
        "secret-policy",
        ("Not allowed.",),
    ),
    Case(
        "lock-two-levels-down",
        "Azure's error codes",
        {
            "host": ARM,
            "method": "PUT",
            "path": "/providers/Microsoft.Authorization/roleAssignments/",
            "status": 409,
            "body": _error(
                "Conflict",
                "See details.",
                details=[
                    {
                        "code": "Conflict",
                        "message": "See details.",
                        "details": [{"code": "ScopeLocked", "message": f"The scope is locked: '{_LOCK}'."}],
                    }
                ],
            ),
            "times": _FOR_EVER,
        },
        "failed",
        "scope-locked",
        (_LOCK,),
    ),
    Case(
        "an-inner-error-that-is-a-text",
        "a 503 is tried again, whatever its body",
        {
            "host": ARM,
            "method": "PUT",
            "path": "/providers/Microsoft.Authorization/roleAssignments/",
            "status": 503,
            "body": _error("ServerBusy", "busy", innererror="see trace 12"),
        },
        "connected",
    ),
    Case(
        "quota-of-the-directory-in-words",
        "Graph's error codes",
        {
            "host": GRAPH,
            "method": "PATCH",
            "path": "/applications",
            "status": 400,
            "body": _error("Request_BadRequest", "The directory object quota limit for the Tenant has been exceeded."),
            "times": _FOR_EVER,
        },
        "failed",
        "directory-quota-reached",
    ),
    Case(
        "graph-without-its-wrapper",
        "a refusal in another form than Graph's own",
        {
            "host": GRAPH,
            "method": "PATCH",
            "path": "/applications",
            "status": 400,
            "body": {"code": "Directory_QuotaExceeded", "message": "The quota is reached."},
            "times": _FOR_EVER,
        },
        "failed",
        "directory-quota-reached",
        ("The quota is reached.",),
    ),
    Case(
        "aiven-tells-in-its-second-error",
        "Aiven's error document",
        {
            "host": "api.aiven.io",
            "method": "POST",
            "path": "/peering-connections",
            "status": 400,
            "body": {
                "message": "Invalid request.",
                "errors": [
                    {"message": "Invalid request.", "status": 400},
                    {"message": "The app id does not refer to a valid application object.", "status": 400},
                ],
            },
        },
        "connected",
    ),
    Case(
        "aiven-redirects",
        "a redirect is no answer of the API",
        {
            "host": "api.aiven.io",
            "method": "GET",
            "path": "/vpcs/",
            "status": 301,
            "body": {"message": "Moved."},
        },
        "connected",
    ),
    Case(
        "a-code-in-other-letters",
        "Azure compares names without case",
        {
            "host": ARM,
            "method": "PUT",
            "path": "/providers/Microsoft.Authorization/roleAssignments/",
            "status": 409,
            "body": _error("scopelocked", f"The scope is locked: '{_LOCK}'."),
            "times": _FOR_EVER,
        },
        "failed",
        "scope-locked",
        (_LOCK,),
    ),
    Case(
        "the-vault-that-the-settings-name-is-not-there",
        "KEY_VAULT_ID has another id",
        {
            "host": ARM,
            "method": "GET",
            "path": "/providers/Microsoft.KeyVault/vaults/[^/]+$",
            "status": 404,
            "body": _error("ResourceNotFound", "The Resource 'Microsoft.KeyVault/vaults/kv' was not found."),
            "times": _FOR_EVER,
        },
        "failed",
        "setting-invalid",
        ("KEY_VAULT_ID",),
    ),
    Case(
        "unknown-code-of-entra",
        "Entra's error codes",
        {
            "host": ENTRA,
            "method": "POST",
            "path": "^/{platform_tenant}/oauth2/v2.0/token",
            "status": 400,
            "body": _aadsts(999999, "invalid_request", "Something new."),
            "times": _FOR_EVER,
        },
        "failed",
        "application-sign-in-failed",
        ("{platform_tenant}", "Something new."),
    ),
    Case(
        "deny-assignment",
        "Azure RBAC's error codes",
        {
            "host": ARM,
            "method": "PUT",
            "path": "/providers/Microsoft.Authorization/roleAssignments/",
            "status": 403,
            "body": _error("DenyAssignmentAuthorizationFailed", "Denied by the deny assignment 'stack'."),
            "times": _FOR_EVER,
        },
        "failed",
        "deny-assignment",
        ("stack",),
    ),
    Case(
        "disabled-subscription",
        "Azure's error codes",
        {
            "host": ARM,
            "method": "PUT",
            "path": "/providers/Microsoft.Authorization/role",
            "status": 409,
            "body": _error("ReadOnlyDisabledSubscription", "The subscription is disabled and read only."),
            "times": _FOR_EVER,
        },
        "failed",
        "subscription-disabled",
    ),
    Case(
        "unknown-conflict",
        "a 409 of any other code is not taken for success",
        {
            "host": ARM,
            "method": "PUT",
            "path": "/providers/Microsoft.Authorization/roleAssignments/",
            "status": 409,
            "body": _error("SomethingElse", "Another conflict."),
            "times": _FOR_EVER,
        },
        "failed",
        "remote-refused",
        ("Another conflict.",),
    ),
    Case(
        "quota-of-the-directory",
        "Graph's error codes",
        {
            "host": GRAPH,
            "method": "PATCH",
            "path": "/applications",
            "status": 400,
            "body": _error("Directory_QuotaExceeded", "The quota is reached."),
            "times": _FOR_EVER,
        },
        "failed",
        "directory-quota-reached",
    ),
    Case(
        "aiven-times-out",
        "Aiven's 408 is no refusal",
        {"host": "api.aiven.io", "path": "/vpcs/", "status": 408, "code": "timeout"},
        "connected",
    ),
    Case(
        "a-gateway's-404",
        "a page of HTML is not the remote's own answer",
        {"host": ARM, "method": "GET", "path": "/virtualNetworks/", "status": 404, "body": "<html>Not found</html>"},
        "connected",
    ),
    Case(
        "retry-after-without-end",
        "a header that no clock can hold",
        {
            "host": ARM,
            "method": "GET",
            "path": "/virtualNetworks/",
            "status": 429,
            "code": "SubscriptionRequestsThrottled",
            "headers": {"Retry-After": "9" * 400},
        },
        "connected",
    ),
)

#: The situations in which more than one answer matters, and where they were reported; `test_situations` has the tests.
SITUATIONS: Final = {
    "scope-locked-cannot-delete": "hashicorp/terraform-provider-azurerm #11770",
    "federated-issuer-not-yet-known": "Azure/azure-workload-identity #1200, #273, #576",
    "unique-name-reserved": "microsoftgraph/msgraph-bicep-types #137, #202; byte5ai/omadia #916",
    "adopt-without-state-info": "aiven/terraform-provider-aiven #304",
    "connection-deleted-then-requested-again": "aiven/terraform-provider-aiven #537, #540",
    "connection-deleted-lingers": "aiven/terraform-provider-aiven #537",
    "app-management-policy-disabled": "Graph reference, passwordCredentialConfiguration",
    "vault-in-access-policy-model": "Azure/get-keyvault-secrets #25, MicrosoftDocs/azure-docs #99307",
    "azure-cli-not-signed-in": "Azure/azure-functions-python-worker #934, canonical/pycloudlib #232",
    "managed-identity-unknown": "Azure/azure-sdk-for-python #35015",
    "role-definitions-list-lags": "azure-cli recordings, Azure/azure-rest-api-specs #2135",
    "subnet-peering-kept": "hashicorp/terraform-provider-azurerm #31992, #33416, #26229",
    "plan-hides-changes": "tried by new users",
    "misspelt-query": "tried by new users",
    "fresh-peerings-listed-as-failed": "tried by new users",
    "key-vault-reference-unresolved": "tried by operators, just after a deployment",
}
