"""What the compiler says that a deployment makes, as recorded: resources, role assignments, app settings."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

DEPLOYMENTS: Final = Path(__file__).parent / "deployments"
NAMES: Final = sorted(path.name.removesuffix(".bicepparam") for path in DEPLOYMENTS.glob("*.bicepparam"))

Resource = dict[str, Any]


class Assignment(NamedTuple):
    """A role assignment: the role by its GUID, the principal and the scope by the last parts of their ids."""

    role: str
    principal: str
    scope: str


@cache
def resources(deployment: str) -> list[Resource]:
    """All that a deployment makes."""
    recorded = json.loads((DEPLOYMENTS / f"{deployment}.snapshot.json").read_text())
    assert recorded["diagnostics"] == []
    found: list[Resource] = recorded["predictedResources"]
    return found


def of_type(deployment: str, type_: str) -> list[Resource]:
    """The resources of one type."""
    return [one for one in resources(deployment) if one["type"] == type_]


def assignments(deployment: str) -> set[Assignment]:
    """All role assignments."""
    found = of_type(deployment, "Microsoft.Authorization/roleAssignments")
    return {Assignment(*_role_and_principal(one["properties"]), _scope(one["id"])) for one in found}


def _role_and_principal(properties: Resource) -> tuple[str, str]:
    assert properties["principalType"] == "ServicePrincipal"
    (principal,) = re.findall(
        r"userAssignedIdentities/([\w-]+)', '[\d-]+'\)\.principalId\]$", properties["principalId"]
    )
    return properties["roleDefinitionId"].split("/")[-1], principal


def _scope(id_: str) -> str:
    """The scope of an assignment by its id, which is a template's expression when the principal is part of the name."""
    if id_.startswith("[extensionResourceId("):
        return arguments(id_[1:-1])[0].strip("'")
    if id_.startswith("[resourceId("):
        subscription, group = (part.strip("'") for part in arguments(id_[1:-1])[:2])
        return f"/subscriptions/{subscription}/resourceGroups/{group}"
    found = re.match(r"\[subscriptionResourceId\('([\w-]+)'", id_)
    assert found is not None, id_
    return f"/subscriptions/{found[1]}"


def app_settings(deployment: str) -> dict[str, str]:
    """The settings that a deployment puts in the place of what it finds; values are a template's expressions."""
    (config,) = (
        one for one in of_type(deployment, "Microsoft.Web/sites/config") if one["name"].endswith("/appsettings")
    )
    found, wanted = arguments(config["properties"][1:-1])
    kept, *pair = arguments(found)
    assert pair == [f"lambda('setting', lambdaVariables('setting').{part})" for part in ("key", "value")]
    settings, condition = arguments(kept)
    assert re.fullmatch(r"items\(list\(.*\)\.properties\)", settings)
    assert condition == "lambda('setting', not(contains(parameters('unwanted'), lambdaVariables('setting').key)))"
    pairs = iter(arguments(wanted))
    return {name.strip("'"): value for name, value in zip(pairs, pairs, strict=True)}


def arguments(call: str) -> list[str]:
    """The arguments of the call that a template's expression is."""
    return [one.strip() for one in _split(call[call.index("(") + 1 : -1])]


def _split(text: str) -> Iterator[str]:
    """Parts between commas that are in no string and no bracket."""
    start, depth, quoted = 0, 0, False
    for at, sign in enumerate(text):
        if sign == "'":
            quoted = not quoted
        elif not quoted:
            depth += (sign in "([") - (sign in ")]")
            if sign == "," and depth == 0:
                yield text[start:at]
                start = at + 1
    yield text[start:]
