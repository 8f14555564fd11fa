"""The local cloud is as strict as the real one: what it refuses, with which code, and what it allows after a delay."""
