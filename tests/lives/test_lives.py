"""A few of the lives that `make lives` lives by the hundred, and that they notice when the app is broken."""

from pathlib import Path
from typing import Final

import pytest

from tests.lives.broken import BROKEN
from tests.lives.life import live

#: Seeds whose lives have every kind of request, and one that was red once.
SEEDS: Final = (2, 25)
#: A life that notices each way in which the app can be broken.
NOTICING: Final = {"no-orders": 1, "no-resume": 1}


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_life_ends_well(seed: int, tmp_path: Path) -> None:
    life = live(seed, tmp_path)
    assert not life.wrong, str(life)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("broken", sorted(BROKEN))
def test_a_life_of_a_broken_app_does_not(broken: str, tmp_path: Path) -> None:
    assert live(NOTICING[broken], tmp_path, broken).wrong
