"""A client whose connection is never given back leaves, and tells of it."""

import asyncio

import httpx
import pytest

from clients.leaving_client import LeavingClient

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
def test_a_client_leaves_when_a_request_has_waited_in_vain_for_a_connection() -> None:
    assert len(asyncio.run(_requests())) == 1
