"""Rows of lists in each form: tables, JSON, CSV, Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .output import Output, TextFile

EXTRA = "_extra"
"""Column of files for what a row holds beyond the known columns, as JSON."""


def plain(item: Any) -> Any:
    """An item as it came."""
    return item.to_dict() if hasattr(item, "to_dict") else item


def dumps(value: Any, *, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=str)


def cut(row: Any, columns: Sequence[str]) -> Any:
    """Only the chosen columns of a row, in their order."""
    return {name: row.get(name) for name in columns} if columns else row


def write_rows(output: Output, rows: Iterable[Any], columns: Sequence[str], known: Sequence[str]) -> int:
    """Write rows as JSON or CSV and return how many there were; `columns` are the chosen ones, `known` all."""
    with TextFile(output.path) as out:
        if output.form == "csv":
            lines = _csv(rows, columns, known)
        elif output.form == "json":
            lines = _array(cut(row, columns) for row in rows)
        else:
            lines = (dumps(cut(row, columns)) + "\n" for row in rows)
        count = 0
        for line in lines:
            out.write(line)
            count += 1
        return count


def _array(rows: Iterator[Any]) -> Iterator[str]:
    """A JSON array, written while its rows come in."""
    begun = False
    for row in rows:
        yield (",\n" if begun else "[\n") + dumps(row)
        begun = True
    yield "\n]\n" if begun else "[]\n"


def csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else dumps(value)


def csv_line(cells: Iterable[str]) -> str:
    import csv
    import io

    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def csv_header(columns: Sequence[str], known: Sequence[str]) -> str:
    return csv_line(columns or [*known, EXTRA])


def csv_row(row: Any, columns: Sequence[str], known: Sequence[str]) -> str:
    """One row; what the known columns have no place for goes to `_extra`, so that nothing is lost."""
    if columns:
        return csv_line(csv_cell(row.get(name)) for name in columns)
    extra = {name: value for name, value in row.items() if name not in known}
    return csv_line([*(csv_cell(row.get(name)) for name in known), dumps(extra) if extra else ""])


def _csv(rows: Iterable[Any], columns: Sequence[str], known: Sequence[str]) -> Iterator[str]:
    yield csv_header(columns, known)
    for row in rows:
        yield csv_row(row, columns, known)


def write_parquet(output: Output, batches: Any, columns: Sequence[str], limit: int | None) -> int:
    """Write a reader of Arrow batches to a Parquet file; into a pipe as a whole, since its end is written last."""
    import sys
    import tempfile

    if output.path is not None:
        return _parquet_file(output.path, batches, columns, limit)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.parquet")
        count = _parquet_file(path, batches, columns, limit)
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
    return count


def _parquet_file(path: Path, batches: Any, columns: Sequence[str], limit: int | None) -> int:
    from .parquet import GrowingParquet

    with GrowingParquet(path) as file:
        for batch in batches:
            if limit is not None and file.rows + batch.num_rows > limit:
                batch = batch.slice(0, limit - file.rows)
            if columns:
                batch = batch.select(list(columns))
            file.write(batch)
            if limit is not None and file.rows >= limit:
                break
        else:
            if not file.begun:
                schema = batches.schema
                file.begin(schema if not columns else _chosen(schema, columns))
        file.finish()
        return file.rows


def _chosen(schema: Any, columns: Sequence[str]) -> Any:
    from .parquet import library

    return library("pyarrow").schema([schema.field(name) for name in columns])
