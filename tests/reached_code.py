"""The project's own code that a function may run: what it names, what that names, and so on, as its text shows."""

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

from activities.blueprint import MODULES

#: A function or another thing that a module defines: the module, and the name.
Place = tuple[str, str]


def activity(name: str) -> Place:
    """Where the function of a step's activity stands."""
    return next((f"activities.{module}", name) for module, names in MODULES.items() if name in names)


def reached(begin: Iterable[Place], within: Callable[[str], bool]) -> Iterator[ast.AST]:
    """The nodes of all definitions that can be reached, without their signatures and decorators.

    Args:
        begin: where to begin.
        within: whether a module, by its name, is looked at.
    """
    begun, todo = set[Place](), list(begin)
    while todo:
        if (at := todo.pop()) in begun or not within(at[0]):
            continue
        begun.add(at)
        module, name = at
        definitions, imports = _names_of(module)
        for node in _body(definitions[name]) if name in definitions else ():
            yield node
            if isinstance(node, ast.Name):
                todo.append(imports.get(node.id, (module, node.id)))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imports:
                todo.append((".".join(imports[node.value.id]), node.attr))
            elif isinstance(node, ast.ImportFrom):
                todo += [(str(node.module), alias.name) for alias in node.names]


def _body(definition: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from ast.walk(definition)
        return
    for statement in definition.body:
        yield from ast.walk(statement)


@cache
def _names_of(module: str) -> tuple[dict[str, ast.AST], dict[str, Place]]:
    """What a module defines at its top, by name, and what it imports: from where, under which name."""
    definitions: dict[str, ast.AST] = {}
    imports: dict[str, Place] = {}
    try:
        tree = ast.parse(Path(str(import_module(module).__file__)).read_text())
    except ModuleNotFoundError:  # a class whose attribute is named
        return definitions, imports
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            definitions[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            definitions |= {target.id: node for target in targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            imports |= {alias.asname or alias.name: (str(node.module), alias.name) for alias in node.names}
    return definitions, imports
