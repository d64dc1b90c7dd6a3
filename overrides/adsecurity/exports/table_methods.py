"""What both jobs have for tables: thin drivers of the flows in `conversion`, which needs pyarrow."""

from __future__ import annotations

import os
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

from ..flow.drivers import drive, drive_async, perform, perform_async


class TableMethods:
    """The file of a finished export as Parquet, an Arrow table or stream, a data frame."""

    _storage: Any
    _conversion: Any

    def to_parquet(
        self, path: str | os.PathLike[str], *, allow_truncated: bool = False, progress: bool = False
    ) -> Path:
        """Fetch the file and write it as Parquet, typed as `rows()` are; `path` appears when it is whole.

        With `progress` a bar on stderr shows how far it is, in a terminal and in a notebook: adsecurity[progress].

        Raises ValueError where `path` is no local path, and DownloadError where the file cannot be fetched or written.
        """
        from .conversion import to_parquet

        with closing(self._storage()) as storage:
            return drive(to_parquet(path, self._conversion(storage, allow_truncated, progress=progress)), perform)

    def to_arrow(self, *, allow_truncated: bool = False) -> Any:
        """Fetch the file into a `pyarrow.Table`, typed as `rows()` are."""
        from .conversion import to_table

        with closing(self._storage()) as storage:
            return drive(to_table(self._conversion(storage, allow_truncated)), perform)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The rows of the file as an Arrow stream, which other libraries read as it comes: `polars.DataFrame(job)`,
        `duckdb.sql("from job")`, `pyarrow.table(job)`. The file is downloaded first."""
        from .conversion import to_reader

        with closing(self._storage()) as storage:
            reader: Any = drive(to_reader(self._conversion(storage, allow_truncated=False)), perform)
        return reader.__arrow_c_stream__(requested_schema)

    def to_pandas(self, *, allow_truncated: bool = False) -> Any:
        """Fetch the file into a `pandas.DataFrame` with nullable types."""
        from ..tables.frames import Pandas

        pandas = Pandas()
        return pandas.frame(self.to_arrow(allow_truncated=allow_truncated))

    def to_polars(self, *, allow_truncated: bool = False) -> Any:
        """Fetch the file into a `polars.DataFrame`."""
        from ..tables.frames import Polars

        polars = Polars()
        return polars.frame(self.to_arrow(allow_truncated=allow_truncated))


class AsyncTableMethods:
    """As `TableMethods`, awaited."""

    _storage: Any
    _conversion: Any

    async def to_parquet(
        self, path: str | os.PathLike[str], *, allow_truncated: bool = False, progress: bool = False
    ) -> Path:
        """Fetch the file and write it as Parquet, typed as `rows()` are; `path` appears when it is whole.

        With `progress` a bar on stderr shows how far it is, in a terminal and in a notebook: adsecurity[progress].

        Raises ValueError where `path` is no local path, and DownloadError where the file cannot be fetched or written.
        """
        from .conversion import to_parquet

        async with aclosing(self._storage()) as storage:
            flow = to_parquet(path, self._conversion(storage, allow_truncated, progress=progress))
            return await drive_async(flow, perform_async)

    async def to_arrow(self, *, allow_truncated: bool = False) -> Any:
        """Fetch the file into a `pyarrow.Table`, typed as `rows()` are."""
        from .conversion import to_table

        async with aclosing(self._storage()) as storage:
            return await drive_async(to_table(self._conversion(storage, allow_truncated)), perform_async)

    async def to_pandas(self, *, allow_truncated: bool = False) -> Any:
        """Fetch the file into a `pandas.DataFrame` with nullable types."""
        from ..tables.frames import Pandas

        pandas = Pandas()
        return pandas.frame(await self.to_arrow(allow_truncated=allow_truncated))

    async def to_polars(self, *, allow_truncated: bool = False) -> Any:
        """Fetch the file into a `polars.DataFrame`."""
        from ..tables.frames import Polars

        polars = Polars()
        return polars.frame(await self.to_arrow(allow_truncated=allow_truncated))
