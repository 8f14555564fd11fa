"""Entra ID: discovery and the token endpoint (client credentials with a password or a federated assertion).

Error numbers and the envelope are those of Entra's documented AADSTS errors.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import jwt

from local.cloud.server.wire import ApiError, Request, Response, Routes
from local.cloud.world.world import Application, FederatedCredential, ServicePrincipal, World

_LIFETIME: Final = 3600
#: So many tokens are remembered as verified.
_REMEMBERED: Final = 1024
_UNAVAILABLE: Final = 503
_TENANT: Final = r"/(?P<tenant>[^/]+)"
#: Which resource an `aud` stands for, by the host in the requested scope.
RESOURCES: Final = {
    "management.azure.com": "arm",
    "management.core.windows.net": "arm",
    "management.usgovcloudapi.net": "arm",
    "management.core.usgovcloudapi.net": "arm",
    "management.chinacloudapi.cn": "arm",
    "management.core.chinacloudapi.cn": "arm",
    "graph.microsoft.com": "graph",
    "graph.microsoft.us": "graph",
    "microsoftgraph.chinacloudapi.cn": "graph",
    "vault.azure.net": "vault",
    "vault.usgovcloudapi.net": "vault",
    "vault.azure.cn": "vault",
    "storage.azure.com": "storage",
    "storage.azure.us": "storage",
    "storage.azure.cn": "storage",
}


#: What the assertions of managed identities are for, in each Azure cloud.
EXCHANGE_AUDIENCES: Final = frozenset(f"api://AzureADTokenExchange{cloud}" for cloud in ("", "USGov", "China"))


#: What of a federated credential has to fit an assertion, in this order: the error's number, name, claim and values.
_FEDERATION: Final[tuple[tuple[int, str, str, Callable[[FederatedCredential], list[str]]], ...]] = (
    (700211, "issuer", "iss", lambda f: [f.issuer]),
    (700213, "subject", "sub", lambda f: [f.subject]),
    (700212, "audience", "aud", lambda f: f.audiences),
)


@dataclass(frozen=True)
class Caller:
    """Who a token was issued to, and the application permissions that it had then."""

    tenant_id: str
    object_id: str
    app_id: str
    roles: tuple[str, ...] = ()


class InvalidTokenError(Exception):
    """The token is not one of this cloud's, has expired, or is for another resource."""


class Entra:
    """The token service of all tenants."""

    def __init__(self, world: World, host: str) -> None:
        self._world, self._host = world, host
        self._key = world.secret()
        #: A token comes with every request; its signature is verified once.
        self._claims = lru_cache(_REMEMBERED)(self._verified)
        #: The assertions that no federated credential fitted, by application, issuer, subject and audience.
        self._misses: dict[tuple[str, ...], tuple[datetime, ApiError]] = {}
        self.routes = Routes("Entra ID")
        self.routes.add("GET", "/common/discovery/instance", self._instance)
        self.routes.add("GET", rf"{_TENANT}(/v2\.0)?/\.well-known/openid-configuration", self._discovery)
        self.routes.add("POST", rf"{_TENANT}/oauth2/v2\.0/token", self._token)

    def caller(self, token: str | None, resource: str) -> Caller:
        """Who a bearer token speaks for.

        Raises:
            InvalidTokenError: its principal is unknown here.
        """
        try:
            claims = self._claims(token or "")
        except jwt.InvalidTokenError as error:
            raise InvalidTokenError(str(error)) from None
        if claims["exp"] <= time.time():
            raise InvalidTokenError("Signature has expired")
        if _resource(claims["aud"]) != resource:
            raise InvalidTokenError(f"the audience {claims['aud']} is not this resource's")
        if int(claims["uti"]) <= self._world.revoked.get(claims["oid"], 0):
            raise InvalidTokenError("the token was revoked")
        return Caller(claims["tid"], claims["oid"], claims["appid"], tuple(claims.get("roles", ())))

    def _verified(self, token: str) -> dict[str, Any]:
        return jwt.decode(
            token, self._key, algorithms=["HS256"], options={"verify_aud": False, "require": ["exp", "aud"]}
        )

    def issue(self, principal: ServicePrincipal, audience: str, lifetime: int = _LIFETIME) -> str:
        """A token for a principal; it expires by the machine's own time, as the SDKs count."""
        now, resource = int(time.time()), _resource(audience)
        self._world.tokens += 1
        claims: dict[str, Any] = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{principal.tenant_id}/",
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
            "appid": principal.app_id,
            "idtyp": "app",
            "oid": principal.id,
            "sub": principal.id,
            "tid": principal.tenant_id,
            "uti": str(self._world.tokens),
            "ver": "1.0",
        }
        if resource == "exchange":
            claims |= {"iss": self._issuer(principal.tenant_id), "ver": "2.0"}
        if resource == "graph" and principal.graph_roles:
            claims["roles"] = principal.graph_roles
        return jwt.encode(claims, self._key, "HS256")

    def _issuer(self, tenant: str) -> str:
        return f"https://{self._host}/{tenant}/v2.0"

    def _instance(self, request: Request) -> Response:
        endpoint = f"https://{request.host}/common/v2.0/.well-known/openid-configuration"
        aliases = [request.host, "login.windows.net", "sts.windows.net"]
        metadata = [{"preferred_network": request.host, "preferred_cache": request.host, "aliases": aliases}]
        return Response(200, {"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": metadata})

    def _discovery(self, request: Request, tenant: str) -> Response:
        if tenant not in ("common", "organizations"):
            self._known(tenant, "invalid_tenant")
        base = f"https://{request.host}/{tenant}"
        return Response(
            200,
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            },
        )

    def _known(self, tenant: str, error: str) -> str:
        if tenant.lower() not in self._world.tenants:
            text = f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID"
            text += " and are signing into the correct cloud."
            raise _refused(400, error, 90002, text)
        return tenant.lower()

    def _token(self, request: Request, tenant: str) -> Response:
        tenant = self._known(tenant, "invalid_request")
        form = request.form()
        if form.get("grant_type") != "client_credentials":
            raise _refused(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        application, principal = self._principal(form.get("client_id", ""), tenant)
        if "client_assertion" in form:
            self._check_assertion(application, form["client_assertion"])
        else:
            self._check_password(application, form.get("client_secret", ""))
        audience = form.get("scope", "").removesuffix(".default").removesuffix("/")
        if _resource(audience) is None:
            text = f"The resource principal named {audience} was not found in the tenant named {tenant}."
            raise _refused(400, "invalid_resource", 500011, text)
        token = self.issue(principal, audience)
        body = {"token_type": "Bearer", "expires_in": _LIFETIME - 1, "ext_expires_in": _LIFETIME - 1}
        return Response(200, {**body, "access_token": token}, {"Cache-Control": "no-store, no-cache"})

    def _principal(self, app_id: str, tenant: str) -> tuple[Application, ServicePrincipal]:
        now = self._world.now
        application = self._world.application(app_id)
        principal = self._world.principal(app_id, tenant)
        if application is None or application.visible_at > now:
            raise _unknown(app_id, tenant)
        if principal is None or principal.visible_at > now:
            if application.tenant_id == tenant:
                text = f"The client application {app_id} is missing service principal in the tenant {tenant}."
                text += " See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119"
                raise _refused(401, "invalid_client", 7000229, text)
            raise _unknown(app_id, tenant)
        if not principal.enabled:
            raise _refused(400, "unauthorized_client", 7000112, f"Application '{app_id}' is disabled.")
        return application, principal

    def _check_password(self, application: Application, text: str) -> None:
        now = self._world.now
        password = next((p for p in application.passwords if p.text == text and p.accepted_at <= now), None)
        if password is None:
            message = "Invalid client secret provided. Ensure the secret being sent in the request is the client secret"
            message += f" value, not the client secret ID, for a secret added to app '{application.app_id}'."
            raise _refused(401, "invalid_client", 7000215, message)
        if password.ends <= now:
            message = f"The provided client secret keys for app '{application.app_id}' are expired."
            raise _refused(401, "invalid_client", 7000222, message)

    def _check_assertion(self, application: Application, assertion: str) -> None:
        try:
            claims: dict[str, Any] = jwt.decode(
                assertion, self._key, algorithms=["HS256"], options={"verify_aud": False}
            )
        except jwt.InvalidTokenError:
            raise _refused(401, "invalid_client", 700027, "The client assertion failed validation.") from None
        identity = self._world.principal_with_id(claims["oid"])
        if identity is None or identity.kind != "ManagedIdentity":
            text = "AAD-issued tokens may not be used for federated identity flows."
            raise _refused(400, "invalid_request", 700222, text)
        if identity.tenant_id != application.tenant_id:
            text = (
                f"Entra ID tokens issued by issuer '{claims['iss']}' may not be used for federated identity credential"
            )
            text += " flows for applications or managed identities registered in this tenant."
            raise _refused(401, "invalid_client", 700236, text)
        self._check_trusted(application, claims)

    def _check_trusted(self, application: Application, claims: dict[str, Any]) -> None:
        """Let an assertion in that a federated credential fits; Entra remembers for a while that none did."""
        now, asked = self._world.now, (application.id, claims["iss"], claims["sub"], claims["aud"])
        until, refusal = self._misses.get(asked, (now, None))
        if refusal is not None and now < until:
            raise refusal
        fitting = [f for f in application.federated if f.accepted_at <= now]
        for number, name, claim, held in _FEDERATION:
            fitting = [f for f in fitting if claims[claim] in held(f)]
            if not fitting:
                text = f"No matching federated identity record found for presented assertion {name} '{claims[claim]}'."
                refusal = _refused(401, "invalid_client", number, text)
                self._misses[asked] = self._world.after(self._world.knobs.federated_miss_kept), refusal
                raise refusal


def is_resource(audience: str) -> bool:
    """Whether tokens can be had for an audience."""
    return _resource(audience) is not None


def _resource(audience: str) -> str | None:
    if audience in EXCHANGE_AUDIENCES:
        return "exchange"
    return RESOURCES.get(audience.removeprefix("https://").strip("/"))


def _unknown(app_id: str, tenant: str) -> ApiError:
    text = f"Application with identifier '{app_id}' was not found in the directory '{tenant}'. This can happen if the"
    text += " application has not been installed by the administrator of the tenant or consented to by any user in the"
    text += " tenant. You may have sent your authentication request to the wrong tenant."
    return _refused(400, "unauthorized_client", 700016, text)


def entra_error(status: int, code: str, message: str) -> ApiError:
    """An error of Entra's that was asked for; a strained server says so in its own words."""
    if status == _UNAVAILABLE:
        return _refused(status, "temporarily_unavailable", 90033, f"A transient error has occurred. {message}")
    return ApiError(Response(status, {"error": code, "error_description": message}))


def _refused(status: int, error: str, number: int, text: str) -> ApiError:
    stamp = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
    trace, correlation = uuid.uuid4(), uuid.uuid4()
    description = f"AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
    body = {
        "error": error,
        "error_description": description,
        "error_codes": [number],
        "timestamp": stamp,
        "trace_id": str(trace),
        "correlation_id": str(correlation),
        "error_uri": f"https://login.microsoftonline.com/error?code={number}",
    }
    return ApiError(Response(status, body))
