"""The HTTP API as its OpenAPI document describes it, and who may call what."""
