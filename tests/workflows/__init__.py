"""The whole app in the local host against the local cloud: real SDKs, real TLS, real replay, on a virtual clock."""

from local.cloud.server.authority import trust_in_this_process

trust_in_this_process()
