"""The request budgets of this process at the remote services, and what is left of them.

Each budget starts with the documented limit and follows the quota that responses report. A budget belongs to one
process. Other instances of the app, and other clients of the same identity, share the remote service's limit, so a
request may still be refused. A refused request is repeated after the pause that the service names, before later
requests for the same budget.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from clients.connections import connections
from clients.registry import registry

Kind = Literal[
    "arm reads",
    "arm writes",
    "arm deletes",
    "network reads",
    "network writes",
    "graph units",
    "graph writes",
    "aiven requests",
]
#: The share of a budget that is reserved for callers that cannot wait.
_RESERVED: Final = 0.2


class Limit(NamedTuple):
    """The capacity of a bucket, and its refill rate per second; `learned`: only a refusal reveals it."""

    tokens: float
    per_second: float
    learned: bool = False

    @property
    def fill_seconds(self) -> float:
        """How long an empty budget takes to be full."""
        return self.tokens / self.per_second


#: ARM: for a principal in a subscription, and for a subscription at the network provider (learn.microsoft.com,
#: "Understand how Azure Resource Manager throttles requests"). Graph: for an application in a small tenant ("Microsoft
#: Graph service-specific throttling limits"). Aiven: for a user, known from refusals ("Rate limit 120 exceeded").
LIMITS: Final[Mapping[Kind, Limit]] = {
    "arm reads": Limit(250, 25),
    "arm writes": Limit(200, 10),
    "arm deletes": Limit(200, 10),
    "network reads": Limit(10_000, 10_000 / 300),
    "network writes": Limit(1_000, 1_000 / 300),
    "graph units": Limit(3_500, 350),
    "graph writes": Limit(3_000, 20),
    "aiven requests": Limit(120, 2, learned=True),
}


class Bucket(NamedTuple):
    """The key of a budget: its kind and owner; a subscription's id in lower case, or nothing."""

    kind: Kind
    whose: str = ""


class Budget:
    """The tokens of one bucket: those that are left, less the claimed ones. A negative number is a queue.

    Args:
        limit: how many there are.
    """

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._holds = not limit.learned
        self._left, self._claimed, self._at = limit.tokens, 0.0, registry().now

    def claim(self, tokens: float) -> float:
        """Claim tokens; returns the seconds until they are available."""
        self._refill()
        self._left -= tokens
        self._claimed += tokens
        return max(0.0, -self._left / self.limit.per_second) if self._holds else 0.0

    def claim_spare(self, tokens: float) -> float:
        """Claim tokens that no other caller waits for; returns 0, or, if there are too few, when to ask again."""
        self._refill()
        lacking = tokens + _RESERVED * self.limit.tokens - self._left
        if lacking <= 0 or not self._holds:
            self.claim(tokens)
            return 0.0
        return max(1.0, lacking / self.limit.per_second)

    def give_back(self, tokens: float) -> None:
        """Return claimed tokens that were not needed."""
        self._left += tokens
        self._claimed -= tokens

    def spent(self, tokens: float) -> None:
        """Spend claimed tokens: the response has arrived."""
        self._claimed -= tokens

    def note(self, left: float) -> None:
        """Record the remaining quota that the remote service reports; it does not include claims."""
        self._refill()
        self._left = left - self._claimed

    def refused(self, seconds: float) -> None:
        """Record a refusal with its pause in seconds, which is at most the time that the budget takes to fill."""
        self._refill()
        self._holds = True
        lacking = min(seconds, self.limit.fill_seconds) * self.limit.per_second
        self._left = min(self._left, -lacking)

    def _refill(self) -> None:
        now = registry().now
        come_back = max(0.0, (now - self._at).total_seconds()) * self.limit.per_second
        self._left, self._at = max(self._left, min(self.limit.tokens, self._left + come_back)), now


class Budgets:
    """All budgets of the process."""

    def __init__(self) -> None:
        self._budgets = dict[Bucket, Budget]()

    def of(self, bucket: Bucket) -> Budget:
        """The budget of a bucket."""
        if bucket not in self._budgets:
            self._budgets[bucket] = Budget(LIMITS[bucket.kind])
        return self._budgets[bucket]


def budget(kind: Kind, whose: str = "") -> Budget:
    """A budget of this process.

    Args:
        kind: what it is of.
        whose: the subscription that it is of, if it is one's.
    """
    return connections().known.get(("budgets",), Budgets).of(Bucket(kind, whose.lower()))


@dataclass
class Spending:
    """The claimed and the used tokens of an activity, by bucket."""

    claimed: dict[Bucket, float] = field(default_factory=dict)
    used: dict[Bucket, float] = field(default_factory=dict)


_spending: Final[ContextVar[Spending | None]] = ContextVar("spending", default=None)


@contextmanager
def spending(claimed: Mapping[Bucket, float]) -> Iterator[Spending]:
    """Let the requests within use the claimed tokens; unused ones are returned.

    Args:
        claimed: tokens by bucket.
    """
    work = Spending(dict(claimed))
    token = _spending.set(work)
    try:
        yield work
    finally:
        _spending.reset(token)
        give_back(work.claimed)
        # A request that outlives the block claims its own tokens.
        work.claimed.clear()


def give_back(claimed: Mapping[Bucket, float]) -> None:
    """Give claimed tokens back.

    Args:
        claimed: tokens by bucket.
    """
    for bucket, tokens in claimed.items():
        budget(*bucket).give_back(tokens)


def begin_request(buckets: Iterable[Bucket]) -> None:
    """Record that a request begins, which takes one token of each bucket, from the current claim if possible.

    Args:
        buckets: the buckets.
    """
    work = _spending.get()
    for bucket in buckets:
        if work is not None:
            work.used[bucket] = work.used.get(bucket, 0.0) + 1
        held = work.claimed.get(bucket, 0.0) if work is not None else 0.0
        mine = min(1.0, held)
        if work is not None and held:
            work.claimed[bucket] = held - mine
        budget(*bucket).claim(1 - mine)


def end_request(buckets: Iterable[Bucket]) -> None:
    """A request that had begun has ended.

    Args:
        buckets: what it took from.
    """
    for bucket in buckets:
        budget(*bucket).spent(1)
