"""The pages of a list as Arrow batches: read, converted in a thread of their own, given out in order."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, closing
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

import attrs

from ..flow.background import new_future
from ..flow.drivers import stream, stream_async
from ..flow.process import Process
from ..flow.steps import BlockingCall, Call, Chunk, Flow, Step
from .arrow import Columns, pa
from .json_columns import JsonColumns, Refused
from .raw_pages import RawPage, RawRow

if TYPE_CHECKING:
    from concurrent.futures import Future

BATCH_ROWS = 800
"""Rows in a batch, eight full pages: parsed at once, and read page by page when one of them is refused."""

_IN_FLIGHT = 3
"""Batches that are being converted or wait for it."""
_OFTEN, _PAUSE = 3, 32
"""After so many batches without one clean page, so many are not tried."""


class Page(Protocol):
    """One page of a list."""

    @property
    def items(self) -> Sequence[Any]: ...


class PageIterator(Protocol):
    """The pages of a list, one after the other."""

    def __next__(self) -> Any: ...
    def close(self) -> None: ...


class AsyncPageIterator(Protocol):
    """As `PageIterator`."""

    async def __anext__(self) -> Any: ...
    async def aclose(self) -> None: ...


class Progress(Protocol):
    """Where the reader of the batches stands."""

    emitted: int
    ended: bool

    def advance(self, page: Any) -> None: ...
    def attach_checkpoint(self, error: Exception) -> None: ...


@attrs.frozen
class Batch:
    """Some pages, converted."""

    rows: Any
    """A record batch; None when there is nothing in it."""
    page: Any
    """The last page that is in it."""
    error: Exception | None = None
    """Why the page behind that one could not be read."""


class PageConverter:
    """Makes batches out of pages, whose rows are raw or models."""

    def __init__(self, model: Any) -> None:
        self._columns = Columns(model)
        self._json = JsonColumns.of(model, self._columns)
        self._dirty = 0
        self.schema = self._columns.schema

    def convert(self, pages: Sequence[Page]) -> Batch:
        raw = [_raw_page(page) for page in pages]
        if self._json is not None and None not in raw and self._is_worth_trying():
            try:
                whole = self._parse(self._json, pages)
            except Refused:
                pass
            else:
                self._dirty = 0
                return Batch(whole, pages[-1])
        return self._page_by_page(pages)

    def _is_worth_trying(self) -> bool:
        # A server that sends a new field sends it in every row.
        return self._dirty < _OFTEN or self._dirty % _PAUSE == 0

    def _page_by_page(self, pages: Sequence[Page]) -> Batch:
        parts: list[Any] = []
        error: Exception | None = None
        done: Page | None = None
        try_json, clean = self._is_worth_trying() and len(pages) > 1, 0
        for page in pages:
            try:
                part = self._parsed_page(page) if try_json else None
                clean += part is not None
                parts.append(self._by_models(page) if part is None else part)
            except Exception as caught:
                error = caught
                break
            done = page
        self._dirty = 0 if clean else self._dirty + 1
        return Batch(pa.concat_batches(parts) if parts else None, done, error)

    def _parsed_page(self, page: Page) -> Any:
        if self._json is None or _raw_page(page) is None:
            return None
        try:
            return self._parse(self._json, [page])
        except Refused:
            return None

    def _parse(self, columns: JsonColumns, pages: Sequence[Page]) -> Any:
        raw = [cast("RawPage", _raw_page(page)) for page in pages]
        batch = columns.batch([page.rows for page in raw], sum(page.count for page in raw))
        chosen: list[int] = []
        first = 0
        for page, whole in zip(pages, raw, strict=True):
            chosen += [first + row.raw_place for row in page.items]
            first += whole.count
        # Of a window, and of the page that a list is resumed in, not all rows are wanted.
        return batch if len(chosen) == first else batch.take(pa.array(chosen, pa.int64()))

    def _by_models(self, page: Page) -> Any:
        return self._columns.batch([row.model() if isinstance(row, RawRow) else row for row in page.items])


def _raw_page(page: Page) -> RawPage | None:
    first = page.items[0] if page.items else None
    return first.raw_page if isinstance(first, RawRow) else None


class ConversionThread:
    """Does one job after the other, in the order in which they came."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        # A daemon: an interpreter that exits does not wait for it.
        self._thread = threading.Thread(target=self._run, name="adsecurity-tables", daemon=True)
        self.process = Process("this table")
        """A forked child has none of its parent's threads: nothing would ever come."""

    def submit(self, job: Callable[[], Any]) -> Future[Any]:
        future = new_future()

        def run() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(job())
                except BaseException as error:
                    future.set_exception(error)

        self._jobs.put(run)
        if self._thread.ident is None:
            self._thread.start()
        return future

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            del job

    def close(self, pending: Sequence[Future[Any]]) -> None:
        """Begin nothing more, and wait for the job that runs: it may be writing to a file that is closed next."""
        for future in pending:
            future.cancel()
        self._jobs.put(None)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()


def converting(
    convert: Callable[[Sequence[Page]], Batch], read: Callable[[], Any], emit: Callable[[Batch], Step | None]
) -> Flow[Step, None]:
    """Read pages and have them converted while the next ones are read; `read` gives the next page, or None.

    A batch ends where a page ends, and rows that were read before an error are given out before it is raised.
    """
    thread = ConversionThread()
    pending: deque[Future[Batch]] = deque()
    pages: list[Page] = []
    failure: Exception | None = None
    page: Any = None
    try:
        while True:
            try:
                page = yield Call(read)
            except Exception as error:
                page, failure = None, error
            if page is not None:
                pages.append(page)
            # A hook may have forked while it was read.
            thread.process.check()
            rows = sum(len(one.items) for one in pages)
            if rows and (page is None or rows >= BATCH_ROWS):
                pending.append(thread.submit(partial(convert, pages)))
                pages = []
            while pending and (page is None or len(pending) >= _IN_FLIGHT or pending[0].done()):
                wait = Call if pending[0].done() else BlockingCall
                batch = cast("Batch", (yield wait(pending[0].result)))
                pending.popleft()
                if batch.page is not None and (step := emit(batch)) is not None:
                    yield step
                    thread.process.check()
                if batch.error is not None:
                    raise batch.error
            if failure is not None:
                raise failure
            if page is None:
                return
    finally:
        thread.close(pending)
        failure = None


def _emitting(progress: Progress | None) -> Callable[[Batch], Chunk]:
    def emit(batch: Batch) -> Chunk:
        if progress is not None:
            progress.advance(batch.page)
            progress.emitted = len(batch.page.items)
        return Chunk(batch.rows)

    return emit


def _note_end(progress: Progress | None) -> None:
    if progress is not None:
        progress.ended = True


def reading(model: Any, pages: PageIterator, progress: Progress | None = None) -> Any:
    """The items of a list as a reader of batches; `progress` follows what has been given."""
    converter = PageConverter(model)

    def batches() -> Iterator[Any]:
        with closing(pages):
            try:
                yield from stream(converting(converter.convert, partial(next, pages, None), _emitting(progress)))
                _note_end(progress)
            except Exception as error:
                if progress is not None:
                    progress.attach_checkpoint(error)
                raise

    return pa.RecordBatchReader.from_batches(converter.schema, batches())


async def reading_async(
    model: Any, pages: AsyncPageIterator, progress: Progress | None = None
) -> AsyncGenerator[Any, None]:
    """As `reading`."""
    flow = converting(PageConverter(model).convert, partial(anext, pages, None), _emitting(progress))
    async with aclosing(pages), aclosing(stream_async(flow)) as batches:
        try:
            async for batch in batches:
                yield batch
            _note_end(progress)
        except Exception as error:
            if progress is not None:
                progress.attach_checkpoint(error)
            raise


def table(model: Any, batches: Sequence[Any]) -> Any:
    """All batches of a list as one table."""
    return pa.Table.from_batches(batches, Columns(model).schema)
