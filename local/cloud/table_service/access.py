"""Who may do what with a table: tokens for Azure Storage, and data-plane RBAC."""

from typing import Final

from local.cloud.arm import rbac
from local.cloud.entra import Caller, Entra, InvalidTokenError
from local.cloud.server.wire import Request
from local.cloud.table_service.errors import TableError
from local.cloud.table_service.store import StorageAccount
from local.cloud.world.world import World

#: The first version whose refusals say where to get a token.
_CHALLENGING: Final = "2019-12-12"
_TABLES: Final = "Microsoft.Storage/storageAccounts/tableServices/tables"
#: What an operation on entities needs: all rights of one of the lines.
_RIGHTS: Final = {
    "read": (("read",),),
    "insert": (("write",), ("add/action",)),
    "update": (("write",), ("update/action",)),
    "upsert": (("write",), ("add/action", "update/action")),
    "delete": (("delete",),),
}


class Access:
    """The gate to all storage accounts.

    Args:
        world: the roles and their assignments.
        entra: who reads the tokens.
        login: the host that clients are sent to for a token.
    """

    def __init__(self, world: World, entra: Entra, login: str) -> None:
        self._world, self._entra, self._login = world, entra, login

    def caller(self, request: Request, account: StorageAccount) -> Caller:
        """Who asks.

        Raises:
            TableError: the request has no token, or one that is not for this account.
        """
        if request.headers.get("authorization") is None:
            raise self._unauthenticated(request, account, "NoAuthenticationInformation")
        try:
            caller = self._entra.caller(request.bearer, "storage")
        except InvalidTokenError:
            raise self._unauthenticated(request, account, "InvalidAuthenticationInfo") from None
        if caller.tenant_id != account.tenant_id:
            raise self._unauthenticated(request, account, "InvalidAuthenticationInfo")
        return caller

    def check_tables(self, caller: Caller, account: StorageAccount, action: str, table: str = "") -> None:
        """Let a caller read, write or delete tables.

        Raises:
            TableError: the right is missing.
        """
        if not rbac.may(self._world, caller.object_id, f"{_TABLES}/{action}", _scope(account, table)):
            raise _forbidden()

    def check_entities(self, caller: Caller, account: StorageAccount, operation: str, table: str) -> None:
        """Let a caller do an operation on a table's entities.

        Raises:
            TableError: a right is missing.
        """
        scope = _scope(account, table)

        def may(right: str) -> bool:
            return rbac.may(self._world, caller.object_id, f"{_TABLES}/entities/{right}", scope, data=True)

        if not any(all(map(may, rights)) for rights in _RIGHTS[operation]):
            raise _forbidden()

    def _unauthenticated(self, request: Request, account: StorageAccount, code: str) -> TableError:
        if request.headers.get("x-ms-version", "") < _CHALLENGING:
            text = "Server failed to authenticate the request. Make sure the value of Authorization header is formed"
            return TableError(403, "AuthenticationFailed", f"{text} correctly including the signature.")
        uri = f"https://{self._login}/{account.tenant_id}/oauth2/authorize"
        challenge = f"Bearer authorization_uri={uri} resource_id=https://storage.azure.com"
        text = (
            "Server failed to authenticate the request. Please refer to the information in the www-authenticate header."
        )
        return TableError(401, code, text, {"WWW-Authenticate": challenge})


def _scope(account: StorageAccount, table: str) -> str:
    return f"{account.id}/tableServices/default/tables/{table}"


def _forbidden() -> TableError:
    text = "This request is not authorized to perform this operation using this permission."
    return TableError(403, "AuthorizationPermissionMismatch", text)
