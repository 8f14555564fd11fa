"""The page in Chromium, against the app and the local cloud; and its files. What it trusts is set before imports."""

from local.cloud.server.authority import trust_in_this_process

trust_in_this_process()
