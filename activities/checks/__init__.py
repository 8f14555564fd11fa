"""Checks: of one peering, of all of them, and the events that follow from their verdicts."""
