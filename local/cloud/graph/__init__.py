"""Microsoft Graph v1.0: applications, service principals and what belongs to them.

Bodies follow the recorded answers in azure-cli's tests (role module) and Graph's reference.
"""

import re

from local.cloud.entra import Entra
from local.cloud.graph.access import Access
from local.cloud.graph.applications import Applications
from local.cloud.graph.bodies import application_body, federated_body, principal_body
from local.cloud.graph.credentials import Credentials
from local.cloud.graph.deleted import DeletedItems
from local.cloud.graph.errors import graph_error
from local.cloud.graph.policy import AppManagementPolicy
from local.cloud.graph.principals import Principals
from local.cloud.graph.query import in_context
from local.cloud.graph.throttle import GraphThrottle
from local.cloud.server.wire import Request, Response, Routes, answer_with
from local.cloud.world.world import World

__all__ = ["Graph", "application_body", "federated_body", "graph_error", "principal_body"]


class Graph:
    """The directory service of all tenants; a token chooses the tenant."""

    def __init__(self, world: World, entra: Entra) -> None:
        routes = self.routes = Routes("Microsoft Graph")
        self._access = access = Access(world, entra)
        self._throttle = GraphThrottle(world)
        applications, principals = Applications(world, access, routes), Principals(world, access, routes)
        Credentials(world, access, applications, routes)
        DeletedItems(world, access, principals, routes)
        AppManagementPolicy(world, access, routes)
        routes.add("GET", r"/v1\.0/organization", self._organization)

    def answer(self, request: Request) -> Response:
        """Answer one request; the SDK's default base URL has a double slash, which Graph folds.

        Raises:
            ApiError: Graph refuses.
        """
        path = re.sub("//+", "/", request.path)
        folded = Request(request.method, request.host, path, request.query, request.headers, request.body)
        caller, _ = self._access.caller(folded)
        return answer_with(self._throttle.admit(folded, caller), self.routes.answer, folded)

    def _organization(self, request: Request) -> Response:
        caller = self._access.reader(request)
        body = {"value": [{"id": caller.tenant_id, "displayName": "A tenant of the local cloud"}]}
        return Response(200, in_context(request, "organization", body))
