"""The commands of az that documents, scripts and workflows tell to run, and what az itself says of them."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from local.processes import PROJECT

#: Where people read commands, or have them run.
FILES: Final = (
    *("docs/api.md", "docs/command-line.md", "docs/deploying.md", "docs/operating.md", "docs/problems.md"),
    "docs/security.md",
    *("infra/graph.sh", "infra/assign-role.sh", "infra/own.sh", ".github/workflows/deploy.yml"),
)
#: What `make clis` installs.
_INSTALLED: Final = PROJECT / ".local/clis/bin/az"
#: A text in quotes, an end of the command, or a word.
_TOKEN: Final = re.compile(
    r"""'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<end>[\n;|&)`])|(?P<word>[^\s'";|&)`]+)"""
)
_CODE: Final = re.compile(r"```sh\n(.*?)```|(?<!`)`([^`]*\baz [^`]+?)`(?!`)", re.DOTALL)
_OPTION: Final = re.compile(r"--[a-z][a-z0-9-]*")


class Command(NamedTuple):
    """A command as it is written: its name, and the words after it."""

    file: str
    name: str
    words: tuple[str, ...]

    @property
    def options(self) -> frozenset[str]:
        """Its options, without their values."""
        return frozenset(word for word in self.words if _OPTION.fullmatch(word))

    def values(self, option: str) -> tuple[str, ...]:
        """The values of an option."""
        return tuple(value for name, value in pairwise(self.words) if name == option)


class Help(NamedTuple):
    """What az says of a command: all options, and for each that is required the names that it has."""

    options: frozenset[str]
    required: tuple[frozenset[str], ...]


def az() -> str | None:
    """The program, if it is there: what `AZ` names, what `make clis` installs, or `az`."""
    given = os.environ.get("AZ")
    return given or (str(_INSTALLED) if _INSTALLED.exists() else shutil.which("az"))


def commands() -> list[Command]:
    """All commands, each form of one once."""
    found = [one for file in FILES for text in _codes(PROJECT / file) for one in _commands(file, text)]
    return list(dict.fromkeys(found))


def _codes(path: Path) -> Iterator[str]:
    text = path.read_text()
    if path.suffix == ".md":
        for block, inline in _CODE.findall(text):
            yield block or inline
    elif path.suffix == ".yml":
        # What is folded is one line.
        yield from (re.sub(r"\n {10}", " ", run) for run in re.findall(r"run: >\n(?: {10}.*\n?)+", text))
    else:
        yield re.sub(r"(?m)^\s*#.*$", "", text)


def _commands(file: str, text: str) -> Iterator[Command]:
    for match in re.finditer(r"(?<![\w./`-])az (?=[a-z])", text.replace("\\\n", " ")):
        yield _command(file, list(_words(text.replace("\\\n", " ")[match.end() :])))


def _words(text: str) -> Iterator[str]:
    """The words up to the end of a command; what another command prints is a word of its own."""
    at = 0
    while (match := _TOKEN.search(text, at)) is not None and match["end"] is None:
        at = match.end()
        double = re.sub(r"\\([`$])", r"\1", match["double"] or "")
        yield match["single"] or double or match["word"] or ""


def _command(file: str, words: list[str]) -> Command:
    name = list[str]()
    for word in words:
        if not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        name.append(word)
    return Command(file, " ".join(name), tuple(words[len(name) :]))


@cache
def help_of(name: str) -> Help:
    """What az says of a command.

    Raises:
        LookupError: there is none of that name.
    """
    program = az()
    assert program is not None
    environment = {**os.environ, "AZURE_CORE_COLLECT_TELEMETRY": "no", "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no"}
    ran = subprocess.run(
        [program, *name.split(), "--help"], capture_output=True, text=True, check=False, env=environment
    )
    if ran.returncode != 0 or not re.search(r"^Command$", ran.stdout, re.MULTILINE):
        raise LookupError(f"az {name}: {ran.stderr or 'a group, and no command'}")
    lines = re.findall(r"^    (-.*?)(?: : |$)", ran.stdout, re.MULTILINE)
    required = tuple(frozenset(_OPTION.findall(line)) for line in lines if "[Required]" in line)
    return Help(frozenset(option for line in lines for option in _OPTION.findall(line)), required)
