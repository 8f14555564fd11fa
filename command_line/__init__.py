"""The command line: a client of the HTTP API, with no knowledge of its own about peerings. It is not deployed."""
