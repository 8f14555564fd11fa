"""Set up before any test module is imported: what the process trusts. The SDKs read that when they are imported."""

from local.cloud.server.authority import trust_in_this_process

trust_in_this_process()

pytest_plugins = ["tests.engines", "tests.left_out"]
