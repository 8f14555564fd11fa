"""The log of requests to the local cloud, without bodies, tokens and queries."""

from dataclasses import dataclass
from typing import Final

#: Reads that Graph serves by POST.
_READS: Final = ("/directoryObjects/getByIds",)


@dataclass(frozen=True)
class LoggedRequest:
    """One request and its answer's status. `app_id` and `tenant_id` are those of its bearer token."""

    time: str
    seconds: float
    service: str
    method: str
    host: str
    path: str
    status: int
    app_id: str | None
    tenant_id: str | None
    auxiliary: bool
    user_agent: str

    @property
    def is_write(self) -> bool:
        """Whether it changed something, or tried to; sign-ins and requests to the app's tables do not count."""
        return (
            self.service not in ("entra", "table")
            and self.method not in ("GET", "HEAD")
            and not self.path.endswith(_READS)
        )
