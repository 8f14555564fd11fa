"""What the remotes' errors mean: an exception of an SDK becomes a problem of the catalogue."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from clients.aiven import AivenError
from peering.outcome import Occurrence, ProblemError, Remote
from peering.problems import REMOTE_CODES

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError
    from azure.core.rest import HttpResponse
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

#: Which problem a step takes a remote's code for, where that differs from `REMOTE_CODES`.
Meanings = Mapping[str, str]

_AADSTS = re.compile(r"AADSTS(\d+)")
_AIVEN_STATUS = {401: "aiven-token-rejected", 403: "aiven-not-permitted", 404: "project-vpc-not-found"}


def _status_problem(status: int | None, known: str | None) -> str:
    if known:
        return known
    if status == 429:
        return "remote-throttled"
    return "remote-unavailable" if status is None or status >= 500 or status == 408 else "remote-refused"


def _occurrence(code: str, detail: str, remote: Remote, retry_after: str | float | None = None) -> Occurrence:
    occurrence = Occurrence(code=code, detail=detail, remote=remote)
    if retry_after is not None and str(retry_after).replace(".", "", 1).isdigit():
        occurrence["retry_after"] = float(retry_after)
    return occurrence


def _from_azure(error: "HttpResponseError", meanings: Meanings) -> Occurrence:
    body = error.error
    inner = getattr(body, "innererror", None) or {}
    table_code = getattr(error, "error_code", None)
    details = getattr(body, "details", None) or ()
    codes = [table_code, inner.get("code"), *(detail.code for detail in details), body and body.code]
    named = [code for code in codes if code]
    known = next(
        (meanings.get(code) or REMOTE_CODES.get(code) for code in named if code in {*meanings, *REMOTE_CODES}), None
    )
    status = error.status_code if error.status_code != 200 else None
    response = cast("HttpResponse | None", error.response)
    headers = response.headers if response is not None else {}
    remote = Remote(
        service=_service(response.request.url) if response is not None else "Azure",
        status=status,
        code=named[-1] if named else None,
        request_id=headers.get("x-ms-request-id") or headers.get("x-ms-correlation-request-id"),
    )
    message = (body.message if body else None) or error.reason or "no message"
    return _occurrence(_status_problem(status, known), message, remote, headers.get("Retry-After"))


def _service(url: str) -> str:
    host = url.removeprefix("https://").partition("/")[0]
    if ".table." in host:
        return "Azure Table Storage"
    return "Azure Key Vault" if ".vault." in host else "Azure Resource Manager"


def _from_entra(message: str, meanings: Meanings) -> Occurrence:
    number = _AADSTS.search(message)
    code = f"AADSTS{number[1]}" if number else None
    first_line = message.partition("Trace ID:")[0].strip() or "Entra refused the sign-in"
    return _occurrence(
        meanings.get(code or "", "automation-sign-in-failed"), first_line, Remote(service="Entra ID", code=code)
    )


def _from_graph(error: "ODataError", meanings: Meanings) -> Occurrence:
    body = error.error
    codes = [detail.code for detail in (body.details if body and body.details else ())]
    named = [code for code in [*codes, body.code if body else None] if code]
    known = next(
        (meanings.get(code) or REMOTE_CODES.get(code) for code in named if code in {*meanings, *REMOTE_CODES}), None
    )
    inner = body.inner_error if body else None
    remote = Remote(
        service="Microsoft Graph",
        status=error.response_status_code,
        code=named[-1] if named else None,
        request_id=inner.request_id if inner else None,
    )
    headers = error.response_headers or {}
    retry_after = headers.get("Retry-After") or headers.get("retry-after")
    detail = (body.message if body else None) or "no message"
    return _occurrence(_status_problem(error.response_status_code, known), detail, remote, retry_after)


def _from_aiven(error: AivenError) -> Occurrence:
    known = _AIVEN_STATUS.get(error.status)
    if known is None and 400 <= error.status < 429:
        known = "aiven-refused"
    remote = Remote(service="Aiven", status=error.status, code=error.code)
    return _occurrence(_status_problem(error.status, known), error.message, remote, error.retry_after)


def occurrence_of(error: Exception, meanings: Meanings) -> Occurrence | None:
    """The problem that an exception of a remote stands for, or None when it is no remote's at all.

    Args:
        error: what an SDK or the Aiven client raised.
        meanings: the step's own reading of a remote's codes, before the catalogue's.
    """
    import httpx
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    if isinstance(error, ProblemError):
        return error.occurrence
    if isinstance(error, AivenError):
        return _from_aiven(error)
    if isinstance(error, httpx.TransportError):
        return _occurrence("remote-unavailable", type(error).__name__, Remote(service="Aiven or Microsoft Graph"))
    if isinstance(error, ClientAuthenticationError) and _AADSTS.search(str(error)):
        return _from_entra(str(error), meanings)
    if isinstance(error, HttpResponseError):
        return _from_azure(error, meanings)
    if isinstance(error, AzureError):
        return _occurrence("remote-unavailable", type(error).__name__, Remote(service="Azure"))
    if type(error).__name__ == "ODataError":
        return _from_graph(cast("ODataError", error), meanings)
    return None
