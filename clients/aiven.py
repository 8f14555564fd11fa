"""Aiven's REST API with the app's token (base https://api.aiven.io/v1): requests, refusals, the account.

What concerns a VPC is in [aiven_vpcs](aiven_vpcs.py).
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ValidationError

from clients.aiven_answers import Me, Organizations, Projects
from clients.remote_errors import RemoteError, answers_of
from clients.settings import settings
from clients.shared_reads import shared
from peering.remote_answers import Answer
from peering.retry_after import retry_after

if TYPE_CHECKING:
    import httpx

API: Final = "https://api.aiven.io/v1"
Read = TypeVar("Read", bound=BaseModel)
_NOT_FOUND: Final = 404
#: How long, in seconds, a user's roles are cached.
_ROLES_LAST: Final = 60.0


def _error(response: "httpx.Response", about: str) -> RemoteError:
    """Aiven's refusal: an error document with a message, and a list of errors with texts of their own."""
    body = response.json()
    told: Mapping[str, object] = body if isinstance(body, Mapping) else {}
    listed = told.get("errors")
    errors = listed if isinstance(listed, list) else [listed]
    texts = [_text(one) for one in (told, *errors, told.get("error"))]
    message = " ".join(dict.fromkeys(filter(None, texts)))
    codes = [one.get("error_code") for one in errors if isinstance(one, Mapping)]
    answer = Answer(
        "Aiven",
        host=response.request.url.host,
        status=response.status_code,
        codes=tuple(code for code in codes if isinstance(code, str)),
        message=message,
        retry_after=retry_after(response.headers, datetime.now(UTC), message),
        # Aiven's own 404 lists its errors: one with only a message may be a gateway's, so it does not prove absence.
        is_readable=bool(message) and (response.status_code != _NOT_FOUND or bool(listed)),
        about=about,
    )
    return RemoteError(answer)


def _text(told: object) -> str:
    """The message of a document, of an error in its list, or of a text."""
    message = told.get("message") if isinstance(told, Mapping) else told
    return message if isinstance(message, str) else ""


def _is_refusal(content: bytes) -> bool:
    """Whether a response reports errors, whatever its status."""
    if b'"error' not in content:
        return False
    try:
        body = json.loads(content)
    except ValueError:
        return False
    return isinstance(body, Mapping) and bool(body.get("error") or body.get("errors"))


def unreadable(message: str = "") -> RemoteError:
    """A response of Aiven that lacks a required field: a retry may return it.

    Args:
        message: what is missing, if that is known.
    """
    return RemoteError(Answer("Aiven", host=urlsplit(API).hostname, status=200, message=message, is_readable=False))


class AivenClient:
    """Aiven's API as the user whose token the app has."""

    def __init__(self) -> None:
        from clients.leaving_client import http_client

        self._http = http_client("Aiven")
        self._headers = {"authorization": f"aivenv1 {settings().aiven_auth_token.get_secret_value()}"}

    async def call(self, method: str, *path: str, body: Mapping[str, object] | None = None) -> bytes:
        """The answer to one request.

        Args:
            method: the HTTP method.
            path: the unescaped parts of the path after the version.
            body: the JSON document to send.

        Raises:
            RemoteError: Aiven refused, or was not reached.
        """
        url = "/".join([API, *(quote(part, safe="") for part in path)])
        with answers_of("Aiven", API):
            response = await self._http.request(method, url, json=body, headers=self._headers)
        if not response.is_success or _is_refusal(response.content):
            raise _error(response, path[0])
        return response.content

    async def read(self, kind: type[Read], *path: str) -> Read:
        """The response of a path, as a model; a response without a required field is unreadable.

        Raises:
            RemoteError: Aiven refused, was not reached, or answered with something else.
        """
        content = await self.call("GET", *path)
        try:
            return kind.model_validate_json(content)
        except ValidationError as error:
            raise unreadable() from error

    async def projects(self) -> list[str]:
        """The names of all projects that the token's user may see."""
        return [project.project_name for project in (await self.read(Projects, "project")).projects]

    async def organizations(self) -> list[str]:
        """The ids of all organizations that the token's user belongs to."""
        return [one.organization_id for one in (await self.read(Organizations, "organizations")).organizations]

    async def project_role(self, project: str, *, older: float = _ROLES_LAST) -> str | None:
        """The token's user's role in a project, such as `operator`; None if Aiven does not say.

        Args:
            project: the project.
            older: how many seconds before the call the response may have been read.

        Raises:
            RemoteError: Aiven refused, or was not reached.
        """
        user = (await shared(("me",), lambda: self.read(Me, "me"), older=older)).user
        return (user.project_membership or {}).get(project)
