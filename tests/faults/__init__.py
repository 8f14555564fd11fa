"""What the app does when it is killed, and what it never lets out."""
