"""A peering's record as a row of Azure Table Storage, and back: typed columns for lists, JSON for the whole."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypedDict
from uuid import uuid4

from clients.registry import schema
from peering.aiven_vpc import NAMES, AivenVpc, Kind
from peering.naming import VNetId
from peering.orders import Order
from peering.problems.codes import ProblemCode
from peering.record import Record, Refusal, RunRecord, UnmanagedConnections, is_busy, is_watched, state_of

#: The types of a column.
Value = str | int | float | bool | datetime
Row = dict[str, Value]
#: A row as it was read.
Held = Mapping[str, Value]

#: All peerings are in one partition, so that a peering and its order can change in one transaction.
PEERINGS: Final = "peerings"
PROJECT_VPCS: Final = "project-vpcs"
#: The partition of the marker of a migration, that of the registry of version 0.2.0.
MIGRATIONS: Final = "migrations"
FROM_ENTITIES: Final = "entities"
#: In the table of runs, the partition of the refused requests; the other partitions are peerings.
REFUSALS: Final = "refusals"
#: Sorts behind the ids of peerings, which are UUIDs.
_ORDER: Final = "order-"
#: A text column holds 32 Ki units of UTF-16, of which a character has two at most.
_LONGEST: Final = 16_000
#: The columns that a check writes without the others.
_OF_CHECKS: Final = frozenset({"health", "attempts", "events", "verdicts"})
#: The problem of a password that has expired.
_EXPIRED: Final[ProblemCode] = "secret-expired"
#: The column with the time of a write, by the service's clock.
_WRITTEN: Final = "Timestamp"
#: The columns that lists filter, sort and show.
COLUMNS: Final = (
    *("owner_kind", "owner", "project_vpc_id", "organization_vpc_id", "vnet_id", "subscription_id"),
    *("state", "operation", "verdict"),
    *("problem", "problem_since", "requested_by", _WRITTEN, "expires", "revision", "labels", "note"),
    *("paused_until", "findings", "verdict_since"),
)
#: The JSON texts of a peering's row, and the columns with the versions of their forms.
_TEXTS: Final = ("record", "health")
SCHEMAS: Final = tuple(map(schema.of_text, _TEXTS))
#: The end of a pause without one: it sorts behind every moment.
FOR_EVER: Final = "9999-12-31T23:59:59+00:00"


class OrderRow(TypedDict):
    """The row that stands beside a peering's while an order is open: the orders' index and their signs of life.

    `at` is when the order was placed.
    """

    id: str
    run: str
    execution: str
    alive_until: str
    not_before: str
    at: str


def order_key(peering_id: str) -> str:
    """The row key of a peering's open order."""
    return f"{_ORDER}{peering_id}"


def only_orders() -> str:
    """The filter for the rows of open orders."""
    return f"PartitionKey eq '{PEERINGS}' and RowKey ge '{_ORDER}' and RowKey lt '{_ORDER}~'"


def only_peerings() -> str:
    """The filter for the rows of peerings."""
    return f"PartitionKey eq '{PEERINGS}' and RowKey lt '{_ORDER}'"


def only_newer() -> str:
    """The filter for the rows of peerings that a newer version of the app wrote."""
    newer = (f"{schema.of_text(text)} gt {schema.today(text)}" for text in _TEXTS)
    return f"{only_peerings()} and ({' or '.join(newer)})"


def order_row(peering_id: str, order: Order) -> Row:
    """The row of an open order."""
    return {
        "PartitionKey": PEERINGS,
        "RowKey": order_key(peering_id),
        "run": order["run"],
        "execution": order.get("execution", ""),
        "alive_until": order["alive_until"],
        "not_before": order["not_before"],
        "at": order["at"],
        schema.COLUMN: schema.today("order"),
    }


def read_order(row: Mapping[str, Value]) -> OrderRow:
    """An open order's row.

    Raises:
        ProblemError: `registry-row-newer`.
    """
    schema.check(row)
    found = schema.migrated("order", row.get(schema.COLUMN), row)
    return OrderRow(
        id=str(found["RowKey"]).removeprefix(_ORDER),
        run=str(found["run"]),
        execution=str(found["execution"]),
        alive_until=str(found["alive_until"]),
        not_before=str(found["not_before"]),
        at=str(found["at"]),
    )


def is_row_of(row: Mapping[str, Value], wanted: Mapping[str, Value]) -> bool:
    """Whether an order's row is that of the wanted one, or has a later sign of life."""
    same = all(row[name] == wanted[name] for name in ("run", "execution"))
    return same and str(row["alive_until"]) >= str(wanted["alive_until"])


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def quoted(text: str) -> str:
    """A text as OData writes it."""
    return "'" + text.replace("'", "''") + "'"


def split(name: str, text: str) -> Row:
    """A long text in as many columns as it needs: `name`, `name_1` and so on; `name_parts` counts them.

    `name_schema` has the version of its form.
    """
    parts = [text[start : start + _LONGEST] for start in range(0, len(text), _LONGEST)]
    columns: Row = {_column(name, number): part for number, part in enumerate(parts)}
    return {f"{name}_parts": len(parts), schema.of_text(name): schema.today(name), **columns}


def joined(name: str, row: Mapping[str, Value]) -> str:
    """The text that `split` cut. A merged row may have columns of a longer, older text.

    Raises:
        ProblemError: `registry-row-newer`.
    """
    schema.check(row)
    return "".join(str(row[_column(name, part)]) for part in range(number(f"{name}_parts", row)))


def _read(name: str, row: Mapping[str, Value]) -> Any:  # noqa: ANN401 - what the text is of, its reader says
    """The object in a text that `split` cut, in today's form."""
    return schema.migrated(name, row.get(schema.of_text(name)), json.loads(joined(name, row)))


def number(name: str, row: Mapping[str, Value]) -> int:
    """The whole number in a column."""
    return int(str(row[name]))


def _column(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name


def peering_row(record: Record) -> Row:
    """A peering's row. Columns whose value is not known are left out."""
    peering, runs = record["peering"], record["runs"]
    vpc = AivenVpc.of(peering)
    problem = runs[-1].get("problem") if runs else None
    expires = record["facts"].get("secret_expires")
    order = record.get("order")
    row: Row = {
        "PartitionKey": PEERINGS,
        "RowKey": peering["id"],
        "owner_kind": vpc.kind,
        "owner": vpc.owner,
        NAMES[vpc.kind][1]: vpc.id,
        "vnet_id": peering["vnet_id"],
        "subscription_id": VNetId.parse(peering["vnet_id"]).subscription_id.lower(),
        "state": state_of(record),
        "requested_by": record["requested_by"]["name"],
        "changed": record["changed"],
        "revision": record["revision"],
        "watched": is_watched(record),
        "busy": is_busy(record),
        "user_role_name": peering["user_role_name"],
        "platform_role_name": peering["platform_role_name"],
        **split("record", _json({k: v for k, v in record.items() if k not in _OF_CHECKS})),
        **health_columns(record),
    }
    if order is not None and "peering" in order:
        row["ordered_roles"] = _json([order["peering"][name] for name in ("user_role_name", "platform_role_name")])
    if order is not None or runs:
        row["operation"] = order["operation"] if order is not None else runs[-1]["operation"]
    if problem is not None:
        row |= {"problem": problem["code"], "problem_since": runs[-1].get("ended", record["changed"])}
    elif row["state"] == "existing":
        row |= {"problem": "connection-exists", "problem_since": runs[-1].get("ended", record["changed"])}
    if isinstance(expires, str):
        row["expires"] = expires
    if "labels" in record:
        row["labels"] = _json(record["labels"])
    if "note" in record:
        row["note"] = record["note"]
    if "paused" in record:
        row["paused_until"] = record["paused"]["until"] or FOR_EVER
    return row


def listed(row: Held) -> Held:
    """The columns of a row for lists: `changed` is when it was written, so a client that polls by it misses no change.

    The record's own times are those of the events, which are written later. `expires` is at most the time when a check
    found the password expired.
    """
    metadata: Mapping[str, datetime] = getattr(row, "metadata", {})
    found: Row = {**row, "changed": metadata["timestamp"].isoformat()}
    if "expires" in row and (expired := findings_in(row).get(_EXPIRED)):
        found["expires"] = min(str(row["expires"]), expired)
    return found


def findings_in(row: Held) -> dict[str, str]:
    """The problems that the last check found, each with the time when it began."""
    return dict(json.loads(str(row.get("findings") or "{}")))


def vpc_of(row: Mapping[str, object]) -> AivenVpc:
    """The VPC in Aiven that a peering's row is about."""
    kind: Kind = "organization" if row["owner_kind"] == "organization" else "project"
    return AivenVpc(kind, str(row["owner"]), str(row[NAMES[kind][1]]))


def health_columns(record: Record) -> Row:
    """The columns that a check writes."""
    health = record.get("health")
    return {
        **split("health", _json({name: value for name, value in record.items() if name in _OF_CHECKS})),
        "verdict": health["verdict"] if health else "",
        "verdict_since": health["since"] if health else "",
        "findings": _json({one["problem"]["code"]: one["since"] for one in health["problems"]}) if health else "",
    }


def read_peering(row: Mapping[str, Value]) -> Record:
    """The record in a peering's row."""
    record: Record = _read("record", row) | _read("health", row)
    return record


def run_key(run: RunRecord) -> str:
    """The row key of a run: the newest sorts first."""
    return _newest_first(run["started"], run["run"])


def _newest_first(at: str, name: str) -> str:
    milliseconds = int(datetime.fromisoformat(at).timestamp() * 1000)
    return f"{9_999_999_999_999 - milliseconds:013d}-{name}"


def refusal_row(refusal: Refusal) -> Row:
    """The row of a refused request; like a run's row, it is deleted after some time."""
    return {
        "PartitionKey": REFUSALS,
        "RowKey": _newest_first(refusal["at"], uuid4().hex[:8]),
        "started": refusal["at"],
        "ended": refusal["at"],
        **split("refusal", _json(refusal)),
    }


def read_refusal(row: Mapping[str, Value]) -> Refusal:
    """The refused request in a row."""
    refusal: Refusal = _read("refusal", row)
    return refusal


def run_row(run: RunRecord) -> Row:
    """A run's row in the table of runs, whose partitions are the peerings."""
    return {
        "PartitionKey": run["id"],
        "RowKey": run_key(run),
        "operation": run["operation"],
        "state": run.get("state", ""),
        "outcome": run["outcome"],
        "started": run["started"],
        "ended": run.get("ended", ""),
        **split("run", _json(run)),
    }


def read_run(row: Mapping[str, Value]) -> RunRecord:
    """The run in a row of the table of runs."""
    run: RunRecord = _read("run", row)
    return run


def unmanaged_row(found: UnmanagedConnections) -> Row:
    """The row of a VPC's connections that no peering of this registry has."""
    key = AivenVpc.of(found).key
    return {"PartitionKey": PROJECT_VPCS, "RowKey": key, **split("unmanaged", _json(found))}


def read_unmanaged(row: Mapping[str, Value]) -> UnmanagedConnections:
    """The connections in a VPC's row."""
    found: UnmanagedConnections = _read("unmanaged", row)
    return found
