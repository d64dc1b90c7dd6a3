"""The store: documents and report rows in one SQLite database, in a file or in memory."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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
class Collection:
    """A collection of documents; an empty `integration` or `parent_id` means: those of all integrations or parents."""

    name: str
    integration: str = ""
    parent_id: str = ""

    def where_clause(self) -> tuple[str, list[Any]]:
        """The documents of the collection as a SQL condition, and its parameters."""
        clause = "collection = ?"
        parameters: list[Any] = [self.name]
        if self.integration:
            clause += " AND integration = ?"
            parameters.append(self.integration)
        if self.parent_id:
            clause += " AND parent = ?"
            parameters.append(self.parent_id)
        return clause, parameters


@dataclass(frozen=True)
class Row:
    """One row of a report; `time` is in seconds since the epoch. Reports list rows by (time, key), newest first."""

    report: str
    integration: str
    time: int
    key: str
    document: dict[str, Any]


@dataclass(frozen=True)
class RowQuery:
    """The report rows that a request asks for, as the WHERE and ORDER BY parts of a SQL query."""

    where: str
    parameters: tuple[Any, ...]
    order_by: str = ""
    order_parameters: tuple[Any, ...] = ()

    def narrowed(self, clause: str, *parameters: Any) -> RowQuery:
        """The same query with one more condition, which starts with AND."""
        return replace(self, where=self.where + clause, parameters=(*self.parameters, *parameters))


class Store:
    """One SQLite connection behind one lock: requests and export jobs take turns."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        # Increases with every change of the report rows, so that cached results can be recognized as outdated.
        self.rows_version = 0
        self.in_memory = path is None
        try:
            self._connection = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
            self._create_tables()
        except sqlite3.Error as error:
            raise type(error)(f"{path}: {error}") from None

    def _create_tables(self) -> None:
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_TABLES)
        except sqlite3.Error:
            self._connection.close()
            raise

    def serialize(self) -> bytes:
        """The whole database as bytes, for `deserialize` of another store in memory."""
        with self._lock:
            return self._connection.serialize()

    def deserialize(self, database: bytes) -> None:
        with self._lock:
            self._connection.deserialize(database)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    def _execute_many(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        with self._lock:
            self._connection.execute("BEGIN")
            with self._connection:
                self._connection.executemany(sql, parameters)

    # Counters

    def increment_counter(self, name: str) -> int:
        """The next number of a counter, starting with 1."""
        sql = "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value"
        return int(self.query(sql, [name])[0][0])

    def counter(self, name: str) -> int:
        """The current number of a counter; 0 before its first increment."""
        found = self.query("SELECT value FROM counters WHERE name = ?", [name])
        return int(found[0][0]) if found else 0

    def set_counter(self, name: str, value: int) -> None:
        self.query("INSERT OR REPLACE INTO counters VALUES (?, ?)", [name, value])

    # Documents

    def add_documents(self, documents: Iterable[tuple[Collection, dict[str, Any]]]) -> None:
        self._execute_many(
            "INSERT INTO items (collection, id, integration, parent, doc) VALUES (?, ?, ?, ?, ?)",
            (
                (collection.name, document["id"], collection.integration, collection.parent_id, json.dumps(document))
                for collection, document in documents
            ),
        )

    def get_document(self, collection: Collection, item_id: str) -> dict[str, Any] | None:
        clause, parameters = collection.where_clause()
        found = self.query(f"SELECT doc FROM items WHERE {clause} AND id = ?", [*parameters, item_id])
        return as_map(json.loads(found[0][0])) if found else None

    def replace_document(self, collection_name: str, document: dict[str, Any]) -> None:
        self.query(
            "UPDATE items SET doc = ? WHERE collection = ? AND id = ?",
            [json.dumps(document), collection_name, document["id"]],
        )

    def delete_documents(self, collection_name: str, item_ids: Sequence[str]) -> None:
        self._execute_many(
            "DELETE FROM items WHERE collection = ? AND id = ?", ((collection_name, item_id) for item_id in item_ids)
        )

    def documents(
        self, collection: Collection, sql_suffix: str = " ORDER BY seq", parameters: Sequence[Any] = ()
    ) -> list[dict[str, Any]]:
        """The documents of a collection; `sql_suffix` follows its WHERE clause (more conditions, order, limit)."""
        clause, collection_parameters = collection.where_clause()
        sql = f"SELECT doc FROM items WHERE {clause}{sql_suffix}"
        found = self.query(sql, [*collection_parameters, *parameters])
        return [as_map(json.loads(document)) for (document,) in found]

    def count_documents(self, collection: Collection, sql_suffix: str = "", parameters: Sequence[Any] = ()) -> int:
        clause, collection_parameters = collection.where_clause()
        sql = f"SELECT COUNT(*) FROM items WHERE {clause}{sql_suffix}"
        return int(self.query(sql, [*collection_parameters, *parameters])[0][0])

    # Report rows

    def add_rows(self, rows: Iterable[Row]) -> None:
        self.add_row_tuples((row.report, row.integration, row.time, row.key, json.dumps(row.document)) for row in rows)

    def add_row_tuples(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Adds rows as `row_tuples` gives them, their documents still as JSON text."""
        self.rows_version += 1
        self._execute_many("INSERT INTO rows (report, integration, time, key, doc) VALUES (?, ?, ?, ?, ?)", rows)

    def row_tuples(self, report: str) -> list[tuple[Any, ...]]:
        return self.query("SELECT report, integration, time, key, doc FROM rows WHERE report = ?", [report])

    def replace_row(self, row_number: int, document: dict[str, Any]) -> None:
        self.rows_version += 1
        self.query("UPDATE rows SET doc = ? WHERE seq = ?", [json.dumps(document), row_number])

    def rows(self, clause: str, parameters: Sequence[Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        """The row numbers and documents that a WHERE clause (with its ORDER BY and LIMIT) selects."""
        for row_number, document in self.query(f"SELECT seq, doc FROM rows WHERE {clause}", parameters):
            yield row_number, as_map(json.loads(document))
