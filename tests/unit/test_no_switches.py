"""The app knows nothing of tests or of the local cloud: it behaves on a machine as it does on Azure."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DEPLOYED = [
    PROJECT / "function_app.py",
    *(
        path
        for folder in ("triggers", "orchestrators", "activities", "peering", "clients")
        for path in sorted((PROJECT / folder).rglob("*.py"))
    ),
]
_SWITCH = re.compile(
    r"local[_. ]?cloud|\bfrom local\b|\bimport local\b|pytest|\btesting\b|is_test|\bmock|HTTPS?_PROXY|127\.0\.0\.1"
    r"|localhost|verify=False|connection_verify|verify_challenge|disable_instance_discovery|enforce_https|logging_enable",
    re.IGNORECASE,
)


def test_no_deployed_file_has_a_switch() -> None:
    assert len(DEPLOYED) > 30
    found = {
        f"{path.relative_to(PROJECT)}: {match[0]}" for path in DEPLOYED for match in _SWITCH.finditer(path.read_text())
    }
    assert not found
