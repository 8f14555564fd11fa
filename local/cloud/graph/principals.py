"""Service principals: listed, found by id or application, created, changed and deleted."""

from collections.abc import Iterable
from typing import Any, Final

from local.cloud.entra import Caller
from local.cloud.graph.access import Access
from local.cloud.graph.bodies import as_directory_object, principal_body
from local.cloud.graph.errors import denied, graph_error, missing
from local.cloud.graph.query import Kind, filter_of, in_context
from local.cloud.server.wire import Request, Response, Routes
from local.cloud.world import directory
from local.cloud.world.world import ServicePrincipal, World

_LIST: Final = r"/v1\.0/servicePrincipals"
_PRINCIPAL: Final = rf"{_LIST}(?:/(?P<id>[^/()]+)|\(appId='(?P<app_id>[^']+)'\))"
_FOREIGN: Final = (
    "When using this permission, the backing application of the service principal being created must in the local"
    " tenant"
)


class Principals:
    """The service principals of a tenant."""

    def __init__(self, world: World, access: Access, routes: Routes) -> None:
        self._world, self._access = world, access
        self._kind = Kind[ServicePrincipal](
            "servicePrincipal",
            "servicePrincipals",
            self.body,
            {
                "id": lambda p: p.id,
                "appId": lambda p: p.app_id,
                "displayName": lambda p: p.display_name,
                "servicePrincipalNames": lambda p: [p.app_id],
                "servicePrincipalType": lambda p: p.kind,
                "tags": lambda p: p.tags,
            },
        )
        routes.add("GET", _LIST, self._list)
        routes.add("POST", _LIST, self._create)
        routes.add("GET", _PRINCIPAL, self._get)
        routes.add("PATCH", _PRINCIPAL, self._patch)
        routes.add("DELETE", _PRINCIPAL, self._delete)
        routes.add("POST", r"/v1\.0/directoryObjects/getByIds", self._by_ids)

    def body(self, principal: ServicePrincipal) -> dict[str, Any]:
        """A service principal as Graph shows it."""
        application = self._world.application(principal.app_id)
        home = application.tenant_id if application else None
        return principal_body(principal, principal.tenant_id if principal.kind == "ManagedIdentity" else home)

    def _shown(self, tenant: str, candidates: Iterable[ServicePrincipal]) -> list[ServicePrincipal]:
        now = self._world.now
        return [p for p in candidates if p.tenant_id == tenant and p.visible_at <= now]

    def _find(self, tenant: str, object_id: str | None, app_id: str | None) -> ServicePrincipal:
        found = self._world.principal_with_id(object_id) if object_id else self._world.principal(app_id or "", tenant)
        if found is None or not self._shown(tenant, [found]):
            raise missing(object_id or app_id or "")
        return found

    def _candidates(self, request: Request) -> Iterable[ServicePrincipal]:
        """The service principals that a filter can fit: by key where it names one."""
        condition, table = filter_of(request), self._world.principals
        indexes = {"id": "id", "appId": "app_id", "servicePrincipalNames": "app_id"}
        exact = condition is not None and (condition.whole or condition.field == "servicePrincipalNames")
        if condition is None or not exact or condition.field not in indexes:
            return table
        index = indexes[condition.field]
        return [row for value in dict.fromkeys(condition.values) for row in table.by(index, value.lower())]

    def _list(self, request: Request) -> Response:
        caller = self._access.reader(request)
        return self._kind.page(request, self._shown(caller.tenant_id, self._candidates(request)))

    def _create(self, request: Request) -> Response:
        caller, everything = self._access.writer(request)
        body = request.json()
        made = self._make(caller, body, body["appId"].lower(), everything=everything)
        return self._kind.one(request, made, 201)

    def _make(self, caller: Caller, body: dict[str, Any], app_id: str, *, everything: bool) -> ServicePrincipal:
        application = self._world.application(app_id)
        known = application is not None and application.visible_at <= self._world.now
        foreign = application is not None and application.tenant_id != caller.tenant_id
        if application is None or not known or (foreign and not application.multi_tenant):
            text = f"The appId '{app_id}' of the service principal does not reference a valid application object."
            raise graph_error(400, "Request_BadRequest", text, "NoBackingApplicationObject")
        if foreign and not everything:
            raise denied(_FOREIGN)
        if self._world.principal(app_id, caller.tenant_id) is not None:
            text = "The service principal cannot be created, updated, or restored because the service principal name"
            raise graph_error(409, "Request_MultipleObjectsWithSameKeyValue", f"{text} {app_id} is already in use.")
        made = self._world.add_principal(application, caller.tenant_id)
        made.owner, made.tags = caller.object_id, body.get("tags", [])
        made.enabled = body.get("accountEnabled", True)
        return made

    def _get(self, request: Request, **key: str | None) -> Response:
        caller = self._access.reader(request)
        return self._kind.one(request, self._find(caller.tenant_id, key["id"], key["app_id"]))

    def _patch(self, request: Request, **key: str | None) -> Response:
        caller, everything = self._access.writer(request)
        body, app_id = request.json(), key["app_id"]
        if app_id and "create-if-missing" in request.headers.get("prefer", ""):
            # What is there already is found, even before it shows to others.
            found = self._world.principal(app_id, caller.tenant_id)
            if found is None:
                return self._kind.one(request, self._make(caller, body, app_id.lower(), everything=everything), 201)
        else:
            found = self._find(caller.tenant_id, key["id"], app_id)
        self._access.writer(request, found)
        found.enabled, found.tags = body.get("accountEnabled", found.enabled), body.get("tags", found.tags)
        return Response(204)

    def _delete(self, request: Request, **key: str | None) -> Response:
        caller, _ = self._access.caller(request)
        found = self._find(caller.tenant_id, key["id"], key["app_id"])
        self._access.writer(request, found)
        directory.delete_principal(self._world, found)
        return Response(204)

    def _by_ids(self, request: Request) -> Response:
        caller = self._access.reader(request)
        found = [p for one in request.json()["ids"] if (p := self._world.principal_with_id(one)) is not None]
        bodies = [as_directory_object("servicePrincipal", self.body(p)) for p in self._shown(caller.tenant_id, found)]
        return Response(200, in_context(request, "directoryObjects", {"value": bodies}))
