"""The notes of a release: the section of its version in CHANGELOG.md, for the release that GitHub shows."""

import re
import sys
from pathlib import Path
from typing import Final

CHANGELOG: Final = Path(__file__).parents[1] / "CHANGELOG.md"


def notes(changelog: str, tag: str) -> str:
    """What the changelog says of a tag's version, without the heading.

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


def main() -> None:
    """Write the notes of the tag that is given."""
    try:
        sys.stdout.write(notes(CHANGELOG.read_text(), sys.argv[1]))
    except LookupError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
