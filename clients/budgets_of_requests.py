"""The budgets that a request uses, and what its response reports about them."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from azure.core.pipeline.policies import SansIOHTTPPolicy

from clients.budgets import LIMITS, Bucket, Kind, begin_request, budget, end_request
from peering.problems.remote_codes import Service
from peering.retry_after import retry_after

if TYPE_CHECKING:
    import httpx
    from azure.core.pipeline import PipelineRequest, PipelineResponse

_TOO_MANY: Final = 429
_READS: Final = ("GET", "HEAD")
_SUBSCRIPTION: Final = re.compile(r"/subscriptions/([^/?]+)", re.IGNORECASE)
_NETWORK: Final = "/providers/microsoft.network/"
#: The headers with the remaining quota of a bucket of Azure Resource Manager.
_REMAINING: Final[Mapping[Kind, str]] = {
    "arm reads": "x-ms-ratelimit-remaining-subscription-reads",
    "arm writes": "x-ms-ratelimit-remaining-subscription-writes",
    "arm deletes": "x-ms-ratelimit-remaining-subscription-deletes",
}


class SpendsBudgets(SansIOHTTPPolicy[Any, Any]):
    """Takes the tokens of a request to Azure Resource Manager, and records the remaining quota in its response.

    Args:
        own: the request is the app's own identity's; a created application has tokens of its own, and shares those of
            the network provider alone.
    """

    def __init__(self, *, own: bool) -> None:
        super().__init__()
        self._own = own

    def on_request(self, request: "PipelineRequest[Any]") -> None:
        """Take the tokens."""
        buckets = buckets_of_arm(request.http_request.method, request.http_request.url, own=self._own)
        request.context["buckets"] = buckets
        begin_request(buckets)

    def on_response(self, request: "PipelineRequest[Any]", response: "PipelineResponse[Any, Any]") -> None:
        """Note what is left."""
        buckets, answer = request.context["buckets"], response.http_response
        end_request(buckets)
        left = {one: answer.headers.get(_REMAINING.get(one.kind, ""), "") for one in buckets}
        if answer.status_code == _TOO_MANY:
            # A refusal that leaves tokens comes from the network provider.
            refusing = [one for one in buckets if one.kind.startswith("network") or left[one] in ("", "0")]
            _refuse(refusing[:1], answer.headers)
            return
        for one, tokens in left.items():
            if tokens.isdecimal():
                budget(*one).note(int(tokens))

    def on_exception(self, request: "PipelineRequest[Any]") -> None:
        """A request without an answer has ended, too."""
        end_request(request.context["buckets"])


def buckets_of_arm(method: str, url: str, *, own: bool) -> list[Bucket]:
    """The budgets of a request to Azure Resource Manager: none, if it concerns no subscription.

    Args:
        method: its method.
        url: where it goes to.
        own: it is the app's own identity's.

    Returns:
        The buckets, the network provider's last.
    """
    named = _SUBSCRIPTION.search(url)
    if named is None:
        return []
    reads = method in _READS
    kinds: list[Kind] = []
    if own:
        kinds.append("arm reads" if reads else "arm deletes" if method == "DELETE" else "arm writes")
    if _NETWORK in url.lower():
        kinds.append("network reads" if reads else "network writes")
    return [Bucket(kind, named[1].lower()) for kind in kinds]


def buckets_of(service: Service, method: str) -> list[Bucket]:
    """The budgets of a request to Microsoft Graph or Aiven.

    Args:
        service: where it goes to.
        method: its method.
    """
    if service == "Aiven":
        return [Bucket("aiven requests")]
    return [Bucket("graph units"), *([Bucket("graph writes")] if method not in _READS else [])]


def note_answer(buckets: list[Bucket], answer: "httpx.Response") -> None:
    """Record what a response of Microsoft Graph or Aiven says about the buckets of its request.

    Args:
        buckets: the buckets; a refusal that names none is about the last one.
        answer: the answer, with its body.
    """
    if answer.status_code == _TOO_MANY:
        units = answer.headers.get("x-ms-throttle-information", "").startswith("ResourceUnit")
        _refuse(buckets[:1] if units else buckets[-1:], answer.headers, answer.text)
    units_of_it = answer.headers.get("x-ms-resource-unit", "")
    if units_of_it.isdecimal():
        # One was taken with the request.
        further = int(units_of_it) - 1
        budget("graph units").claim(further)
        budget("graph units").spent(further)


def _refuse(buckets: list[Bucket], headers: Mapping[str, str], message: str = "") -> None:
    for one in buckets:
        asked = retry_after(headers, datetime.now(UTC), message)
        budget(*one).refused(LIMITS[one.kind].fill_seconds / 2 if asked is None else asked)
