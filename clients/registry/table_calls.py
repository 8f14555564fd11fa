"""Calls of the Table service: no call sleeps for long, and a rejected token is replaced.

The SDK would sleep inside a function for as long as `Retry-After` says. Here a call is made again after a second at the
most; a longer wait is the caller's: a durable timer's, or that of the API's client.
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

#: The pauses before a call is made again that the service could not serve, in seconds.
_PAUSES: Final = (0.2, 1.0)
_UNAUTHORIZED: Final = 401
_STRAINED: Final = frozenset({408, 429, 500, 502, 503, 504})
#: The first version that says 401 of a token it does not take, which an older one calls a wrong signature, 403.
_VERSION: Final = "2020-12-06"


class UnreadableAnswerError(ServiceResponseError):
    """The service answered, but with something that lacks a part: it is asked again like one that did not answer."""

    #: As a client of Graph's says it, see `answer_to`.
    response_status_code: Final = 200


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """A call's answer: made again with a new token where that was refused, and after a pause where that is short.

    Args:
        call: one request, or one page of a list; it may be made again although it has taken effect.

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
            # The SDK reads parts of an answer without asking whether they are there, or of their form.
            if not stumbled("Azure Table Storage", error):
                raise
            if not pauses:
                raise UnreadableAnswerError("The answer cannot be read.") from error
            pause = pauses.pop(0)
        await asyncio.sleep(pause)


class _Told:
    """What of an answer an error holds on to: its text may repeat the request, with its token."""

    def __init__(self, response: "HttpResponse") -> None:
        self.status_code, self.reason = response.status_code, response.reason
        self.headers, self.request = response.headers, response.request
        self._text = readable(response.text())

    def text(self) -> str:
        return self._text


def _keep_secrets(error: AzureError) -> None:
    """Take what is secret out of an error's texts: an activity that lets it out has them logged and kept."""
    error.message = readable(error.message)
    error.args = tuple(readable(str(one)) for one in error.args)
    if isinstance(error, HttpResponseError) and (response := response_of(error)) is not None:
        error.response = _Told(response)


def read(reader: Callable[[Held], T], row: Held) -> T:
    """What a row holds; one that lacks a part is no answer of the service's.

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
    # What the SDK waits for is `patiently`'s; it goes on trying connections, at once.
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
