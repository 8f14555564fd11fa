"""Microsoft Graph v1.0: applications, service principals, passwords, federated credentials.

Bodies follow the recorded answers in azure-cli's tests (role module) and Graph's reference.
"""

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from local.cloud.entra import Caller, Entra, InvalidTokenError
from local.cloud.wire import ApiError, Request, Response, Routes
from local.cloud.world import Application, FederatedCredential, Password, ServicePrincipal, World

_APP: Final = (
    r"/v1\.0/applications(?:/(?P<id>[^/()]+)|\(appId='(?P<app_id>[^']+)'\)|\(uniqueName='(?P<unique>[^']+)'\))"
)
_SP: Final = r"/v1\.0/servicePrincipals(?:/(?P<id>[^/()]+)|\(appId='(?P<app_id>[^']+)'\))"
_WRITE_ALL: Final = "Application.ReadWrite.All"
_WRITE_OWNED: Final = "Application.ReadWrite.OwnedBy"
_FOREIGN: Final = (
    "When using this permission, the backing application of the service principal being created must in the local"
    " tenant"
)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def application_body(application: Application) -> dict[str, Any]:
    """An application as Graph shows it; passwords without their text."""
    return {
        "@odata.type": "#microsoft.graph.application",
        "id": application.id,
        "deletedDateTime": None,
        "appId": application.app_id,
        "uniqueName": application.unique_name,
        "createdDateTime": _stamp(application.created),
        "displayName": application.display_name,
        "identifierUris": [],
        "signInAudience": application.sign_in_audience,
        "tags": application.tags,
        "keyCredentials": [],
        "passwordCredentials": [_password_body(password) for password in application.passwords],
        "requiredResourceAccess": [],
        "web": {"redirectUris": []},
    }


def _password_body(password: Password) -> dict[str, Any]:
    return {
        "customKeyIdentifier": None,
        "displayName": password.display_name,
        "endDateTime": _stamp(password.ends),
        "hint": password.text[:3],
        "keyId": password.key_id,
        "secretText": None,
        "startDateTime": _stamp(password.starts),
    }


def principal_body(principal: ServicePrincipal, home: str | None) -> dict[str, Any]:
    """A service principal as Graph shows it; `home` is its application's tenant."""
    return {
        "@odata.type": "#microsoft.graph.servicePrincipal",
        "id": principal.id,
        "deletedDateTime": None,
        "accountEnabled": principal.enabled,
        "appDisplayName": principal.display_name,
        "appId": principal.app_id,
        "appOwnerOrganizationId": home,
        "createdDateTime": _stamp(principal.created),
        "displayName": principal.display_name,
        "servicePrincipalNames": [principal.app_id],
        "servicePrincipalType": principal.kind,
        "tags": principal.tags,
    }


def graph_error(status: int, code: str, message: str, detail: str | None = None) -> ApiError:
    """An error as Graph shows it."""
    request_id = str(uuid.uuid4())
    inner = {"date": _stamp(datetime.now(UTC)), "request-id": request_id, "client-request-id": request_id}
    error: dict[str, Any] = {"code": code, "message": message, "innerError": inner}
    if detail:
        error["details"] = [{"code": detail, "message": message, "target": "appId"}]
    return ApiError(Response(status, {"error": error}))


def _missing(name: str) -> ApiError:
    text = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return graph_error(404, "Request_ResourceNotFound", text)


def _denied(message: str = "Insufficient privileges to complete the operation.") -> ApiError:
    return graph_error(403, "Authorization_RequestDenied", message)


class Graph:
    """The directory service of all tenants; a token chooses the tenant."""

    def __init__(self, world: World, entra: Entra) -> None:
        self._world, self._entra = world, entra
        routes = self.routes = Routes("Microsoft Graph")
        routes.add("GET", r"/v1\.0/applications", self._list_applications)
        routes.add("POST", r"/v1\.0/applications", self._create_application)
        routes.add("GET", _APP, self._get_application)
        routes.add("PATCH", _APP, self._patch_application)
        routes.add("DELETE", _APP, self._delete_application)
        routes.add("POST", rf"{_APP}/(microsoft\.graph\.)?addPassword", self._add_password)
        routes.add("POST", rf"{_APP}/(microsoft\.graph\.)?removePassword", self._remove_password)
        routes.add("GET", rf"{_APP}/federatedIdentityCredentials", self._list_federated)
        routes.add("POST", rf"{_APP}/federatedIdentityCredentials", self._add_federated)
        routes.add("GET", r"/v1\.0/servicePrincipals", self._list_principals)
        routes.add("POST", r"/v1\.0/servicePrincipals", self._create_principal)
        routes.add("GET", _SP, self._get_principal)
        routes.add("PATCH", _SP, self._patch_principal)
        routes.add("DELETE", _SP, self._delete_principal)
        routes.add("POST", r"/v1\.0/directoryObjects/getByIds", self._by_ids)
        routes.add("GET", r"/v1\.0/organization", self._organization)

    def answer(self, request: Request) -> Response:
        """Answer one request; the SDK's default base URL has a double slash, which Graph folds.

        Raises:
            ApiError: Graph refuses.
        """
        folded = Request(request.method, request.host, re.sub("//+", "/", request.path), *_rest(request))
        return self.routes.answer(folded)

    # Who asks, and what they may do.

    def _caller(self, request: Request) -> tuple[Caller, ServicePrincipal]:
        try:
            caller = self._entra.caller(request.bearer, "graph")
        except InvalidTokenError as error:
            raise graph_error(401, "InvalidAuthenticationToken", f"Access token validation failure: {error}") from None
        principal = next((p for p in self._world.principals if p.id == caller.object_id), None)
        if principal is None:
            raise graph_error(401, "InvalidAuthenticationToken", "The token's principal does not exist any more.")
        return caller, principal

    def _reader(self, request: Request) -> Caller:
        caller, principal = self._caller(request)
        if not principal.graph_roles:
            raise _denied()
        return caller

    def _writer(self, request: Request, application: Application | None = None) -> tuple[Caller, bool]:
        caller, principal = self._caller(request)
        if _WRITE_ALL in principal.graph_roles:
            return caller, True
        owned = application is None or application.owner == principal.id
        if _WRITE_OWNED not in principal.graph_roles or not owned:
            raise _denied()
        return caller, False

    # Applications.

    def _visible(self, tenant: str) -> list[Application]:
        return [a for a in self._world.applications if a.tenant_id == tenant and a.visible_at <= self._world.now]

    def _find_application(
        self,
        tenant: str,
        id: str | None,  # noqa: A002 - the routes' name
        app_id: str | None,
        unique: str | None,
    ) -> Application | None:
        for application in self._visible(tenant):
            if id == application.id or (app_id and app_id.lower() == application.app_id):
                return application
            if unique and unique == application.unique_name:
                return application
        return None

    def _application(self, tenant: str, **key: str | None) -> Application:
        application = self._find_application(tenant, key.get("id"), key.get("app_id"), key.get("unique"))
        if application is None:
            raise _missing(next(value for value in key.values() if value))
        return application

    def _list_applications(self, request: Request) -> Response:
        caller = self._reader(request)
        found = [a for a in self._visible(caller.tenant_id) if _fits(request.query.get("$filter"), application_body(a))]
        return Response(200, {"value": [application_body(a) for a in found]})

    def _create_application(self, request: Request) -> Response:
        caller, _ = self._writer(request)
        return Response(201, application_body(self._make(caller, request.json(), None)))

    def _make(self, caller: Caller, body: dict[str, Any], unique: str | None) -> Application:
        unique = unique or body.get("uniqueName")
        taken = [
            a
            for a in self._world.applications
            if unique and a.unique_name == unique and a.tenant_id == caller.tenant_id
        ]
        if taken:
            text = "Another object with the same value for property uniqueName already exists."
            raise graph_error(400, "Request_BadRequest", text, "ObjectConflict")
        audience = body.get("signInAudience", "AzureADandPersonalMicrosoftAccount")
        made = self._world.add_application(caller.tenant_id, body["displayName"], audience, caller.object_id, unique)
        made.tags = body.get("tags", [])
        return made

    def _get_application(self, request: Request, **key: str | None) -> Response:
        caller = self._reader(request)
        return Response(200, application_body(self._application(caller.tenant_id, **key)))

    def _patch_application(self, request: Request, **key: str | None) -> Response:
        caller, _ = self._caller(request)
        body = request.json()
        found = self._find_application(caller.tenant_id, key["id"], key["app_id"], key["unique"])
        if found is None and key["unique"] and "create-if-missing" in request.headers.get("prefer", ""):
            caller, _ = self._writer(request)
            return Response(201, application_body(self._make(caller, body, key["unique"])))
        application = found or self._application(caller.tenant_id, **key)
        self._writer(request, application)
        application.display_name = body.get("displayName", application.display_name)
        application.sign_in_audience = body.get("signInAudience", application.sign_in_audience)
        application.tags = body.get("tags", application.tags)
        return Response(204)

    def _delete_application(self, request: Request, **key: str | None) -> Response:
        caller, _ = self._caller(request)
        application = self._application(caller.tenant_id, **key)
        self._writer(request, application)
        self._world.applications.remove(application)
        gone = [p for p in self._world.principals if p.app_id == application.app_id and p.tenant_id == caller.tenant_id]
        for principal in gone:
            self._world.principals.remove(principal)
        return Response(204)

    def _add_password(self, request: Request, **key: str | None) -> Response:
        caller, _ = self._caller(request)
        application = self._application(caller.tenant_id, **key)
        self._writer(request, application)
        wanted = request.json().get("passwordCredential") or {}
        ends = wanted.get("endDateTime")
        until = datetime.fromisoformat(ends) if ends else self._world.now + timedelta(days=730)
        password = self._world.add_password(application, wanted.get("displayName"), until)
        return Response(200, {**_password_body(password), "secretText": password.text})

    def _remove_password(self, request: Request, **key: str | None) -> Response:
        caller, _ = self._caller(request)
        application = self._application(caller.tenant_id, **key)
        self._writer(request, application)
        key_id = request.json().get("keyId")
        kept = [password for password in application.passwords if password.key_id != key_id]
        if len(kept) == len(application.passwords):
            raise graph_error(400, "Request_BadRequest", f"No password credential found with keyId {key_id}.")
        application.passwords[:] = kept
        return Response(204)

    def _list_federated(self, request: Request, **key: str | None) -> Response:
        caller = self._reader(request)
        application = self._application(caller.tenant_id, **key)
        return Response(200, {"value": [federated_body(f) for f in application.federated]})

    def _add_federated(self, request: Request, **key: str | None) -> Response:
        caller, _ = self._caller(request)
        application = self._application(caller.tenant_id, **key)
        self._writer(request, application)
        body, world = request.json(), self._world
        made = FederatedCredential(
            world.guid(), body["name"], body["issuer"], body["subject"], body["audiences"],
            world.after(world.knobs.secret_accepted),
        )  # fmt: skip
        application.federated.append(made)
        return Response(201, federated_body(made))

    # Service principals.

    def _principals(self, tenant: str) -> list[ServicePrincipal]:
        return [p for p in self._world.principals if p.tenant_id == tenant and p.visible_at <= self._world.now]

    def _body(self, principal: ServicePrincipal) -> dict[str, Any]:
        application = self._world.application(principal.app_id)
        return principal_body(principal, application.tenant_id if application else None)

    def _principal(self, tenant: str, id: str | None, app_id: str | None) -> ServicePrincipal:  # noqa: A002
        for principal in self._principals(tenant):
            if principal.id == id or (app_id and principal.app_id == app_id.lower()):
                return principal
        raise _missing(id or app_id or "")

    def _list_principals(self, request: Request) -> Response:
        caller = self._reader(request)
        bodies = [self._body(p) for p in self._principals(caller.tenant_id)]
        return Response(200, {"value": [body for body in bodies if _fits(request.query.get("$filter"), body)]})

    def _create_principal(self, request: Request) -> Response:
        caller, everything = self._writer(request)
        body = request.json()
        made = self._make_principal(caller, body["appId"].lower(), everything=everything)
        made.tags = body.get("tags", [])
        return Response(201, self._body(made))

    def _make_principal(self, caller: Caller, app_id: str, *, everything: bool) -> ServicePrincipal:
        application = self._world.application(app_id)
        known = application is not None and application.visible_at <= self._world.now
        foreign = application is not None and application.tenant_id != caller.tenant_id
        if application is None or not known or (foreign and not application.multi_tenant):
            text = f"The appId '{app_id}' of the service principal does not reference a valid application object."
            raise graph_error(400, "Request_BadRequest", text, "NoBackingApplicationObject")
        if foreign and not everything:
            raise _denied(_FOREIGN)
        if self._world.principal(app_id, caller.tenant_id) is not None:
            text = "The service principal cannot be created, updated, or restored because the service principal name"
            raise graph_error(409, "Request_MultipleObjectsWithSameKeyValue", f"{text} {app_id} is already in use.")
        return self._world.add_principal(application, caller.tenant_id)

    def _get_principal(self, request: Request, **key: str | None) -> Response:
        caller = self._reader(request)
        return Response(200, self._body(self._principal(caller.tenant_id, key["id"], key["app_id"])))

    def _patch_principal(self, request: Request, **key: str | None) -> Response:
        caller, everything = self._writer(request)
        body = request.json()
        try:
            principal = self._principal(caller.tenant_id, key["id"], key["app_id"])
        except ApiError:
            if not key["app_id"] or "create-if-missing" not in request.headers.get("prefer", ""):
                raise
            hidden = self._world.principal(key["app_id"], caller.tenant_id)
            made = hidden or self._make_principal(caller, key["app_id"].lower(), everything=everything)
            made.tags = body.get("tags", [])
            return Response(204) if hidden else Response(201, self._body(made))
        principal.enabled = body.get("accountEnabled", principal.enabled)
        principal.tags = body.get("tags", principal.tags)
        return Response(204)

    def _delete_principal(self, request: Request, **key: str | None) -> Response:
        caller, _ = self._writer(request)
        self._world.principals.remove(self._principal(caller.tenant_id, key["id"], key["app_id"]))
        return Response(204)

    # The rest.

    def _by_ids(self, request: Request) -> Response:
        caller = self._reader(request)
        wanted = request.json()["ids"]
        return Response(200, {"value": [self._body(p) for p in self._principals(caller.tenant_id) if p.id in wanted]})

    def _organization(self, request: Request) -> Response:
        caller = self._reader(request)
        return Response(200, {"value": [{"id": caller.tenant_id, "displayName": "A tenant of the local cloud"}]})


def federated_body(credential: FederatedCredential) -> dict[str, Any]:
    """A federated credential as Graph shows it."""
    return {
        "id": credential.id,
        "name": credential.name,
        "issuer": credential.issuer,
        "subject": credential.subject,
        "audiences": credential.audiences,
    }


def _rest(request: Request) -> tuple[Any, ...]:
    return request.query, request.headers, request.body


_FILTERS: Final = (
    (re.compile(r"startswith\((\w+),'((?:[^']|'')*)'\)"), lambda held, wanted: str(held).startswith(wanted)),
    (re.compile(r"(\w+) eq '((?:[^']|'')*)'"), lambda held, wanted: str(held).lower() == wanted.lower()),
    (re.compile(r"(\w+)/any\(\w+:\w+ eq '((?:[^']|'')*)'\)"), lambda held, wanted: wanted in held),
)


def _fits(expression: str | None, body: dict[str, Any]) -> bool:
    """Whether an object fits a `$filter`; one of another form is refused."""
    if not expression:
        return True
    for pattern, holds in _FILTERS:
        if match := pattern.fullmatch(expression.strip()):
            return bool(holds(body.get(match[1]), match[2].replace("''", "'")))
    raise graph_error(400, "Request_UnsupportedQuery", f"Unsupported filter: {expression}")
