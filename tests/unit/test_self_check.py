"""The self-check says what it has left out."""

import asyncio

import pytest

import activities.self_check
from activities.self_check import MOST_LOOKED_AT, CheckedPart, look_at_app
from peering.aiven_vpc import AivenVpc


@pytest.mark.parametrize("more", [0, 2])
def test_what_was_not_looked_at_is_counted(monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    async def fine(name: str, _: object) -> CheckedPart:
        return CheckedPart(name=name, state="ok", detail="")

    monkeypatch.setattr(activities.self_check, "_checked", fine)
    count = MOST_LOOKED_AT + more
    owners = [AivenVpc("project", f"p{number}", "") for number in range(count)]
    found = asyncio.run(look_at_app(owners, [f"v{number}" for number in range(count)]))
    left_out = {check["name"]: check["detail"] for check in found if check["state"] == "not checked"}
    assert left_out.keys() == ({"vnets", "aiven"} if more else set())
    assert all(f"2 of {count}" in detail for detail in left_out.values())
