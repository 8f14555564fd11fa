"""Whether the tests notice a change of the code that they reach: `make mutants` (docs/testing.md)."""
