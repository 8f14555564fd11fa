"""What is deployed is the app, and nothing that tests it or stands in for Azure on this machine."""

import pytest

from local.package import deployed_files

APP = {"activities", "clients", "orchestrators", "peering", "triggers"}


@pytest.mark.slow
def test_the_app_is_deployed_and_nothing_else() -> None:
    files = list(deployed_files())
    assert {path.parts[0] for path in files if len(path.parts) > 1} == APP
    assert {path.name for path in files if len(path.parts) == 1} >= {"function_app.py", "host.json", "requirements.txt"}
    assert not [
        path
        for path in files
        if path.suffix not in (".py", ".json", ".txt", ".yaml", ".js", ".css", ".html", "") or "local" in path.name
    ]
