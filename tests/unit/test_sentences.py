"""No sentence of what people read is longer than thirty words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from peering.problems import PROBLEMS

ROOT: Final = Path(__file__).parents[2]
MOST_WORDS: Final = 30
DOCUMENTS: Final = sorted(path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")) if path.name != "CHANGELOG.md")
ROOMS: Final = ("activities", "clients", "command_line", "orchestrators", "peering", "triggers", "local")
#: What is no text: code, tables, headings, HTML.
_NO_TEXT: Final = re.compile(r"(?ms)^```.*?^```|^\|.*?$|^#.*?$|<[^>]+>")
_LINK: Final = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_CODE: Final = re.compile(r"`+[^`]+`+")
_END: Final = re.compile(r"[.!?:](?=\s|$)")


def too_long(text: str) -> Iterator[str]:
    """The sentences of a text that are too long; what stands in backticks counts as a word."""
    text = _CODE.sub("code", _LINK.sub(r"\1", _NO_TEXT.sub("\n\n", text))).replace("*", "")
    for block in re.split(r"\n\s*\n|\n\s*(?:-|\d+\.)\s|\n(?=Args:|Returns:|Raises:)|\n {4}(?=\w+: )", text):
        for sentence in _END.split(block):
            if len(re.findall(r"\w[\w'.,-]*", sentence)) > MOST_WORDS:
                yield " ".join(sentence.split())


def docstrings(path: Path) -> Iterator[str]:
    """The docstrings of a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents(path: Path) -> None:
    assert list(too_long(path.read_text())) == []


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings(room: str) -> None:
    modules = sorted((ROOT / room).rglob("*.py"))
    assert modules
    assert [f"{m.name}: {s}" for m in modules for text in docstrings(m) for s in too_long(text)] == []


def test_problems() -> None:
    texts = [(code, text) for code, kind in PROBLEMS.items() for text in (kind.title, kind.meaning, kind.remedy)]
    assert [f"{code}: {s}" for code, text in texts for s in too_long(text)] == []


def test_a_long_sentence_is_seen() -> None:
    words = " ".join(["word"] * MOST_WORDS)
    assert list(too_long(f"{words}.")) == []
    assert list(too_long(f"Short. {words} `and code`. Short.")) != []
