"""An export's CSV as a Parquet file: its columns, types and values are those of `rows()`.

DuckDB writes it, several times faster than Python, as long as all values are written the usual way. It is told to stop
at any other (left alone it rounds 12.5 to an integer, and cuts a time down to its day); then the code of `rows()` does
the work.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import islice, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adsecurity_generated._operation import UNSET
from adsecurity_generated._values import Verdict

from ..errors import DownloadError
from ..flow.extras import require
from ..flow.steps import BlockingCall, Flow, Step
from ..tables.arrow import BATCH_ROWS, EXTRA, LEAVES, Lost, Split, column, extra_column, leaf, pa
from ..tables.csv import CsvRows, column_names
from ..tables.parquet import GROUP_ROWS, ParquetFile, pq
from ..tables.whole_file import WholeFile, file_path
from .part_file import Conversion

duckdb: Any = require("duckdb", extra="parquet")
pc: Any = require("pyarrow.compute", extra="parquet")

Download = Callable[[Path, Conversion], Flow[Step, Path]]
Check = Callable[[int], None]

_BLOCK = 1 << 20
_GROUP_BYTES = 56 << 20
"""Most CSV in a row group: DuckDB holds several times as much for each of its threads."""
_VECTOR = 2048
"""Rows that DuckDB handles at once; it has no smaller groups."""
_SETTINGS = {"memory_limit": "512MB", "temp_directory": "", "autoinstall_known_extensions": False}
_NO_TIME = "'0001-01-01 00:00:00', '0001-01-01T00:00:00Z', '0001-01-01', '0000-00-00 00:00:00', '0000-00-00'"
_ITEM = r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt])*"'
_DAY = r"[12]\d{3}-\d\d-\d\d"
# By the kind of a column: the usual way to write its values, and what DuckDB makes of them.
_USUAL = {
    "number": (r"-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?(?:[eE][+-]?\d{1,2})?", "{}::DOUBLE"),
    "integer": (r"-?(?:0|[1-9]\d{0,17})", "{}::BIGINT"),
    "boolean": (r"(?i:true|false)|[01]", "{}::BOOLEAN"),
    "date": (_DAY, "{}::DATE"),
    "date-time": (
        _DAY + r"[ T](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d)?",
        "{}::TIMESTAMPTZ",
    ),
    "texts": (rf"\[(?:{_ITEM}(?:, ?{_ITEM})*)?\]", """from_json({}, '["VARCHAR"]')"""),
}


class CsvRecords(CsvRows[Any]):
    """The rows of a file as lists of texts, and the columns that they make."""

    def _row(self, columns: list[tuple[str, str]], record: list[str]) -> Any:
        return record

    def look(self, path: Path) -> None:
        """Find out what the columns are."""
        with open(path, encoding="utf-8-sig", errors="replace", newline="") as text:
            last = [""]

            def lines() -> Iterator[str]:
                for line in text:
                    last[0] = line
                    yield line

            try:
                header = next((names for names in csv.reader(lines(), delimiter=self._delimiter) if names), None)
            except csv.Error as error:
                raise self._fail(f"its header is no CSV: {error}; csv.field_size_limit() sets it") from None
        # DuckDB takes the first one that it sees, also within quotes, and finds no row when that is wrong.
        self._line_end = "\\r\\n" if last[0].endswith("\r\n") else "\\n"
        self._path = path
        with open(path, "rb") as file:
            block = file.read(_BLOCK)
        rows = _GROUP_BYTES * (block.count(b"\n") + 1) // (len(block) + 1)
        self.group = max(_VECTOR, min(GROUP_ROWS, rows - rows % _VECTOR))
        """Rows in a row group."""
        self._fields: dict[str, Any] = {field.wire: field for field in self._model.FIELDS}
        # An empty file has the columns that it would have had.
        self.names = list(self._fields) if header is None else column_names(header)
        self._holds = [self._held(name) for name in self.names]
        types = [pa.list_(pa.string()) if kind == "texts" else LEAVES.get(kind, pa.string()) for kind in self._holds]
        self.schema = pa.schema([*zip(self.names, types, strict=True), (EXTRA, pa.string())])

    def _held(self, name: str) -> str:
        """What a column holds: a kind of its own, `texts`, or "text", which is null where it is empty."""
        kind = self._kinds.get(name, "string")
        items = self._fields[name].items if kind == "array" else None
        if items is not None and items.kind == "string":
            return "texts"
        return kind if kind in LEAVES and (kind != "date-time" or self._zone is not None) else "text"

    def query(self) -> str:
        """SQL that reads the file; it fails on any value that is not written the usual way."""
        places = range(len(self.names))
        columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in places)
        texts = ", ".join(f"'c{place}'" for place in places if self._holds[place] == "string")
        chosen = [f"{_converted(f'c{n}', self._holds[n])} AS {_quoted(self.names[n], chr(34))}" for n in places]
        # A name in brackets stands for itself in a pattern.
        path = "".join(f"[{char}]" if char in "*?[" else char for char in str(self._path))
        return (
            f"SELECT {', '.join(chosen)}, NULL::VARCHAR AS {EXTRA} FROM read_csv({_quoted(path)}, auto_detect=false,"
            f" header=true, delim={_quoted(self._delimiter)}, quote='\"', escape='\"', columns={{{columns}}},"
            f" force_not_null=[{texts}], new_line='{self._line_end}', hive_partitioning=false, buffer_size=4194304)"
        )

    @property
    def zone(self) -> str:
        return str(self._zone or "UTC")

    def batches(self) -> Iterator[Any]:
        splits = [self._split(name, kind) for name, kind in zip(self.names, self._holds, strict=True)]
        with open(self._path, "rb") as file:
            rows = self._rows(iter(partial(file.read, _BLOCK), b""))
            while batch := list(islice(rows, BATCH_ROWS)):
                yield self._batch(batch, splits)

    def _rows(self, blocks: Iterator[bytes]) -> Iterator[list[str]]:
        for block in blocks:
            yield from self.feed(block)
        yield from self.end()

    def _batch(self, rows: list[list[str]], splits: Sequence[Split]) -> Any:
        width = len(self.names)
        lost: Lost = {place: {"": row[width:]} for place, row in enumerate(rows) if len(row) > width}
        # One row more, so that the columns are all there.
        cells = list(zip_longest(*rows, [""] * width))[:width]
        arrays = [
            array
            if (array := _usual_numbers(texts[:-1], kind)) is not None
            else column(name, list(texts[:-1]), self.schema.field(name).type, split, lost, flat=kind == "string")
            for name, kind, texts, split in zip(self.names, self._holds, cells, splits, strict=True)
        ]
        return pa.record_batch([*arrays, extra_column(lost, len(rows))], schema=self.schema)

    def _split(self, name: str, held: str) -> Split:
        """How the texts of a column are read; the same ones again and again, so they are remembered."""
        if held in ("string", "text"):
            return lambda text: (text or None, None)
        kind, model = self._kinds[name], self._model
        read = model.PLAN.readers[self._fields[name].attr][0]
        fits: Split = leaf(self.schema.field(name).type)

        @lru_cache(4096)
        def split(text: str | None) -> tuple[Any, Any]:
            raw = self._json(kind, text or "")
            if raw is None or raw is UNSET:
                return None, text if raw is UNSET else None
            value, verdict = read(raw)
            return (None, raw) if verdict is Verdict.UNFIT else fits(value)

        return split


def _usual_numbers(texts: Sequence[str | None], kind: str) -> Any:
    """Numbers, all at once; None where they are no numbers or one of them is not written the usual way."""
    if kind not in ("number", "integer"):
        return None
    found = pa.array(texts, pa.string())
    found = pc.if_else(pc.equal(found, ""), None, found)
    usual = pc.all(pc.match_substring_regex(found, f"^(?:{_USUAL[kind][0]})$"))
    return None if usual.as_py() is False else found.cast(LEAVES[kind])


def _converted(name: str, kind: str) -> str:
    if kind not in _USUAL:
        return name
    usual, value = _USUAL[kind]
    nothing = f" OR {name} IN ({_NO_TIME})" if kind.startswith("date") else ""
    return (
        f"CASE WHEN regexp_full_match({name}, {_quoted(usual)}) THEN {value.format(name)}"
        f" WHEN {name} IS NULL{nothing} THEN NULL ELSE error('unusual') END"
    )


def _quoted(text: str, mark: str = "'") -> str:
    return f"{mark}{text.replace(mark, mark * 2)}{mark}"


def convert(source: Path, target: Path, records: CsvRecords, check: Check) -> None:
    """Write the rows of a CSV file to a Parquet file; `check` refuses a wrong number of them."""
    records.look(source)
    # In a file of one column DuckDB takes blank lines for rows.
    if len(records.names) == 1 or not _by_duckdb(target, records, check):
        _by_python(target, records, check)


def _by_duckdb(target: Path, records: CsvRecords, check: Check) -> bool:
    file = WholeFile(target)
    for threads, group in ((2, records.group), (1, max(_VECTOR, records.group // 4))):
        try:
            with duckdb.connect(config={**_SETTINGS, "threads": threads}) as db:
                db.execute(f"SET TimeZone = {_quoted(records.zone)}")
                options = f"FORMAT parquet, ROW_GROUP_SIZE {group}"
                copy = db.execute(f"COPY ({records.query()}) TO {_quoted(str(file.part))} ({options})")
                check(copy.fetchone()[0])
            file.finish()
            return True
        except duckdb.OutOfMemoryException:
            continue
        except (duckdb.Error, DownloadError):
            # A wrong number of rows may be DuckDB's own reading of the file.
            return False
        finally:
            file.discard()
    return False


def _by_python(target: Path, records: CsvRecords, check: Check) -> None:
    file = ParquetFile(target, records.schema)
    try:
        file.open()
        for batch in records.batches():
            file.write(batch)
        check(records.count)
        file.finish()
    finally:
        file.discard()


def converting(
    path: str | os.PathLike[str] | None,
    download: Download,
    make: Callable[[type[CsvRecords]], Any],
    check: Check,
    fail: Callable[[str | os.PathLike[str] | None, str], DownloadError],
) -> Flow[Step, Any]:
    """Download an export's file to a hidden one beside `path` and convert it; without a path, into an Arrow table."""
    if path is None:
        try:
            folder = TemporaryDirectory(prefix="adsecurity-")
        except OSError as error:
            raise fail(None, f"cannot write a temporary file: {error.strerror or error}") from error
        with folder as name:
            target = Path(name, "rows.parquet")
            yield from _converted_to(target, download, make, check, lasts=False)
            return (yield BlockingCall(lambda: pq.ParquetFile(target).read()))
    target = file_path(path)
    if target.is_dir():
        raise fail(path, f"cannot write {target}: it is a folder")
    yield from _converted_to(target, download, make, check, lasts=True)
    return target


def _converted_to(
    target: Path, download: Download, make: Callable[[type[CsvRecords]], Any], check: Check, *, lasts: bool
) -> Flow[Step, Path]:
    source = target.with_name(f".{target.name}.csv")
    return download(source, Conversion(lambda whole: convert(whole, target, make(CsvRecords), check), target, lasts))
