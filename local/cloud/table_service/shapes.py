"""What the Table service's paths and contents look like."""

import re
from typing import Final

from local.cloud.server.wire import Request
from local.cloud.table_service.errors import TableError

_TEXT: Final = "(?:[^']|'')*"
#: A table, and an entity of a table.
TABLE: Final = re.compile(r"/(?P<table>[^/()]+)(?:\(\))?")
ENTITY: Final = re.compile(rf"/(?P<table>[^/()]+)\(PartitionKey='(?P<partition>{_TEXT})',RowKey='(?P<row>{_TEXT})'\)")
_NAME: Final = re.compile("[A-Za-z][A-Za-z0-9]*")
_SHORTEST_NAME: Final = 3
_LONGEST_NAME: Final = 63


def unquoted(text: str) -> str:
    """The text between single quotes in a path."""
    return text.replace("''", "'")


def metadata_level(request: Request) -> str:
    """How much metadata an answer has: `full`, `minimal` or `no`."""
    asked = request.query.get("$format") or request.headers.get("accept", "")
    return next((level for level in ("full", "no") if f"odata={level}metadata" in asked.lower()), "minimal")


def content_type(level: str) -> str:
    """The type of an answer with so much metadata."""
    return f"application/json;odata={level}metadata;streaming=true;charset=utf-8"


def checked_name(name: str) -> str:
    """The name of a table.

    Raises:
        TableError: a table cannot have that name.
    """
    if not _SHORTEST_NAME <= len(name) <= _LONGEST_NAME:
        text = "The specified resource name length is not within the permissible limits."
        raise TableError(400, "OutOfRangeInput", text)
    if not _NAME.fullmatch(name) or name.lower() == "tables":
        raise TableError(400, "InvalidResourceName", "The specified resource name contains invalid characters.")
    return name
