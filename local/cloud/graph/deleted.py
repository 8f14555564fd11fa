"""What was deleted and can be restored: applications and service principals."""

from typing import Any, Final

from local.cloud.graph.access import Access
from local.cloud.graph.bodies import application_body, as_directory_object
from local.cloud.graph.errors import graph_error, missing
from local.cloud.graph.principals import Principals
from local.cloud.graph.query import in_context
from local.cloud.server.wire import Request, Response, Routes
from local.cloud.world import directory
from local.cloud.world.world import Application, ServicePrincipal, World

_ITEMS: Final = r"/v1\.0/directory/deletedItems"
_ITEM: Final = rf"{_ITEMS}/(?P<object_id>[0-9a-f-]{{36}})"


class DeletedItems:
    """The deleted objects of a tenant."""

    def __init__(self, world: World, access: Access, principals: Principals, routes: Routes) -> None:
        self._world, self._access, self._principals = world, access, principals
        routes.add("GET", rf"{_ITEMS}/(?:microsoft\.)?graph\.(?P<kind>application|servicePrincipal)", self._list)
        routes.add("GET", rf"{_ITEM}(?:/(?:microsoft\.)?graph\.(?:application|servicePrincipal))?", self._get)
        routes.add("DELETE", _ITEM, self._purge)
        routes.add("POST", rf"{_ITEM}/restore", self._restore)

    def _body(self, thing: Application | ServicePrincipal) -> dict[str, Any]:
        return application_body(thing) if isinstance(thing, Application) else self._principals.body(thing)

    def _whole(self, request: Request, thing: Application | ServicePrincipal) -> dict[str, Any]:
        kind = "application" if isinstance(thing, Application) else "servicePrincipal"
        return in_context(request, "directoryObjects/$entity", as_directory_object(kind, self._body(thing)))

    def _find(self, tenant: str, object_id: str) -> Application | ServicePrincipal:
        world = self._world
        found = world.deleted_applications.first("id", object_id) or world.deleted_principals.first("id", object_id)
        if found is None or found.tenant_id != tenant:
            raise missing(object_id)
        return found

    def _owned(self, request: Request, object_id: str) -> Application | ServicePrincipal:
        caller, _ = self._access.caller(request)
        found = self._find(caller.tenant_id, object_id)
        self._access.writer(request, found)
        return found

    def _list(self, request: Request, kind: str) -> Response:
        tenant = self._access.reader(request).tenant_id
        world, wanted = self._world, kind.lower() == "application"
        found = world.deleted_applications if wanted else world.deleted_principals
        bodies = [self._body(thing) for thing in found if thing.tenant_id == tenant]
        context = "applications" if wanted else "servicePrincipals"
        return Response(200, in_context(request, context, {"value": bodies}))

    def _get(self, request: Request, object_id: str) -> Response:
        found = self._find(self._access.reader(request).tenant_id, object_id)
        return Response(200, self._whole(request, found))

    def _purge(self, request: Request, object_id: str) -> Response:
        found = self._owned(request, object_id)
        if isinstance(found, Application):
            directory.purge_application(self._world, found)
        else:
            self._world.deleted_principals.remove(found)
        return Response(204)

    def _restore(self, request: Request, object_id: str) -> Response:
        found = self._owned(request, object_id)
        try:
            if isinstance(found, Application):
                directory.restore_application(self._world, found)
            else:
                directory.restore_principal(self._world, found)
        except directory.NameTakenError as error:
            raise graph_error(409, "Request_MultipleObjectsWithSameKeyValue", str(error)) from None
        return Response(200, self._whole(request, found))
