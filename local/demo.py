"""`make demo`: the whole life cycle of one peering; the local cloud and the app are separate processes.

A plan, a start, a check, the repair of a deleted VNet peering, a rotation, and a removal that restores the initial
state: all over the HTTP API. The exit status is 0 only if every stage has the expected result.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import httpx
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from local.deployment import NO_SCHEDULE
from local.processes import FunctionsApp, app_settings, local_cloud, start_app, stop
from local.timeline import Document, comparison, differences, plan, short, summary, timeline, verdict

DIRECTORY: Final = Path(".local/demo")
#: The width of the output if it is not a terminal.
_WIDTH: Final = 100
#: Rows of a terminal that do not show steps: the head, the current waits, the prompt.
_AROUND: Final = 8
_POLL_SECONDS: Final = 0.2
_STAGE_SECONDS: Final = 90
#: The scheduled check runs once a year, so that it does not interfere: the demo requests each check.
_LOGGED: Final = re.compile(r"event=verdict-changed peering=\S+ (previous=\S+ verdict=broken codes=\S+)")


class UnexpectedError(Exception):
    """A stage had an unexpected result."""


def peering_request(cloud: Mapping[str, str]) -> dict[str, object]:
    """The body of `POST /api/peerings` for the local cloud's first VNet and project VPC."""
    subscription, group, vnet = cloud["AZURE_SUBSCRIPTION_ID"], cloud["RESOURCE_GROUP"], cloud["VNET_NAME"]
    return {
        "project": cloud["AIVEN_PROJECT"],
        "project_vpc_id": cloud["AIVEN_PROJECT_VPC_ID"],
        "vnet_id": f"/subscriptions/{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.Network/virtualNetworks/{vnet}",
    }


@dataclass
class Demo:
    """What the stages share: the app's API, the cloud, and the last known status of the peering."""

    console: Console
    api: httpx.Client
    cloud: Mapping[str, str]
    app: FunctionsApp
    settings: Mapping[str, str]
    status: dict[str, Any] = field(default_factory=dict)
    states: dict[str, Document] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The peering's address."""
        return f"/api/peerings/{self.status['id']}"

    def admin(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - the response of any route
        """Call an admin route of the local cloud: read its state, or trigger an event."""
        url = f"{self.cloud['LOCAL_CLOUD_ADMIN_URL']}/{path}"
        return httpx.request(method, url, json=body, trust_env=False).raise_for_status().json()

    def show_request(self, method: str, url: str, body: str) -> None:
        """Show a request as a user would send it."""
        self.console.print(Text(f"{method} {url}", "cyan"))
        if body:
            self.console.print(Text(body, "dim"))

    def ask(self, method: str, path: str, body: object = None, shown: str = "") -> dict[str, Any]:
        """Show a request to the app and send it."""
        written = json.dumps(body, indent=1) if body is not None and not shown else shown
        self.show_request(method, str(self.api.base_url.join(path)), written)
        answer = self.api.request(method, path, json=body)
        location = f", Location: {httpx.URL(answer.headers['Location']).path}" if "Location" in answer.headers else ""
        self.console.print(f"{answer.status_code} {answer.reason_phrase}{location}", style="dim", highlight=False)
        if answer.is_error:
            raise UnexpectedError(f"{method} {path} returned {answer.status_code}: {answer.text}")
        return cast("dict[str, Any]", answer.json())

    def look(self) -> bool:
        """Read the peering's status; returns whether it has no current run or check."""
        answer = self.api.get(self.path).raise_for_status()
        self.status = answer.json()
        return "Retry-After" not in answer.headers and not self.status["checking"]

    def kill_host(self) -> None:
        """`kill -9` the app's host, and start a new one on the same port and state."""
        self.app.process.kill()
        self.app.process.wait()
        self.console.print(Text(f"kill -9 {self.app.process.pid}   the app is killed during the start", "red"))
        self.app = start_app(DIRECTORY / "app", self.settings, port=httpx.URL(self.app.url).port or 0)
        self.console.print(
            Text(f"restarted as {self.app.process.pid}: the order is in the registry, the run continues", "green")
        )

    def follow(self, operation: str, *, killed_at: str | None = None) -> None:
        """Show the steps of an operation until it has ended; kill the host when the step `killed_at` waits."""
        ended, deadline = False, time.monotonic() + _STAGE_SECONDS
        with Live(console=self.console, auto_refresh=False, transient=True) as live:
            while not ended:
                _expect_in_time(deadline, operation)
                ended = self.look() and self.status["operation"] == operation
                if self.status["operation"] == operation:
                    live.update(Group("", self.steps(live=True)), refresh=True)
                waiting = {step["name"] for step in self.status["steps"] if step["state"] == "waiting"}
                if killed_at in waiting:
                    killed_at = None
                    self.kill_host()
                time.sleep(0 if ended else _POLL_SECONDS)
        self.console.print("", self.steps(), sep="\n")

    def steps(self, *, live: bool = False) -> Group:
        """The steps, fitted to the terminal's width, and to its height if they are live."""
        rows = max(4, self.console.height - _AROUND) if live and self.console.is_terminal else None
        return timeline(self.status, width=self.console.width, rows=rows)

    def until_verdict(self, wanted: str) -> None:
        """Wait for a verdict and show it; it must be there when no check is running any more."""
        deadline = time.monotonic() + _STAGE_SECONDS
        while True:
            _expect_in_time(deadline, f"the check that finds {wanted}")
            at_rest, health = self.look(), self.status.get("health")
            if health is not None and (at_rest or health["verdict"] == wanted):
                return self.expect_verdict(wanted)
            time.sleep(_POLL_SECONDS)

    def expect_verdict(self, wanted: str) -> None:
        """Show the verdict, and require this one."""
        self.console.print("", verdict(self.status["health"]), sep="\n")
        _expect("the verdict", self.status["health"]["verdict"], wanted)


def _expect(what: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise UnexpectedError(f"{what} is {got!r}, expected {wanted!r}")


def _expect_in_time(deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        raise UnexpectedError(f"{what} did not end within {_STAGE_SECONDS} s")


def _plan(demo: Demo) -> str:
    planned = demo.ask("POST", "/api/peerings?dryRun=true", peering_request(demo.cloud))
    demo.console.print("", plan(planned), sep="\n")
    writes = demo.admin("GET", "writes")
    _expect("the plan's result", planned["result"], "create")
    _expect("what the plan changed", writes, [])
    return f"{len(planned['steps'])} objects to create, no obstacle, no change"


def _start(demo: Demo) -> str:
    demo.status = demo.ask("POST", "/api/peerings", peering_request(demo.cloud), "(the same body)")
    demo.follow("establish", killed_at="pending_peer")
    _expect_end(demo, "connected")
    facts = demo.status["facts"]
    _expect("Aiven's connection", facts["connection_state"], "ACTIVE")
    _expect("the VNet peering", facts["peering_state"], "Connected")
    demo.states["connected"] = demo.admin("GET", "state")
    report = demo.api.get(f"{demo.path}/report").raise_for_status()
    (DIRECTORY / "report.md").write_text(report.text)
    return f"[green]connected[/]: {facts['connection_state']} at Aiven, {facts['peering_state']} in Azure"


def _check(demo: Demo) -> str:
    demo.ask("POST", f"{demo.path}/check")
    demo.until_verdict("healthy")
    return "[green]healthy[/]"


def _repair(demo: Demo) -> str:
    facts = demo.status["facts"]
    event = {"kind": "delete-vnet-peering", "vnet_id": facts["vnet_id"], "remote_id": facts["to_network_id"]}
    demo.show_request("POST", f"{demo.cloud['LOCAL_CLOUD_ADMIN_URL']}/events", short(json.dumps(event)))
    demo.admin("POST", "events", event)
    demo.console.print()
    demo.ask("POST", f"{demo.path}/check")
    demo.until_verdict("broken")
    logged = _LOGGED.search(demo.app.log.read_text())
    demo.console.print(Text(f"logged   event=verdict-changed {logged[1] if logged else ''}", "dim"))
    demo.follow("repair")
    _expect_end(demo, "connected")
    demo.expect_verdict("healthy")
    return "[red]broken[/] detected, repaired: [green]healthy[/]"


def _rotate(demo: Demo) -> str:
    before = demo.status["facts"]["secret_version"]
    demo.ask("POST", f"{demo.path}/rotate")
    demo.follow("rotate")
    _expect_end(demo, "rotated")
    demo.expect_verdict("healthy")
    _expect("whether the password is a new one", demo.status["facts"]["secret_version"] != before, True)
    return "a new password, verified in both tenants: [green]healthy[/]"


def _remove(demo: Demo) -> str:
    demo.ask("DELETE", demo.path)
    demo.follow("remove")
    _expect("the peering's state", demo.status["state"], "removed")
    before, after = demo.states["before"], demo.admin("GET", "state")
    demo.states["removed"] = after
    demo.console.print("", comparison(demo.states), sep="\n")
    _expect("the difference from the cloud before the first request", differences(before, after), [])
    _expect("the cloud's state", after, before)
    return f"[green]the cloud is as before[/]: {sum(map(len, after.values()))} objects, all identical"


def _expect_end(demo: Demo, wanted: str) -> None:
    run, problem = demo.status["runs"][-1], demo.status.get("problem")
    if problem is not None:
        raise UnexpectedError(f"{problem['code']}. {problem['detail']} {problem['remedy']}")
    _expect(f"the result of {run['operation']}", run.get("state"), wanted)
    _expect("the peering's state", demo.status["state"], "connected")


@dataclass(frozen=True)
class Stage:
    """One stage of the life cycle; `play` returns its result."""

    name: str
    headline: str
    request: str
    play: Callable[[Demo], str]


STAGES: Final = (
    Stage("plan", "What would a start do? A plan changes nothing", "POST /api/peerings?dryRun=true", _plan),
    Stage("start", "The same request; the app crashes during the run", "POST /api/peerings", _start),
    Stage("check", "Is it healthy? The app also checks every 15 minutes", "POST /api/peerings/{id}/check", _check),
    Stage("repair", "The VNet peering is deleted outside the app", "POST /api/peerings/{id}/check", _repair),
    Stage("rotate", "A new password for the created application", "POST /api/peerings/{id}/rotate", _rotate),
    Stage("remove", "Delete everything that the app created", "DELETE /api/peerings/{id}", _remove),
)


def play(demo: Demo, pictures: Path | None) -> bool:
    """Run every stage; returns whether all had the expected results."""
    done: list[tuple[str, str, str, float]] = []
    demo.states["before"] = demo.admin("GET", "state")
    for stage in STAGES:
        demo.console.rule(f"[bold]{len(done) + 1} {stage.name}[/]  {stage.headline}", align="left", style="dim")
        begun = time.monotonic()
        try:
            outcome = stage.play(demo)
        except (UnexpectedError, httpx.HTTPError) as error:
            demo.console.print(Text(f"\n{stage.name} failed: {error or type(error).__name__}", "bold red"))
            return False
        done.append((stage.name, stage.request, outcome, time.monotonic() - begun))
        demo.console.print()
        _draw(demo.console, pictures, f"-{stage.name}")
    demo.console.print(summary(done))
    _draw(demo.console, pictures, "")
    return True


def _draw(console: Console, pictures: Path | None, name: str) -> None:
    """Draw the output since the last picture, in the monospaced font of the reader's browser."""
    if pictures is not None:
        svg = re.sub(
            r"@font-face \{.*?\}\s*", "", console.export_svg(title="make demo", unique_id=f"demo{name}"), flags=re.S
        )
        (pictures / f"demo{name}.svg").write_text(svg.replace("Fira Code", "monospace"))


def _save(demo: Demo) -> None:
    """Save the cloud's requests and states, and show where."""
    files = {"requests": demo.admin("GET", "requests"), "states": demo.states}
    for name, content in files.items():
        (DIRECTORY / f"{name}.json").write_text(json.dumps(content, indent=1))
    demo.console.print("\nNext", style="bold")
    for where, what in (
        (f"{DIRECTORY}/requests.json", "every request that the app sent to the clouds"),
        (f"{DIRECTORY}/states.json", "the objects in both tenants and at Aiven: before, connected, removed"),
        (f"{DIRECTORY}/report.md", "the report for a network team to sign"),
        (f"{DIRECTORY}/app/app.log", "the app's log"),
        ("make serve", "the same app and cloud, to try yourself"),
    ):
        if where.startswith("make") or Path(where).exists():
            demo.console.print(f"  {where:<27} {what}", highlight=False)


def main() -> int:
    """Run the demonstration; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.run_demo", description=__doc__)
    parser.add_argument("--pictures", type=Path, help="folder for an SVG picture of each stage")
    pictures = parser.parse_args().pictures
    console = Console(width=None if sys.stdout.isatty() else _WIDTH, record=pictures is not None)
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for left in (*DIRECTORY.glob("app/*"), *DIRECTORY.glob("report.md")):
        left.unlink()
    with local_cloud(DIRECTORY, "demo") as cloud:
        settings = {**app_settings(cloud), **NO_SCHEDULE}
        app = start_app(DIRECTORY / "app", settings)
        with app.client() as api:
            demo = Demo(console, api, cloud, app, settings)
            try:
                well = play(demo, pictures)
                _save(demo)
            finally:
                stop(demo.app.process)
    return 0 if well else 1
