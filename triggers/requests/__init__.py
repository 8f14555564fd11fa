"""What comes in: the caller, the query, the body and the headers of a request, checked."""
