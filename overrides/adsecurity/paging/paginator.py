"""Lists as users see them: `for item in client.users.list()`, its pages, its first item, all of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, closing, contextmanager
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

import attrs

from adsecurity_generated._operation import Operation

from ..codec.raw import RawResponse
from ..flow.drivers import drive, drive_async, perform, perform_async
from .checkpoint import MAX_PAGE, CheckpointHeader, Position, convert_position
from .half_open import INCLUSIVE, HalfOpenRange
from .iterators import AsyncItemIterator, AsyncPageIterator, ItemIterator, PageIterator
from .page import Page, PageResponse
from .sources import AsyncPageSource, AsyncSource, Decode, IterationState, PageSource, Source
from .state import PagingState, check_iteration, check_start

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import httpx

    from ..codec.page import DecodedPage
    from ..codec.request import PreparedRequest
    from ..events import OnPage
    from ..flow.steps import Flow
    from ..http.config import Timeout
    from ..http.retry import RetryPolicy
    from ..http.session import AsyncSession, Session, SyncSession
    from .windows.run import WindowedRead

T = TypeVar("T")


class _BasePaginator(Generic[T]):
    """What all paginators have: the arguments of one list call, checked before anything is sent."""

    _raw = False
    _session: Any

    def __init__(
        self,
        session: Session[Any],
        op: Operation[T],
        args: Mapping[str, Any],
        *,
        timeout: Timeout | None = None,
        retry: RetryPolicy | None = None,
        extra_headers: Mapping[str, str] | None = None,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        page_size: int = MAX_PAGE,
        page_number: int | None = None,
        after: str | None = None,
        before: str | None = None,
        resume: str | None = None,
        prefetch: int = 1,
        concurrency: int = 1,
        inclusive: str = "both",
        limit: int | None = None,
        on_page: OnPage | None = None,
    ) -> None:
        check_iteration(limit, on_page)
        if prefetch not in (0, 1):
            raise ValueError(f"prefetch is 1 (read the next page ahead) or 0 (do not), not {prefetch!r}")
        if inclusive not in INCLUSIVE:
            raise ValueError(f"inclusive is {' or '.join(map(repr, INCLUSIVE))}, not {inclusive!r}")
        check_start(page_size=page_size, page_number=page_number, after=after, before=before)
        self._session = session
        self._call: dict[str, Any] = {"timeout": timeout, "retry": retry, "extra_headers": extra_headers}
        self._prefetch = int(prefetch)
        self._limit, self._on_page = limit, on_page
        self._start: dict[str, Any] = {"page_number": page_number, "after": after, "before": before}
        self._prepared = prepared = session.prepare(op, args, extra_query=extra_query, extra_body=extra_body)
        self._header = CheckpointHeader.of(prepared, page_size=page_size, backwards=bool(before), inclusive=inclusive)
        self._resume = None if resume is None else self._header.read(resume)
        # What several workers have begun, one worker goes on with in the same way.
        self._windowed = concurrency != 1 or (self._resume is not None and self._resume.concurrent)
        self._workers = concurrency
        if self._windowed:
            from .windows.run import check

            check(prepared, concurrency, self._start, raw=self._raw)
        self._half_open = HalfOpenRange(prepared, args, raw=self._raw) if inclusive == "left" else None
        if self._half_open is not None:
            self._prepared = self._half_open.request
        self._iteration = self._begin()

    def _begin(self) -> IterationState[T]:
        """The state of an iteration that has returned nothing yet."""
        if self._windowed:
            return IterationState(self._new_read().start)
        return IterationState(self._header.write_position(self._new_state().start))

    def _new_state(self) -> PagingState[T]:
        """One pass by one reader."""
        position = None
        if (resume := self._resume) is not None:
            size, backwards = self._header.page_size, bool(self._start["before"])
            position = convert_position(Position.of(resume.at), resume, page_size=size, backwards=backwards)
        return PagingState(
            self._prepared,
            self._header,
            **self._start,
            resume=position,
            half_open=self._half_open,
            keep_response=self._raw,
        )

    def _new_read(self) -> WindowedRead[T]:
        """One pass by several workers."""
        from .windows.run import WindowedRead

        return WindowedRead(
            self._prepared, self._header, workers=self._workers, resume=self._resume, half_open=self._half_open
        )

    def _plan_spans(self, count: int) -> Flow[PreparedRequest, list[dict[str, str]]]:
        from .windows.spans import plan_spans

        if self._half_open is None:
            name = self._prepared.op.resource
            raise ValueError(f"{name}(): spans are half-open, and read so: make the call with inclusive='left'")
        return plan_spans(self._half_open.times, self._header, count)

    @contextmanager
    def _all_or_nothing(self) -> Generator[None]:
        """A pass that breaks off gives nothing, so its checkpoint is the one that it began with."""
        iteration = self._iteration = self._begin()
        try:
            yield
        except BaseException as error:
            # An error about the first page knows better where to go on.
            if (hasattr(error, "checkpoint") and self._iteration.pages) or getattr(error, "checkpoint", "") is None:
                vars(error)["checkpoint"] = iteration.checkpoint()
            self._iteration = iteration
            raise

    def _decode_raw(self, request: PreparedRequest, response: httpx.Response) -> DecodedPage[Any]:
        """Pages for tables: their rows stay JSON."""
        from ..tables.raw_pages import decode_raw_page

        return decode_raw_page(self._session.call(request), response)

    def _count_request(self) -> PreparedRequest:
        """The smallest page, which tells the total."""
        if self._half_open is not None:
            raise ValueError(f"{self!r}: the server counts other rows than inclusive='left' gives")
        return PagingState(self._prepared, attrs.evolve(self._header, page_size=1)).request()

    def _total(self, request: PreparedRequest, response: httpx.Response) -> int:
        total = self._session.decode_page(request, response).total_count
        if total is None:
            raise ValueError(f"{self!r}: the server gives no total; count the items of an iteration")
        return int(total)

    @property
    def _model(self) -> Any:
        if (model := self._prepared.op.model) is None:
            raise TypeError(f"{self!r} gives dicts, whose types are not known: make a table of its to_list()")
        return model

    def checkpoint(self) -> str:
        """The position behind the last item that the last iteration returned; pass it as `resume=`."""
        return self._iteration.checkpoint()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._prepared.op.resource})"

    def __reduce__(self) -> NoReturn:
        name = self._prepared.op.resource
        raise TypeError(
            f"{self!r} holds connections and a key, do not pickle it: pass the arguments of {name}() and checkpoint(),"
            f" and call {name}(…, resume=checkpoint) with a client made there"
        )


def _same(page: Page[T]) -> Page[T]:
    return page


def _raw_response(page: Page[T]) -> RawResponse[Page[T]]:
    came = page.response
    assert came is not None
    response = came.response
    return RawResponse(response.status_code, response.headers, response.content, came.elapsed, lambda: page)


class _SyncPaginator(_BasePaginator[T]):
    _session: SyncSession

    def _source(self, decode: Decode | None = None) -> Source[T]:
        source: Source[T]
        if not self._windowed:
            source = PageSource(self._session, self._new_state(), self._call, self._prefetch, decode)
        else:
            from .windows.workers import WindowSource

            source = WindowSource(self._session, self._new_read(), self._call, self._workers, decode)
        source.set_up(call_id=self._prepared.call_id, on_page=self._on_page, limit=self._limit)
        self._iteration = source.iteration
        return source


class _AsyncPaginator(_BasePaginator[T]):
    _session: AsyncSession

    def _source(self, decode: Decode | None = None) -> AsyncSource[T]:
        source: AsyncSource[T]
        if not self._windowed:
            source = AsyncPageSource(self._session, self._new_state(), self._call, self._prefetch, decode)
        else:
            from .windows.workers import AsyncWindowSource

            source = AsyncWindowSource(self._session, self._new_read(), self._call, self._workers, decode)
        source.set_up(call_id=self._prepared.call_id, on_page=self._on_page, limit=self._limit)
        self._iteration = source.iteration
        return source

    if not TYPE_CHECKING:

        def __iter__(self) -> NoReturn:
            raise TypeError(f"{self!r} is asynchronous: use `async for`, or `await` its to_list()")


class Paginator(_SyncPaginator[T]):
    """A list, read page by page while it is iterated over. Each iteration begins anew."""

    def __iter__(self) -> ItemIterator[T]:
        return ItemIterator(self._source())

    def pages(self) -> PageIterator[T, Page[T]]:
        """Iterate over whole pages."""
        return PageIterator(self._source(), _same)

    def first(self) -> T | None:
        """The first item; None when there is none. One request, unless `concurrency` asks for several."""
        return next(iter(self), None)

    def spans(self, count: int) -> list[dict[str, str]]:
        """Cut the range into at most `count` half-open spans with about as many rows each, for other processes.

        For a call with `inclusive="left"`. Each span is the start and the end to call with instead, the other arguments
        and `inclusive="left"` being the same; together they give exactly the rows of this call. Sends at most 32
        requests, a page each, to see how dense the rows lie. Reading a span asks for a little more at both ends: one
        second, or two days before and one after, so days are read faster in spans of several.

        Raises ValueError for a call with `inclusive="both"`, and what a list raises when a request fails.
        """

        def send(request: PreparedRequest) -> PageResponse[T]:
            response = self._session.send(request, **self._call)
            return PageResponse(self._session.decode_page(request, response), response, 0.0)

        return drive(self._plan_spans(count), send)

    def count(self) -> int:
        """How many items the server counts in all, whatever `limit` and `resume` are. One request.

        Raises ValueError where the server gives no total.
        """
        request = self._count_request()
        return self._total(request, self._session.send(request, **self._call))

    def to_list(self, limit: int | None = None) -> list[T]:
        """All items, or the first `limit` of them."""
        with self._all_or_nothing():
            return list(islice(self, limit))

    def to_arrow(self) -> Any:
        """All items as a `pyarrow.Table`."""
        from ..tables.page_batches import reading

        with self._all_or_nothing():
            return reading(self._model, PageIterator(self._source(self._decode_raw), _same)).read_all()

    def to_arrow_batches(self) -> Any:
        """All items as a `pyarrow.RecordBatchReader`, which reads on as it is read. After each batch, `checkpoint()`
        is the position behind its last item."""
        from ..tables.page_batches import reading

        source = self._source(self._decode_raw)
        # Not the source's own: that one is ahead by the pages that are being converted.
        self._iteration = progress = IterationState[T](source.iteration.checkpoint())
        return reading(self._model, PageIterator(source, _same), progress)

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

    def to_parquet(self, path: str | os.PathLike[str]) -> Path:
        """Write all items to a Parquet file, in constant memory; it appears at `path` when it is whole.

        Raises ValueError where `path` is no local path, and DownloadError where the file cannot be written: nothing
        of it is kept then, and the error's checkpoint is where the list began.
        """
        from ..tables.parquet import writing

        with self._all_or_nothing(), closing(PageIterator(self._source(self._decode_raw), _same)) as pages:
            return drive(writing(path, self._model, partial(next, pages, None)), perform)


class AsyncPaginator(_AsyncPaginator[T]):
    """A list, read page by page while it is iterated over by `async for`. Each iteration begins anew."""

    def __aiter__(self) -> AsyncItemIterator[T]:
        return AsyncItemIterator(self._source())

    def pages(self) -> AsyncPageIterator[T, Page[T]]:
        """Iterate over whole pages, by `async for`."""
        return AsyncPageIterator(self._source(), _same)

    async def first(self) -> T | None:
        """The first item; None when there is none. One request, unless `concurrency` asks for several."""
        return await anext(aiter(self), None)

    async def spans(self, count: int) -> list[dict[str, str]]:
        """Cut the range into at most `count` half-open spans with about as many rows each, for other processes.

        As `Paginator.spans`.
        """

        async def send(request: PreparedRequest) -> PageResponse[T]:
            response = await self._session.send(request, **self._call)
            return PageResponse(self._session.decode_page(request, response), response, 0.0)

        return await drive_async(self._plan_spans(count), send)

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
        items: list[T] = []
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
            pages = AsyncPageIterator(self._source(self._decode_raw), _same)
            return table(self._model, [batch async for batch in reading_async(self._model, pages)])

    async def to_arrow_batches(self) -> AsyncGenerator[Any, None]:
        """All items as `pyarrow.RecordBatch`es, read as they are asked for. After each, `checkpoint()` is the position
        behind its last item."""
        from ..tables.page_batches import reading_async

        source = self._source(self._decode_raw)
        self._iteration = progress = IterationState[T](source.iteration.checkpoint())
        async with aclosing(reading_async(self._model, AsyncPageIterator(source, _same), progress)) as batches:
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

    async def to_parquet(self, path: str | os.PathLike[str]) -> Path:
        """Write all items to a Parquet file, in constant memory; it appears at `path` when it is whole.

        Raises ValueError where `path` is no local path, and DownloadError where the file cannot be written: nothing
        of it is kept then, and the error's checkpoint is where the list began.
        """
        from ..tables.parquet import writing

        with self._all_or_nothing():
            async with aclosing(AsyncPageIterator(self._source(self._decode_raw), _same)) as pages:
                return await drive_async(writing(path, self._model, partial(anext, pages, None)), perform_async)


class RawPaginator(_SyncPaginator[T]):
    """The answers of a list as they came; `parse()` of each is its `Page`."""

    _raw = True

    def __iter__(self) -> PageIterator[T, RawResponse[Page[T]]]:
        return PageIterator(self._source(), _raw_response)


class AsyncRawPaginator(_AsyncPaginator[T]):
    """The answers of a list as they came, by `async for`; `parse()` of each is its `Page`."""

    _raw = True

    def __aiter__(self) -> AsyncPageIterator[T, RawResponse[Page[T]]]:
        return AsyncPageIterator(self._source(), _raw_response)
