"""Each parameter comes from the variable of its name, on every way to deploy: one that is forgotten is set back."""

import json
import re
from typing import Any, Final

import pytest

from local.processes import PROJECT
from tests.infra.compiler import INFRA, PARAMETERS, bicep, read_by_the_file

TEMPLATE: Final[dict[str, Any]] = json.loads((INFRA / "main.json").read_text())["parameters"]
#: Those whose variable has another name.
NAMES: Final = {"environmentName": "AZURE_ENV_NAME", "location": "AZURE_LOCATION", "name": "RESOURCE_NAME"}
#: The deployment knows it itself.
NOT_READ: Final = {"cloud"}
#: Only a person passes these, to one deployment.
ONCE: Final = {"AIVEN_TOKEN", "WEBHOOK_SECRET", "RECOVER_VAULT"}
IDS: Final = ["/subscriptions/1/resourceGroups/a", "/subscriptions/2/resourceGroups/b"]
#: Values that are not the defaults, as a variable and as the parameter.
VALUES: Final[dict[str, tuple[str, object]]] = {
    "tags": ('{"owner": "network"}', {"owner": "network"}),
    "networks": (" ".join(IDS), IDS),
    "actionGroupIds": (" ".join(IDS), IDS),
    "allowedSubscriptions": ("1,2", ["1", "2"]),
    "durableBackend": ("scheduler", "scheduler"),
    "alerts": ("false", False),
}
OF_TYPE: Final[dict[str, tuple[str, object]]] = {"string": ("a", "a"), "int": ("512", 512), "bool": ("true", True)}


def variable(parameter: str) -> str:
    """`instanceMemoryMB` as `INSTANCE_MEMORY_MB`."""
    return NAMES.get(parameter, re.sub(r"(?<=[a-z])(?=[A-Z])", "_", parameter).upper())


def built(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> dict[str, object]:
    """The parameters that are passed with these variables."""
    for name in read_by_the_file():
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    said = json.loads(bicep("build-params", str(PARAMETERS), "--stdout"))
    passed: dict[str, dict[str, object]] = json.loads(said["parametersJson"])["parameters"]
    return {name: one.get("value") for name, one in passed.items()}


def test_every_parameter_is_read_from_the_variable_of_its_name() -> None:
    assert read_by_the_file() == {variable(name) for name in TEMPLATE.keys() - NOT_READ}


@pytest.mark.bicep
@pytest.mark.parametrize("empty", [False, True])
def test_without_variables_and_with_empty_ones_the_defaults_of_the_template_hold(
    monkeypatch: pytest.MonkeyPatch, empty: bool
) -> None:
    given = built(monkeypatch, dict.fromkeys(read_by_the_file(), "") if empty else {})
    defaults = {name: one.get("defaultValue") for name, one in TEMPLATE.items() if name not in NOT_READ}
    assert given == defaults | {"environmentName": "peering", "location": "westeurope"}


@pytest.mark.bicep
def test_every_variable_reaches_its_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        name: VALUES.get(name) or OF_TYPE[one["type"].removeprefix("secure").lower()]
        for name, one in TEMPLATE.items()
        if name not in NOT_READ
    }
    given = built(monkeypatch, {variable(name): text for name, (text, _) in values.items()})
    assert given == {name: value for name, (_, value) in values.items()}


def test_github_actions_passes_every_variable_but_those_of_one_deployment() -> None:
    passed = re.findall(
        r"(?m)^ {6}(\w+): \$\{\{ vars\.(\w+) \}\}$", (PROJECT / ".github/workflows/deploy.yml").read_text()
    )
    assert all(name == variable for name, variable in passed)
    assert {name for name, _ in passed} == read_by_the_file() - ONCE


def test_the_document_names_every_variable_or_its_parameter() -> None:
    text = (PROJECT / "docs/deploying.md").read_text() + (PROJECT / "README.md").read_text()
    missing = {name for name in TEMPLATE.keys() - NOT_READ if not re.search(rf"\b({name}|{variable(name)})\b", text)}
    assert missing == set()
