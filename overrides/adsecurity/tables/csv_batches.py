"""An export's CSV file as Arrow batches: its columns, types and values are those of `rows()`.

pyarrow reads the file with every column as text, and each column is cast to its type batch by batch. Values that a cast
would not read as `rows()` does are read one by one by the code of `rows()`; a file that pyarrow does not take is cut
into cells by that code too.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import attrs

from adsecurity_generated._operation import UNSET
from adsecurity_generated._values import Reader, Verdict, list_reader, plain_reader

from ..flow.extras import require
from .arrow import EXTRA, LEAVES, Lost, Split, column, extra_column, leaf, pa
from .csv import CsvFormat, CsvRecords, column_names
from .text_columns import TEXTS, cast, pc, without_empty

pa_csv: Any = require("pyarrow.csv", extra="parquet")

BLOCK = 2 << 20
"""Bytes that pyarrow cuts into cells at once."""
_PYTHON_BLOCK = 1 << 20
_PYTHON_ROWS = 8192


class _NotTaken(Exception):
    """pyarrow does not take the file, or might read it differently."""


@attrs.frozen
class CsvColumn:
    """One column of the file."""

    name: str
    holds: str
    """A kind of the spec that has a type of its own, `texts` for a list of strings, or `text`: null where empty."""
    type: Any
    split: Split
    """Reads one cell."""
    format: CsvFormat

    def read(self, cells: Any, lost: Lost) -> Any:
        """The cells, which are null where a row is too short, as an array of the column's type."""
        if self.holds == "text":
            return without_empty(cells)
        found = cast(cells, self.holds, self.format.zone)
        if found is not None:
            return found
        return column(self.name, cells.to_pylist(), self.type, self.split, lost, flat=False)


class CsvFile:
    """A whole file. Raises what the format's `fail` makes where it is no CSV, and OSError."""

    def __init__(self, path: Path, format: CsvFormat) -> None:
        self._path = path
        self._format = format
        self._header = self._read_header()
        # An empty file has the columns that it would have had.
        names = [field.wire for field in format.model.FIELDS] if self._header is None else column_names(self._header)
        self._columns = [_column(name, format) for name in names]
        self.schema = pa.schema([*[(one.name, one.type) for one in self._columns], (EXTRA, pa.string())])
        self.count = 0
        """How many rows have been read."""

    def batches(self) -> Iterator[Any]:
        """All rows, batch by batch."""
        try:
            for cells in self._cells_by_arrow():
                yield self._batch(cells, {})
        except _NotTaken:
            for records in self._records(skip=self.count):
                yield self._record_batch(records)

    def _read_header(self) -> list[str] | None:
        records = self._new_records()
        with open(self._path, "rb") as file:
            while records.header is None and (block := file.read(_PYTHON_BLOCK)):
                next(records.feed(block), None)
            if records.header is None:
                next(records.end(), None)
        return records.header

    def _new_records(self) -> CsvRecords:
        return CsvRecords(self._format.delimiter, self._format.fail)

    def _cells_by_arrow(self) -> Iterator[list[Any]]:
        """The columns of each block, as text."""
        if self._header is None:
            return
        batches = self._open()
        # Everything is a row to pyarrow; where it sees another header than rows() does, it sees other rows too.
        first = _next(batches)
        if first is None or [cell[0].as_py() for cell in first.columns] != self._header:
            raise _NotTaken
        batch = first.slice(1)
        limit = csv.field_size_limit()
        while batch is not None:
            if any(_is_longer(cells, limit) for cells in batch.columns):
                raise _NotTaken
            if batch.num_rows:
                yield batch.columns
            batch = _next(batches)

    def _open(self) -> Any:
        width = len(self._columns)
        try:
            return pa_csv.open_csv(
                self._path,
                read_options=pa_csv.ReadOptions(block_size=BLOCK, autogenerate_column_names=True),
                parse_options=pa_csv.ParseOptions(delimiter=self._format.delimiter, newlines_in_values=True),
                convert_options=pa_csv.ConvertOptions(
                    column_types={f"f{place}": pa.string() for place in range(width)},
                    null_values=[],
                    strings_can_be_null=False,
                ),
            )
        except (pa.ArrowInvalid, ValueError):
            # ValueError: a delimiter that is not one byte.
            raise _NotTaken from None

    def _batch(self, cells: Sequence[Any], lost: Lost) -> Any:
        count = len(cells[0])
        arrays = [one.read(texts, lost) for one, texts in zip(self._columns, cells, strict=True)]
        self.count += count
        return pa.record_batch([*arrays, extra_column(lost, count)], schema=self.schema)

    def _records(self, skip: int) -> Iterator[list[list[str]]]:
        """The rows behind the first `skip` ones, cut into cells by the code of rows()."""
        records = self._new_records()

        def each() -> Iterator[list[str]]:
            with open(self._path, "rb") as file:
                for block in iter(partial(file.read, _PYTHON_BLOCK), b""):
                    yield from records.feed(block)
            yield from records.end()

        rows = islice(each(), skip, None)
        while batch := list(islice(rows, _PYTHON_ROWS)):
            yield batch

    def _record_batch(self, records: list[list[str]]) -> Any:
        width = len(self._columns)
        lost: Lost = {number: {"": row[width:]} for number, row in enumerate(records) if len(row) > width}
        # One row more, so that all columns are there.
        cells = list(zip_longest(*records, [""] * width))[:width]
        return self._batch([_texts(column[:-1]) for column in cells], lost)


def _texts(cells: Sequence[str | None]) -> Any:
    return pa.array(cells, pa.string())


def _next(batches: Any) -> Any:
    """The next batch, None at the end."""
    try:
        return batches.read_next_batch()
    except StopIteration:
        return None
    except pa.ArrowInvalid:
        raise _NotTaken from None


def _is_longer(cells: Any, limit: int) -> bool:
    """Whether a cell has more characters than Python's reader takes."""
    # Most blocks are told by their size alone.
    return cells.nbytes > limit and (pc.max(pc.utf8_length(cells)).as_py() or 0) > limit


def _column(name: str, format: CsvFormat) -> CsvColumn:
    kind = format.kinds.get(name, "string")
    items = next((field.items for field in format.model.FIELDS if field.wire == name), None)
    if kind == "array" and items is not None and items.kind == "string":
        return CsvColumn(
            name, "texts", TEXTS, _split(kind, TEXTS, list_reader(*plain_reader("string")), format), format
        )
    if kind in LEAVES and (kind != "date-time" or format.zone is not None):
        type_ = LEAVES[kind]
        return CsvColumn(name, kind, type_, _split(kind, type_, plain_reader(kind)[0], format), format)
    return CsvColumn(name, "text", pa.string(), lambda text: (text or None, None), format)


def _split(kind: str, type_: Any, read: Reader, format: CsvFormat) -> Split:
    """Reads one cell; the same texts come again and again, so they are remembered."""
    fits = leaf(type_)

    @lru_cache(4096)
    def split(text: str | None) -> tuple[Any, Any]:
        raw = format.json_value(kind, text or "")
        if raw is None or raw is UNSET:
            return None, text if raw is UNSET else None
        value, verdict = read(raw)
        return (None, raw) if verdict is Verdict.UNFIT else fits(value)

    return split
