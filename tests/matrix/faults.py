"""The faults of the matrix, and which problems an operation may end with under each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import AliasChoices, BaseModel

from clients import aiven_answers

_PAGE: Final = "<html><body>Bad gateway</body></html>"
#: What refusals of the rights are called, by service and by who asks.
_REFUSED: Final = frozenset(
    {
        *("registry-access-denied", "registry-unavailable"),
        *("automation-not-authorized", "automation-graph-permission-missing", "vault-access-denied", "remote-refused"),
        *(
            "aiven-not-permitted",
            "aiven-organization-not-permitted",
            "peering-role-not-effective",
            "platform-principal-forbidden",
            "application-sign-in-failed",
        ),
        "automation-sign-in-failed",
    }
)
#: A sign-in that is refused with 401 is refused for good.
_SIGN_IN: Final = frozenset({"automation-sign-in-failed", "application-sign-in-failed"})
#: What is missing, by what was looked for.
_MISSING: Final = frozenset(
    {
        *("vnet-not-found", "project-vpc-not-found", "application-missing", "remote-refused", "directory-replicating"),
        *("aiven-refused", "secret-missing", "application-sign-in-failed", "automation-sign-in-failed"),
        # Of the vault itself.
        "setting-invalid",
        # What a deletion did not find, and the last look does.
        "still-there",
    }
)


@dataclass(frozen=True)
class MatrixFault:
    """One kind of fault.

    Attributes:
        name: names it in a cell.
        knob: the fault as the local cloud takes it.
        ends: the problems that an operation may end with; without any it has to converge.
        changes: it makes sense only for calls that change something.
        host: the hosts that it makes sense for.
        of: the part that a call's good answer has to have for it.
        leaves: what a removal may leave in the cloud, by its kind.
    """

    name: str
    knob: Mapping[str, Any]
    ends: frozenset[str] = frozenset()
    changes: bool = False
    host: str = ".*"
    of: str | None = None
    leaves: frozenset[str] = frozenset()


def _of_aiven() -> tuple[str, ...]:
    """What the models of Aiven's client name, as Aiven does."""
    models = [one for one in vars(aiven_answers).values() if isinstance(one, type) and issubclass(one, BaseModel)]
    fields = [field for model in models for field in model.model_fields.items()]
    aliases = [(name, field.validation_alias) for name, field in fields]
    read = [alias.choices if isinstance(alias, AliasChoices) else [alias or name] for name, alias in aliases]
    return tuple(sorted({str(name) for names in read for name in names}))


#: The parts of answers that the clients read, by host, left out one at a time where an answer has them.
FIELDS: Final = {
    "management.azure.com": (
        *("id", "name", "type", "properties", "value", "state", "etag", "scope", "subscriptionId"),
        *("allowForwardedTraffic", "allowGatewayTransit", "useRemoteGateways"),
        *("provisioningState", "addressSpace", "addressPrefixes", "remoteVirtualNetwork", "remoteAddressSpace"),
        *("remoteVirtualNetworkAddressSpace", "peeringState", "peeringSyncLevel", "allowVirtualNetworkAccess"),
        *("permissions", "actions", "notActions", "roleName", "assignableScopes", "roleDefinitionId", "principalId"),
        *("enableRbacAuthorization", "accessPolicies", "nextLink"),
        *(
            "level",
            "policyDefinitionId",
            "notScopes",
            "enforcementMode",
            "displayName",
            "policyRule",
            "mode",
            "if",
            "then",
        ),
        *("effect", "field", "principals", "excludePrincipals", "doNotApplyToChildScopes", "denyAssignmentName"),
    ),
    "graph.microsoft.com": (
        *("id", "appId", "value", "keyId", "secretText", "passwordCredentials", "accountEnabled", "uniqueName"),
        *("signInAudience", "endDateTime", "displayName", "tags", "federatedIdentityCredentials"),
    ),
    "vault.azure.net": ("id", "value", "attributes", "tags", "enabled", "created", "exp", "nextLink"),
    "login.microsoftonline.com": ("access_token", "expires_in", "token_type"),
    "api.aiven.io": _of_aiven(),
    "table.core.windows.net": (
        *("odata.etag", "value", "PartitionKey", "RowKey", "record", "run", "execution", "alive_until", "not_before"),
    ),
    "127.0.0.1": ("access_token", "expires_on"),
}

#: Without the addresses of its peerings a VNet has none that can be adopted: those of others may have none.
_MAY_LACK: Final[dict[str, frozenset[str]]] = {"addressPrefixes": frozenset({"nothing-to-adopt"})}
FAULTS: Final = (
    MatrixFault("reset-before", {"breach": "reset"}),
    MatrixFault("reset-after", {"breach": "reset", "after": True}, changes=True),
    MatrixFault("hang", {"breach": "hang"}),
    MatrixFault("cut", {"breach": "cut"}),
    MatrixFault("empty", {"status": 200, "body": ""}),
    # A list that shows nothing for once is no proof that nothing is there; a row's answer is its own.
    MatrixFault(
        "no-things",
        {"status": 200, "body": {"value": []}},
        # That an identity has no rights is an answer, and that a VNet has no peering to adopt: nothing is changed then.
        frozenset({"automation-not-authorized", "vault-access-denied", "nothing-to-adopt"}),
        host=r"^(?!.*\.table\.)",
        of="value",
    ),
    MatrixFault("408", {"status": 408, "code": "RequestTimeout"}),
    MatrixFault("429-1", {"status": 429, "code": "TooManyRequests", "retry_after": 1}),
    MatrixFault("429-600", {"status": 429, "code": "TooManyRequests", "retry_after": 600}),
    MatrixFault("429", {"status": 429, "code": "TooManyRequests"}),
    MatrixFault(
        "429-date",
        {"status": 429, "code": "TooManyRequests", "headers": {"Retry-After": "Wed, 21 Oct 2065 07:28:00 GMT"}},
    ),
    MatrixFault("429-absurd", {"status": 429, "code": "TooManyRequests", "headers": {"Retry-After": "9" * 400}}),
    MatrixFault("500", {"status": 500, "code": "InternalServerError"}),
    MatrixFault("502-page", {"status": 502, "body": _PAGE}),
    MatrixFault("503", {"status": 503, "code": "ServiceUnavailable"}),
    MatrixFault("503-after", {"status": 503, "code": "ServiceUnavailable", "after": True}, changes=True),
    MatrixFault("504", {"status": 504, "code": "GatewayTimeout"}),
    MatrixFault("401", {"status": 401, "code": "InvalidAuthenticationToken"}, host=r"^(?!login\.|127\.)"),
    MatrixFault("401-sign-in", {"status": 401, "code": "invalid_client"}, _SIGN_IN, host=r"^(login\.|127\.)"),
    MatrixFault(
        "403-a-while",
        {"status": 403, "code": "AuthorizationFailed", "times": 3, "echo": True},
        _REFUSED,
        # The platform's stays where the app may not see who else needs it.
        leaves=frozenset({"servicePrincipals"}),
    ),
    # A row that the Table service itself reports as absent is absent.
    MatrixFault(
        "404-a-while",
        {"status": 404, "code": "ResourceNotFound", "times": 3},
        _MISSING,
        host=r"^(?!.*\.table\.|login\.|127\.)",
    ),
    # A sign-in that is refused says nothing about what is looked for.
    MatrixFault("404-sign-in", {"status": 404, "code": "not_found", "times": 3}, _SIGN_IN, host=r"^(login\.|127\.)"),
    MatrixFault("400-empty", {"status": 400, "body": ""}, host=r"^(login\.|127\.)"),
    *(
        MatrixFault(f"without-{name}-{host}", {"without": name}, _MAY_LACK.get(name, frozenset()), host=host, of=name)
        for host, names in FIELDS.items()
        for name in names
    ),
)
