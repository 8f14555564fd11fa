"""One activity for each step, idempotent: it may be killed at any instruction and run again."""
