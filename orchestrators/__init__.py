"""The workflows: deterministic, replayed by Durable Functions. No I/O, no clock, no random, no environment."""
