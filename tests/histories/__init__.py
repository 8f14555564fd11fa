"""Histories of workflows that released versions began, and the replay of them by today's orchestrators."""

from local.cloud.server.authority import trust_in_this_process

trust_in_this_process()
