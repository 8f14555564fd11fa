"""Key Vault's data plane: secrets with versions, soft delete, and data-plane RBAC.

The challenge and the codes follow public error reports and azure-sdk samples.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from local.cloud.arm import rbac
from local.cloud.entra import Caller, Entra, InvalidTokenError
from local.cloud.server.throttle import Throttle
from local.cloud.server.wire import ApiError, Request, Response, Routes
from local.cloud.world.world import DeletedSecret, SecretVersion, Vault, World

_ONE: Final = r"/secrets/(?P<name>[0-9A-Za-z-]{1,127})"
_DELETED: Final = r"/deletedsecrets/(?P<name>[0-9A-Za-z-]{1,127})"
_RECOVERABLE_DAYS: Final = 90
_PAGE: Final = 25
T = TypeVar("T")


def _error(
    status: int, code: str, message: str, inner: str | None = None, headers: dict[str, str] | None = None
) -> ApiError:
    error: dict[str, Any] = {"code": code, "message": message}
    if inner:
        error["innererror"] = {"code": inner}
    return ApiError(Response(status, {"error": error}, headers or {}))


#: What an access policy calls the actions on secrets.
_BY_POLICY: Final = {
    "getSecret/action": "get",
    "setSecret/action": "set",
    "readMetadata/action": "list",
    "delete": "delete",
    "purge/action": "purge",
    "recover/action": "recover",
}


class KeyVault:
    """All vaults; the host name chooses one."""

    def __init__(self, world: World, entra: Entra, authority: str) -> None:
        self._world, self._entra, self._authority = world, entra, authority
        self._throttle = Throttle(10)
        routes = self.routes = Routes("Key Vault")
        routes.add("GET", "/secrets", self._list)
        routes.add("PUT", _ONE, self._set)
        routes.add("GET", rf"{_ONE}/?", self._get)
        routes.add("GET", rf"{_ONE}/versions", self._versions)
        routes.add("GET", rf"{_ONE}/(?P<version>[0-9a-f]{{32}})", self._get)
        routes.add("PATCH", rf"{_ONE}/(?P<version>[0-9a-f]{{32}})?", self._patch)
        routes.add("DELETE", _ONE, self._delete)
        routes.add("GET", "/deletedsecrets", self._list_deleted)
        routes.add("GET", _DELETED, self._get_deleted)
        routes.add("DELETE", _DELETED, self._purge)
        routes.add("POST", rf"{_DELETED}/recover", self._recover)

    def answer(self, request: Request) -> Response:
        """Answer one request: the first one of a client has no token, and is told where to get one.

        Raises:
            ApiError: the vault refuses.
        """
        vault = self._vault(request)
        if request.bearer is None:
            resource = f"https://{request.host.partition('.')[2]}"
            challenge = f'Bearer authorization="{self._authority}/{vault.tenant_id}", resource="{resource}"'
            message = "AKV10000: Request is missing a Bearer or PoP token."
            raise _error(401, "Unauthorized", message, headers={"WWW-Authenticate": challenge})
        if "api-version" not in request.query:
            raise _error(400, "BadParameter", "The api-version query parameter is required.")
        wait = self._throttle.take(self._world.now, self._world.knobs.vault_requests_per_10_seconds)
        if wait is not None:
            message = "Request was not processed because too many requests were received."
            message += " Reason: VaultRequestTypeLimitReached"
            raise _error(429, "Throttled", message, headers={"Retry-After": str(wait)})
        return self.routes.answer(request)

    def _vault(self, request: Request) -> Vault:
        return self._world.vaults[request.host.partition(".")[0].lower()]

    def _allow(self, request: Request, name: str, action: str) -> Vault:
        vault = self._vault(request)
        try:
            caller = self._entra.caller(request.bearer, "vault")
        except InvalidTokenError as error:
            raise _error(401, "Unauthorized", f"AKV10022: Invalid token: {error}") from None
        if caller.tenant_id != vault.tenant_id:
            raise _error(401, "Unauthorized", "AKV10032: Invalid issuer.")
        if vault.closed:
            raise _closed(caller, vault)
        scope = f"{vault.id}/secrets/{name}"
        if vault.policies is not None:
            allowed = _BY_POLICY[action] in vault.policies.get(caller.object_id, [])
        else:
            data = f"Microsoft.KeyVault/vaults/secrets/{action}"
            allowed = rbac.may(self._world, caller.object_id, data, scope, data=True)
        if not allowed:
            raise _forbidden(caller, vault, scope, action)
        return vault

    def _versions_of(self, vault: Vault, name: str) -> list[SecretVersion]:
        versions = vault.secrets.get(name.lower())
        if not versions:
            message = (
                f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret"
                " you may be able to recover it using the correct recovery command."
            )
            raise _error(404, "SecretNotFound", message)
        return versions

    def _version(self, vault: Vault, name: str, version: str | None) -> SecretVersion:
        """A version of a secret, without an id the newest one."""
        versions = self._versions_of(vault, name)
        found = next((v for v in versions if v.version == version), None) if version else versions[-1]
        if found is None:
            message = f"A secret with (name/id) {name}/{version} was not found in this key vault."
            raise _error(404, "SecretNotFound", message)
        return found

    def _bundle(self, request: Request, name: str, version: SecretVersion, *, value: bool) -> dict[str, Any]:
        created = int(version.created.timestamp())
        attributes: dict[str, object] = {
            "enabled": version.enabled,
            "created": created,
            "updated": int((version.updated or version.created).timestamp()),
            "exp": version.expires,
        }
        attributes |= {"recoveryLevel": "Recoverable+Purgeable", "recoverableDays": _RECOVERABLE_DAYS}
        # `previousVersion`, in Key Vault's model from 2025-06-01 on, is of certificates alone.
        body: dict[str, Any] = {
            "id": f"https://{request.host}/secrets/{name}/{version.version}",
            "attributes": {key: held for key, held in attributes.items() if held is not None},
            "tags": version.tags,
            **({"contentType": version.content_type} if version.content_type is not None else {}),
        }
        return {**body, "value": version.value} if value else body

    def _list(self, request: Request) -> Response:
        vault = self._allow(request, "", "readMetadata/action")

        def shown(name: str) -> dict[str, Any]:
            body = self._bundle(request, name, vault.secrets[name][-1], value=False)
            return {**body, "id": body["id"].rpartition("/")[0]}

        return self._page(request, list(vault.secrets), shown)

    def _list_deleted(self, request: Request) -> Response:
        vault = self._allow(request, "", "readMetadata/action")
        names = [name for name, secret in vault.deleted.items() if self._is_through(secret)]
        return self._page(request, names, lambda name: self._deleted_bundle(request, name, vault.deleted[name]))

    def _set(self, request: Request, name: str) -> Response:
        vault = self._allow(request, name, "setSecret/action")
        if deleted := vault.deleted.get(name.lower()):
            self._check_through(deleted, name)
            message = (
                f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this"
                " state, the secret can only be recovered or purged."
            )
            raise _error(409, "Conflict", message, "ObjectIsDeletedButRecoverable")
        body = request.json()
        attributes = body.get("attributes") or {}
        made = SecretVersion(
            uuid.uuid4().hex,
            body["value"],
            self._world.now,
            body.get("tags") or {},
            body.get("contentType"),
            attributes.get("exp"),
            attributes.get("enabled", True),
        )
        vault.secrets.setdefault(name.lower(), []).append(made)
        return Response(200, self._bundle(request, name, made, value=True))

    def _get(self, request: Request, name: str, version: str | None = None) -> Response:
        vault = self._allow(request, name, "getSecret/action")
        found = self._version(vault, name, version)
        if not found.enabled:
            raise _error(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled")
        return Response(200, self._bundle(request, name, found, value=True))

    def _versions(self, request: Request, name: str) -> Response:
        vault = self._allow(request, name, "readMetadata/action")
        versions = vault.secrets.get(name.lower(), [])
        return self._page(request, versions, lambda version: self._bundle(request, name, version, value=False))

    def _patch(self, request: Request, name: str, version: str | None = None) -> Response:
        vault = self._allow(request, name, "setSecret/action")
        found = self._version(vault, name, version)
        body = request.json()
        attributes = body.get("attributes") or {}
        found.enabled, found.expires = attributes.get("enabled", found.enabled), attributes.get("exp", found.expires)
        found.tags, found.content_type = body.get("tags", found.tags), body.get("contentType", found.content_type)
        found.updated = self._world.now
        return Response(200, self._bundle(request, name, found, value=False))

    def _page(self, request: Request, found: list[T], shown: Callable[[T], dict[str, Any]]) -> Response:
        """One page of a list: 25 items at the most, and the link to the rest."""
        size = int(request.query.get("maxresults", self._world.knobs.list_page or _PAGE))
        if not 1 <= size <= _PAGE:
            raise _error(400, "BadParameter", f"The maxresults parameter must be between 1 and {_PAGE}.")
        start = int(request.query.get("$skiptoken", 0))
        rest = {**request.query, "$skiptoken": str(start + size)}
        link = f"https://{request.host}{request.path}?{urlencode(rest)}" if start + size < len(found) else None
        return Response(200, {"value": [shown(item) for item in found[start : start + size]], "nextLink": link})

    # Deletion, which takes a while; then the secret can be recovered or purged.

    def _is_through(self, secret: DeletedSecret) -> bool:
        return secret.at + timedelta(seconds=self._world.knobs.secret_deleted) <= self._world.now

    def _check_through(self, secret: DeletedSecret, name: str) -> None:
        if not self._is_through(secret):
            message = f"Secret {name} is currently being deleted and cannot be re-created; retry later."
            raise _error(409, "Conflict", message, "ObjectIsBeingDeleted")

    def _deleted_bundle(self, request: Request, name: str, secret: DeletedSecret) -> dict[str, Any]:
        at = int(secret.at.timestamp())
        dates = {"deletedDate": at, "scheduledPurgeDate": at + _RECOVERABLE_DAYS * 86400}
        recovery = f"https://{request.host}/deletedsecrets/{name}"
        return {**self._bundle(request, name, secret.versions[-1], value=False), "recoveryId": recovery, **dates}

    def _delete(self, request: Request, name: str) -> Response:
        vault = self._allow(request, name, "delete")
        deleted = DeletedSecret(self._versions_of(vault, name), self._world.now)
        vault.deleted[name.lower()] = deleted
        del vault.secrets[name.lower()]
        return Response(200, self._deleted_bundle(request, name, deleted))

    def _deleted(self, vault: Vault, name: str) -> DeletedSecret:
        if name.lower() not in vault.deleted:
            raise _error(404, "SecretNotFound", f"Deleted Secret not found: {name}")
        return vault.deleted[name.lower()]

    def _get_deleted(self, request: Request, name: str) -> Response:
        vault = self._allow(request, name, "readMetadata/action")
        deleted = self._deleted(vault, name)
        if not self._is_through(deleted):
            raise _error(404, "SecretNotFound", f"Deleted Secret not found: {name}")
        return Response(200, self._deleted_bundle(request, name, deleted))

    def _purge(self, request: Request, name: str) -> Response:
        vault = self._allow(request, name, "purge/action")
        self._check_through(self._deleted(vault, name), name)
        del vault.deleted[name.lower()]
        return Response(204)

    def _recover(self, request: Request, name: str) -> Response:
        vault = self._allow(request, name, "recover/action")
        deleted = self._deleted(vault, name)
        self._check_through(deleted, name)
        vault.secrets[name.lower()] = deleted.versions
        del vault.deleted[name.lower()]
        return Response(200, self._bundle(request, name, deleted.versions[-1], value=False))


def _closed(caller: Caller, vault: Vault) -> ApiError:
    message = (
        "Client address is not authorized and caller is not a trusted service.\r\nClient address: 127.0.0.1\r\n"
        f"Caller: appid={caller.app_id};oid={caller.object_id};iss=https://sts.windows.net/{caller.tenant_id}/\r\n"
        f"Vault: {vault.name};location=westeurope"
    )
    return _error(403, "Forbidden", message, "ForbiddenByFirewall")


def _forbidden(caller: Caller, vault: Vault, scope: str, action: str) -> ApiError:
    message = (
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role"
        " definitions were changed recently, please observe propagation time.\r\n"
        f"Caller: appid={caller.app_id};oid={caller.object_id};iss=https://sts.windows.net/{caller.tenant_id}/\r\n"
        f"Action: 'Microsoft.KeyVault/vaults/secrets/{action}'\r\nResource: '{scope.lower()}'\r\n"
        f"Assignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\nVault: {vault.name};\r\n"
    )
    return _error(403, "Forbidden", message, "ForbiddenByRbac" if vault.policies is None else "ForbiddenByPolicy")
