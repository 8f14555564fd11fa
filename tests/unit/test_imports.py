"""Imports point downwards only, in no circle, to no module of tests, and a cold start imports no SDK and no rule."""

from pathlib import Path

import pytest

from bench.imports import eager_imports
from local.import_graph import ALLOWED, ROOT, circle, import_graph, imports_of_tests, room_of, upward_imports


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    return import_graph()


def test_importing_the_app_imports_no_sdk_and_no_rule() -> None:
    assert eager_imports() == []


def test_imports_point_downwards_only(graph: dict[str, set[str]]) -> None:
    assert upward_imports(graph) == []


def test_no_imports_go_in_a_circle(graph: dict[str, set[str]]) -> None:
    assert circle(graph) == []


def test_no_module_imports_from_a_module_of_tests(graph: dict[str, set[str]]) -> None:
    assert imports_of_tests(graph) == []


def test_every_folder_of_source_is_a_room(graph: dict[str, set[str]]) -> None:
    folders = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    assert folders | {"function_app"} == set(ALLOWED)
    assert {room_of(module) for module in graph} == set(ALLOWED)


@pytest.mark.parametrize(
    "line",
    [
        "import clients.lower",
        "from clients import lower",
        "from clients.lower import name",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from clients.lower import name",
        "def late():\n    from clients.lower import name",
    ],
)
def test_an_upward_import_is_seen_wherever_it_stands(tmp_path: Path, line: str) -> None:
    _write(tmp_path, {"clients/lower.py": "", "peering/rule.py": line})
    assert upward_imports(import_graph(tmp_path)) == [("peering.rule", "clients.lower")]


@pytest.mark.parametrize("line", ["from tests.test_one import name", "from tests import test_one"])
def test_an_import_of_a_module_of_tests_is_seen(tmp_path: Path, line: str) -> None:
    _write(tmp_path, {"tests/test_one.py": "", "tests/test_other.py": line})
    assert imports_of_tests(import_graph(tmp_path)) == [("tests.test_other", "tests.test_one")]


def test_a_circle_is_seen(tmp_path: Path) -> None:
    _write(
        tmp_path,
        {
            "peering/a.py": "import peering.b",
            "peering/b.py": "from peering import c",
            "peering/c.py": "import peering.a",
        },
    )
    assert set(circle(import_graph(tmp_path))) == {"peering.a", "peering.b", "peering.c"}


def test_the_command_line_imports_nothing_of_the_app(tmp_path: Path) -> None:
    _write(tmp_path, {"command_line/app.py": "from peering.states import State", "peering/states.py": ""})
    assert upward_imports(import_graph(tmp_path)) == [("command_line.app", "peering.states")]


def _write(root: Path, sources: dict[str, str]) -> None:
    for name, source in sources.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
