"""What can go wrong for a caller, each with its remedy and its exit code."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, Final

#: A document of the API, decoded.
Document = Mapping[str, Any]


class ExitCode(IntEnum):
    """How the command ends; docs/command-line.md has the same table."""

    DONE = 0
    PROBLEM = 1
    CHANGES = 2
    NOT_FOUND = 3
    NO_ACCESS = 4
    TIME_OVER = 5
    USAGE = 64
    INTERRUPTED = 130


class Failure(Exception):  # noqa: N818 - it is what the caller sees, and no fault of the program
    """A failure of a command: what happened, the remedy, and the exit code."""

    def __init__(self, what: str, remedy: str = "", code: ExitCode = ExitCode.PROBLEM) -> None:
        super().__init__(what)
        self.what, self.remedy, self.code = what, remedy, code

    @property
    def notes(self) -> Sequence[str]:
        """Further lines: fields and their rules, causes."""
        return ()


class Refused(Failure):
    """The app answered with a problem document."""

    def __init__(self, problem: Document) -> None:
        self.problem: Final = problem
        missing = str(problem.get("code", "")).endswith("-not-found")
        code = ExitCode.NOT_FOUND if missing else ExitCode.PROBLEM
        super().__init__(told(problem), str(problem.get("remedy", "")), code)

    @property
    def notes(self) -> Sequence[str]:
        """Each field with its rule, then the code to look up."""
        fields = [f"{error['field']}: {error['rule']}" for error in self.problem.get("errors", ())]
        causes = [f"cause: {told(cause)}" for cause in self.problem.get("causes", ())]
        code = self.problem.get("code")
        return [*fields, *causes, *([f"See: peering problems {code}"] if code else [])]


class Unseen(Failure):
    """The response is incomplete, because of problems."""

    def __init__(self, problems: Sequence[Document]) -> None:
        super().__init__("The answer may not be complete.", "Solve the problems, and repeat the command.")
        self.problems: Final = problems

    @property
    def notes(self) -> Sequence[str]:
        """Each problem once."""
        return list(dict.fromkeys(map(told, self.problems)))


class Lacking(Failure):
    """The running app has no such route."""

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"This app does not have {method} {path}.", "Deploy a version of the app that has it.")


class Unreachable(Failure):
    """The app does not answer."""

    def __init__(self, endpoint: str, why: str) -> None:
        remedy = "Check the endpoint (peering doctor shows where it is set), and that the app runs."
        super().__init__(f"{endpoint} does not answer: {why}.", remedy, ExitCode.NO_ACCESS)


def told(problem: Document) -> str:
    """A problem in one line: its title, then what happened."""
    return ". ".join(str(problem[part]).removesuffix(".") for part in ("title", "detail") if problem.get(part)) + "."
