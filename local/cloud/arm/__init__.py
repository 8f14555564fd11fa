"""Azure Resource Manager, as far as a peering needs it."""
