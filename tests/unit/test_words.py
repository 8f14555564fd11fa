"""No word that is not plain technical English stands in what people read: documents, docstrings, comments, messages.

The names of tests are read, too: they are the sentences of a failure.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))
ROOMS: Final = (
    *("activities", "bench", "clients", "command_line", "local", "orchestrators", "peering", "tests", "triggers"),
)
#: Files in other languages, whose comments and messages are read.
OTHERS: Final = (
    *("triggers/ui/*.js", "triggers/ui/*.css", "triggers/ui/*.html"),
    *("infra/*.*", "infra/modules/*", "infra/monitoring/*", "tests/infra/deployments/*.bicepparam"),
)
#: What to say instead, by the words that are not said.
INSTEAD: Final = {
    r"anew": "again, or re-: recreated, redrawn, reloaded",
    r"mend(?:s|ed|ing)?": "repair, or fix",
    r"somebody": "the role, or no one: The VNet is deleted",
    r"(?:take|takes|taking|taken|took) (?:\w+ ){0,4}?away": "remove",
    r"in vain": "failed",
    r"in earnest": "nothing",
}
WORDS: Final = re.compile(rf"\b(?:{'|'.join(INSTEAD)})\b", re.IGNORECASE)


def found(text: str) -> list[str]:
    """The words that are not said, as they stand in a text."""
    return WORDS.findall(" ".join(text.split()))


def texts(source: str) -> Iterator[str]:
    """The texts of a module: its docstrings, messages and comments."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
    comment, last = "", 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, text = token.start[0], token.string.lstrip("#: ")
            # A comment may go on in the next line.
            comment, last = f"{comment} {text}" if row == last + 1 else text, row
            yield comment


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents(path: Path) -> None:
    assert found(path.read_text()) == []


@pytest.mark.parametrize("room", ROOMS)
def test_modules(room: str) -> None:
    modules = [path for path in sorted((ROOT / room).rglob("*.py")) if path != Path(__file__)]
    assert modules
    named = {str(path.relative_to(ROOT)): found("\n".join(texts(path.read_text()))) for path in modules}
    assert {path: words for path, words in named.items() if words} == {}


def test_names_of_tests() -> None:
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    named = [
        node.name
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, functions)
    ]
    assert len(named) > 1000
    assert [name for name in named if found(name.replace("_", " "))] == []


def joined(text: str) -> str:
    """The text of a file in any other language, without the signs that a comment repeats in each of its lines."""
    return re.sub(r"\n\s*(?://|#|\*)\s", " ", text)


@pytest.mark.parametrize("pattern", OTHERS)
def test_other_files(pattern: str) -> None:
    paths = sorted(ROOT.glob(pattern))
    assert paths
    named = {path.name: found(joined(path.read_text())) for path in paths}
    assert {name: words for name, words in named.items() if words} == {}


def test_a_word_is_seen_where_it_stands() -> None:
    source = '"""Made\nanew."""\nprint("Mend it.")  # Taken\n# away by somebody.\nanew = "in vain"\n'
    words = {word.lower() for text in texts(source) for word in found(text)}
    assert words == {"anew", "in vain", "mend", "somebody", "taken away"}
    assert found(joined("// Taken\n// away.")) == ["Taken away"]
    assert found("Recommended amendments: take the way home.") == []
