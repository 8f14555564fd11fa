"""A span for each request to a remote: of the Azure SDKs' sessions, and of HTTPX's clients."""

from collections.abc import Awaitable
from types import SimpleNamespace

import aiohttp
import httpx

from clients.telemetry import begin_remote_call, end_remote_call


def tracing() -> aiohttp.TraceConfig:
    """The trace configuration of an aiohttp session, with a span for each request."""
    config = aiohttp.TraceConfig()
    config.on_request_start.append(_started)
    config.on_request_end.append(_ended)
    config.on_request_exception.append(_failed)
    return config


async def _started(_: aiohttp.ClientSession, kept: SimpleNamespace, given: aiohttp.TraceRequestStartParams) -> None:
    kept.span = begin_remote_call(given.method, given.url.host or "", given.url.path, given.url.scheme)


async def _ended(_: aiohttp.ClientSession, kept: SimpleNamespace, given: aiohttp.TraceRequestEndParams) -> None:
    end_remote_call(kept.span, given.url.host or "", given.response.status, given.response.headers)


async def _failed(_: aiohttp.ClientSession, kept: SimpleNamespace, given: aiohttp.TraceRequestExceptionParams) -> None:
    end_remote_call(kept.span, given.url.host or "", error=type(given.exception).__name__)


async def answer_to(request: httpx.Request, answering: Awaitable[httpx.Response]) -> httpx.Response:
    """The response to a request of HTTPX, in a span.

    Args:
        request: the request.
        answering: the function that sends it.
    """
    host = request.url.host
    made = begin_remote_call(request.method, host, request.url.path, request.url.scheme)
    try:
        answer = await answering
    except BaseException as error:
        end_remote_call(made, host, error=type(error).__name__)
        raise
    end_remote_call(made, host, answer.status_code, answer.headers)
    return answer
