"""`make package`: what is deployed, as one file: the app, its locked dependencies, and the bytecode that a start needs.

Azure mounts a package read-only, so what is not compiled in it is compiled again by every worker's cold start.
"""

import json
import py_compile
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pathspec import GitIgnoreSpec

from local.processes import PROJECT

#: Where Azure Functions looks for packages (learn.microsoft.com, "Python developer reference").
PACKAGES: Final = Path(".python_packages/lib/site-packages")
#: The platform that the package is for: Python 3.11 on Azure Functions' Linux.
_PLATFORM: Final = ("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_28")
#: A fixed date, so that the same contents make the same file.
_DATE: Final = (1980, 1, 1, 0, 0, 0)


def deployed_files(root: Path = PROJECT) -> Iterator[Path]:
    """The app's own files that are deployed, below `root`: all but what `.funcignore` names."""
    ignored = GitIgnoreSpec.from_lines((root / ".funcignore").read_text().splitlines())
    return (Path(name) for name in sorted(ignored.match_tree_files(root, negate=True)))


def build(target: Path) -> int:
    """Build the package at `target`; returns how many files are in it."""
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory)
        for name in deployed_files():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, tree / name)
        uv = Path(sys.executable).with_name("uv")
        wanted = ("--require-hashes", "-r", str(PROJECT / "requirements.txt"), "--target", str(tree / PACKAGES))
        subprocess.run([uv, "pip", "install", "--quiet", "--only-binary", ":all:", *_PLATFORM, *wanted], check=True)
        for source in _imported_by_a_start(tree):
            # By its hash, for a zip file keeps no exact dates.
            py_compile.compile(
                str(source), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
            )
        return _zip(tree, target)


def _imported_by_a_start(tree: Path) -> Iterator[Path]:
    """The sources in the package of all modules that a process has imported once it has carried out a start."""
    listed = subprocess.run([sys.executable, "-m", "local.imported"], cwd=PROJECT, check=True, capture_output=True)
    for name in json.loads(listed.stdout):
        for source in (tree / name, tree / PACKAGES / name):
            if source.is_file():
                yield source


def _zip(tree: Path, target: Path) -> int:
    files = sorted(path for path in tree.rglob("*") if path.is_file())
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(tree).as_posix(), _DATE)
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            package.writestr(entry, path.read_bytes())
    return len(files)


def main() -> None:
    """Build `.local/package.zip`, and say how large it is."""
    target = PROJECT / ".local/package.zip"
    count = build(target)
    print(f"{target.relative_to(PROJECT)}: {count} files, {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
