"""The genuine engine behind the host: what tests do to it, and that it survives."""
