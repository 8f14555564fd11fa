"""Set up before any test module is imported: what the process trusts. The SDKs read that when they are imported."""

import gc

from local.cloud.server.authority import trust_in_this_process

trust_in_this_process()
# What the SDKs are made of stays: to look through it as often as usual takes a twentieth of the time of all tests.
gc.set_threshold(50_000, 20, 10)

pytest_plugins = ["tests.engines", "tests.left_out"]
