"""A Parquet file that grows by Arrow batches, and can go on from an unfinished one."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Self

from .failures import Failure
from .files import create_file

GROUP_ROWS = 131_072
"""Rows in a row group: enough to compress, few enough to be held."""


def library(name: str) -> Any:
    """A module of pyarrow; where it is missing, an error that says what to install."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise Failure(f"{error.name} is not installed; run: pip install 'adsecurity[parquet]'") from None


class GrowingParquet:
    """Rows go to a file beside the target, which takes its place when it is whole."""

    def __init__(self, path: Path, part: Path | None = None) -> None:
        self._parquet = library("pyarrow.parquet")
        self._arrow = library("pyarrow")
        self.path = path
        self.part = part or path.with_name(f"{path.name}.{os.getpid()}.part")
        self.rows = 0
        self._writer: Any = None
        self._file: IO[bytes] | None = None
        self._schema: Any = None
        self._held: list[Any] = []
        self._held_rows = 0

    @property
    def begun(self) -> bool:
        return self._writer is not None

    def begin(self, schema: Any) -> None:
        self._schema = schema
        self._file = create_file(self.part)
        self._writer = self._parquet.ParquetWriter(self._file, schema)

    def write(self, batch: Any) -> None:
        if not self.begun:
            self.begin(batch.schema)
        self._held.append(batch)
        self._held_rows += batch.num_rows
        self.rows += batch.num_rows
        if self._held_rows >= GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            table = self._arrow.Table.from_batches(self._held, self._schema)
            self._held, self._held_rows = [], 0
            self._writer.write_table(table, row_group_size=max(1, table.num_rows))

    def go_on_from(self, part: Path) -> None:
        """Take over the rows of an unfinished file, group by group."""
        with self._parquet.ParquetFile(part) as source:
            self.begin(source.schema_arrow)
            for number in range(source.num_row_groups):
                table = source.read_row_group(number)
                self._writer.write_table(table, row_group_size=max(1, table.num_rows))
                self.rows += table.num_rows

    def close(self) -> None:
        """End the file where it is; what it holds so far can be read."""
        if self.begun:
            self._flush()
            self._end()

    def _end(self) -> None:
        self._writer.close()
        self._writer = None
        if self._file is not None:
            self._file.close()

    def finish(self) -> None:
        self.close()
        os.replace(self.part, self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._end()
        self.part.unlink(missing_ok=True)
