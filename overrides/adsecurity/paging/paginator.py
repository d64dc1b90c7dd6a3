"""Lists as users see them: `for item in client.users.list()`, its pages, its first item, all of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, closing
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ..codec.raw import RawResponse
from ..display.items import Items
from ..flow.drivers import drive, drive_async, perform, perform_async
from .base import BaseAsyncPaginator, BaseSyncPaginator, raw_response, same_page
from .iterators import AsyncItemIterator, AsyncPageIterator, ItemIterator, PageIterator
from .page import Page, PageResponse
from .sources import IterationState

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from ..codec.request import PreparedRequest
    from .parts.plan import Part

T = TypeVar("T")


class Paginator(BaseSyncPaginator[T]):
    """A list, read page by page while it is iterated over. Each iteration begins anew."""

    _read_by = "for item in ...; pages(), first(), to_list(limit=10), to_pandas(), to_parquet(path)"

    def __iter__(self) -> ItemIterator[T]:
        return ItemIterator(self._source())

    def pages(self) -> PageIterator[T, Page[T]]:
        """Iterate over whole pages."""
        return PageIterator(self._source(), same_page)

    def first(self) -> T | None:
        """The first item; None when there is none. One request, unless `concurrency` asks for several."""
        return next(iter(self), None)

    def spans(self, count: int) -> list[dict[str, str]]:
        """Cut the range into at most `count` half-open spans with about as many rows each, for other processes.

        For a call with `inclusive="left"`. Each span is the start and the end to call with instead, the other arguments
        and `inclusive="left"` being the same; together they give exactly the rows of this call. Sends at most 32
        requests, a page each, to see how dense the rows lie. Reading a span asks for a little more at both ends: one
        second, or two days before and one after its end, so that a span of a single day brings up to five days, and
        longer ones cost less.

        Each row comes exactly once from lists with cursors, and from numbered pages while the list is unchanged.

        Raises ValueError for a call with `inclusive="both"`, and what a list raises when a request fails.
        """

        return drive(self._plan_spans(count), self._probe)

    def _probe(self, request: PreparedRequest) -> PageResponse[T]:
        response = self._session.send(request, **self._call)
        return PageResponse(self._session.decode_page(request, response), response, 0.0)

    def count(self) -> int:
        """How many items the server counts in all, whatever `limit` and `resume` are. One request.

        Raises ValueError where the server gives no total.
        """
        request = self._count_request()
        return self._total(request, self._session.send(request, **self._call))

    def to_list(self, limit: int | None = None) -> list[T]:
        """All items, or the first `limit` of them."""
        with self._all_or_nothing():
            return Items(islice(self, limit))

    def to_arrow(self) -> Any:
        """All items as a `pyarrow.Table`."""
        from ..tables.page_batches import reading

        with self._all_or_nothing():
            return reading(self._model, PageIterator(self._source(self._decode_raw), same_page)).read_all()

    def to_arrow_batches(self) -> Any:
        """All items as a `pyarrow.RecordBatchReader`, which reads on as it is read. After each batch, `checkpoint()`
        is the position behind its last item."""
        from ..tables.page_batches import reading

        source = self._source(self._decode_raw)
        # Not the source's own: that one is ahead by the pages that are being converted.
        self._iteration = progress = IterationState[T](source.iteration.checkpoint())
        return reading(self._model, PageIterator(source, same_page), progress)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """All items as an Arrow stream, which other libraries read as it comes: `polars.DataFrame(clicks)`,
        `duckdb.sql("from clicks")`, `pyarrow.table(clicks)`."""
        return self.to_arrow_batches().__arrow_c_stream__(requested_schema)

    def to_pandas(self) -> Any:
        """All items as a `pandas.DataFrame` with nullable types."""
        from ..tables.frames import Pandas

        pandas = Pandas()
        return pandas.frame(self.to_arrow())

    def to_polars(self) -> Any:
        """All items as a `polars.DataFrame`."""
        from ..tables.frames import Polars

        polars = Polars()
        return polars.frame(self.to_arrow())

    def to_parquet(
        self,
        path: str | os.PathLike[str],
        *,
        partition_by: Literal["day", "month"] | None = None,
        processes: int = 1,
        progress: bool = False,
    ) -> Path:
        """Write all items to a Parquet file, in constant memory; it appears at `path` when it is whole.

        With `partition_by` or `processes`, for a call with `inclusive="left"`, `path` is a folder of such files, each
        with the rows of a part of the range. The same call goes on where an earlier one was ended: files that are
        there are kept, whatever has come since. Its manifest `_adsecurity.json` ties the folder to the call.

        Args:
            path: The file, or the folder.
            partition_by: `day` or `month`: a folder for each, `day=2026-11-01`, as Hive names them. Days are those of
                the call's `timezone`, or of UTC. Where the API counts in days, each part asks for four days more, so
                months cost less.
            processes: So many processes read and write, each with connections and a rate limit of its own. Python
                starts anew in each; a script needs no `if __name__ == "__main__"` for that.
            progress: A bar on stderr shows how far the one file is, in a terminal and in a notebook:
                adsecurity[progress].

        Raises:
            ValueError: `path` is no local path, or the folder holds something else, or the call cannot be divided.
            ConfigurationError: something of the client cannot be sent to another process: http_client, transport,
                hooks.
            DownloadError: a file cannot be written. Nothing is kept of a file that is not whole; where there is one
                file, the error's checkpoint is where the list began.
        """
        plan = self._plan_parts(path, partition_by, processes, progress=progress)
        if plan is not None:
            return drive(self._writing_parts(plan, processes, self.spans, self._write_part), perform)
        from ..tables.parquet import writing

        with (
            self._showing(path, progress) as tell,
            self._all_or_nothing(),
            closing(PageIterator(self._source(self._decode_raw), same_page)) as pages,
        ):
            return drive(writing(path, self._model, partial(next, pages, None), tell), perform)

    def _write_part(self, part: Part) -> Path:
        args, options = {**self._args, **part.span}, self._part_options()
        rows = Paginator[T](self._session, self._prepared.op, args, on_page=self._on_page, **options)
        return rows.to_parquet(part.file)


class AsyncPaginator(BaseAsyncPaginator[T]):
    """A list, read page by page while it is iterated over by `async for`. Each iteration begins anew."""

    _read_by = "async for item in ...; pages(); await first(), to_list(limit=10), to_pandas(), to_parquet(path)"

    def __aiter__(self) -> AsyncItemIterator[T]:
        return AsyncItemIterator(self._source())

    def pages(self) -> AsyncPageIterator[T, Page[T]]:
        """Iterate over whole pages, by `async for`."""
        return AsyncPageIterator(self._source(), same_page)

    async def first(self) -> T | None:
        """The first item; None when there is none. One request, unless `concurrency` asks for several."""
        return await anext(aiter(self), None)

    async def spans(self, count: int) -> list[dict[str, str]]:
        """Cut the range into at most `count` half-open spans with about as many rows each, for other processes.

        As `Paginator.spans`.
        """

        return await drive_async(self._plan_spans(count), self._probe)

    async def _probe(self, request: PreparedRequest) -> PageResponse[T]:
        response = await self._session.send(request, **self._call)
        return PageResponse(self._session.decode_page(request, response), response, 0.0)

    async def count(self) -> int:
        """How many items the server counts in all, whatever `limit` and `resume` are. One request.

        Raises ValueError where the server gives no total.
        """
        request = self._count_request()
        return self._total(request, await self._session.send(request, **self._call))

    async def to_list(self, limit: int | None = None) -> list[T]:
        """All items, or the first `limit` of them."""
        if limit is not None and limit < 0:
            raise ValueError(f"limit must be None or a whole number from 0 on, not {limit!r}")
        items: list[T] = Items()
        with self._all_or_nothing():
            iterator = aiter(self)
            while limit is None or len(items) < limit:
                try:
                    items.append(await anext(iterator))
                except StopAsyncIteration:
                    break
            await iterator.aclose()
        return items

    async def to_arrow(self) -> Any:
        """All items as a `pyarrow.Table`."""
        from ..tables.page_batches import reading_async, table

        with self._all_or_nothing():
            pages = AsyncPageIterator(self._source(self._decode_raw), same_page)
            return table(self._model, [batch async for batch in reading_async(self._model, pages)])

    async def to_arrow_batches(self) -> AsyncGenerator[Any, None]:
        """All items as `pyarrow.RecordBatch`es, read as they are asked for. After each, `checkpoint()` is the position
        behind its last item."""
        from ..tables.page_batches import reading_async

        source = self._source(self._decode_raw)
        self._iteration = progress = IterationState[T](source.iteration.checkpoint())
        async with aclosing(reading_async(self._model, AsyncPageIterator(source, same_page), progress)) as batches:
            async for batch in batches:
                yield batch

    async def to_pandas(self) -> Any:
        """All items as a `pandas.DataFrame` with nullable types."""
        from ..tables.frames import Pandas

        pandas = Pandas()
        return pandas.frame(await self.to_arrow())

    async def to_polars(self) -> Any:
        """All items as a `polars.DataFrame`."""
        from ..tables.frames import Polars

        polars = Polars()
        return polars.frame(await self.to_arrow())

    async def to_parquet(
        self,
        path: str | os.PathLike[str],
        *,
        partition_by: Literal["day", "month"] | None = None,
        processes: int = 1,
        progress: bool = False,
    ) -> Path:
        """Write all items to a Parquet file, in constant memory; it appears at `path` when it is whole.

        As `Paginator.to_parquet`.
        """
        plan = self._plan_parts(path, partition_by, processes, progress=progress)
        if plan is not None:
            flow = self._writing_parts(plan, processes, self.spans, self._write_part)
            return await drive_async(flow, perform_async)
        from ..tables.parquet import writing

        with self._showing(path, progress) as tell, self._all_or_nothing():
            async with aclosing(AsyncPageIterator(self._source(self._decode_raw), same_page)) as pages:
                return await drive_async(writing(path, self._model, partial(anext, pages, None), tell), perform_async)

    async def _write_part(self, part: Part) -> Path:
        args, options = {**self._args, **part.span}, self._part_options()
        rows = AsyncPaginator[T](self._session, self._prepared.op, args, on_page=self._on_page, **options)
        return await rows.to_parquet(part.file)


class RawPaginator(BaseSyncPaginator[T]):
    """The answers of a list as they came; `parse()` of each is its `Page`."""

    _raw = True

    def __iter__(self) -> PageIterator[T, RawResponse[Page[T]]]:
        return PageIterator(self._source(), raw_response)


class AsyncRawPaginator(BaseAsyncPaginator[T]):
    """The answers of a list as they came, by `async for`; `parse()` of each is its `Page`."""

    _raw = True

    def __aiter__(self) -> AsyncPageIterator[T, RawResponse[Page[T]]]:
        return AsyncPageIterator(self._source(), raw_response)
