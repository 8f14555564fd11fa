"""An azure-core policy: a response that is not JSON does not count as one of Azure Resource Manager or Key Vault."""

import json
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import DecodeError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import AsyncHttpResponse

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineRequest, PipelineResponse

_NO_BODY = (202, 204)


class AnswersInJson(SansIOHTTPPolicy[Any, Any]):
    """Raises `DecodeError` for a 2xx response that is a gateway's page, truncated or empty."""

    async def on_response(self, request: "PipelineRequest[Any]", response: "PipelineResponse[Any, Any]") -> None:
        """Check a response before the SDK converts it to a model."""
        answer = response.http_response
        if answer.status_code >= 300 or answer.status_code in _NO_BODY or request.http_request.method == "DELETE":
            return
        # What begins a long-running operation is not read yet.
        if isinstance(answer, AsyncHttpResponse):
            await answer.read()
        try:
            # The response keeps the body that was read, for later callers.
            found = answer.json() if isinstance(answer, AsyncHttpResponse) else json.loads(answer.text())
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise DecodeError("The answer is not a JSON object.", response=answer)
