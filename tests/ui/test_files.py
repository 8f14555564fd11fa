"""The page's files: which there are, what they are served with, and that what is vendored is as it was published."""

import asyncio
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import azure.functions as func
import pytest
from pathspec import GitIgnoreSpec

from peering.concerns import CONCERNS
from peering.drift import DRIFT
from peering.steps import OBJECTS
from triggers.page import show_page

UI = Path(__file__).parents[2] / "triggers" / "ui"
OWN = sorted(path for path in UI.iterdir() if path.is_file())
NAMES = sorted(path.name for path in UI.rglob("*") if path.suffix in (".html", ".js", ".css"))


def ask(file: str | None, *, url: str = "https://app/api/ui", **headers: str) -> func.HttpResponse:
    """What the page's function answers."""
    params = {"file": file} if file is not None else {}
    return asyncio.run(show_page(func.HttpRequest("GET", url, headers=headers, route_params=params, body=b"")))


@pytest.mark.parametrize("name", [None, *NAMES])
def test_each_file_is_served_for_itself_alone_and_once(name: str | None) -> None:
    answer = ask(name)
    assert answer.status_code == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    again = ask(name, **{"if-none-match": answer.headers["ETag"]})
    assert (again.status_code, again.get_body()) == (304, b"")


def test_what_is_named_by_its_version_is_kept_for_ever() -> None:
    def kept(name: str | None, **params: str) -> str:
        route = {"file": name} if name else {}
        request = func.HttpRequest("GET", "https://app/api/ui", params=params, route_params=route, body=b"")
        return str(asyncio.run(show_page(request)).headers["Cache-Control"])

    pages = [ask(name).get_body().decode() for name in (None, *NAMES)]
    versions = {version for page in pages for version in re.findall(r'\?v=([0-9a-f]+)"', page)}
    assert [name for page in pages for name in named_in(page)] == [], "each reference has a version"
    (version,) = versions
    assert "immutable" in kept("app.js", v=version)
    assert [kept(None), kept("app.js"), kept("app.js", v="0")] == ["no-cache"] * 3


def test_other_parameters_are_refused_and_a_key_is_not() -> None:
    answer = ask(None, url="https://app/api/ui?x=1&v=2")
    assert (answer.status_code, json.loads(answer.get_body())["code"]) == (400, "invalid-request")
    assert [error["field"] for error in json.loads(answer.get_body())["errors"]] == ["x"]
    assert ask("app.js", url="https://app/api/ui/app.js?v=2&code=key").status_code == 200
    assert [ask(None, url=f"https://app/api/ui?{query}").status_code for query in ("v=1&v=2", "v=")] == [400, 400]


@pytest.mark.parametrize("name", ["nothing.js", "../page.py", "vendored.json", "..%2Fpage.py", "page.py"])
def test_nothing_else_is(name: str) -> None:
    assert ask(name).status_code == 404


def test_a_slash_at_the_end_leads_to_the_page() -> None:
    answer = ask(None, url="https://app/api/ui/")
    assert (answer.status_code, answer.headers["Location"]) == (308, "../ui")


def named_in(text: str) -> Iterator[str]:
    """The files that a file of the page asks for."""
    yield from re.findall(r'(?:src|href)="ui/([^"?]+)"', text)
    yield from re.findall(r'from "\./([^"?]+)"', text)


def test_every_file_is_asked_for_and_there() -> None:
    asked = {name for path in OWN for name in named_in(path.read_text())}
    assert asked == {*NAMES} - {"index.html"}


def test_nothing_in_them_leads_elsewhere() -> None:
    found = {f"{path.name}: {one}" for path in OWN for one in re.findall(r"https?://[^\s'\"]+", path.read_text())}
    assert found == {"index.html: http://www.w3.org/2000/svg"}


def test_the_package_has_them() -> None:
    ignored = GitIgnoreSpec.from_lines((UI.parents[1] / ".funcignore").read_text().splitlines())
    files = [f"triggers/ui/{path.relative_to(UI)}" for path in UI.rglob("*") if path.is_file()]
    assert [*ignored.match_files(files, negate=True)] == files


def test_what_is_vendored_is_unmodified() -> None:
    vendored = json.loads((UI / "vendored" / "vendored.json").read_text())
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (UI / "vendored").iterdir()}
    del files["vendored.json"]
    assert files == {name: digest for package in vendored for name, digest in package["sha256"].items()}
    assert {(one["package"], one["licence"]) for one in vendored} == {("preact", "MIT"), ("htm", "Apache-2.0")}


def test_every_finding_says_what_it_is_about_and_every_object_has_one() -> None:
    assert CONCERNS.keys() == DRIFT.keys()
    assert {name for names in CONCERNS.values() for name in names} == {*OBJECTS, "vnet", "project_vpc"}


def test_every_object_is_drawn_but_for_the_roles_which_their_assignments_stand_for() -> None:
    named = set(re.findall(r'"(\w+)"', (UI / "drawing.js").read_text()))
    assert {*OBJECTS} - named == {"user_role", "platform_role"}
