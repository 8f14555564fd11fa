"""The whole app in the local host against the local cloud: real SDKs, real TLS, real replay, on a virtual clock."""
