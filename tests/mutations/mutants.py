"""Prints one mutant of each of some functions, as JSON lines: `mutants.py COUNT SEED FILE...`.

It runs with Cosmic Ray's Python, whose operators they are. The same seed and code give the same mutants.
"""

import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

#: An exchange of variables is found by the type checker, and a removed decorator registers no function.
LEFT_OUT: Final = ("RemoveDecorator", "VariableReplacer", "VariableInserter")
#: A kind of mutation, and where it is: its operator, and which occurrence in the file.
Place = tuple[str, str, int]


def main(count: int, seed: int, paths: list[Path]) -> None:
    """Print the mutants."""
    dice = random.Random(seed)  # noqa: S311 - chooses mutants
    of_functions = [(path, line, places) for path in sorted(paths) for line, places in _functions(path)]
    dice.shuffle(of_functions)
    for path, line, places in of_functions[:count]:
        # First the kind, as there are many operators of some kinds.
        kind = dice.choice(sorted({place[0] for place in places}))
        _, operator, occurrence = dice.choice([place for place in places if place[0] == kind])
        code = mutate_code(path.read_text(), get_operator(operator)(), occurrence)
        changed = _changed(path.read_text(), code)
        mutant = {"path": str(path), "function": line, "operator": operator, "lines": changed, "code": code}
        sys.stdout.write(json.dumps(mutant) + "\n")


def _functions(path: Path) -> Iterator[tuple[int, list[Place]]]:
    """The functions of a file by their lines, each with what can be mutated in its body."""
    tree, found = get_ast_from_path(path), defaultdict[int, list[Place]](list)
    for name in operator_names():
        operator_class = get_operator(name)
        if operator_class.arguments() or name.endswith(LEFT_OUT):
            continue
        operator = operator_class()
        nodes = (node for node in ast_nodes(tree) for _ in operator.mutation_positions(node))
        for occurrence, node in enumerate(nodes):
            if (line := _function_of(node)) is not None:
                found[line].append((name.partition("_")[0], name, occurrence))
    yield from sorted(found.items())


class Node(Protocol):
    """A node of parso's trees."""

    type: str
    parent: "Node | None"
    children: list["Node"]
    start_pos: tuple[int, int]


def _function_of(node: Node) -> int | None:
    """The line of the outermost function whose body a node is in; none for signatures and annotations."""
    line = None
    while (above := node.parent) is not None:
        if above.type == "annassign" and node is above.children[1]:
            return None
        if above.type == "funcdef":
            line = above.start_pos[0] if node is above.children[-1] else None
        node = above
    return line


def _changed(before: str, after: str) -> list[int]:
    """The lines that differ, as numbered before."""
    pairs = zip(before.splitlines(), after.splitlines(), strict=True)
    return [number for number, (old, new) in enumerate(pairs, 1) if old != new]


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
