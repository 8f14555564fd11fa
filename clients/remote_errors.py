"""Converts the exceptions of the SDKs and httpx to one error type, with the service and its answer.

The clients of this package raise nothing else because of a remote service; `peering.remote_answers` interprets it.
"""

import json
import re
import sys
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from socket import gaierror
from typing import TYPE_CHECKING, Final, TypeVar, cast
from urllib.parse import urlsplit

from clients.error_documents import codes_of, error_document
from peering.problems.remote_codes import NO_SUCH_HOST, Identity, Service
from peering.remote_answers import Answer, SignIn
from peering.retry_after import retry_after

if TYPE_CHECKING:
    import httpx
    from azure.core.exceptions import AzureError, HttpResponseError
    from azure.core.rest import HttpResponse
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

Found = TypeVar("Found")

#: The packages that send requests to each service and read its responses.
_AZURE: Final = frozenset({"azure"})
_HTTPX: Final = frozenset({"httpx"})
_KIOTA: Final = _HTTPX | {"kiota_abstractions", "kiota_http", "kiota_serialization_json", "msgraph", "msgraph_core"}
_PACKAGES: Final[Mapping[Service, frozenset[str]]] = {"Microsoft Graph": _KIOTA, "Aiven": _HTTPX}
_AADSTS: Final = re.compile(r"AADSTS\d+")
#: Exceptions of an SDK that reads a part of a response without checking that it exists.
_STUMBLES: Final = (AttributeError, KeyError, TypeError, ValueError)
_OK: Final = 200
_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404
#: The statuses of the managed identity endpoint while it is being updated (learn.microsoft.com, "How to use managed
#: identities on an Azure VM to acquire an access token", retry guidance).
_NOT_READY: Final = (_NOT_FOUND, 410)


class RemoteError(Exception):
    """A remote service did not answer, refused, or sent an unreadable response."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.service}: {answer.status} {', '.join(answer.codes)}")
        self.answer = answer


@contextmanager
def answers_of(service: Service, url: str, identity: Identity = "automation") -> Iterator[None]:
    """Convert the SDKs' exceptions about a remote service to `RemoteError`.

    Args:
        service: the remote.
        url: its address, whose host is named if there was no response.
        identity: the identity that sends the request.
    """
    from azure.core.exceptions import AzureError, DecodeError, DeserializationError
    from httpx import TransportError
    from kiota_abstractions.api_error import APIError

    try:
        yield
    except (AzureError, DeserializationError, APIError, TransportError, *_STUMBLES) as error:
        # A nested call may be to another service; an unreadable response is detected before its SDK reads it.
        if not isinstance(error, DecodeError) and not stumbled(service, error):
            raise
        raise RemoteError(answer_to(error, service, url, identity)) from error


def stumbled(service: Service, error: BaseException) -> bool:
    """Whether an error was raised in a service's client, or in the standard library on behalf of it.

    Args:
        service: the service.
        error: what was raised.
    """
    packages = _PACKAGES.get(service, _AZURE)
    trace, module = error.__traceback__, ""
    while trace is not None:
        root = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        trace, module = trace.tb_next, module if root in sys.stdlib_module_names else root
    return module in packages


def answer_to(error: Exception, service: Service, url: str, identity: Identity = "automation") -> Answer:
    """The response of a remote service, from its client's exception."""
    from azure.core.exceptions import HttpResponseError
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

    host = urlsplit(url).hostname
    if isinstance(error, HttpResponseError):
        return _of_azure(error, service, host, identity)
    if isinstance(error, ODataError):
        return _of_graph(error, host, identity)
    # An SDK fails to read only a 2xx response; any other one it raises as a refusal.
    status = _OK if isinstance(error, _STUMBLES) else getattr(error, "response_status_code", None)
    codes = (NO_SUCH_HOST,) if _is_unknown_host(error) else ()
    return Answer(service, host=host, status=status, codes=codes, identity=identity, is_readable=False)


def _is_unknown_host(error: BaseException | None) -> bool:
    """Whether the cause is that a name cannot be resolved."""
    while error is not None:
        if isinstance(error, gaierror):
            return True
        error = error.__cause__ or error.__context__ or getattr(error, "inner_exception", None)
    return False


def response_of(error: "HttpResponseError") -> "HttpResponse | None":
    """The response that caused an Azure SDK's error; None if there was no response."""
    # azure-core's declared type lacks the headers and the request.
    return cast("HttpResponse | None", error.response)


def _of_azure(error: "HttpResponseError", service: Service, host: str | None, identity: Identity) -> Answer:
    response = response_of(error)
    headers: Mapping[str, str] = response.headers if response is not None else {}
    document = error_document(response.text().encode()) if response is not None else None
    # In a response of Table Storage, only the header may have the code.
    named = getattr(error, "error_code", None)
    codes = document.codes if document is not None else ()
    codes = (str(getattr(named, "value", named)), *codes) if named and named not in codes else codes
    message = document.message if document is not None else "" if response is not None else str(error)
    if document is not None and document.policies:
        message = f"{', '.join(document.policies)}: {message}"
    return Answer(
        service,
        host=urlsplit(response.request.url).hostname if response is not None else host,
        status=error.status_code,
        codes=codes,
        message=message,
        retry_after=retry_after(headers, datetime.now(UTC)),
        request_id=headers.get("x-ms-request-id") or headers.get("x-ms-correlation-request-id"),
        identity=identity,
        is_readable=bool(named) or (document is not None and document.proves(error.status_code)),
    )


def _of_graph(error: "ODataError", host: str | None, identity: Identity) -> Answer:
    body, headers = error.error, error.response_headers or {}
    codes = [detail.code for detail in (body.details if body and body.details else ())]
    inner = body.inner_error if body else None
    # Its code is no part of the SDK's model.
    held = codes_of(inner.additional_data) if inner else ()
    return Answer(
        "Microsoft Graph",
        host=host,
        status=error.response_status_code,
        codes=tuple(code for code in [*held, *codes, body.code if body else None] if code),
        message=str((body.message if body else None) or ""),
        retry_after=retry_after(headers, datetime.now(UTC)),
        request_id=inner.request_id if inner else None,
        identity=identity,
        # Graph's own documents have a code.
        is_readable=body is not None and bool(body.code),
    )


@contextmanager
def signing_in(sign_in: SignIn, service: Service, url: str, identity: Identity) -> Iterator[None]:
    """Convert the exceptions of a sign-in to `RemoteError`, which names the identity and the tenant.

    Args:
        sign_in: the identity, in words, and the tenant, where it is known.
        service: the token's issuer: Entra, or its substitute on the machine.
        url: its address; empty for a program.
        identity: the identity.
    """
    from azure.core.exceptions import AzureError, ClientAuthenticationError

    try:
        yield
    except _STUMBLES as error:
        if not stumbled(service, error):
            raise
        raise RemoteError(replace(answer_to(error, service, url, identity), sign_in=sign_in)) from error
    except AzureError as error:
        answer = answer_to(error, service, url, identity)
        # A timeout of the program is not a refusal.
        refused = isinstance(error, ClientAuthenticationError) and not isinstance(error.__cause__, TimeoutError)
        text = _without_trace(error.message)
        # OAuth's code comes before Entra's numbers.
        found = (*answer.codes, *_AADSTS.findall(text), *_numbers_of(error))
        if refused and answer.status is None:
            # No endpoint, no program, or no signed-in user: the SDK's text says which, and it is permanent.
            answer = replace(answer, status=None if service == "Entra ID" else _UNAUTHORIZED, is_readable=True)
        elif service == "the managed identity endpoint" and answer.status in _NOT_READY:
            answer = replace(answer, is_readable=False)
        raise RemoteError(
            replace(
                answer,
                codes=tuple(dict.fromkeys(found)),
                message=text if refused else "",
                sign_in=sign_in,
            )
        ) from error


def _numbers_of(error: "AzureError") -> list[str]:
    """The numbers that Entra lists beside its text."""
    response = getattr(error, "response", None)
    body = _json(response.text().encode()) if response is not None else None
    numbers = body.get("error_codes") if isinstance(body, dict) else None
    return [f"AADSTS{number}" for number in numbers] if isinstance(numbers, list) else []


def _without_trace(text: str) -> str:
    """Entra's text without the trace and correlation ids."""
    return text.partition("Trace ID:")[0].strip()


async def or_none(look_up: Awaitable[Found]) -> Found | None:
    """The result of a look-up by key; None if the remote service itself says that the object does not exist.

    Raises:
        Exception: whatever else the look-up raises; a gateway's 404 is not the remote's.
    """
    try:
        return await look_up
    except Exception as error:
        if not is_absence(error):
            raise
        return None


async def unless_refused(look_up: Awaitable[Found]) -> Found | None:
    """The result of a look-up; None if the remote service refuses it permanently, or the object does not exist.

    Raises:
        Exception: whatever else the look-up raises; a refused sign-in or token says nothing about what is looked up.
    """
    try:
        return await or_none(look_up)
    except RemoteError as error:
        if error.answer.may_pass or error.answer.status == _UNAUTHORIZED or error.answer.sign_in is not None:
            raise
        return None


def is_absence(error: Exception) -> bool:
    """Whether an exception is a remote service's own answer that the object does not exist."""
    from azure.core.exceptions import HttpResponseError
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

    if isinstance(error, RemoteError):
        return error.answer.is_absence
    if isinstance(error, HttpResponseError):
        return _of_azure(error, "Azure Resource Manager", None, "automation").is_absence
    return isinstance(error, ODataError) and _of_graph(error, None, "automation").is_absence


async def refuse_unreadable(response: "httpx.Response", service: Service) -> None:
    """Raise for a response that is not the service's document: a gateway's page, or a truncated or missing body.

    Raises:
        RemoteError: it cannot be read, or is an error in a form that the service's SDK does not support.
    """
    await response.aread()
    status, document = response.status_code, error_document(response.content) if response.is_error else None
    # Graph's SDK reads errors only in Graph's own form.
    foreign = document if document is not None and not document.is_wrapped and service == "Microsoft Graph" else None
    if foreign is None and (status == 204 or _is_whole(_json(response.content), service)):
        return
    at, host = retry_after(response.headers, datetime.now(UTC)), response.request.url.host
    answer = Answer(service, host=host, status=status, retry_after=at, is_readable=False)
    if foreign is not None:
        is_own = status != _NOT_FOUND
        answer = replace(answer, codes=foreign.codes, message=foreign.message, is_readable=is_own)
    raise RemoteError(answer)


def _is_whole(found: object, service: Service) -> bool:
    """Whether a body is an object or a list, and Graph's `value` a list: Graph's SDK would read any other as empty."""
    listed = found.get("value", []) if isinstance(found, dict) and service == "Microsoft Graph" else []
    return isinstance(found, (dict, list)) and isinstance(listed, list)


def _json(content: bytes) -> object:
    try:
        return json.loads(content)
    except ValueError:
        return None
