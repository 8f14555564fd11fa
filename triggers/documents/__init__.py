"""What goes out: the documents of the API, its problems, and its description."""
