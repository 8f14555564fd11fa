"""How the app talks to each remote: settings, credentials, clients. The SDKs are imported when first used."""
