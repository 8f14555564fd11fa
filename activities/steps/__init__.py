"""The steps of `peering.steps`, one activity each."""
