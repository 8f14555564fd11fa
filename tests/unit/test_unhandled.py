"""What the app does not handle leaves it without what a remote service has answered."""

import traceback

import pytest

from clients.known_secrets import remember
from clients.unhandled import UnhandledError, without_causes

SECRET = "the-password-of-an-application"


def test_an_exception_leaves_without_secrets_and_causes_and_says_where_it_was_raised() -> None:
    remember(SECRET)

    def call() -> None:
        raise RuntimeError(f"403 {SECRET}") from ValueError(f"client_secret={SECRET}")

    with pytest.raises(UnhandledError) as raised, without_causes():
        call()
    told = "".join(traceback.format_exception(raised.value))
    assert SECRET not in told
    assert ("RuntimeError: 403" in told, "in call" in told, "ValueError:" in told) == (True, True, False)
