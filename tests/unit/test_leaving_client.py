"""A client whose connection is never given back leaves, and tells of it."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from clients.connections import Connections
from clients.leaving_client import LeavingClient
from clients.settings import settings
from tests.unit.good_settings import GOOD

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readuntil(b"\r\n\r\n"):
        writer.write(ANSWER)
        await writer.drain()


async def _requests() -> list[httpx.AsyncClient]:
    left: list[httpx.AsyncClient] = []
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    timeout, limits = httpx.Timeout(5, pool=0.1), httpx.Limits(max_connections=1)
    async with LeavingClient("Aiven", left.append, timeout=timeout, limits=limits, trust_env=False) as client:
        assert (await client.get(url)).json() == {}
        assert left == []
        # An open response keeps its connection.
        async with client.stream("GET", url):
            with pytest.raises(httpx.PoolTimeout):
                await client.get(url)
        assert left == [client]
    server.close()
    return left


@pytest.mark.usefixtures("time_of_budgets")
def test_a_client_leaves_when_a_request_has_got_no_connection_in_time() -> None:
    assert len(asyncio.run(_requests())) == 1


async def _clients(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    kept, leave = Connections(), list[Callable[[httpx.AsyncClient], None]]()

    def make(leaves: Callable[[httpx.AsyncClient], None], **_: Any) -> httpx.AsyncClient:  # noqa: ANN401 - HTTPX's
        leave.append(leaves)
        return httpx.AsyncClient()

    first = kept.http("Aiven", make)
    leave[0](first)
    second = kept.http("Aiven", make)
    # The first one tells it once more: the second stays.
    leave[0](first)
    assert (second is not first, kept.http("Aiven", make) is second, first.is_closed) == (True, True, False)
    await kept.close()
    assert (first.is_closed, second.is_closed) == (True, True)


def test_after_a_client_has_left_there_is_another_one_and_both_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings.cache_clear()
    try:
        asyncio.run(_clients(monkeypatch))
    finally:
        settings.cache_clear()
