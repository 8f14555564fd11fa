"""What this app writes on the things that it makes, so that it knows them again."""

from typing import Final

#: The tag of applications and service principals.
MARK: Final = "aiven-azure-peering"
#: The description of role assignments.
DESCRIPTION: Final = "Made by aiven-azure-peering"
#: The tags of a secret: the password's key id, the peering, and the rotation that made it.
KEY_ID: Final = "key-id"
PEERING: Final = "peering"
ROTATION: Final = "rotation"
