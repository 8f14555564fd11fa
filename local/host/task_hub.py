"""The task hub: all data of Durable Functions, in one SQLite file.

Every change is one transaction, and is not visible before it is committed. If the process is killed at any instant, the
work continues from the hub. With `synchronous=FULL` this is also true after a power failure.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from local.host.history import EventType, HistoryEvent, timestamp

FINAL: Final = frozenset({"Completed", "Failed", "Terminated", "Canceled"})

_SCHEMA: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS instances(
  id TEXT PRIMARY KEY, execution TEXT NOT NULL, name TEXT NOT NULL, version TEXT, input TEXT, output TEXT, custom TEXT,
  status TEXT NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL,
  parent TEXT, parent_execution TEXT, parent_task INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS instances_by_creation ON instances(created, id);
CREATE TABLE IF NOT EXISTS history(
  id TEXT NOT NULL, position INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY(id, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages(
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, execution TEXT, due REAL, event TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS messages_by_instance ON messages(id);
CREATE INDEX IF NOT EXISTS messages_by_due ON messages(due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS activities(
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, execution TEXT NOT NULL, task INTEGER NOT NULL,
  name TEXT NOT NULL, input TEXT);
CREATE INDEX IF NOT EXISTS activities_by_instance ON activities(id);
CREATE TABLE IF NOT EXISTS entities(id TEXT PRIMARY KEY, state TEXT, updated TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS operations(
  number INTEGER PRIMARY KEY AUTOINCREMENT, entity TEXT NOT NULL, message TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS operations_by_entity ON operations(entity);
CREATE TABLE IF NOT EXISTS schedules(name TEXT PRIMARY KEY, last TEXT, next TEXT NOT NULL) WITHOUT ROWID;
"""
_INSTANCE: Final = (
    "id, execution, name, version, input, output, custom, status, created, updated,"
    " parent, parent_execution, parent_task"
)


@dataclass(frozen=True)
class Instance:
    """One orchestration instance as it stands; `input`, `output` and `custom` are JSON texts."""

    id: str
    execution: str
    name: str
    version: str | None
    input: str | None
    output: str | None
    custom: str | None
    status: str
    created: str
    updated: str
    parent: str | None
    parent_execution: str | None
    parent_task: int | None


@dataclass(frozen=True)
class Message:
    """An event on its way to an instance; `execution` is None when any execution may take it."""

    number: int
    execution: str | None
    event: HistoryEvent


@dataclass(frozen=True)
class ActivityItem:
    """An activity that has to run."""

    number: int
    id: str
    execution: str
    task: int
    name: str
    input: str | None


@dataclass(frozen=True)
class Announcement:
    """Work that a transaction created: `orchestration`, `activity`, `entity`, or `timer` with its due time."""

    kind: str
    key: str
    due: float | None = None


class TaskHub:
    """The hub's file. One thread at a time uses it."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
        self._db.executescript(_SCHEMA)
        self._announced: list[Announcement] = []

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[list[Announcement]]:
        """All or nothing; the list holds what the transaction announces, to be read after the commit."""
        announced: list[Announcement] = []
        self._announced = announced
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield announced
        except BaseException:
            self._db.execute("ROLLBACK")
            announced.clear()
            raise
        self._db.execute("COMMIT")

    # Instances and their histories.

    def instance(self, instance_id: str) -> Instance | None:
        """An instance, if there is one."""
        row = self._db.execute(f"SELECT {_INSTANCE} FROM instances WHERE id = ?", (instance_id,)).fetchone()
        return Instance(*row) if row else None

    def put_instance(self, instance: Instance) -> None:
        """Create or replace an instance, without its history or messages."""
        values = [getattr(instance, name) for name in _INSTANCE.split(", ")]
        self._db.execute(
            f"INSERT OR REPLACE INTO instances({_INSTANCE}) VALUES ({','.join('?' * len(values))})", values
        )

    def update(self, instance_id: str, moment: datetime, **columns: str | None) -> None:
        """Change columns of an instance."""
        given = {**columns, "updated": timestamp(moment)}
        assignments = ", ".join(f"{name} = ?" for name in given)
        self._db.execute(f"UPDATE instances SET {assignments} WHERE id = ?", [*given.values(), instance_id])

    def history(self, instance_id: str) -> list[str]:
        """An instance's events in order, as JSON texts."""
        rows = self._db.execute("SELECT event FROM history WHERE id = ? ORDER BY position", (instance_id,))
        return [event for (event,) in rows]

    def append(self, instance_id: str, position: int, events: Sequence[HistoryEvent]) -> None:
        """Write events to an instance's history, from `position` on."""
        rows = [(instance_id, position + n, json.dumps({**e, "IsPlayed": True})) for n, e in enumerate(events)]
        self._db.executemany("INSERT INTO history(id, position, event) VALUES (?, ?, ?)", rows)

    def clear(self, instance_id: str, *, messages: bool = True) -> None:
        """Forget an instance's history and open activities, and by default its messages."""
        tables = ("history", "activities", "messages") if messages else ("history", "activities")
        for table in tables:
            self._db.execute(f"DELETE FROM {table} WHERE id = ?", (instance_id,))

    def delete_instance(self, instance_id: str) -> None:
        """Forget an instance altogether."""
        self.clear(instance_id)
        self._db.execute("DELETE FROM instances WHERE id = ?", (instance_id,))

    def find_instances(
        self,
        prefix: str = "",
        created_from: str = "",
        created_to: str = "~",
        statuses: Sequence[str] = (),
        limit: int = -1,
        offset: int = 0,
    ) -> list[Instance]:
        """The instances that fit, oldest first."""
        where, values = (
            "substr(id, 1, ?) = ? AND created >= ? AND created <= ?",
            [len(prefix), prefix, created_from, created_to],
        )
        if statuses:
            where += f" AND status IN ({','.join('?' * len(statuses))})"
            values += statuses
        sql = f"SELECT {_INSTANCE} FROM instances WHERE {where} ORDER BY created, id LIMIT ? OFFSET ?"
        return [Instance(*row) for row in self._db.execute(sql, [*values, limit, offset])]

    # Messages to instances.

    def post(
        self, instance_id: str, event: HistoryEvent, execution: str | None = None, due: float | None = None
    ) -> None:
        """Put a message into an instance's inbox; with `due`, a POSIX time, it counts only from then on."""
        sql = "INSERT INTO messages(id, execution, due, event) VALUES (?, ?, ?, ?)"
        self._db.execute(sql, (instance_id, execution, due, json.dumps(event)))
        self._announced.append(Announcement("orchestration" if due is None else "timer", instance_id, due))

    def inbox(self, instance_id: str, moment: datetime) -> list[Message]:
        """The messages that count now, in the order they came."""
        sql = "SELECT number, execution, event FROM messages WHERE id = ? AND (due IS NULL OR due <= ?) ORDER BY number"
        rows = self._db.execute(sql, (instance_id, moment.timestamp()))
        return [Message(number, execution, json.loads(event)) for number, execution, event in rows]

    def drop_messages(self, messages: Sequence[Message]) -> None:
        """Remove messages that have been taken."""
        self._db.executemany("DELETE FROM messages WHERE number = ?", [(message.number,) for message in messages])

    def drop_messages_of_executions(self, instance_id: str) -> None:
        """Remove what was meant for one execution of an instance: its timers and answers."""
        self._db.execute("DELETE FROM messages WHERE id = ? AND execution IS NOT NULL", (instance_id,))

    def take_all_messages(self, instance_id: str) -> list[tuple[HistoryEvent, float | None]]:
        """Remove all messages of an instance and return them with their due times."""
        rows = self._db.execute(
            "SELECT event, due FROM messages WHERE id = ? ORDER BY number", (instance_id,)
        ).fetchall()
        self._db.execute("DELETE FROM messages WHERE id = ?", (instance_id,))
        return [(json.loads(event), due) for event, due in rows]

    # Activities.

    def add_activity(self, instance_id: str, execution: str, task: int, name: str, given: str | None) -> None:
        """Schedule an activity."""
        sql = "INSERT INTO activities(id, execution, task, name, input) VALUES (?, ?, ?, ?, ?)"
        number = self._db.execute(sql, (instance_id, execution, task, name, given)).lastrowid
        self._announced.append(Announcement("activity", str(number)))

    def activity(self, number: int) -> ActivityItem | None:
        """A scheduled activity, unless it is done."""
        sql = "SELECT number, id, execution, task, name, input FROM activities WHERE number = ?"
        row = self._db.execute(sql, (number,)).fetchone()
        return ActivityItem(*row) if row else None

    def end_activity(self, number: int) -> bool:
        """Remove a scheduled activity; False when it was not there any more."""
        return self._db.execute("DELETE FROM activities WHERE number = ?", (number,)).rowcount > 0

    # Entities.

    def send(self, entity: str, message: dict[str, Any]) -> None:
        """Put an operation into an entity's queue."""
        self._db.execute("INSERT INTO operations(entity, message) VALUES (?, ?)", (entity, json.dumps(message)))
        self._announced.append(Announcement("entity", entity))

    def operations(self, entity: str, limit: int = 500) -> list[tuple[int, dict[str, Any]]]:
        """The next operations of an entity, in order."""
        sql = "SELECT number, message FROM operations WHERE entity = ? ORDER BY number LIMIT ?"
        return [(number, json.loads(message)) for number, message in self._db.execute(sql, (entity, limit))]

    def drop_operations(self, numbers: Sequence[int]) -> None:
        """Remove operations that have been carried out."""
        self._db.executemany("DELETE FROM operations WHERE number = ?", [(number,) for number in numbers])

    def entity(self, entity: str) -> tuple[str | None, str] | None:
        """An entity's state as JSON text and when it changed last; None when it does not exist."""
        row = self._db.execute("SELECT state, updated FROM entities WHERE id = ?", (entity,)).fetchone()
        return (row[0], row[1]) if row else None

    def put_entity(self, entity: str, state: str | None, moment: datetime) -> None:
        """Set an entity's state."""
        self._db.execute("INSERT OR REPLACE INTO entities VALUES (?, ?, ?)", (entity, state, timestamp(moment)))

    def delete_entity(self, entity: str) -> None:
        """Forget an entity."""
        self._db.execute("DELETE FROM entities WHERE id = ?", (entity,))

    def entities(self, name: str = "") -> list[tuple[str, str | None, str]]:
        """All entities, or those of a name: id, state and when it changed last."""
        rows = self._db.execute("SELECT id, state, updated FROM entities ORDER BY id").fetchall()
        return [row for row in rows if not name or row[0].split("@", 2)[1] == name.lower()]

    # Unfinished work, and when timers are due.

    def unfinished(self) -> list[Announcement]:
        """Everything that is runnable or has a due time."""
        work = [
            ("orchestration", "SELECT DISTINCT id, NULL FROM messages WHERE due IS NULL"),
            ("timer", "SELECT id, due FROM messages WHERE due IS NOT NULL"),
            ("activity", "SELECT number, NULL FROM activities ORDER BY number"),
            ("entity", "SELECT DISTINCT entity, NULL FROM operations"),
        ]
        return [Announcement(kind, str(key), due) for kind, sql in work for key, due in self._db.execute(sql)]

    # Timer triggers.

    def schedule(self, name: str) -> tuple[str | None, str] | None:
        """When a timer trigger ran last and is due next, as ISO texts."""
        row = self._db.execute("SELECT last, next FROM schedules WHERE name = ?", (name,)).fetchone()
        return (row[0], row[1]) if row else None

    def put_schedule(self, name: str, last: datetime | None, due: datetime) -> None:
        """Note when a timer trigger ran last and is due next."""
        given = (name, last.astimezone(UTC).isoformat() if last else None, due.astimezone(UTC).isoformat())
        self._db.execute("INSERT OR REPLACE INTO schedules VALUES (?, ?, ?)", given)


def is_control(message: Message) -> bool:
    """Whether a message suspends or resumes an instance."""
    return message.event["EventType"] in (EventType.EXECUTION_SUSPENDED, EventType.EXECUTION_RESUMED)
