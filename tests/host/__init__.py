"""The embedded Functions host, with the genuine replay engine of azure-functions-durable."""
