"""What no code of the app handles: the platform logs it with all its causes, and keeps its text in a history."""

from collections.abc import Iterator
from contextlib import contextmanager


class UnhandledError(Exception):
    """An exception that the app does not handle, in words without secrets."""


@contextmanager
def without_causes() -> Iterator[None]:
    """Let an exception out in words alone: its causes hold what a remote service has answered.

    Raises:
        UnhandledError: what was raised inside, with its traceback.
    """
    try:
        yield
    except Exception as error:
        from clients.known_secrets import readable

        text = readable(f"{type(error).__name__}: {error}")
        raise UnhandledError(text).with_traceback(error.__traceback__) from None
