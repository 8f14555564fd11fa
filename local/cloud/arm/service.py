"""Azure Resource Manager: who may call, subscriptions, long-running operations; the providers are modules of their own.

Codes and texts are those of public error reports and of azure-cli's recordings.
"""

from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from local.cloud.arm import abac, rbac
from local.cloud.arm.holds import DenyAssignment, obey, refusal
from local.cloud.arm.throttle import ArmThrottle
from local.cloud.entra import Caller, Entra, InvalidTokenError
from local.cloud.server.wire import ApiError, Request, Response, Routes, answer_with
from local.cloud.world.world import Operation, Subscription, World

SUBSCRIPTION: Final = r"/subscriptions/(?P<subscription>[^/]+)"
_MOST_AUXILIARY: Final = 3
#: Where in a list a page begins.
_SKIP: Final = "$skipToken"


def arm_error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> ApiError:
    """An error as Azure Resource Manager shows it."""
    return ApiError(Response(status, {"error": {"code": code, "message": message}}, headers or {}))


class Arm:
    """What all resource providers share."""

    def __init__(self, world: World, entra: Entra, endpoints: dict[str, object]) -> None:
        self.world, self._entra, self._endpoints = world, entra, endpoints
        self._throttle = ArmThrottle(world)
        self.routes = Routes("Azure Resource Manager")
        self.routes.add("GET", "/metadata/endpoints", lambda _: Response(200, self._endpoints))
        self.routes.add("GET", "/subscriptions", self._list_subscriptions)
        self.routes.add("GET", SUBSCRIPTION, self._get_subscription)
        vault = rf"{SUBSCRIPTION}/resourceGroups/[^/]+/providers/Microsoft\.KeyVault/vaults/(?P<name>[^/]+)"
        self.routes.add("GET", vault, self._get_vault)
        operations = (
            rf"{SUBSCRIPTION}/providers/Microsoft\.Network/locations/[^/]+/operation(?P<kind>s|Results)/(?P<key>[^/]+)"
        )
        self.routes.add("GET", operations, self._operation)

    def answer(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            ApiError: ARM or a provider refuses.
        """
        if request.path.lower() == "/metadata/endpoints":
            # Clients ask for it before they can have a token.
            return self.routes.answer(request)
        if "api-version" not in request.query:
            message = "The api-version query parameter (?api-version=) is required for all requests."
            raise arm_error(400, "MissingApiVersionParameter", message)
        answered = answer_with(self._throttle.admit(request, self.token(request)), self._admitted, request)
        return _page(request, answered, self.world.knobs.list_page)

    def _admitted(self, request: Request) -> Response:
        held = refusal(self.world.locks, self.world.disabled, request)
        return held if held is not None else self.routes.answer(request)

    # Who calls.

    def token(self, request: Request) -> Caller:
        """Who the primary token speaks for.

        Raises:
            ApiError: 401, it is not valid here.
        """
        try:
            return self._entra.caller(request.bearer, "arm")
        except InvalidTokenError as error:
            message = f"The access token is invalid: {error}."
            raise arm_error(401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": "Bearer"}) from None

    def subscription(self, subscription_id: str) -> Subscription:
        """A subscription.

        Raises:
            ApiError: 404, there is none of that id.
        """
        found = self.world.subscriptions.get(subscription_id.lower())
        if found is None:
            message = f"The subscription '{subscription_id}' could not be found."
            raise arm_error(404, "SubscriptionNotFound", message)
        return found

    def caller(self, request: Request, subscription_id: str) -> Caller:
        """Who calls on a subscription: the token has to be of the subscription's own tenant.

        Raises:
            ApiError: 401 or 404.
        """
        caller, tenant = self.token(request), self.subscription(subscription_id).tenant_id
        if caller.tenant_id != tenant:
            got, want = (f"https://sts.windows.net/{one}/" for one in (caller.tenant_id, tenant))
            message = (
                f"The access token is from the wrong issuer '{got}'. It must match the tenant '{want}' associated with"
                f" this subscription. Please use the authority (URL) 'https://login.windows.net/{tenant}' to get the"
                " token. Note, if the subscription is transferred to another tenant there is no impact to the services,"
                " but information about new tenant could take time to propagate (up to an hour). If you just"
                " transferred your subscription and see this error message, please try back later."
            )
            challenge = f'Bearer authorization_uri="https://login.windows.net/{tenant}", error="invalid_token"'
            raise arm_error(401, "InvalidAuthenticationTokenTenant", message, {"WWW-Authenticate": challenge})
        return caller

    def auxiliary(self, request: Request) -> list[Caller]:
        """Who the tokens in `x-ms-authorization-auxiliary` speak for: three at the most.

        Raises:
            ApiError: 401, one of them is not valid.
        """
        header = request.headers.get("x-ms-authorization-auxiliary", "")
        tokens = [part.strip() for part in header.split(",") if part.strip()]
        if len(tokens) > _MOST_AUXILIARY:
            raise arm_error(400, "InvalidAuxiliaryTokens", "At most 3 auxiliary tokens are allowed.")
        try:
            return [self._entra.caller(token.removeprefix("Bearer "), "arm") for token in tokens]
        except InvalidTokenError as error:
            message = f"An auxiliary access token is invalid: {error}."
            raise arm_error(401, "InvalidAuthenticationToken", message) from None

    def authorize(self, request: Request, action: str, scope: str, attributes: abac.Attributes | None = None) -> Caller:
        """Let only those do something on a scope who may, and only what the policies there allow.

        Args:
            request: what was asked.
            action: what the request does.
            scope: where it does so.
            attributes: what the conditions of role assignments may ask about the request and the resource.

        Raises:
            ApiError: 401, 403 or 404.
        """
        caller = self.caller(request, scope.split("/")[2])
        if rbac.deciding(self.world, caller.object_id, action, scope, attributes=attributes) is None:
            raise self.not_authorized(caller, action, scope)
        if (denied := rbac.denial(self.world, caller.object_id, action, scope)) is not None:
            raise _denied(caller, action, scope, denied)
        obey(self.world.policies, action, request.path)
        return caller

    def not_authorized(self, caller: Caller, action: str, scope: str) -> ApiError:
        """The refusal of a caller who lacks an action on a scope, or who has it on a condition that does not hold."""
        conditional = any(rbac.granting(self.world, caller.object_id, action, scope))
        unmet = "has an authorization with ABAC condition that is not fulfilled"
        lacks = unmet if conditional else "does not have authorization"
        message = (
            f"The client '{caller.app_id}' with object id '{caller.object_id}' {lacks}"
            f" to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently"
            " granted, please refresh your credentials."
        )
        return arm_error(403, "AuthorizationFailed", message)

    # Subscriptions.

    def _sees(self, caller: Caller, subscription: Subscription) -> bool:
        scope = f"/subscriptions/{subscription.id}"
        held = (a for a in self.world.assignments if a.principal_id == caller.object_id)
        reached = (rbac.contains(scope, a.scope) or rbac.reaches(self.world, a, scope) for a in held)
        return subscription.tenant_id == caller.tenant_id and any(reached)

    def _list_subscriptions(self, request: Request) -> Response:
        caller = self.token(request)
        found = [s for s in self.world.subscriptions.values() if self._sees(caller, s)]
        return Response(200, {"value": [self._body_of(s) for s in found], "count": {"value": len(found)}})

    def _get_subscription(self, request: Request, subscription: str) -> Response:
        caller = self.caller(request, subscription)
        found = self.subscription(subscription)
        if not self._sees(caller, found):
            raise self.not_authorized(caller, "Microsoft.Resources/subscriptions/read", f"/subscriptions/{found.id}")
        return Response(200, self._body_of(found))

    def _body_of(self, subscription: Subscription) -> dict[str, Any]:
        is_disabled = subscription.id.lower() in self.world.disabled
        return _subscription_body(subscription) | ({"state": "Disabled"} if is_disabled else {})

    def _get_vault(self, request: Request, subscription: str, name: str) -> Response:
        caller = self.caller(request, subscription)
        vault = self.world.vaults.get(name.lower())
        if vault is None:
            raise arm_error(404, "ResourceNotFound", f"The Resource 'Microsoft.KeyVault/vaults/{name}' was not found.")
        if not rbac.may(self.world, caller.object_id, "Microsoft.KeyVault/vaults/read", vault.id):
            raise self.not_authorized(caller, "Microsoft.KeyVault/vaults/read", vault.id)
        policies = [
            {"tenantId": vault.tenant_id, "objectId": object_id, "permissions": {"secrets": permissions}}
            for object_id, permissions in (vault.policies or {}).items()
        ]
        properties = {"enableRbacAuthorization": vault.policies is None, "accessPolicies": policies}
        return Response(200, {"id": vault.id, "name": vault.name, "properties": properties})

    # Long-running operations.

    def begin_operation(
        self, host: str, subscription_id: str, location: str, *, location_header: bool
    ) -> dict[str, str]:
        """Start an operation that ends after the knob `operation`; returns the headers that lead to it."""
        operation = Operation(self.world.guid(), self.world.after(self.world.knobs.operation))
        self.world.operations[operation.id] = operation
        base = f"https://{host}/subscriptions/{subscription_id}/providers/Microsoft.Network/locations/{location}"
        query = f"{operation.id}?api-version=2026-03-01&t=1&c=local&s=local&h=local"
        headers = {"Azure-AsyncOperation": f"{base}/operations/{query}", **self._wait()}
        if location_header:
            headers["Location"] = f"{base}/operationResults/{query}"
        return headers

    def _operation(self, request: Request, subscription: str, kind: str, key: str) -> Response:
        self.caller(request, subscription)
        operation = self.world.operations.get(key.lower())
        if operation is None:
            raise arm_error(404, "OperationNotFound", f"The operation {key} was not found.")
        ended = operation.ends_at <= self.world.now
        if kind.lower() == "results":
            here = f"https://{request.host}{request.path}?{urlencode(request.query)}"
            return Response(200) if ended else Response(202, None, {"Location": here, **self._wait()})
        return Response(200, {"status": "Succeeded" if ended else "InProgress"}, {} if ended else self._wait())

    def _wait(self) -> dict[str, str]:
        return {"Retry-After": str(self.world.knobs.retry_after)}


def _page(request: Request, answered: Response, size: int) -> Response:
    """A page of a list, with the link to the next one, where pages have a size; anything else as it is."""
    body = answered.body
    if request.method != "GET" or not size or not isinstance(body, dict) or not isinstance(body.get("value"), list):
        return answered
    start, held = int(request.query.get(_SKIP, 0)), body["value"]
    page = {**body, "value": held[start : start + size]}
    if start + size < len(held):
        following = urlencode({**request.query, _SKIP: start + size})
        page["nextLink"] = f"https://{request.host}{request.path}?{following}"
    return replace(answered, body=page)


def _denied(caller: Caller, action: str, scope: str, by: DenyAssignment) -> ApiError:
    message = (
        f"The client '{caller.app_id}' with object id '{caller.object_id}' has permission to perform action '{action}'"
        f" on scope '{scope}'; however, the access is denied because of the deny assignment with name '{by.title}' and"
        f" Id '{by.name.replace('-', '')}' at scope '{by.scope}'."
    )
    return arm_error(403, "DenyAssignmentAuthorizationFailed", message)


def _subscription_body(subscription: Subscription) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{subscription.id}",
        "subscriptionId": subscription.id,
        "tenantId": subscription.tenant_id,
        "displayName": subscription.display_name,
        "state": "Enabled",
        "managedByTenants": [],
        "authorizationSource": "RoleBased",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }
