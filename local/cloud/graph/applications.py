"""Applications: listed, found by any of their keys, created, changed and deleted."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from local.cloud.entra import Caller
from local.cloud.graph.access import Access
from local.cloud.graph.bodies import application_body, as_directory_object, federated_body, principal_body
from local.cloud.graph.errors import denied, graph_error, missing
from local.cloud.graph.policy import check_audience
from local.cloud.graph.query import Kind, filter_of
from local.cloud.server.wire import Request, Response, Routes
from local.cloud.world import directory
from local.cloud.world.world import Application, ServicePrincipal, World

#: An application by any of its keys, as routes address it.
APPLICATION: Final = (
    r"/v1\.0/applications(?:/(?P<id>[^/()]+)|\(appId='(?P<app_id>[^']+)'\)|\(uniqueName='(?P<unique>[^']+)'\))"
)
_LIST: Final = r"/v1\.0/applications"
_KIND: Final = Kind[Application](
    "application",
    "applications",
    application_body,
    {
        "id": lambda a: a.id,
        "appId": lambda a: a.app_id,
        "uniqueName": lambda a: a.unique_name,
        "displayName": lambda a: a.display_name,
        "signInAudience": lambda a: a.sign_in_audience,
        "tags": lambda a: a.tags,
    },
    {"federatedIdentityCredentials": lambda a: [federated_body(f) for f in a.federated]},
)
_OWNERS: Final = Kind[ServicePrincipal](
    "directoryObject",
    "directoryObjects",
    lambda p: as_directory_object("servicePrincipal", principal_body(p, None)),
    {"id": lambda p: p.id},
)


class Applications:
    """The applications of a tenant."""

    def __init__(self, world: World, access: Access, routes: Routes) -> None:
        self._world, self._access = world, access
        routes.add("GET", _LIST, self._list)
        routes.add("POST", _LIST, self._create)
        routes.add("GET", APPLICATION, self._get)
        routes.add("GET", rf"{APPLICATION}/owners", self._owners)
        routes.add("PATCH", APPLICATION, self._patch)
        routes.add("DELETE", APPLICATION, self._delete)

    def find(self, tenant: str, **key: str | None) -> Application | None:
        """The application with a key of a route, if it shows in the tenant."""
        table = self._world.applications
        looked_up: tuple[tuple[str | None, Callable[[str], Application | None]], ...] = (
            (key.get("id"), lambda value: table.first("id", value)),
            (key.get("app_id"), self._world.application),
            (key.get("unique"), lambda value: table.first("name", (value, tenant))),
        )
        found = next((look(value) for value, look in looked_up if value), None)
        shown = found is not None and found.tenant_id == tenant and found.visible_at <= self._world.now
        return found if shown else None

    def get(self, tenant: str, **key: str | None) -> Application:
        """The application with a key of a route.

        Raises:
            ApiError: 404, it does not show in the tenant.
        """
        found = self.find(tenant, **key)
        if found is None:
            raise missing(next(value for value in key.values() if value))
        return found

    def owned(self, request: Request, **key: str | None) -> Application:
        """The application with a key of a route, for a caller who may change it.

        Raises:
            ApiError: 401, 403 or 404.
        """
        caller, _ = self._access.caller(request)
        found = self.get(caller.tenant_id, **key)
        self._access.writer(request, found)
        return found

    def _candidates(self, request: Request) -> Iterable[Application]:
        """The applications that a filter can fit: by key where it names one."""
        condition, table = filter_of(request), self._world.applications
        indexes = {"id": "id", "appId": "app_id"}
        if condition is None or not condition.whole or condition.field not in indexes:
            return table
        index = indexes[condition.field]
        return [row for value in dict.fromkeys(condition.values) for row in table.by(index, value.lower())]

    def _list(self, request: Request) -> Response:
        caller, now = self._access.reader(request), self._world.now
        if self._world.knobs.owned_list_forbidden and caller.roles == ("Application.ReadWrite.OwnedBy",):
            raise denied()
        tenant = caller.tenant_id
        candidates = self._candidates(request)
        return _KIND.page(request, (a for a in candidates if a.tenant_id == tenant and a.visible_at <= now))

    def _create(self, request: Request) -> Response:
        caller, _ = self._access.writer(request)
        return _KIND.one(request, self._make(caller, request.json(), None), 201)

    def _make(self, caller: Caller, body: dict[str, Any], unique: str | None) -> Application:
        unique = unique or body.get("uniqueName")
        # Entra reserves the name of a deleted application for as long as that can be restored.
        tables = (self._world.applications, self._world.deleted_applications)
        if unique and any(table.by("name", (unique, caller.tenant_id)) for table in tables):
            text = "Another object with the same value for property uniqueName already exists."
            raise graph_error(400, "Request_BadRequest", text, "ObjectConflict")
        audience = body.get("signInAudience", "AzureADandPersonalMicrosoftAccount")
        check_audience(self._world, audience)
        made = self._world.add_application(caller.tenant_id, body["displayName"], audience, caller.object_id, unique)
        made.tags = body.get("tags", [])
        return made

    def _get(self, request: Request, **key: str | None) -> Response:
        caller = self._access.reader(request)
        return _KIND.one(request, self.get(caller.tenant_id, **key))

    def _owners(self, request: Request, **key: str | None) -> Response:
        caller = self._access.reader(request)
        owner = self._world.principal_with_id(self.get(caller.tenant_id, **key).owner or "")
        return _OWNERS.page(request, [owner] if owner else [])

    def _patch(self, request: Request, **key: str | None) -> Response:
        caller, _ = self._access.caller(request)
        body = request.json()
        found = self.find(caller.tenant_id, **key)
        if found is None and key["unique"] and "create-if-missing" in request.headers.get("prefer", ""):
            caller, _ = self._access.writer(request)
            made = self._make(caller, body, key["unique"])
            if self._world.knobs.upsert_without_owner:
                made.owner = None
            return _KIND.one(request, made, 201)
        application = found or self.get(caller.tenant_id, **key)
        self._access.writer(request, application)
        if "signInAudience" in body:
            check_audience(self._world, body["signInAudience"])
        application.display_name = body.get("displayName", application.display_name)
        application.sign_in_audience = body.get("signInAudience", application.sign_in_audience)
        application.tags = body.get("tags", application.tags)
        return Response(204)

    def _delete(self, request: Request, **key: str | None) -> Response:
        directory.delete_application(self._world, self.owned(request, **key))
        return Response(204)
