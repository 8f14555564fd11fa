"""Objects of Microsoft Graph are read as the SDK reads them, and without what it imports for that."""

import json
import subprocess
import sys

import pytest

_PROGRAM = """
import json, sys
from kiota_serialization_json.json_parse_node import JsonParseNode
from msgraph.generated.models.application import Application
from msgraph.generated.models.service_principal import ServicePrincipal
from clients.lean_entities import read_entities_lean

answer = {"@odata.type": "#microsoft.graph.servicePrincipal", "id": "1", "appId": "2", "accountEnabled": True, "new": 3}

def read():
    modules = len(sys.modules)
    read = [JsonParseNode(answer).get_object_value(kind) for kind in (Application, ServicePrincipal)]
    names = ("id", "odata_type", "app_id", "account_enabled", "additional_data")
    fields = [sorted(one.get_field_deserializers()) for one in read]
    return [fields, [{n: getattr(one, n, None) for n in names} for one in read]], len(sys.modules) - modules

read_entities_lean() if LEAN else None
print(json.dumps(read()))
"""


def _read(*, lean: bool) -> tuple[object, int]:
    program = _PROGRAM.replace("LEAN", str(lean))
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    values, modules = json.loads(result.stdout)
    return values, modules


@pytest.mark.slow
def test_the_same_is_read_with_few_modules() -> None:
    usual, modules_of_the_sdk = _read(lean=False)
    lean, modules = _read(lean=True)
    assert lean == usual
    assert modules < 0.2 * modules_of_the_sdk
