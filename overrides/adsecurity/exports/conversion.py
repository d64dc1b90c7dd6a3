"""An export's CSV file as Parquet, Arrow tables and streams: downloaded first, then converted."""

from __future__ import annotations

import os
import shutil
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from ..flow.process import Process
from ..flow.steps import BlockingCall, Flow, Step
from ..tables.arrow import pa
from ..tables.csv import CsvFormat
from ..tables.csv_batches import BLOCK, CsvFile
from ..tables.page_batches import ConversionThread
from ..tables.parquet import GROUP_BYTES, ParquetFile
from ..tables.whole_file import file_path
from .part_file import Conversion, ExportFile

if TYPE_CHECKING:
    from concurrent.futures import Future


_IN_FLIGHT = GROUP_BYTES // BLOCK
"""Batches that wait for being written: a row group of them, or reading would stand still while one is written."""


class TemporaryFolder:
    """A folder that goes with its object, or at exit: not with the copy of a forked child, whose parent uses it."""

    def __init__(self) -> None:
        self.path = Path(mkdtemp(prefix="adsecurity-"))
        self.process = Process("this table")
        self.remove = weakref.finalize(self, _remove, self.path, self.process)


def _remove(folder: Path, process: Process) -> None:
    if process.is_current:
        shutil.rmtree(folder, ignore_errors=True)


def write_parquet(
    source: Path,
    target: Path,
    format: CsvFormat,
    check: Callable[[int], None],
    tell: Callable[[int], None] = lambda count: None,
) -> None:
    """Write the rows of a CSV file to a Parquet file, which is there only if `check` takes their number.

    `tell` is called with the rows so far after each batch.
    """
    rows = CsvFile(source, format)
    file = ParquetFile(target, rows.schema)
    # Writing takes as long as reading: each in a thread of its own.
    thread = ConversionThread()
    pending: deque[Future[None]] = deque()
    try:
        file.start()
        for batch in rows.batches():
            pending.append(thread.submit(partial(file.write, batch)))
            if len(pending) > _IN_FLIGHT:
                pending.popleft().result()
            tell(rows.count)
        while pending:
            pending.popleft().result()
        check(rows.count)
        file.finish()
    finally:
        thread.close(pending)
        file.discard()


def to_parquet(path: str | os.PathLike[str], export: ExportFile) -> Flow[Step, Path]:
    """Download an export's file to a hidden one beside `path`, and convert it to Parquet at `path`."""
    target = file_path(path)
    if target.is_dir():
        raise export.fail(path, f"cannot write {target}: it is a folder")

    def convert(source: Path) -> None:
        with export.count_rows(target) as bar:
            write_parquet(source, target, export.new_format(), export.check, bar.at)

    yield from export.download(target.with_name(f".{target.name}.csv"), Conversion(convert, target, lasts=True))
    return target


def to_reader(export: ExportFile) -> Flow[Step, Any]:
    """Download an export's file to a temporary folder; a reader of its batches, with which the folder goes."""
    try:
        folder = TemporaryFolder()
    except OSError as error:
        raise export.fail(None, f"cannot write a temporary file: {error.strerror or error}") from error
    kept = folder.path / "whole.csv"

    def keep(source: Path) -> CsvFile:
        os.replace(source, kept)
        return CsvFile(kept, export.new_format())

    opened: list[CsvFile] = []
    try:
        conversion = Conversion(lambda source: opened.append(keep(source)), kept, lasts=False)
        yield from export.download(kept.with_name("rows.csv"), conversion)
    except BaseException:
        folder.remove()
        raise
    (rows,) = opened
    batches = _batches(folder, rows, export)
    # Begun, so that the folder goes even if nothing is ever read.
    next(batches)
    return pa.RecordBatchReader.from_batches(rows.schema, batches)


def _batches(folder: TemporaryFolder, rows: CsvFile, export: ExportFile) -> Iterator[Any]:
    try:
        yield None
        # A forked child shares the place in the file with its parent, and would read what the parent then misses.
        yield from folder.process.own(rows.batches())
        export.check(rows.count)
    except OSError as error:
        raise export.fail(None, f"cannot read a temporary file: {error.strerror or error}") from error
    finally:
        folder.remove()


def to_table(export: ExportFile) -> Flow[Step, Any]:
    """As `to_reader`, all batches in one table."""
    reader: Any = yield from to_reader(export)
    return (yield BlockingCall(reader.read_all))
