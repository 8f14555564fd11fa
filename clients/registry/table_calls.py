"""Calls of the Table service: no call sleeps for long, and a rejected token is replaced.

The SDK would sleep inside a function for as long as `Retry-After` says. Here a call is repeated after a second at most.
For a longer pause the call fails: a durable timer, or the API's client, waits.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar

from azure.core.exceptions import AzureError, HttpResponseError, ServiceResponseError
from azure.data.tables.aio import TableServiceClient

from clients.connections import TO_THE_TABLES, connections
from clients.credentials import automation_credential
from clients.known_secrets import readable
from clients.registry.rows import Held
from clients.remote_errors import answer_to, response_of, stumbled
from clients.settings import STORAGE, settings
from peering.outcome import ProblemError

if TYPE_CHECKING:
    from azure.core.rest import HttpResponse

T = TypeVar("T")

#: The pauses in seconds before the repetitions of a call that the service could not serve.
_PAUSES: Final = (0.2, 1.0)
_UNAUTHORIZED: Final = 401
_STRAINED: Final = frozenset({408, 429, 500, 502, 503, 504})
#: The first API version that answers an invalid token with 401; older ones answer 403, as for a wrong signature.
_VERSION: Final = "2020-12-06"


class UnreadableAnswerError(ServiceResponseError):
    """The service's response lacks a required part: the request is repeated, as without a response."""

    #: The attribute that Graph's client also sets, see `answer_to`.
    response_status_code: Final = 200


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """The result of a call, which is repeated with a new token after a rejected one, and after a short pause.

    Args:
        call: one request, or one page of a list; it may be repeated although it has taken effect.

    Raises:
        azure.core.exceptions.AzureError: the Table service refuses, does not answer, or asks to wait for longer.
    """
    pauses, is_renewed = list(_PAUSES), False
    while True:
        try:
            return await call()
        except AzureError as error:
            answer = answer_to(error, "Azure Table Storage", "")
            if answer.status == _UNAUTHORIZED and not is_renewed:
                automation_credential().forget()
                is_renewed, pause = True, 0.0
            elif answer.status in _STRAINED and pauses and (answer.retry_after or 0) <= _PAUSES[-1]:
                pause = max(pauses.pop(0), answer.retry_after or 0)
            else:
                _keep_secrets(error)
                raise error from None
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # The SDK reads parts of a response without checking that they exist, or their types.
            if not stumbled("Azure Table Storage", error):
                raise
            if not pauses:
                raise UnreadableAnswerError("The answer cannot be read.") from error
            pause = pauses.pop(0)
        await asyncio.sleep(pause)


class _Told:
    """The parts of a response that an error keeps: its text may repeat the request, with its token."""

    def __init__(self, response: "HttpResponse") -> None:
        self.status_code, self.reason = response.status_code, response.reason
        self.headers, self.request = response.headers, response.request
        self._text = readable(response.text())

    def text(self) -> str:
        return self._text


def _keep_secrets(error: AzureError) -> None:
    """Remove secrets from an error's texts: if an activity raises it, they are logged and stored."""
    error.message = readable(error.message)
    error.args = tuple(readable(str(one)) for one in error.args)
    if isinstance(error, HttpResponseError) and (response := response_of(error)) is not None:
        error.response = _Told(response)


def read(reader: Callable[[Held], T], row: Held) -> T:
    """The content of a row; a row without a required part counts as an unreadable response.

    Args:
        reader: reads it.
        row: the row.

    Raises:
        UnreadableAnswerError: it cannot be read.
    """
    try:
        return reader(row)
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableAnswerError(f"A row of the registry lacks {error}.") from error


def table_service() -> TableServiceClient:
    """The client of the Table service that the settings name.

    Raises:
        ProblemError: `setting-invalid`, when no setting tells where it is.
    """
    # The SDK retries only connections, without a pause; `patiently` does the rest.
    options = {
        **connections().of_the_sdks(TO_THE_TABLES),
        "retry_total": 3,
        "retry_backoff_factor": 0.1,
        "api_version": _VERSION,
    }
    endpoint, connection = settings().registry_endpoint, os.environ.get(STORAGE)
    if endpoint is not None:
        return TableServiceClient(endpoint, credential=automation_credential(), **options)
    if connection is None:
        raise ProblemError("setting-invalid", f"REGISTRY_TABLE_ENDPOINT: needed where {STORAGE} does not tell it")
    return TableServiceClient.from_connection_string(connection, **options)
