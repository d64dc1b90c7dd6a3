"""Lists as users see them: `for item in client.users.list()`, its pages, its first item, all of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, closing, contextmanager
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from adsecurity_generated._operation import Operation

from ..codec.raw import RawResponse
from ..flow.drivers import drive, drive_async, perform, perform_async
from .iterators import (
    AsyncItemIterator,
    AsyncPageIterator,
    AsyncPageSource,
    AsyncSource,
    ItemIterator,
    IterationState,
    PageIterator,
    PageSource,
    Source,
)
from .page import MAX_PAGE, Page
from .state import PagingState

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from ..http.config import Timeout
    from ..http.retry import RetryPolicy
    from ..http.session import AsyncSession, Session, SyncSession
    from .windows.run import WindowedRead

T = TypeVar("T")


class _BasePaginator(Generic[T]):
    """What all paginators are made of: the arguments of one list call, checked before anything is sent."""

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
    ) -> None:
        if prefetch not in (0, 1):
            raise ValueError(f"prefetch is 1 (read the next page ahead) or 0 (do not), not {prefetch!r}")
        self._session = session
        self._call: dict[str, Any] = {"timeout": timeout, "retry": retry, "extra_headers": extra_headers}
        self._prefetch = int(prefetch)
        self._concurrency = concurrency
        self._prepared = session.prepare(op, args, extra_query=extra_query, extra_body=extra_body)
        self._paging: dict[str, Any] = {
            "page_size": page_size,
            "page_number": page_number,
            "after": after,
            "before": before,
            "resume": resume,
            "keep_response": self._raw,
        }
        self._iteration = self._begin()

    def _begin(self) -> IterationState[T]:
        state = self._new_state()
        return IterationState(self._run().start if self._concurrency != 1 else state.header.write_position(state.start))

    def _new_state(self) -> PagingState[T]:
        paging: dict[str, Any] = self._paging if self._concurrency == 1 else {**self._paging, "resume": None}
        return PagingState(self._prepared, **paging)

    def _run(self) -> WindowedRead[T]:
        """One pass by several workers."""
        from .windows.run import WindowedRead, check

        starts = {name: self._paging[name] for name in ("after", "before", "page_number")}
        check(self._prepared, self._concurrency, starts, raw=self._raw)
        return WindowedRead(
            self._prepared,
            workers=self._concurrency,
            page_size=self._paging["page_size"],
            resume=self._paging["resume"],
        )

    @contextmanager
    def _all_or_nothing(self) -> Generator[None]:
        """Of a pass that breaks off nothing is handed out, so its checkpoint is the one that it began with."""
        iteration = self._iteration = self._begin()
        try:
            yield
        except BaseException as error:
            # An error about the first page knows better where to go on.
            if self._iteration.pages and hasattr(error, "checkpoint"):
                vars(error)["checkpoint"] = iteration.checkpoint()
            self._iteration = iteration
            raise

    def checkpoint(self) -> str:
        """Where the last iteration stands, behind the last item that it handed out; pass it as `resume=`."""
        return self._iteration.checkpoint()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._prepared.op.resource})"


def _same(page: Page[T]) -> Page[T]:
    return page


def _raw_response(page: Page[T]) -> RawResponse[Page[T]]:
    came = page.response
    assert came is not None
    response = came.response
    return RawResponse(response.status_code, response.headers, response.content, came.elapsed, lambda: page)


class _SyncPaginator(_BasePaginator[T]):
    _session: SyncSession

    def _source(self) -> Source[T]:
        source: Source[T]
        if self._concurrency == 1:
            source = PageSource(self._session, self._new_state(), self._call, self._prefetch)
        else:
            from .windows.workers import WindowSource

            source = WindowSource(self._session, self._run(), self._call, self._concurrency)
        self._iteration = source.iteration
        return source


class _AsyncPaginator(_BasePaginator[T]):
    _session: AsyncSession

    def _source(self) -> AsyncSource[T]:
        source: AsyncSource[T]
        if self._concurrency == 1:
            source = AsyncPageSource(self._session, self._new_state(), self._call, self._prefetch)
        else:
            from .windows.workers import AsyncWindowSource

            source = AsyncWindowSource(self._session, self._run(), self._call, self._concurrency)
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

    def to_list(self, limit: int | None = None) -> list[T]:
        """All items, or the first `limit` of them."""
        with self._all_or_nothing():
            return list(islice(self, limit))

    def to_arrow(self) -> Any:
        """All items as a `pyarrow.Table`."""
        with self._all_or_nothing():
            return self.to_arrow_batches().read_all()

    def to_arrow_batches(self) -> Any:
        """All items as a `pyarrow.RecordBatchReader`, which reads on as it is read. After each batch, `checkpoint()`
        is the position behind its last item."""
        from ..tables.arrow import reading

        return reading(self._prepared.op.model, self.pages())

    def to_parquet(self, path: str | os.PathLike[str]) -> Path:
        """Write all items to a Parquet file, in constant memory; it appears at `path` when it is whole."""
        from ..tables.parquet import writing

        with self._all_or_nothing(), closing(self.pages()) as pages:
            return drive(writing(path, self._prepared.op.model, partial(next, pages, None)), perform)


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
        from ..tables.arrow import table

        with self._all_or_nothing():
            return table(self._prepared.op.model, [batch async for batch in self.to_arrow_batches()])

    async def to_arrow_batches(self) -> AsyncGenerator[Any, None]:
        """All items as `pyarrow.RecordBatch`es, read as they are asked for. After each, `checkpoint()` is the position
        behind its last item."""
        from ..tables.arrow import areading

        async with aclosing(areading(self._prepared.op.model, self.pages())) as batches:
            async for batch in batches:
                yield batch

    async def to_parquet(self, path: str | os.PathLike[str]) -> Path:
        """Write all items to a Parquet file, in constant memory; it appears at `path` when it is whole."""
        from ..tables.parquet import writing

        with self._all_or_nothing():
            async with aclosing(self.pages()) as pages:
                return await drive_async(
                    writing(path, self._prepared.op.model, partial(anext, pages, None)), perform_async
                )


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
