"""Random lives: peerings that are started, changed, broken and removed while platform and remotes do their worst."""

from local.cloud.server.authority import trust_in_this_process

trust_in_this_process()
