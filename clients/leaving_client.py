"""An HTTP client that leaves when nobody is given one of its connections any more."""

from collections.abc import Callable
from typing import Any

import httpx


class LeavingClient(httpx.AsyncClient):
    """HTTPX's client. A request that was cancelled at a bad moment may keep its place in the pool (httpcore 1.0).

    Args:
        leave: told of the client when a request has waited in vain for a connection.
        options: HTTPX's own.
    """

    def __init__(self, leave: Callable[[httpx.AsyncClient], None], **options: Any) -> None:  # noqa: ANN401 - as HTTPX has them
        super().__init__(**options)
        self._leave = leave

    async def send(self, *given: Any, **options: Any) -> httpx.Response:  # noqa: ANN401 - as HTTPX has them
        """Send a request, as HTTPX does."""
        try:
            return await super().send(*given, **options)
        except httpx.PoolTimeout:
            self._leave(self)
            raise
