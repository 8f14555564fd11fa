"""The genuine az and avn against the local cloud: opt-in, since azure-cli is large. `make clis`."""
