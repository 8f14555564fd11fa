"""What activities read of the remotes, and the activities that only read."""
