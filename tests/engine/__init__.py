"""The genuine engine behind the host: what tests and `make engine-...` do to it, and that the app survives."""

from local.cloud.server.authority import trust_in_this_process

trust_in_this_process()
