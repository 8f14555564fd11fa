"""The diagrams of docs/design.md, drawn from the code: `python -m local.diagrams` redraws them."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from activities.orders import conclude_order, take_order
from local.import_graph import ALLOWED, OUTSIDE
from orchestrators.establish import establish
from orchestrators.run_order import OPERATIONS, run_order
from peering.steps import CLEARED, STEPS
from triggers.route_table import ROUTES

DOCUMENT: Final = Path(__file__).resolve().parents[1] / "docs" / "design.md"


def steps() -> Iterator[str]:
    """The steps of a start, each with its direct predecessors; an arrow that others imply is left out."""
    yielders = {fact: step.name for step in STEPS for fact in step.yields}
    needed: dict[str, set[str]] = {"cleared": {yielders[fact] for fact in CLEARED}}
    for step in STEPS:
        awaited = set(step.awaits)
        names: set[str] = {yielders[fact] for fact in awaited if fact in yielders}
        needed[step.name] = names - needed["cleared"] | {"cleared"} if awaited.issuperset(CLEARED) else names
    yield "flowchart TD"
    yield "  cleared{{preflight passed}}"
    for step in STEPS:
        shape = '(["{}"])' if step.looks else '["{}"]'
        yield f"  {step.name}{shape.format(f'{step.article_step}. {step.title}')}"
    for name, before in needed.items():
        for earlier in sorted(before):
            if not any(earlier in _before(other, needed) for other in before - {earlier}):
                yield f"  {earlier} --> {name}"


def rooms() -> Iterator[str]:
    """The packages, and which of them each one may import; an arrow that others imply is left out."""
    allowed = {room: set(rooms) for room, rooms in ALLOWED.items()}
    # Benchmarks and tests import each other, so they have no order.
    allowed["bench"] -= {"tests"}
    yield "flowchart TD"
    yield "  subgraph deployed"
    yield from (f"    {room}" for room in ALLOWED if room not in OUTSIDE)
    yield "  end"
    for room, below in allowed.items():
        yield from (
            f"  {room} --> {other}"
            for other in sorted(below)
            if not any(other in allowed[between] for between in below)
        )
    yield "  command_line -. HTTP .-> function_app"


def request() -> Iterator[str]:
    """The path of a request, from the route that accepts it to the route that shows its result."""
    paths = {route.name: f"{route.method} /api/{route.path}" for route in ROUTES}
    operation = next(name for name, workflow in OPERATIONS.items() if workflow is establish)
    yield "sequenceDiagram"
    yield "  participant caller"
    yield "  participant triggers"
    yield "  participant row as row in the registry"
    yield f"  participant instance as instance of {run_order.__name__}"
    yield "  participant steps as activities"
    yield f"  caller->>triggers: {paths['start_peering']}"
    yield f"  triggers->>row: order {operation}, by ETag"
    yield "  triggers->>instance: start, with the peering's id"
    yield "  triggers-->>caller: 202, Location, run"
    yield f"  instance->>row: {take_order.__name__}"
    yield "  loop until no step is ready"
    yield "    instance->>steps: a step with the facts it needs"
    yield "    steps-->>instance: facts or a problem"
    yield "  end"
    yield f"  instance->>row: {conclude_order.__name__}, with outcome and facts"
    yield f"  caller->>triggers: {paths['show_peering']}"
    yield "  triggers->>row: read"
    yield "  triggers-->>caller: state, verdict, steps"


DIAGRAMS: Final[Mapping[str, Callable[[], Iterator[str]]]] = {"steps": steps, "rooms": rooms, "request": request}


def drawn(document: str) -> str:
    """A document with its diagrams redrawn from the present code."""
    return re.sub(
        r"(?s)(<!-- diagram: (\w+) -->\n).*?(<!-- end -->)",
        lambda place: "".join(
            (place[1], "```mermaid\n", *(f"{line}\n" for line in DIAGRAMS[place[2]]()), "```\n", place[3])
        ),
        document,
    )


def _before(name: str, needed: Mapping[str, set[str]]) -> set[str]:
    """All predecessors of a step."""
    return needed[name] | {earlier for other in needed[name] for earlier in _before(other, needed)}


if __name__ == "__main__":
    DOCUMENT.write_text(drawn(DOCUMENT.read_text()))
