"""An HTTP client that spends its service's budget, and is replaced when no connection becomes free."""

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx

from clients.budgets import begin_request, end_request
from clients.budgets_of_requests import buckets_of, note_answer
from clients.connections import connections
from clients.fencing import see_to_own
from clients.traced_requests import answer_to
from peering.problems.remote_codes import Service


class LeavingClient(httpx.AsyncClient):
    """HTTPX's client. A cancelled request may keep its place in the pool permanently (httpcore 1.0).

    Args:
        service: the service.
        leave: called with the client when a request got no connection in time.
        options: HTTPX's own.
    """

    def __init__(self, service: Service, leave: Callable[[httpx.AsyncClient], None], **options: Any) -> None:  # noqa: ANN401 - as HTTPX has them
        super().__init__(**options)
        self._service, self._leave = service, leave

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:  # noqa: ANN401 - as HTTPX has them
        """Send a request, as HTTPX does.

        Raises:
            ProblemError: `run-superseded`, before a request that changes something.
        """
        await see_to_own(request.method)
        buckets = buckets_of(self._service, request.method)
        begin_request(buckets)
        try:
            response = await answer_to(request, super().send(request, **options))
        except httpx.PoolTimeout:
            self._leave(self)
            raise
        finally:
            end_request(buckets)
        note_answer(buckets, response)
        return response


def http_client(service: Service) -> httpx.AsyncClient:
    """The worker's HTTP client of a service without an Azure SDK."""
    return connections().http(service, partial(LeavingClient, service))
