"""The marks that this app sets on the objects that it creates, to recognise them."""

from typing import Final

#: The tag of applications and service principals.
MARK: Final = "aiven-azure-peering"
#: The description of role assignments.
DESCRIPTION: Final = "Made by aiven-azure-peering"
#: The tags of a secret: the password's key id, the peering, and the rotation that created it.
KEY_ID: Final = "key-id"
PEERING: Final = "peering"
ROTATION: Final = "rotation"
