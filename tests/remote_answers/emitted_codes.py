"""Which error codes the local cloud can emit, read off its source.

A code gets into an answer as the value of a key such as `code`. Where that value is a parameter, the calls of the
function give it, and so on up to constants.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from peering.problems.remote_codes import Service

CLOUD: Final = Path(__file__).parents[2] / "local/cloud"
#: Which service a module or a folder of them stands for; the rest speaks for none or for all.
_SERVICES: Final[Mapping[str, Service]] = {
    "arm": "Azure Resource Manager",
    "peerings": "Azure Resource Manager",
    "graph": "Microsoft Graph",
    "entra": "Entra ID",
    "keyvault": "Azure Key Vault",
    "table_service": "Azure Table Storage",
    "aiven": "Aiven",
}
_KEYS: Final = frozenset({"code", "error_code", "error_codes"})
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Emission(NamedTuple):
    """A refusal that the cloud can give: whose it is, its status, and its codes, the most telling first."""

    service: Service
    status: int
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Maker:
    """A function that makes refusals: its parameters, the codes among them, and the status if that is no parameter."""

    parameters: tuple[str, ...]
    codes: tuple[str, ...]
    defaults: Mapping[str, ast.expr]
    status: int

    def argument(self, call: ast.Call, name: str) -> ast.expr | None:
        """What a call gives for a parameter."""
        given = dict(zip(self.parameters, call.args, strict=False))
        given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        return given.get(name, self.defaults.get(name))

    def status_of(self, call: ast.Call) -> int:
        """The status of the refusal that a call makes."""
        return int(next(iter(_constants(self.argument(call, "status"))), self.status))


class Scan:
    """The modules of one service: its makers by name, what it emits, and what could not be read."""

    def __init__(self, service: Service, modules: list[Path]) -> None:
        self._service = service
        self.emitted: set[Emission] = set()
        self.unread: list[str] = []
        trees = {path: ast.parse(path.read_text()) for path in modules}
        self._functions = [(path, function) for path, tree in trees.items() for function in _functions(tree)]
        self._tables = {path: _tables(tree) for path, tree in trees.items()}
        self._makers: dict[str, Maker] = {}
        while True:
            grown = [name for _, (name, function) in self._functions if self._grows(name, function)]
            if not grown:
                break
        for path, (name, function) in self._functions:
            self._read(path, name, function)

    def _grows(self, name: str, function: _Function) -> bool:
        """Find out whether a function is a maker, or one of more codes than was known."""
        own, status = _parameters(function), _status(function)
        codes = [c for value in _values(function) for c in _names(value) if c in own]
        for call, maker in self._calls(function):
            passed = [c for code in maker.codes for c in _names(maker.argument(call, code)) if c in own]
            status = maker.status_of(call) if passed else status
            codes += passed
        found = tuple(dict.fromkeys(codes))
        before = self._makers.get(name)
        if not found or (before is not None and set(found) <= set(before.codes)):
            return False
        self._makers[name] = Maker(own, found, _defaults(function), status)
        return True

    def _calls(self, function: _Function) -> Iterator[tuple[ast.Call, Maker]]:
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if name in self._makers:
                    yield node, self._makers[name]

    def _read(self, path: Path, name: str, function: _Function) -> None:
        """Note what the calls in a function emit, and the codes that it writes down itself."""
        for value in _values(function):
            for code in _constants(value):
                self.emitted.add(Emission(self._service, _status(function), (code,)))
        for call, maker in self._calls(function):
            given = [self._spelled(path, function, maker.argument(call, code)) for code in maker.codes]
            own = {*self._makers[name].codes, "self"} if name in self._makers else {"self"}
            if not all(_is_none(one) or _constants(one) or own & set(_names(one)) for one in given):
                self.unread.append(f"{path.name}:{call.lineno}")
            for codes in _combined([_constants(one) for one in given]):
                spelled = tuple(f"AADSTS{code}" for code in codes) if self._service == "Entra ID" else codes
                self.emitted.add(Emission(self._service, maker.status_of(call), spelled))

    def _spelled(self, path: Path, function: _Function, value: ast.expr | None) -> ast.expr | None:
        """A value as it is given, or the column of a table of the module that a loop takes it from."""
        for loop in ast.walk(function):
            if not (
                isinstance(loop, ast.For) and isinstance(loop.iter, ast.Name) and isinstance(loop.target, ast.Tuple)
            ):
                continue
            names = [target.id for target in loop.target.elts if isinstance(target, ast.Name)]
            rows = self._tables[path].get(loop.iter.id)
            if rows is not None and isinstance(value, ast.Name) and value.id in names:
                column = [row.elts[names.index(value.id)] for row in rows.elts if isinstance(row, ast.Tuple)]
                return ast.List(column)
        return value


def emitted() -> tuple[list[Emission], list[str]]:
    """Every refusal that the local cloud can give, and the places where a code could not be read."""
    found: set[Emission] = set()
    unread: list[str] = []
    for service in dict.fromkeys(_SERVICES.values()):
        modules = [path for path in sorted(CLOUD.rglob("*.py")) if _service(path) == service]
        scan = Scan(service, modules)
        found |= scan.emitted
        unread += scan.unread
    return sorted(found), unread


def _service(path: Path) -> Service | None:
    return next((_SERVICES[part] for part in path.relative_to(CLOUD).with_suffix("").parts if part in _SERVICES), None)


def _functions(tree: ast.AST) -> Iterator[tuple[str, _Function]]:
    """All functions by the name that they are called by: a class's `__init__` by that of the class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from ((node.name, f) for f in node.body if isinstance(f, _Function) and f.name == "__init__")
        elif isinstance(node, _Function) and node.name != "__init__":
            yield node.name, node


def _tables(tree: ast.Module) -> dict[str, ast.Tuple]:
    """The tuples at the top of a module, by name."""
    assigned = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    found = ((node.targets[0] if isinstance(node, ast.Assign) else node.target, node.value) for node in assigned)
    return {to.id: value for to, value in found if isinstance(to, ast.Name) and isinstance(value, ast.Tuple)}


def _parameters(function: _Function) -> tuple[str, ...]:
    names = [one.arg for one in (*function.args.args, *function.args.kwonlyargs)]
    return tuple(name for name in names if name != "self")


def _defaults(function: _Function) -> dict[str, ast.expr]:
    given = function.args
    with_default = given.args[len(given.args) - len(given.defaults) :]
    found = {one.arg: value for one, value in zip(with_default, given.defaults, strict=True)}
    return found | {one.arg: value for one, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value}


def _values(function: _Function) -> Iterator[ast.expr]:
    """What a function puts under the keys of codes."""
    for node in ast.walk(function):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in _KEYS:
                    yield from value.elts if isinstance(value, ast.List) else [value]


def _status(function: _Function) -> int:
    """The status of the answers that a function makes, where no caller gives it."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Response" and node.args:
            status = node.args[0]
            if isinstance(status, ast.Constant) and isinstance(status.value, int) and status.value >= 400:
                return status.value
    return 400


def _constants(value: ast.expr | None) -> list[str]:
    if isinstance(value, ast.IfExp):
        return [*_constants(value.body), *_constants(value.orelse)]
    if isinstance(value, ast.List):
        return [code for one in value.elts for code in _constants(one)]
    return [str(value.value)] if isinstance(value, ast.Constant) and value.value is not None else []


def _is_none(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _names(value: ast.expr | None) -> list[str]:
    if isinstance(value, ast.IfExp):
        return [*_names(value.body), *_names(value.orelse)]
    return [node.id for node in ast.walk(value) if isinstance(node, ast.Name)] if value is not None else []


def _combined(codes: list[list[str]]) -> Iterator[tuple[str, ...]]:
    """The codes of one answer: the first is the service's own, further ones are more telling."""
    if not codes or not codes[0]:
        return
    for first in codes[0]:
        for more in codes[1] if len(codes) > 1 and codes[1] else [""]:
            yield (more, first) if more else (first,)
