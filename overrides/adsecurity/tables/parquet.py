"""Tables as Parquet files, row group by row group."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from ..errors import DownloadError
from ..flow.extras import require
from ..flow.steps import BlockingCall, Flow, Step
from .arrow import pa
from .page_batches import Batch, Page, PageConverter, converting
from .whole_file import WholeFile

pq: Any = require("pyarrow.parquet", extra="parquet")

GROUP_BYTES = 32 << 20
"""Bytes of a row group in memory: enough to compress well and to scan fast, few enough to be held."""


class ParquetFile(WholeFile):
    """A Parquet file that grows by batches. Its methods raise OSError."""

    def __init__(self, path: str | os.PathLike[str], schema: Any) -> None:
        super().__init__(path)
        self._schema = schema
        self._writer: Any = None
        self._buffer: io.BufferedWriter | None = None
        self._batches: list[Any] = []
        self._bytes = 0
        self.rows = 0
        """Rows that were given to it."""

    def start(self) -> None:
        """Create the file."""
        # Buffered for its loop: an unbuffered write may write a part only.
        self._buffer = io.BufferedWriter(self.open())
        self._writer = pq.ParquetWriter(self._buffer, self._schema)

    def write(self, batch: Any) -> None:
        """Add the rows of a record batch."""
        self._batches.append(batch)
        self._bytes += batch.nbytes
        self.rows += batch.num_rows
        if self._bytes >= GROUP_BYTES:
            self._write_group()

    def _write_group(self) -> None:
        group = pa.Table.from_batches(self._batches, self._schema)
        self._batches, self._bytes = [], 0
        self._writer.write_table(group, row_group_size=group.num_rows)

    def finish(self) -> None:
        if self._batches:
            self._write_group()
        self._writer.close()
        assert self._buffer is not None
        self._buffer.flush()
        super().finish()

    def discard(self) -> None:
        # First, so that nothing which is still in the buffer is written: a forked child has a copy of it, and would
        # write it into its parent's file.
        super().discard()
        if self._writer is not None:
            with suppress(Exception):
                self._writer.close()


def writing(
    path: str | os.PathLike[str], model: Any, read: Callable[[], Any], tell: Callable[[int, Any], None]
) -> Flow[Step, Path]:
    """Write a list to a Parquet file; `read` gives its next page, or None. `tell` is called with the rows so far and
    the last page that they came from.

    Raises DownloadError where the file cannot be written.
    """
    converter = PageConverter(model)
    file = ParquetFile(path, converter.schema)

    def guarded(step: Callable[[], None]) -> None:
        try:
            step()
        except OSError as error:
            raise DownloadError(
                f"cannot write {file.path}: {error.strerror or error}; nothing of it is kept", path=os.fspath(path)
            ) from error

    def convert(pages: Sequence[Page]) -> Batch:
        batch = converter.convert(pages)
        if batch.rows is not None:
            guarded(partial(file.write, batch.rows))
        return attrs.evolve(batch, rows=None)

    def emit(batch: Batch) -> None:
        tell(file.rows, batch.page)

    try:
        yield BlockingCall(partial(guarded, file.start))
        yield from converting(convert, read, emit)
        yield BlockingCall(partial(guarded, file.finish))
    finally:
        file.discard()
    return file.path
