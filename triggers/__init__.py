"""The HTTP API and the timers."""
