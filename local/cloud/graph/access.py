"""Who asks Microsoft Graph, and what the application permissions let them do."""

from typing import Final

from local.cloud.entra import Caller, Entra, InvalidTokenError
from local.cloud.graph.errors import denied, graph_error
from local.cloud.server.wire import Request
from local.cloud.world.world import Application, ServicePrincipal, World

_WRITE_ALL: Final = "Application.ReadWrite.All"
_WRITE_OWNED: Final = "Application.ReadWrite.OwnedBy"


class Access:
    """The checks that every route begins with; a token chooses the tenant."""

    def __init__(self, world: World, entra: Entra) -> None:
        self._world, self._entra = world, entra

    def caller(self, request: Request) -> tuple[Caller, ServicePrincipal]:
        """Who asks.

        Raises:
            ApiError: 401, the token is not valid here, or its principal is gone.
        """
        try:
            caller = self._entra.caller(request.bearer, "graph")
        except InvalidTokenError as error:
            raise graph_error(401, "InvalidAuthenticationToken", f"Access token validation failure: {error}") from None
        principal = self._world.principal_with_id(caller.object_id)
        if principal is None:
            raise graph_error(401, "InvalidAuthenticationToken", "The token's principal does not exist any more.")
        return caller, principal

    def reader(self, request: Request, family: str = "Application.") -> Caller:
        """A caller with a permission of a family, all of which include reading.

        Raises:
            ApiError: 401 or 403.
        """
        caller, _ = self.caller(request)
        # A token says what its principal was permitted when it was issued.
        if not any(role.startswith(family) for role in caller.roles):
            raise denied()
        return caller

    def writer(self, request: Request, thing: Application | ServicePrincipal | None = None) -> tuple[Caller, bool]:
        """A caller who may change a thing, or make one; and whether that holds for things of any owner.

        Raises:
            ApiError: 401 or 403.
        """
        caller, principal = self.caller(request)
        if _WRITE_ALL in caller.roles:
            return caller, True
        owned = thing is None or thing.owner == principal.id
        if _WRITE_OWNED not in caller.roles or not owned:
            raise denied()
        return caller, False
