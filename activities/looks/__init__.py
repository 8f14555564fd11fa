"""Reads of the remote services, and the activities that only read."""
