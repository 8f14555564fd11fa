"""Set up before any test module is imported: what the process trusts. The SDKs read that when they are imported."""

import gc

import pytest

from local.cloud.server.authority import trust_in_this_process

trust_in_this_process()
# What the SDKs are made of stays: to look through it as often as usual takes a twentieth of the time of all tests.
gc.set_threshold(50_000, 20, 10)

pytest_plugins = ["tests.engines", "tests.left_out"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: a worker that has a file keeps it, and short ones are left for the end."""
    items.sort(key=lambda item: item.path.parent.name not in ("workflows", "engine"))
