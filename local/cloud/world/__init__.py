"""What exists in the local cloud, and what becomes of it with time."""
