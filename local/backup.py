"""`python -m local.backup save|restore ENDPOINT FILE`: copies the registry's tables into a file, and back.

It signs in as the user of `az login`, who needs Storage Table Data Contributor on the account.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from azure.data.tables import TableServiceClient, UpdateMode
from azure.identity import AzureCliCredential

from clients.registry.tables import PEERINGS_TABLE, RUNS_TABLE

TABLES: Final = (PEERINGS_TABLE, RUNS_TABLE)


def save(service: TableServiceClient, target: Path) -> Counter[str]:
    """Write all rows to a file, one a line; returns how many of each table."""
    saved = Counter[str]()
    with target.open("w") as file:
        for table, row in _rows(service):
            file.write(json.dumps({"table": table, "row": row}) + "\n")
            saved[table] += 1
    return saved


def _rows(service: TableServiceClient) -> Iterator[tuple[str, dict[str, Any]]]:
    there = {table.name for table in service.list_tables()}
    for name in TABLES:
        if name in there:
            yield from ((name, dict(row)) for row in service.get_table_client(name).list_entities())


def restore(service: TableServiceClient, source: Path) -> Counter[str]:
    """Write the rows of a file back, and replace those that are there; returns how many of each table."""
    clients = {name: service.create_table_if_not_exists(name) for name in TABLES}
    restored = Counter[str]()
    with source.open() as file:
        for line in file:
            saved = json.loads(line)
            clients[saved["table"]].upsert_entity(saved["row"], UpdateMode.REPLACE)
            restored[saved["table"]] += 1
    return restored


def main() -> None:
    """Save or restore, and say what was copied."""
    parser = argparse.ArgumentParser(description="Copies the registry's tables into a file, and back.")
    parser.add_argument("what", choices=("save", "restore"))
    parser.add_argument("endpoint", help="the Table service, such as https://ACCOUNT.table.core.windows.net")
    parser.add_argument("file", type=Path)
    given = parser.parse_args()
    copy = save if given.what == "save" else restore
    with TableServiceClient(given.endpoint, credential=AzureCliCredential()) as service:
        for table, count in copy(service, given.file).items():
            sys.stdout.write(f"{table}: {count} rows\n")


if __name__ == "__main__":
    main()
