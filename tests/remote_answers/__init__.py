"""Answers that people report of the real services, and what a user is told then."""
