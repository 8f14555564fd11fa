"""Facts whose names are only known at run time, or that no step collects."""

from collections.abc import Mapping
from typing import cast

from peering.facts import Facts


def arbitrary_facts(values: Mapping[str, object]) -> Facts:
    """The values as facts."""
    return cast("Facts", {**values})
