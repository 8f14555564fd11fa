"""The queries of the alerts, of the workbook and of the documents; and the records that the app writes."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.infra.compiler import INFRA

ROOT: Final = INFRA.parent
FOLDERS: Final = ("activities", "clients", "orchestrators", "triggers")
#: The columns that Azure Monitor documents of the tables that the queries read ("Azure Monitor Logs table reference").
TABLES: Final = {
    "AppTraces": {
        "TimeGenerated": "datetime",
        "Message": "string",
        "SeverityLevel": "int",
        "Properties": "dynamic",
        "Measurements": "dynamic",
        "OperationId": "string",
        "OperationName": "string",
        "ParentId": "string",
        "AppRoleName": "string",
        "AppRoleInstance": "string",
        "AppVersion": "string",
        "ItemCount": "int",
        "ResourceGUID": "string",
        "SDKVersion": "string",
        "Type": "string",
        "_ResourceId": "string",
    },
    "AppDependencies": {
        "TimeGenerated": "datetime",
        "Id": "string",
        "Name": "string",
        "Target": "string",
        "Success": "bool",
        "ResultCode": "string",
        "DurationMs": "real",
        "OperationId": "string",
        "OperationName": "string",
        "ParentId": "string",
        "AppRoleName": "string",
        "Properties": "dynamic",
        "_ResourceId": "string",
    },
    "AppRequests": {
        "TimeGenerated": "datetime",
        "Id": "string",
        "Name": "string",
        "Url": "string",
        "Success": "bool",
        "ResultCode": "string",
        "DurationMs": "real",
        "OperationId": "string",
        "OperationName": "string",
        "AppRoleName": "string",
        "Properties": "dynamic",
        "_ResourceId": "string",
    },
}
#: What Application Insights calls the same table and columns where it is asked itself, as the documents do.
CLASSIC: Final = {
    "traces": {"timestamp": "datetime", "message": "string", "severityLevel": "int", "customDimensions": "dynamic"}
}


def queries() -> dict[str, str]:
    """All queries, by the file that they are in and their title there."""
    found = {path.name: path.read_text() for path in sorted((INFRA / "monitoring").glob("*.kql"))}
    for item in json.loads((INFRA / "monitoring/workbook.json").read_text())["items"]:
        if item["type"] == 3:
            found[f"workbook: {item['content']['title']}"] = item["content"]["query"]
    for page in sorted((ROOT / "docs").glob("*.md")):
        for number, text in enumerate(re.findall(r"```kusto\n(.*?)```", page.read_text(), re.DOTALL), start=1):
            found[f"{page.name}: {number}"] = text
    return found


def written() -> set[str]:
    """The records that the app writes, with `%s` for each value."""
    return {text for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")) for text in _formats(path)}


def _formats(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.match(r"(event|step)=", node.value):
            yield re.sub(r"%\.\d+f", "%s", node.value)


def expected(query: str) -> set[str]:
    """The records that a query parses, in the same form."""
    return {_record(pattern) for pattern in re.findall(r"\bparse \w+ with ([^\n|]+)", query, re.IGNORECASE)}


def _record(pattern: str) -> str:
    """`"a=" a " b=" b:long` as `a=%s b=%s`."""
    parts = re.findall(r'"([^"]*)"|([\w:]+)', pattern)
    return "".join(literal or "%s" for literal, _ in parts)


def named(query: str) -> set[str]:
    """The kinds of records that a query looks for."""
    return set(re.findall(r'startswith "((?:event|step)=[\w-]*)"', query))
