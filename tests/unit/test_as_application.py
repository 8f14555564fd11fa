"""What is forgotten when the created application is refused: what it signed in with, and nothing else."""

import asyncio
from contextlib import suppress

import pytest

from activities.as_application import _forgotten_if_refused
from clients.connections import connections
from clients.credentials import automation_credential

KEPT = ("network", "subscription")
SIGNED_IN = ("application", "app", "tenant")
PROOF = ("proof", "secret", "1")


@pytest.mark.parametrize(("secret", "left"), [("secret", {KEPT}), (None, {KEPT, PROOF})])
def test_a_refusal_forgets_what_the_application_signed_in_with(secret: str | None, left: set[object]) -> None:
    async def refuse() -> set[object]:
        for key in (KEPT, SIGNED_IN, PROOF):
            connections().sign_ins.get(key, object)
        with suppress(ConnectionError):
            async with _forgotten_if_refused({"application_id": "app", "secret_name": secret}):
                raise ConnectionError
        return {key for key in (KEPT, SIGNED_IN, PROOF) if connections().sign_ins.held(key, object) is not None}

    assert asyncio.run(refuse()) == left


def test_a_refusal_of_the_app_itself_forgets_its_own_clients_alone() -> None:
    async def refuse() -> list[object]:
        held = connections()
        stores = (held.clients, held.sign_ins, held.reads, held.known)
        for store in stores:
            store.get(KEPT, object)
        automation_credential().forget()
        return [store.held(KEPT, object) is not None for store in stores]

    assert asyncio.run(refuse()) == [False, True, True, True]
