"""The objects of the local cloud, and their changes over time."""
