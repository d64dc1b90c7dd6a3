"""Parquet files that are whole or not there: written beside their place, made durable, renamed."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

from ._arrow import Columns, batching, pa
from ._drive import Flow, Step, Work
from ._extras import require
from ._part import file_path

pq: Any = require("pyarrow.parquet", extra="parquet")

GROUP_ROWS = 131_072
"""Rows in a row group: enough to compress, few enough to be held."""


class WholeFile:
    """A file in the making, under a name of its own."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = file_path(path)
        self.part = self.path.with_name(f"{self.path.name}.{token_hex(4)}.part")
        if self.path.is_dir():
            raise IsADirectoryError(21, "it is a folder", str(self.path))

    def finish(self) -> None:
        """Make it durable and give it its name."""
        with open(self.part, "r+b") as file:
            os.fsync(file.fileno())
        os.replace(self.part, self.path)

    def discard(self) -> None:
        """Throw it away, unless it is finished."""
        self.part.unlink(missing_ok=True)


class ParquetFile(WholeFile):
    """A Parquet file that grows by batches."""

    def __init__(self, path: str | os.PathLike[str], schema: Any) -> None:
        super().__init__(path)
        self._schema = schema
        self._writer: Any = None
        self._batches: list[Any] = []
        self._rows = 0

    def open(self) -> None:
        self._writer = pq.ParquetWriter(str(self.part), self._schema)

    def write(self, batch: Any) -> None:
        self._batches.append(batch)
        self._rows += batch.num_rows
        if self._rows >= GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        table = pa.Table.from_batches(self._batches, self._schema)
        self._batches, self._rows = [], 0
        # Batches end where pages end, so a group may be a little larger than it should be, but is one.
        self._writer.write_table(table, row_group_size=table.num_rows)

    def finish(self) -> None:
        if self._batches:
            self._flush()
        self._writer.close()
        super().finish()

    def discard(self) -> None:
        if self._writer is not None:
            with suppress(Exception):
                self._writer.close()
        super().discard()


def writing(path: str | os.PathLike[str], model: Any, read: Callable[[], Any]) -> Flow[Step, Path]:
    """Write a list to a Parquet file; `read` gives its next page, or None."""
    columns = Columns(model)
    file = ParquetFile(path, columns.schema)
    try:
        yield Work(file.open)
        yield from batching(columns, read, lambda batch: Work(partial(file.write, batch)))
        yield Work(file.finish)
    finally:
        file.discard()
    return file.path
