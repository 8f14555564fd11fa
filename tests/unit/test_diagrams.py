"""The diagrams of docs/design.md show what the code has."""

from local.diagrams import DIAGRAMS, DOCUMENT, drawn
from peering.steps import STEPS


def test_the_diagrams_are_those_of_the_code() -> None:
    assert DOCUMENT.read_text() == drawn(DOCUMENT.read_text()), "redraw them: python -m local.diagrams"


def test_each_diagram_has_its_place() -> None:
    assert all(DOCUMENT.read_text().count(f"<!-- diagram: {name} -->") == 1 for name in DIAGRAMS)


def test_every_step_is_drawn_with_an_arrow() -> None:
    lines = list(DIAGRAMS["steps"]())
    for step in STEPS:
        assert any(f"  {step.name} -->" in line or line.endswith(f"--> {step.name}") for line in lines), step.name
