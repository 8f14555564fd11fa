"""A platform that delivers the calls of one activity twice."""

from local.host import Hostility, Kind


class Twice(Hostility):
    """The second delivery comes beside the first.

    Args:
        function: the activity.
        after: how many seconds after the first.
    """

    def __init__(self, function: str, after: float) -> None:
        super().__init__(0, rates={})
        self._function, self._after = function, after
        #: The instances whose calls came twice.
        self.delivered: list[str] = []

    def strikes(self, kind: Kind, function: str, instance: str = "") -> bool:
        """Every call of the activity, and nothing else."""
        if not self.either(kind, function):
            return False
        self.delivered.append(instance)
        return True

    def either(self, kind: Kind, function: str) -> bool:
        """Beside the first."""
        return (kind, function) == (Kind.ACTIVITY_TWICE, self._function)

    def soon(self, kind: Kind, function: str) -> float:
        """When."""
        return self._after if self.either(kind, function) else super().soon(kind, function)
