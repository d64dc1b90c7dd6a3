"""Tables as Parquet files, row group by row group."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from ..flow.extras import require
from ..flow.steps import BlockingCall, Flow, Step
from .arrow import Columns, batching, pa
from .whole_file import WholeFile

pq: Any = require("pyarrow.parquet", extra="parquet")

GROUP_ROWS = 131_072
"""Rows in a row group: enough to compress, few enough to be held."""


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
        yield BlockingCall(file.open)
        yield from batching(columns, read, lambda batch: BlockingCall(partial(file.write, batch)))
        yield BlockingCall(file.finish)
    finally:
        file.discard()
    return file.path
