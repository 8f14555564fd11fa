"""Which module imports which, read from the source: imports inside functions and for types count as well."""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]

#: What is deployed, from the top down: each room may import itself and those below it.
DEPLOYED: Final = ("function_app", "triggers", "orchestrators", "activities", "clients", "peering")
#: What is not deployed, and which rooms each one may import. The command line is installed alone; benchmarks and tests
#: import each other.
OUTSIDE: Final[Mapping[str, tuple[str, ...]]] = {
    "command_line": (),
    "local": (*DEPLOYED, "command_line"),
    "bench": (*DEPLOYED, "command_line", "local", "tests"),
    "tests": (*DEPLOYED, "command_line", "local", "bench"),
}
#: For every room, the other rooms that it may import.
ALLOWED: Final[Mapping[str, tuple[str, ...]]] = {
    **{room: DEPLOYED[place + 1 :] for place, room in enumerate(DEPLOYED)},
    **OUTSIDE,
}


def room_of(module: str) -> str:
    """The room that a module is in: the first part of its name."""
    return module.partition(".")[0]


def import_graph(root: Path = ROOT) -> dict[str, set[str]]:
    """Every module of the rooms under `root`, with the modules of the rooms that it imports."""
    sources = dict(_sources(root))
    return {module: set(_imports(ast.parse(path.read_text()), sources)) - {module} for module, path in sources.items()}


def upward_imports(graph: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """The imports that lead to a room that is not below."""
    return sorted(
        (module, imported)
        for module, imports in graph.items()
        for imported in imports
        if room_of(imported) not in (room_of(module), *ALLOWED[room_of(module)])
    )


def imports_of_tests(graph: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """The imports of test modules: code that several tests need belongs in a module of its own."""
    return sorted(
        (module, imported)
        for module, imports in graph.items()
        for imported in imports
        if imported.rpartition(".")[2].startswith("test_")
    )


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """The modules of one import cycle; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        modules: list[str] = error.args[1]
        return modules
    return []


def _sources(root: Path) -> Iterator[tuple[str, Path]]:
    """The modules of all rooms, by name."""
    for room in ALLOWED:
        for path in (root / f"{room}.py", *(root / room).rglob("*.py")):
            if path.exists():
                parts = path.relative_to(root).with_suffix("").parts
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _imports(tree: ast.Module, modules: Mapping[str, Path]) -> Iterator[str]:
    """The modules among `modules` that a source imports, each by its most precise name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"line {node.lineno}: a relative import hides which room it leads to")
            names = [
                precise if (precise := f"{node.module}.{alias.name}") in modules else f"{node.module}"
                for alias in node.names
            ]
        else:
            continue
        yield from (name for name in names if name in modules)
