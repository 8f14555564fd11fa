"""What the app costs, measured: `make bench`."""

from local.cloud.server.authority import trust_in_this_process

trust_in_this_process()
