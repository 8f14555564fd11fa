"""`make recording`: `peering apply` of 60 peerings in 5 projects, two of them wrong, as pictures for the docs.

The command runs as a real process in a terminal of 80 columns and 24 rows; each picture is one of its screens.
"""

import os
import re
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import httpx
import pyte
import yaml
from rich.console import Console
from rich.style import Style
from rich.text import Text

from local.processes import PROJECT, app_settings, local_app, local_cloud
from tests.command_line.conftest import COLUMNS, ROWS, CommandLine, Terminal

_KNOBS: Final = "vnets = 60\nprojects = 5\nproject_vpcs = 5\nsubscriptions = 3\napproved = 2\ndetect = 1\n"
_NO_SCHEDULE: Final = {"HEALTH_CHECK_SCHEDULE": "0 0 0 1 1 *"}
_HEXADECIMAL: Final = re.compile("[0-9a-f]{6}")
_COLOURS: Final = {"brown": "yellow"}


def network_file(cloud: dict[str, str], directory: Path) -> Path:
    """A file with sixty peerings, of which one has a field that is wrong and one a VNet that there is not."""
    state = httpx.get(f"{cloud['LOCAL_CLOUD_ADMIN_URL']}/state", trust_env=False).raise_for_status().json()
    vpcs = sorted(state["projectVpcs"], key=lambda vpc: str(vpc["project"]))
    entries = [_entry(vnet, vpcs[number % len(vpcs)]) for number, vnet in enumerate(_vnets(state))]
    entries[16]["secret_lifetime_days"] = 9000
    entries[41]["vnet_id"] = f"{entries[41]['vnet_id']}-old"
    file = directory / "network.yaml"
    file.write_text(yaml.safe_dump({"peerings": entries}, sort_keys=False))
    return file


def _vnets(state: dict[str, Any]) -> list[str]:
    names = (str(vnet["id"]) for vnet in state["virtualNetworks"])
    return sorted(one for one in names if "/aiven-vpcs/" not in one)[:60]


def _entry(vnet_id: str, vpc: dict[str, Any]) -> dict[str, object]:
    return {"project": vpc["project"], "project_vpc_id": vpc["id"], "vnet_id": vnet_id}


def picture(terminal: Terminal, path: Path) -> None:
    """Draw a terminal's screen, in whatever font the reader's browser has."""
    console = Console(width=COLUMNS, record=True, file=tempfile.TemporaryFile("w"), force_terminal=True)  # noqa: SIM115
    for number in range(ROWS):
        console.print(_line(terminal.screen, number), end="\n", soft_wrap=True)
    svg = console.export_svg(title="peering apply", unique_id=path.stem)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    path.write_text(svg.replace("Fira Code", "monospace"))


def _line(screen: pyte.HistoryScreen, number: int) -> Text:
    text = Text()
    row = [screen.buffer[number][column] for column in range(COLUMNS)]
    for style, cells in groupby(row, _style):
        text.append("".join(cell.data for cell in cells), style)
    text.rstrip()
    return text


def _style(cell: pyte.screens.Char) -> Style:
    # pyte spells colours of more than sixteen without the sign that Rich wants.
    colour = f"#{cell.fg}" if _HEXADECIMAL.fullmatch(cell.fg) else _COLOURS.get(cell.fg, cell.fg)
    return Style(color=None if colour == "default" else colour, bold=cell.bold)


def main() -> int:
    """Record, into `docs/` or the folder that is given."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT / "docs" / "images"
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "sixty.toml").write_text(_KNOBS)
        with (
            local_cloud(directory, str(directory / "sixty.toml")) as cloud,
            local_app(directory / "app", {**app_settings(cloud), **_NO_SCHEDULE}) as app,
        ):
            environment = {
                **os.environ,
                "PYTHONPATH": str(PROJECT),
                "PEERING_ENDPOINT": app.url,
                "PEERING_KEY": app.key,
            }
            network_file(cloud, directory)
            terminal = CommandLine(environment, directory, app, cloud).terminal("apply", "-f", "network.yaml")
            terminal.until(r"skip 2")
            picture(terminal, target / "apply-plan.svg")
            terminal.send("y\r")
            terminal.until(r"connected [1-9]")
            picture(terminal, target / "apply-progress.svg")
            code = terminal.end()
            picture(terminal, target / "apply-end.svg")
            sys.stdout.write(f"{terminal.shown}\nexit code {code}\n")
    return 0 if code == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
