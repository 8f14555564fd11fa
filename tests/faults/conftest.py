"""The secrets that the cloud hands out."""

from typing import Any

import pytest

from local.cloud.entra import Entra
from local.cloud.world.world import Password, World


@pytest.fixture
def issued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every access token that the cloud issues from now on."""
    tokens: list[str] = []
    issue = Entra.issue

    def record(self: Entra, *given: Any, **options: Any) -> str:  # noqa: ANN401 - whatever it is given
        tokens.append(issue(self, *given, **options))
        return tokens[-1]

    monkeypatch.setattr(Entra, "issue", record)
    return tokens


@pytest.fixture
def passwords(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that the cloud makes from now on."""
    texts: list[str] = []
    make = World.add_password

    def record(self: World, *given: Any) -> Password:  # noqa: ANN401 - whatever it is given
        password = make(self, *given)
        texts.append(password.text)
        return password

    monkeypatch.setattr(World, "add_password", record)
    return texts
