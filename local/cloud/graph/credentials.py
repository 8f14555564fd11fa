"""What applications sign in with: passwords, and federated credentials in their place."""

from datetime import datetime, timedelta
from typing import Any, Final

from local.cloud.graph.access import Access
from local.cloud.graph.applications import APPLICATION, Applications
from local.cloud.graph.bodies import federated_body, password_body
from local.cloud.graph.errors import graph_error, missing
from local.cloud.graph.policy import check_password
from local.cloud.graph.query import in_context
from local.cloud.server.wire import Request, Response, Routes
from local.cloud.world.world import Application, FederatedCredential, World

_FEDERATED: Final = rf"{APPLICATION}/federatedIdentityCredentials"
_ONE_FEDERATED: Final = rf"{_FEDERATED}(?:/(?P<one>[^/()]+)|\(name='(?P<name>[^']+)'\))"
_MOST_FEDERATED: Final = 20
_DEFAULT_LIFETIME: Final = timedelta(days=730)
_LONGEST_NAME: Final = 120


class Credentials:
    """The credentials of a tenant's applications."""

    def __init__(self, world: World, access: Access, applications: Applications, routes: Routes) -> None:
        self._world, self._access, self._applications = world, access, applications
        routes.add("POST", rf"{APPLICATION}/(microsoft\.graph\.)?addPassword", self._add_password)
        routes.add("POST", rf"{APPLICATION}/(microsoft\.graph\.)?removePassword", self._remove_password)
        routes.add("GET", _FEDERATED, self._list_federated)
        routes.add("POST", _FEDERATED, self._add_federated)
        routes.add("GET", _ONE_FEDERATED, self._get_federated)
        routes.add("PATCH", _ONE_FEDERATED, self._patch_federated)
        routes.add("DELETE", _ONE_FEDERATED, self._delete_federated)

    # Passwords.

    def _add_password(self, request: Request, **key: str | None) -> Response:
        application = self._applications.owned(request, **key)
        wanted = request.json().get("passwordCredential") or {}
        starts = _moment(wanted.get("startDateTime")) or self._world.now
        ends = _moment(wanted.get("endDateTime")) or starts + _DEFAULT_LIFETIME
        check_password(self._world, starts, ends)
        password = self._world.add_password(application, wanted.get("displayName"), ends)
        password.starts = starts
        body = {**password_body(password), "secretText": password.text}
        return Response(200, in_context(request, "microsoft.graph.passwordCredential", body))

    def _remove_password(self, request: Request, **key: str | None) -> Response:
        application = self._applications.owned(request, **key)
        key_id = request.json().get("keyId")
        kept = [password for password in application.passwords if password.key_id != key_id]
        if len(kept) == len(application.passwords):
            raise graph_error(400, "Request_BadRequest", f"No password credential found with keyId {key_id}.")
        application.passwords[:] = kept
        return Response(204)

    # Federated credentials.

    def _list_federated(self, request: Request, **key: str | None) -> Response:
        caller = self._access.reader(request)
        application = self._applications.get(caller.tenant_id, **key)
        body = {"value": [federated_body(f) for f in application.federated]}
        return Response(200, in_context(request, _context(application), body))

    def _get_federated(self, request: Request, one: str | None, name: str | None, **key: str | None) -> Response:
        caller = self._access.reader(request)
        application = self._applications.get(caller.tenant_id, **key)
        return _one(request, application, _known(application, one or name or ""), 200)

    def _add_federated(self, request: Request, **key: str | None) -> Response:
        application = self._applications.owned(request, **key)
        return _one(request, application, self._make_federated(application, request.json()), 201)

    def _patch_federated(self, request: Request, one: str | None, name: str | None, **key: str | None) -> Response:
        application, body = self._applications.owned(request, **key), request.json()
        if name and _find(application, name) is None and "create-if-missing" in request.headers.get("prefer", ""):
            made = self._make_federated(application, {**body, "name": name})
            return _one(request, application, made, 201)
        found = _known(application, one or name or "")
        if body.get("name", found.name) != found.name:
            raise graph_error(400, "Request_BadRequest", "The name of a federated identity credential is immutable.")
        wanted = {**federated_body(found), **body}
        _check_federated(application, wanted, found)
        found.issuer, found.subject, found.audiences = wanted["issuer"], wanted["subject"], wanted["audiences"]
        found.description = wanted.get("description")
        return Response(204)

    def _delete_federated(self, request: Request, one: str | None, name: str | None, **key: str | None) -> Response:
        application = self._applications.owned(request, **key)
        application.federated.remove(_known(application, one or name or ""))
        return Response(204)

    def _make_federated(self, application: Application, body: dict[str, Any]) -> FederatedCredential:
        if len(application.federated) >= _MOST_FEDERATED:
            text = f"The application has reached the limit of {_MOST_FEDERATED} federated identity credentials."
            raise graph_error(400, "Request_BadRequest", text)
        _check_federated(application, body, None)
        made = FederatedCredential(
            self._world.guid(),
            body["name"],
            body["issuer"],
            body["subject"],
            body["audiences"],
            self._world.after(self._world.knobs.secret_accepted),
            body.get("description"),
        )
        application.federated.append(made)
        return made


def _context(application: Application) -> str:
    return f"applications('{application.id}')/federatedIdentityCredentials"


def _one(request: Request, application: Application, credential: FederatedCredential, status: int) -> Response:
    return Response(status, in_context(request, f"{_context(application)}/$entity", federated_body(credential)))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _find(application: Application, key: str) -> FederatedCredential | None:
    return next((f for f in application.federated if key in (f.id, f.name)), None)


def _known(application: Application, key: str) -> FederatedCredential:
    found = _find(application, key)
    if found is None:
        raise missing(key)
    return found


def _check_federated(application: Application, wanted: dict[str, Any], same: FederatedCredential | None) -> None:
    """Let an application trust an issuer's subject: under a new name, once, for exactly one audience."""
    name, audiences = wanted["name"], wanted["audiences"]
    if not isinstance(audiences, list) or len(audiences) != 1:
        raise graph_error(400, "Request_BadRequest", "The audiences property has to hold exactly one value.")
    if not 0 < len(name) <= _LONGEST_NAME:
        raise graph_error(400, "Request_BadRequest", f"The name has to be 1 to {_LONGEST_NAME} characters long.")
    for other in application.federated:
        if other is not same and other.name == name:
            text = f"FederatedIdentityCredential with name {name} already exists."
            raise graph_error(409, "Request_MultipleObjectsWithSameKeyValue", text)
        if other is not same and (other.issuer, other.subject) == (wanted["issuer"], wanted["subject"]):
            text = "The combination of issuer and subject must be unique for this application."
            raise graph_error(400, "Request_BadRequest", text)
