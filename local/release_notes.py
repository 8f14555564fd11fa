"""The notes of a release: the section of its version in CHANGELOG.md, for the release that GitHub shows.

A tag is refused if the code has another version, or no histories of its version are recorded.
"""

import re
import sys
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[1]
CHANGELOG: Final = PROJECT / "CHANGELOG.md"


def notes(changelog: str, tag: str) -> str:
    """The changelog's section of a tag's version, without the heading.

    Args:
        changelog: the text of the changelog.
        tag: the tag, such as `v0.2.0`.

    Raises:
        LookupError: the changelog has no section of this version, or an empty one.
    """
    sections = re.split(r"(?m)^## \[([^\]]+)\].*\n", changelog)
    text = dict(zip(sections[1::2], sections[2::2], strict=True)).get(tag.removeprefix("v"), "").strip()
    if not text:
        raise LookupError(f"CHANGELOG.md has no section for {tag}: rename Unreleased first")
    return f"{text}\n"


def require_prepared(project: Path, tag: str) -> None:
    """Refuse a tag if the code has another version.

    Args:
        project: the project's folder.
        tag: the tag, such as `v0.3.0`.

    Raises:
        LookupError: the code has another version, or no histories of this one are recorded for later upgrades.
    """
    version = tag.removeprefix("v")
    (noted,) = re.findall(r'(?m)^VERSION: Final = "([^"]+)"$', (project / "peering/version.py").read_text())
    if noted != version:
        raise LookupError(f"peering/version.py says {noted}, not {version}: host.json and pyproject.toml follow it")
    if not (project / f"tests/histories/{version}.jsonl").exists():
        raise LookupError(f"no histories of {version}: python -m tests.histories.record {version}")


def main() -> None:
    """Print the notes of the given tag."""
    try:
        text = notes(CHANGELOG.read_text(), sys.argv[1])
        require_prepared(PROJECT, sys.argv[1])
    except LookupError as error:
        sys.exit(str(error))
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
