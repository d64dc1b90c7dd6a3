"""Rows out of an export's CSV, as it comes in: wire names on top, types from the row model, nothing guessed."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from adsecurity_generated._model import Model
from adsecurity_generated._operation import UNSET
from adsecurity_generated._values import read_boolean, read_integer, read_number

from ..codec.times import zone

M = TypeVar("M", bound=Model)

NO_DELIMITERS = '"\r\n'
"""What has a meaning of its own in a CSV file."""

_READERS = {"integer": read_integer, "number": read_number, "boolean": read_boolean}


class TextRow(Model):
    """A row of a file whose columns nobody has typed: all of it is text, in `additional_properties`."""

    def _read(self, d: Mapping[str, Any]) -> None:
        pass


class CsvRows(Generic[M]):
    """Turns blocks of bytes into rows.

    A time without a zone is in `timezone`; where that is unknown (None), it is left as text in the row's
    `additional_properties`, as are columns that the model does not know.
    """

    def __init__(self, model: type[M], delimiter: str, timezone: str | None, fail: Callable[[str], Exception]) -> None:
        if len(delimiter) != 1 or delimiter in NO_DELIMITERS:
            raise fail(
                f"its columns are said to be separated by {delimiter!r}, which is not one character that can do so"
            )
        self._model = model
        self._fail = fail
        self._delimiter = delimiter
        self._zone = None if timezone is None else zone(timezone)
        self._kinds = {field.wire: field.kind for field in model.FIELDS}
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._rest = ""
        self._columns: list[tuple[str, str]] | None = None
        self.count = 0
        """How many rows have been read."""

    def feed(self, block: bytes) -> Iterator[M]:
        """The rows that this block completes; to be taken, all of them, before the next block."""
        text = self._rest + self._decode(block)
        cut = text.rfind("\n") + 1
        self._rest = text[cut:]
        return self._parse(text[:cut], more=True)

    def end(self) -> Iterator[M]:
        """The last row, when no line end follows it."""
        return self._parse(self._rest + self._decode(b"", True), more=False)

    def _parse(self, text: str, *, more: bool) -> Iterator[M]:
        lines = _Lines(text)
        records = csv.reader(lines, delimiter=self._delimiter)
        while True:
            start = lines.taken
            try:
                record = next(records, None)
            except csv.Error as error:
                raise self._fail(f"row {self.count + 1} is no CSV: {error}; csv.field_size_limit() sets it") from None
            if record is None:
                return
            if more and lines.ended:
                # Inside quotes. Only the reader knows: not every quote opens something.
                self._rest = text[start:] + self._rest
                return
            if not record:
                continue
            if self._columns is None:
                self._columns = [(name, self._kinds.get(name, "")) for name in column_names(record)]
            else:
                self.count += 1
                yield self._row(self._columns, record)

    def _row(self, columns: list[tuple[str, str]], record: list[str]) -> M:
        known: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for (name, kind), text in zip(columns, record, strict=False):
            if kind == "string":
                known[name] = text
            elif kind == "" or (value := self._json(kind, text)) is UNSET:
                extra[name] = text
            else:
                known[name] = value
        if len(record) > len(columns):
            extra[""] = record[len(columns) :]
        row = self._model.from_dict(known)
        row.additional_properties.update(extra)
        return row

    def _json(self, kind: str, text: str) -> Any:
        """What the text is in JSON; UNSET for a time whose zone is not known."""
        if text == "":
            return None
        return self._time(text) if kind == "date-time" else _value(kind, text)

    def _time(self, text: str) -> Any:
        """A time with its zone."""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            # Some other way to write it: only what names its zone has one meaning.
            return text if text.startswith("0000-00-00") or _names_its_zone(text) else UNSET
        if moment.tzinfo is not None or moment.year == 1:
            return text
        if self._zone is None:
            return UNSET
        # Of two hours of the same name the later one, and an hour that is left out is behind the gap, as in databases.
        both = [moment.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1)]
        return min(both, key=lambda time: time.utcoffset() or timedelta()).isoformat()


class _Lines(Iterator[str]):
    """The lines of a text, and how far they have been taken."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self.taken = 0
        self.ended = False

    def __next__(self) -> str:
        line = self._lines.readline()
        if not line:
            self.ended = True
            raise StopIteration
        self.taken += len(line)
        return line


def column_names(header: Sequence[str]) -> list[str]:
    """Names for the columns, each once, whatever its case: what shares one would overwrite its neighbour."""
    names: list[str] = []
    taken = {"", "_extra"}
    for name in header:
        unique, number = name, 0
        while unique.lower() in taken:
            number += 1
            unique = f"{name or 'column'}_{number}"
        taken.add(unique.lower())
        names.append(unique)
    return names


def _names_its_zone(text: str) -> bool:
    from dateutil import parser

    try:
        return parser.parse(text).tzinfo is not None
    except (ValueError, OverflowError):
        return False


def _value(kind: str, text: str) -> Any:
    """What the text is in JSON; the text itself where it is nothing of that kind, so that the model keeps it."""
    if kind in _READERS:
        value, _ = _READERS[kind](text)
        return text if value is None else value
    if kind in ("array", "object", "map"):
        with contextlib.suppress(ValueError):
            return json.loads(text)
    return text
