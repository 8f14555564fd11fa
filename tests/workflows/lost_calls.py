"""A platform that loses calls."""

from collections import Counter
from collections.abc import Callable

from local.host import Hostility, Kind


class LostCalls(Hostility):
    """A platform that loses the calls of some activities, each so many times; `on_first` comes first."""

    def __init__(self) -> None:
        super().__init__(0, rates={})
        self.to_lose = Counter[str]()
        self.lost: list[str] = []
        self.on_first: Callable[[], object] = lambda: None

    def strikes(self, kind: Kind, function: str, instance: str = "") -> bool:
        if kind != Kind.ACTIVITY_NOT_RUN or not self.to_lose[function]:
            return False
        if not self.lost:
            self.on_first()
        self.to_lose[function] -= 1
        self.lost.append(instance)
        return True
