"""The clients of the remote services: settings, credentials, clients. The SDKs are imported when first used."""
