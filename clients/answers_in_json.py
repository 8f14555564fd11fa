"""An azure-core policy: only a whole JSON document counts as a response of Azure Resource Manager or Key Vault."""

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from azure.core.exceptions import DecodeError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import AsyncHttpResponse

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineRequest, PipelineResponse

_NO_BODY: Final = (202, 204)
#: The last parts of the paths of lists. The SDKs read a list without `value` as empty.
_LISTS: Final = frozenset({"secrets", "versions", "roleassignments"})


class AnswersInJson(SansIOHTTPPolicy[Any, Any]):
    """Raises `DecodeError` for a 2xx response that is a gateway's page, truncated or empty, or a list without items."""

    async def on_response(self, request: "PipelineRequest[Any]", response: "PipelineResponse[Any, Any]") -> None:
        """Check a response before the SDK converts it to a model."""
        answer = response.http_response
        if answer.status_code >= 300 or answer.status_code in _NO_BODY or request.http_request.method == "DELETE":
            return
        # The response that begins a long-running operation has not been read yet.
        if isinstance(answer, AsyncHttpResponse):
            await answer.read()
        try:
            # The response keeps the body that was read, for later callers.
            found = answer.json() if isinstance(answer, AsyncHttpResponse) else json.loads(answer.text())
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise DecodeError("The answer is not a JSON object.", response=answer)
        if _is_list(request.http_request.url) and not isinstance(found.get("value"), list):
            raise DecodeError("The answer is not a list.", response=answer)


def _is_list(url: str) -> bool:
    return urlsplit(url).path.rpartition("/")[2].lower() in _LISTS
