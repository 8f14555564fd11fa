"""Exceptions that the app does not handle: the platform logs them with their causes, and stores their texts."""

from collections.abc import Iterator
from contextlib import contextmanager


class UnhandledError(Exception):
    """An exception that the app does not handle, in words without secrets."""


@contextmanager
def without_causes() -> Iterator[None]:
    """Raise an exception without its causes, which contain a remote service's response.

    Raises:
        UnhandledError: what was raised inside, with its traceback.
    """
    try:
        yield
    except Exception as error:
        from clients.known_secrets import readable

        text = readable(f"{type(error).__name__}: {error}")
        raise UnhandledError(text).with_traceback(error.__traceback__) from None
