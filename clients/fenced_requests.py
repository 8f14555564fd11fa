"""A policy for the clients of the Azure SDKs: changes are sent only by an execution that still holds its order."""

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest
from typing_extensions import override

from clients.fencing import see_to_own


class Fenced(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Checks the fence before every request that changes something."""

    @override
    async def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, AsyncHttpResponse]:
        await see_to_own(request.http_request.method)
        return await self.next.send(request)
