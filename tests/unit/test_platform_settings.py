"""What host.json and the local settings set, beside what the app takes for granted of them."""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from peering.runs import FUNCTION_TIMEOUT
from peering.version import VERSION

ROOT = Path(__file__).parents[2]
HOST: dict[str, Any] = json.loads((ROOT / "host.json").read_text())
SCHEMAS = Path(__file__).parents[1] / "infra" / "published_schemas"
DURABLE: dict[str, Any] = HOST["extensions"]["durableTask"]


def duration(text: str) -> timedelta:
    hours, minutes, seconds = map(float, text.split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def test_the_app_knows_how_long_a_function_may_run() -> None:
    assert duration(HOST["functionTimeout"]) == FUNCTION_TIMEOUT


def test_an_idle_app_sees_a_message_within_ten_seconds() -> None:
    assert duration(DURABLE["storageProvider"]["maxQueuePollingInterval"]) <= timedelta(seconds=10)


def test_a_running_instance_is_not_replaced() -> None:
    assert DURABLE["overridableExistingInstanceStates"] == "NonRunningStates"


def test_a_run_is_of_the_apps_version_and_ends_where_an_older_app_meets_it() -> None:
    assert (DURABLE["defaultVersion"], DURABLE["versionMatchStrategy"]) == (VERSION, "CurrentOrOlder")
    # The default, `Reject`, leaves it running for ever, and its order can not be begun again.
    assert DURABLE["versionFailureStrategy"] == "Fail"


def test_the_engines_fit_one_python_process() -> None:
    assert 1 < DURABLE["maxConcurrentActivityFunctions"] <= 32
    assert 1 < DURABLE["maxConcurrentOrchestratorFunctions"] <= 10


def test_the_bundle_reads_the_entities_of_the_old_version() -> None:
    # Earlier ones read large entities wrongly whose key has a `|`, as those of version 0.2.0 have.
    assert HOST["extensionBundle"]["version"] == "[4.36.0, 5.0.0)"


def test_it_is_valid_by_the_published_schema() -> None:
    found = {".".join(map(str, error.instance_path)): set(re.findall(r"'(\w+)'", error.message)) for error in _errors()}
    # Durable's own documents have them, and the genuine extension knows them.
    versions = {"defaultVersion", "versionMatchStrategy", "versionFailureStrategy"}
    assert found == {"extensions.durableTask": {"overridableExistingInstanceStates", *versions}}


def _errors() -> Iterator[jsonschema_rs.ValidationError]:
    schema = json.loads((SCHEMAS / "host.json").read_text())
    second = {**schema["definitions"]["version-2"], "definitions": schema["definitions"], "$schema": schema["$schema"]}
    return jsonschema_rs.validator_for(second).iter_errors(HOST)


def test_the_local_settings_are_valid_by_the_published_schema() -> None:
    schema = jsonschema_rs.validator_for(json.loads((SCHEMAS / "local.settings.schema.json").read_text()))
    settings = json.loads((ROOT / "local.settings.example.json").read_text())
    assert [error.message for error in schema.iter_errors(settings)] == []
    assert not schema.is_valid({**settings, "Values": settings["Values"] | {"FUNCTIONS_WORKER_RUNTIME": "pythn"}})


def test_the_published_schemas_are_unmodified() -> None:
    vendored = json.loads((SCHEMAS / "vendored.json").read_text())
    recorded = {name: hash_ for package in vendored for name, hash_ in package["sha256"].items()}
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in SCHEMAS.iterdir()}
    assert {name: hash_ for name, hash_ in files.items() if name != "vendored.json"} == recorded


@pytest.mark.parametrize("category", ["Host.Triggers.DurableTask", "DurableTask.AzureStorage", "DurableTask.Core"])
def test_the_engine_logs_no_single_message(category: str) -> None:
    assert HOST["logging"]["logLevel"][category] == "Warning"
