"""The domain model: steps, drift rules, problems, states and names of a peering. No I/O, no SDK."""
