"""The registry of peerings on Table services."""
