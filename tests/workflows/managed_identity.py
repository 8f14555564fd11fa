"""An app that acts as its managed identity."""

from pathlib import Path

from local.cloud import LocalCloud


def as_identity(directory: Path) -> dict[str, str]:
    """The settings of an app that acts as the cloud's managed identity."""
    with LocalCloud("quick", directory / "probe", seed=1) as probe:
        client = probe.environment["MANAGED_IDENTITY_CLIENT_ID"]
    return {"AZURE_CREDENTIAL": "managed-identity", "AZURE_CLIENT_ID": client, "AZURE_CLIENT_SECRET": ""}
