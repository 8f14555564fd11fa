"""Set up before any test module is imported."""

from local.cloud.authority import trust_in_this_process

trust_in_this_process()
