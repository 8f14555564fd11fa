"""A cold start imports no SDK: each one is imported by the activity that needs it."""

from bench.imports import eager_imports


def test_importing_the_app_imports_no_sdk() -> None:
    assert eager_imports() == []
