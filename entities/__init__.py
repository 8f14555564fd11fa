"""Durable entities: the state that outlives a single run."""
