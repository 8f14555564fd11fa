"""What callers say of addresses and of what they take is read as it is meant."""

import pytest

from local.deployment import Deployment

pytestmark = pytest.mark.both_kinds


@pytest.mark.parametrize("path", ["/api/peerings", "/api/Peerings", "/API/PEERINGS"])
@pytest.mark.any_kind
def test_where_to_watch_is_found_whatever_host_and_case_a_caller_gives(deployment: Deployment, path: str) -> None:
    answer = deployment.api.post(path, json=deployment.request(), headers={"Host": "elsewhere.example"})
    assert answer.status_code == 202
    where = answer.headers["Location"]
    assert where == answer.json()["url"]
    assert "elsewhere.example" not in answer.text + str(answer.headers)
    assert deployment.api.get(where).json()["id"] == answer.json()["id"]
    (listed,) = deployment.api.get(path).json()["peerings"]
    assert deployment.api.get(listed["url"]).status_code == 200
    deployment.until(answer.json()["id"])


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/json"),
        ("text/markdown;q=0.5, Application/JSON; q=0.4", "application/json"),
        ("application/json;q=0", "text/markdown"),
        ("text/html, application/json; q=0.0", "text/markdown"),
        ("*/*", "text/markdown"),
        ("application/json-seq", "text/markdown"),
    ],
)
@pytest.mark.any_kind
def test_a_report_is_json_for_those_who_take_it(shared: Deployment, accept: str, kind: str) -> None:
    identity = shared.settle()["id"]
    answer = shared.api.get(f"/api/peerings/{identity}/report", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith(kind)


@pytest.mark.parametrize("mark", ["%0a", "%09", "%0d"])
def test_no_character_of_a_path_is_dropped(shared: Deployment, mark: str) -> None:
    assert shared.api.get("/api/problems/interrupted").status_code == 200
    answer = shared.api.get(f"/api/problems/inter{mark}rupted")
    assert (answer.status_code, answer.json()["code"]) == (404, "problem-not-found")
