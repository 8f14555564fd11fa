"""The HTTP API for the commands: documents, or failures with a remedy."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Final, NoReturn
from urllib.parse import urlsplit

import httpx

from command_line.failures import Document, ExitCode, Failure, Lacking, Refused, Unreachable
from command_line.settings import Settings, is_loopback

_PROBLEM: Final = "application/problem+json"
#: A plan reads two clouds.
_TIMEOUT: Final = httpx.Timeout(120, connect=10)
_PAGE: Final = 100
_SIGN_IN: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class Api:
    """The API of the app that the settings lead to. Threads may share it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.endpoint = settings.endpoint

    @cached_property
    def _client(self) -> httpx.Client:
        # A proxy is for the way to other machines.
        remote = not is_loopback(urlsplit(self.endpoint).hostname or "")
        return httpx.Client(base_url=self.endpoint, headers=self._credentials(), timeout=_TIMEOUT, trust_env=remote)

    def _credentials(self) -> dict[str, str]:
        """A key, a token of the user who is signed in with `az login`, or both, as the app requires."""
        headers = {"x-functions-key": key} if (key := self._settings.key) else {}
        if scope := self._settings.scope:
            headers["authorization"] = f"Bearer {entra_token(scope)}"
        return headers

    def request(
        self, method: str, path: str, body: object = None, params: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a request to a path below `/api`; the answer is a good one.

        Raises:
            Failure: any other answer, or none.
        """
        try:
            answer = self._client.request(method, f"/api{path}", json=body, params=params)
        except httpx.LocalProtocolError:
            # Its text may hold a header, and so a key or a token.
            raise Unreachable(self.endpoint, "the request cannot be sent as HTTP") from None
        except httpx.RequestError as error:
            raise Unreachable(self.endpoint, str(error) or type(error).__name__) from None
        if not answer.is_success:
            self._refuse(answer)
        return answer

    def _refuse(self, answer: httpx.Response) -> NoReturn:
        status, request = answer.status_code, answer.request
        told = f"{status} {answer.reason_phrase}".strip()
        if answer.headers.get("content-type", "").startswith(_PROBLEM):
            raise Refused(self._decoded(answer))
        if status in _SIGN_IN:
            remedy = "Set PEERING_KEY, or key_file or scope in the profile; peering doctor shows what is set."
            raise Failure(f"{self.endpoint} refuses the sign-in: {told}.", remedy, ExitCode.NO_ACCESS)
        if status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
            raise Lacking(request.method, request.url.path)
        raise Unreachable(self.endpoint, told)

    def document(self, method: str, path: str, body: object = None, **parameters: str) -> Document:
        """The document that a request is answered with.

        Args:
            method: of HTTP.
            path: below `/api`.
            body: what is sent as JSON.
            parameters: the query.

        Raises:
            Failure: it is refused, not answered, or not answered by the app.
        """
        return self._decoded(self.request(method, path, body, params=parameters))

    def _decoded(self, answer: httpx.Response) -> Document:
        """The document of an answer: a proxy, or a page to sign in, may have answered in the app's place."""
        try:
            document = answer.json()
        except ValueError:
            document = None
        if not isinstance(document, Mapping):
            kind = answer.headers.get("content-type", "nothing")
            raise Unreachable(self.endpoint, f"something else answered {answer.status_code} with {kind}, not the app")
        return document

    def get(self, path: str, **parameters: str) -> Document:
        """The document at a path."""
        return self.document("GET", path, **parameters)

    def post(self, path: str, body: object = None, **parameters: str) -> Document:
        """The document that a request is answered with."""
        return self.document("POST", path, body, **parameters)

    def peerings(self, **filters: str) -> Iterator[Document]:
        """All peerings that the filters let through, page by page."""
        parameters = {"limit": str(_PAGE), **filters}
        while True:
            page = self.get("/peerings", **parameters)
            yield from page["peerings"]
            if "next" not in page:
                return
            parameters["cursor"] = page["cursor"]


def entra_token(scope: str) -> str:
    """A token of the user who is signed in with `az login`.

    Raises:
        Failure: no user is signed in, or the scope is none.
    """
    # The SDK takes longer to import than most commands take.
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import AzureCliCredential

    try:
        token: str = AzureCliCredential(process_timeout=30).get_token(scope).token
    except ValueError as error:
        raise Failure(f"scope: {error}", "Correct it; such as api://my-peerings/.default.", ExitCode.USAGE) from None
    except ClientAuthenticationError as error:
        what = f"No token for {scope}: {error.message.partition(chr(10))[0]}"
        raise Failure(what, "Sign in with az login.", ExitCode.NO_ACCESS) from None
    return token
