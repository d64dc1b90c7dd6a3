"""What the sandbox remembers: documents and report rows in one SQLite database, in a file or in memory."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._schema import as_map

_TABLES = """
CREATE TABLE IF NOT EXISTS items (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, id TEXT NOT NULL,
    integration TEXT NOT NULL, parent TEXT NOT NULL, doc TEXT NOT NULL, UNIQUE (collection, id));
CREATE INDEX IF NOT EXISTS items_place ON items (collection, integration, parent);
CREATE TABLE IF NOT EXISTS rows (
    seq INTEGER PRIMARY KEY, report TEXT NOT NULL, integration TEXT NOT NULL, time INTEGER NOT NULL,
    key TEXT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS rows_time ON rows (report, integration, time, key);
CREATE INDEX IF NOT EXISTS rows_key ON rows (report, key);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


@dataclass(frozen=True)
class Place:
    """Where a document lives: its collection, and the integration and parent item that the path names."""

    collection: str
    integration: str = ""
    parent: str = ""

    def where(self) -> tuple[str, list[Any]]:
        clause = "collection = ?"
        values: list[Any] = [self.collection]
        for name in ("integration", "parent"):
            if getattr(self, name):
                clause += f" AND {name} = ?"
                values.append(getattr(self, name))
        return clause, values


@dataclass(frozen=True)
class Row:
    """One line of a report; rows are listed by (time, key), newest first."""

    report: str
    integration: str
    time: int
    key: str
    doc: dict[str, Any]


class Store:
    """One connection, one lock: requests and export jobs take turns."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        # Goes up with every change of the rows.
        self.version = 0
        self.in_memory = path is None
        try:
            self._connection = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
            self._prepare()
        except sqlite3.Error as error:
            raise type(error)(f"{path}: {error}") from None

    def _prepare(self) -> None:
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_TABLES)
        except sqlite3.Error:
            self._connection.close()
            raise

    def image(self) -> bytes:
        """The whole database; `restore` makes another store in memory the same."""
        with self._lock:
            return self._connection.serialize()

    def restore(self, image: bytes) -> None:
        with self._lock:
            self._connection.deserialize(image)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def _many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        with self._lock:
            self._connection.execute("BEGIN")
            with self._connection:
                self._connection.executemany(sql, values)

    def count_up(self, name: str) -> int:
        """The next number of a counter, from 1."""
        sql = "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value"
        return int(self.query(sql, [name])[0][0])

    def counter(self, name: str) -> int:
        return int(next(iter(self.query("SELECT value FROM counters WHERE name = ?", [name])), (0,))[0])

    # Documents

    def add(self, documents: Iterable[tuple[Place, dict[str, Any]]]) -> None:
        self._many(
            "INSERT INTO items (collection, id, integration, parent, doc) VALUES (?, ?, ?, ?, ?)",
            (
                (place.collection, doc["id"], place.integration, place.parent, json.dumps(doc))
                for place, doc in documents
            ),
        )

    def get(self, place: Place, item_id: str) -> dict[str, Any] | None:
        clause, values = place.where()
        found = self.query(f"SELECT doc FROM items WHERE {clause} AND id = ?", [*values, item_id])
        return as_map(json.loads(found[0][0])) if found else None

    def put(self, collection: str, doc: dict[str, Any]) -> None:
        self.query("UPDATE items SET doc = ? WHERE collection = ? AND id = ?", [json.dumps(doc), collection, doc["id"]])

    def delete(self, collection: str, item_ids: Sequence[str]) -> None:
        self._many("DELETE FROM items WHERE collection = ? AND id = ?", ((collection, item) for item in item_ids))

    def documents(self, place: Place, tail: str = "", values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The documents of a place; `tail` goes on after the WHERE clause."""
        clause, found = place.where()
        rows = self.query(f"SELECT doc FROM items WHERE {clause}{tail or ' ORDER BY seq'}", [*found, *values])
        return [as_map(json.loads(row[0])) for row in rows]

    def count(self, place: Place, tail: str = "", values: Sequence[Any] = ()) -> int:
        clause, found = place.where()
        return int(self.query(f"SELECT COUNT(*) FROM items WHERE {clause}{tail}", [*found, *values])[0][0])

    # Report rows

    def add_rows(self, rows: Iterable[Row]) -> None:
        self.add_raw_rows((row.report, row.integration, row.time, row.key, json.dumps(row.doc)) for row in rows)

    def add_raw_rows(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self.version += 1
        self._many("INSERT INTO rows (report, integration, time, key, doc) VALUES (?, ?, ?, ?, ?)", rows)

    def raw_rows(self, report: str) -> list[tuple[Any, ...]]:
        return self.query("SELECT report, integration, time, key, doc FROM rows WHERE report = ?", [report])

    def put_row(self, seq: int, doc: dict[str, Any]) -> None:
        self.version += 1
        self.query("UPDATE rows SET doc = ? WHERE seq = ?", [json.dumps(doc), seq])

    def rows(self, clause: str, values: Sequence[Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        """The rows of a WHERE clause (with its ORDER BY and LIMIT), each with its number."""
        for seq, doc in self.query(f"SELECT seq, doc FROM rows WHERE {clause}", values):
            yield seq, as_map(json.loads(doc))
