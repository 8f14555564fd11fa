"""What the app's own code stumbles over is not taken for an answer of the service that it was asking."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from clients.registry.table_calls import patiently
from clients.remote_errors import answers_of, signing_in
from peering.facts import needed
from peering.remote_answers import SignIn


async def _of_the_tables(call: Callable[[], Awaitable[None]]) -> None:
    await patiently(call)


async def _of_a_sign_in(call: Callable[[], Awaitable[None]]) -> None:
    with signing_in(SignIn("The app"), "Entra ID", "https://login.microsoftonline.com", "automation"):
        await call()


async def _of_a_remote(call: Callable[[], Awaitable[None]]) -> None:
    with answers_of("Aiven", "https://api.aiven.io"):
        await call()


@pytest.mark.parametrize("asked", [_of_the_tables, _of_a_sign_in, _of_a_remote])
@pytest.mark.parametrize("mistake", [KeyError("own"), TypeError("own")], ids=lambda one: type(one).__name__)
def test_it_is_raised_at_once_as_it_is(
    asked: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]], mistake: Exception
) -> None:
    calls = list[int]()

    async def call() -> None:
        calls.append(1)
        raise mistake

    async def ask() -> None:
        await asked(call)

    with pytest.raises(type(mistake)) as raised:
        asyncio.run(ask())
    assert (raised.value, len(calls)) == (mistake, 1)


def test_a_fact_that_is_none_where_a_step_needs_it_is_the_apps_own_mistake() -> None:
    assert needed("fact") == "fact"
    with pytest.raises(TypeError, match="a step needs"):
        needed(None)
