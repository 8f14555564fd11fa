"""A few of the lives that `make lives` lives by the hundred, and that they notice when the app is broken."""

from pathlib import Path
from typing import Final

import pytest

from tests.lives.broken import BROKEN
from tests.lives.life import live

#: Seeds whose lives have every kind of request, and one that was red once.
SEEDS: Final = (2, 25)
#: Most lives notice each way in which the app can be broken; which ones, the machine's pace decides, too.
NOTICING: Final = (1, 2, 3)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_life_ends_well(seed: int, tmp_path: Path) -> None:
    life = live(seed, tmp_path)
    assert not life.wrong, str(life)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("broken", sorted(BROKEN))
def test_one_of_some_lives_of_a_broken_app_does_not(broken: str, tmp_path: Path) -> None:
    assert any(live(seed, tmp_path / str(seed), broken).wrong for seed in NOTICING)
