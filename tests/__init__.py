"""The project's tests; a package, because azure-functions-durable installs a top-level `tests` of its own."""
