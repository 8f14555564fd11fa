"""Prints, as JSON, the sources of all modules that a process has imported once it has carried out a start."""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from local.cloud.server.authority import trust_in_this_process


def imported_by_a_start() -> Iterator[str]:
    """The names of the sources, relative to the entry of `sys.path` that has them."""
    trust_in_this_process()
    from local.deployment import deploy

    with tempfile.TemporaryDirectory() as directory, deploy(Path(directory)) as deployment:
        deployment.settle()
    roots = sorted((Path(entry).resolve() for entry in sys.path if entry), key=lambda root: -len(str(root)))
    for module in list(sys.modules.values()):
        source = getattr(module, "__file__", None)
        if source is None or not source.endswith(".py"):
            continue
        root = next((root for root in roots if Path(source).resolve().is_relative_to(root)), None)
        if root is not None:
            yield Path(source).resolve().relative_to(root).as_posix()


if __name__ == "__main__":
    print(json.dumps(sorted(imported_by_a_start())))
