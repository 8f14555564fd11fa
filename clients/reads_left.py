"""How many reads Azure Resource Manager's throttle leaves in a subscription, as its answers say.

Whoever can wait leaves the last of them to those who cannot.
"""

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from azure.core.pipeline.policies import SansIOHTTPPolicy

from clients.connections import connections
from clients.registry import registry

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineRequest, PipelineResponse

_HEADER: Final = "x-ms-ratelimit-remaining-subscription-reads"
_SUBSCRIPTION: Final = re.compile(r"/subscriptions/([^/?]+)", re.IGNORECASE)
#: A principal's bucket of a subscription holds 250 reads, where no answer has shown more or fewer, and is filled within
#: ten seconds (learn.microsoft.com, "Understand how Azure Resource Manager throttles requests").
_USUAL: Final = 250
_FILLED_WITHIN: Final = 10.0
#: So much of it is left to those who cannot wait.
_RESERVED: Final = 0.2
_TOO_MANY: Final = 429


class ReadsLeft:
    """The reads that are left in a subscription, by what its answers said last and what is claimed since."""

    def __init__(self) -> None:
        self._most = self._claimed = 0
        self._noted: tuple[int, datetime] | None = None

    def note(self, left: int) -> None:
        """Note what an answer says."""
        self._most, self._noted = max(self._most, left), (left, registry().now)

    def claim(self, reads: int) -> float:
        """Claim so many reads; returns 0, or after how many seconds to come back where there are not so many left."""
        most = self._most or _USUAL
        left = float(most)
        if self._noted is not None:
            noted, at = self._noted
            left = min(most, noted + (registry().now - at).total_seconds() * most / _FILLED_WITHIN)
        if left - self._claimed >= reads + _RESERVED * most:
            self._claimed += reads
            return 0.0
        return max(1.0, (most - left) / most * _FILLED_WITHIN)

    def release(self, reads: int) -> None:
        """Let go of a claim: the reads are done, and the answers have told what is left."""
        self._claimed -= reads


def reads_of(subscription_id: str) -> ReadsLeft:
    """What is left of a subscription's reads."""
    return connections().kept(("reads", subscription_id.lower()), ReadsLeft)


class NotesReadsLeft(SansIOHTTPPolicy[Any, Any]):
    """Notes what each answer says of what is left."""

    def on_response(self, request: "PipelineRequest[Any]", response: "PipelineResponse[Any, Any]") -> None:
        """Look at an answer's headers."""
        answer, named = response.http_response, _SUBSCRIPTION.search(request.http_request.url)
        left = "0" if answer.status_code == _TOO_MANY else answer.headers.get(_HEADER, "")
        if named is not None and left.isdecimal():
            reads_of(named[1]).note(int(left))
