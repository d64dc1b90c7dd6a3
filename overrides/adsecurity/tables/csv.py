"""Rows out of an export's CSV as it comes in: the columns have wire names and the types of the row model."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, Generic, Self, TypeVar

import attrs

from adsecurity_generated._model import Model
from adsecurity_generated._operation import UNSET
from adsecurity_generated._values import read_boolean, read_integer, read_number

from ..codec.times import zone

M = TypeVar("M", bound=Model)
Fail = Callable[[str], Exception]
"""Makes the error that tells of a problem."""

NO_DELIMITERS = '"\r\n'
"""What has a meaning of its own in a CSV file."""

_READERS = {"integer": read_integer, "number": read_number, "boolean": read_boolean}


class TextRow(Model):
    """A row of a file without a row model: all of it is text, in `additional_properties`."""

    def _read(self, d: Mapping[str, Any]) -> None:
        pass


@attrs.frozen
class CsvFormat:
    """How a file is written, and what its cells mean."""

    model: type[Any]
    delimiter: str
    zone: tzinfo | None
    """The zone of times that are written without one; None when it is not known."""
    fail: Fail
    kinds: Mapping[str, str]
    """The kind of each column that the model knows, by its name on the wire."""

    @classmethod
    def of(cls, model: type[Any], delimiter: str, timezone: str | None, fail: Fail) -> Self:
        """Raises what `fail` makes for a delimiter that can be none."""
        if len(delimiter) != 1 or delimiter in NO_DELIMITERS:
            raise fail(
                f"its columns are said to be separated by {delimiter!r}, which is not one character that can do so"
            )
        kinds = {field.wire: field.kind for field in model.FIELDS}
        return cls(model, delimiter, None if timezone is None else zone(timezone), fail, kinds)

    def json_value(self, kind: str, text: str) -> Any:
        """What a cell is in JSON; UNSET for a time whose zone is not known."""
        if text == "":
            return None
        return self._time(text) if kind == "date-time" else _value(kind, text)

    def _time(self, text: str) -> Any:
        """A time with its zone."""
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            # Any other way to write a time is clear only where it names its zone.
            return text if text.startswith("0000-00-00") or _names_its_zone(text) else UNSET
        if time.tzinfo is not None or time.year == 1:
            return text
        if self.zone is None:
            return UNSET
        # As databases do: an hour that comes twice is the later one, an hour that is left out lies behind the gap.
        both = [time.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1)]
        return min(both, key=lambda one: one.utcoffset() or timedelta()).isoformat()


class CsvRecords:
    """Turns blocks of bytes into records, each a list of texts. The first record is the header."""

    def __init__(self, delimiter: str, fail: Fail) -> None:
        self._delimiter = delimiter
        self._fail = fail
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._rest = ""
        self.header: list[str] | None = None
        """None while there is none yet."""
        self.count = 0
        """How many records have been read, without the header."""

    def feed(self, block: bytes) -> Iterator[list[str]]:
        """The records that this block completes; all of them are to be taken before the next block."""
        text = self._rest + self._decode(block)
        # A carriage return at the very end may be the first half of a line end.
        cut = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
        self._rest = text[cut:]
        return self._parse(text[:cut], more=True)

    def end(self) -> Iterator[list[str]]:
        """The last record, when no line end follows it."""
        return self._parse(self._rest + self._decode(b"", True), more=False)

    def _parse(self, text: str, *, more: bool) -> Iterator[list[str]]:
        lines = _Lines(text)
        records = csv.reader(lines, delimiter=self._delimiter)
        while True:
            start = lines.position
            try:
                record = next(records, None)
            except csv.Error as error:
                where = "its header" if self.header is None else f"row {self.count + 1}"
                raise self._fail(f"{where} is no CSV: {error}; csv.field_size_limit() sets it") from None
            if record is None:
                return
            if more and lines.ended:
                # The record is cut off inside quotes. Only the reader knows: not every quote opens a cell.
                self._rest = text[start:] + self._rest
                return
            if not record:
                continue
            if self.header is None:
                self.header = record
            else:
                self.count += 1
                yield record


class CsvRows(Generic[M]):
    """Turns blocks of bytes into rows.

    A time without a zone is in `timezone`; where that is unknown (None), it is left as text in the row's
    `additional_properties`, as are columns that the model does not know.
    """

    def __init__(self, model: type[M], delimiter: str, timezone: str | None, fail: Fail) -> None:
        self._model = model
        self._format = CsvFormat.of(model, delimiter, timezone, fail)
        self._records = CsvRecords(delimiter, fail)
        self._columns: list[tuple[str, str]] = []

    @property
    def count(self) -> int:
        """How many rows have been read."""
        return self._records.count

    def feed(self, block: bytes) -> Iterator[M]:
        """The rows that this block completes; all of them are to be taken before the next block."""
        return map(self._row, self._records.feed(block))

    def end(self) -> Iterator[M]:
        """The last row, when no line end follows it."""
        return map(self._row, self._records.end())

    def _row(self, record: list[str]) -> M:
        if not self._columns:
            names = column_names(self._records.header or ())
            self._columns = [(name, self._format.kinds.get(name, "")) for name in names]
        known: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for (name, kind), text in zip(self._columns, record, strict=False):
            if kind == "string":
                known[name] = text
            elif kind == "" or (value := self._format.json_value(kind, text)) is UNSET:
                extra[name] = text
            else:
                known[name] = value
        if len(record) > len(self._columns):
            extra[""] = record[len(self._columns) :]
        row = self._model.from_dict(known)
        row.additional_properties.update(extra)
        return row


class _Lines(Iterator[str]):
    """The lines of a text, and how far they have been read."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self.position = 0
        self.ended = False

    def __next__(self) -> str:
        line = self._lines.readline()
        if not line:
            self.ended = True
            raise StopIteration
        self.position += len(line)
        return line


def column_names(header: Sequence[str]) -> list[str]:
    """Names for the columns, without spaces around them, and no two that differ in case alone."""
    names: list[str] = []
    used = {"", "_extra"}
    for cell in header:
        name = unique = cell.strip()
        number = 0
        while unique.lower() in used:
            number += 1
            unique = f"{name or 'column'}_{number}"
        used.add(unique.lower())
        names.append(unique)
    return names


def _names_its_zone(text: str) -> bool:
    from dateutil import parser

    try:
        return parser.parse(text).tzinfo is not None
    except (ValueError, OverflowError):
        return False


def _value(kind: str, text: str) -> Any:
    """What the text is in JSON; the text itself where it does not fit the kind, so that the model keeps it."""
    if kind in _READERS:
        value, _ = _READERS[kind](text)
        return text if value is None else value
    if kind in ("array", "object", "map"):
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(text)
    return text
