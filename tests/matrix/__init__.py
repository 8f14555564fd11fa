"""Every remote call of every operation under every fault: it converges, or ends in a problem that the table allows."""

from local.cloud.server.authority import trust_in_this_process

trust_in_this_process()
