"""The genuine Bicep compiler, and the files that it is given."""

import os
import re
import subprocess
from pathlib import Path
from typing import Final

INFRA: Final = Path(__file__).resolve().parents[2] / "infra"
PARAMETERS: Final = INFRA / "main.bicepparam"
#: Deployments that people make, by their parameters; beside each what the compiler says that it makes.
DEPLOYMENTS: Final = Path(__file__).parent / "deployments"
#: Where the recorded deployments take place.
SUBSCRIPTION: Final = "00000000-0000-0000-0000-000000000001"
_PLACE: Final = {
    "subscription-id": SUBSCRIPTION,
    "tenant-id": "00000000-0000-0000-0000-00000000000f",
    "location": "westeurope",
    "deployment-name": "peering",
}


def read_by_the_file() -> set[str]:
    """The environment variables that the file of the parameters reads."""
    return set(re.findall(r"readEnvironmentVariable\('(\w+)'", PARAMETERS.read_text()))


def bicep(*arguments: str) -> str:
    """What the compiler says, on either output."""
    command = [os.environ.get("BICEP", "bicep"), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    said = f"{ran.stdout}{ran.stderr}"
    return said if ran.returncode == 0 else f"{said}\nIt ended with {ran.returncode}."


def snapshot(parameters: Path, mode: str) -> str:
    """Records what a deployment makes (`overwrite`), or compares it with what is recorded (`validate`)."""
    place = (part for name, value in _PLACE.items() for part in (f"--{name}", value))
    return bicep("snapshot", str(parameters), *place, "--mode", mode)


def compiled(target: Path) -> str:
    """Compiles all of `infra/` into one template."""
    return bicep("build", str(INFRA / "main.bicep"), "--outfile", str(target))


def main() -> None:
    """Compile the template and record the deployments: `python -m tests.infra.compiler`."""
    said = [compiled(INFRA / "main.json"), *(snapshot(one, "overwrite") for one in DEPLOYMENTS.glob("*.bicepparam"))]
    if any(said):
        raise SystemExit("".join(said))


if __name__ == "__main__":
    main()
