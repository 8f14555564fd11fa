"""How the outside starts work and sees how it goes: the HTTP API."""
