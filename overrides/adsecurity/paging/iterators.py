"""One iteration over a list: where it stands, and the page that is fetched ahead."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from ..codec.request import PreparedRequest
from ..events import PageEvent
from ..flow.background import new_future
from ..flow.drivers import drive, drive_async
from .page import Page, PageResponse
from .state import PagingState

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

    from ..http.session import AsyncSession, SyncSession

T = TypeVar("T")
V = TypeVar("V")


class IterationState(Generic[T]):
    """Where one iteration stands. Outlives it, so that the paginator still knows after a `break`."""

    def __init__(self, start: str) -> None:
        self._start = start
        self._page: Page[T] | None = None
        self.handed = 0
        """How many items of the page have been handed out."""
        self.pages = 0

    def turn(self, page: Page[T]) -> None:
        """Go on to the next page."""
        self._page, self.handed = page, 0
        self.pages += 1

    def checkpoint(self) -> str:
        return self._start if self._page is None else self._page.checkpoint_at(self.handed)

    def sign(self, error: Exception) -> None:
        """Give an error the checkpoint of the last item handed out, unless it has one of its own."""
        if getattr(error, "checkpoint", None) is None:
            with contextlib.suppress(AttributeError):
                vars(error)["checkpoint"] = self.checkpoint()

    def event(self, resource: str, page: Page[T]) -> PageEvent:
        return PageEvent(resource, self.pages + 1, page.cursor, len(page.items), page.total_count)


class Source(Protocol[T]):
    """Where an iteration takes its pages from."""

    iteration: IterationState[T]

    def __next__(self) -> Page[T]: ...
    def close(self) -> None: ...


class AsyncSource(Protocol[T]):
    """As `Source`."""

    iteration: IterationState[T]

    async def __anext__(self) -> Page[T]: ...
    async def aclose(self) -> None: ...


class _Reader(Generic[T]):
    """Reads the next page of a state. Knows nothing of who asks, so that a dropped iterator is not kept alive."""

    def __init__(self, session: SyncSession, state: PagingState[T], call: Mapping[str, Any]) -> None:
        self.stop = threading.Event()
        self._session, self._state, self._call = session, state, call

    def __call__(self) -> Page[T] | None:
        return drive(self._state.next_page(), self._send)

    def _send(self, request: PreparedRequest) -> PageResponse[T]:
        if self.stop.is_set():
            self._session.pool.check_open()
            # Nobody sees it: whoever asked has gone.
            raise RuntimeError("given up")
        started = time.monotonic()
        response = self._session.send(request, stop=self.stop, **self._call)
        return PageResponse(self._session.decode_page(request, response), response, time.monotonic() - started)


class _AsyncReader(Generic[T]):
    def __init__(self, session: AsyncSession, state: PagingState[T], call: Mapping[str, Any]) -> None:
        self._session, self._state, self._call = session, state, call

    async def __call__(self) -> Page[T] | None:
        return await drive_async(self._state.next_page(), self._send)

    async def _send(self, request: PreparedRequest) -> PageResponse[T]:
        started = time.monotonic()
        response = await self._session.send(request, **self._call)
        return PageResponse(self._session.decode_page(request, response), response, time.monotonic() - started)


class PageSource(Generic[T]):
    """The pages of one pass. From the second on, the next one is read while this one is consumed."""

    def __init__(self, session: SyncSession, state: PagingState[T], call: Mapping[str, Any], prefetch: int) -> None:
        self.iteration: IterationState[T] = IterationState(state.header.write_position(state.start))
        self._session, self._state, self._prefetch = session, state, prefetch
        self._read = _Reader(session, state, call)
        self._ahead: Future[Page[T] | None] | None = None
        self._held: Page[T] | None = None
        self._closed = False

    def __next__(self) -> Page[T]:
        try:
            # Held until it is handed out: a hook may raise.
            self._held = page = self._held or self._take()
            if page is not None:
                self._session.emit(self.iteration.event(self._state.op.resource, page))
        except Exception as error:
            self.iteration.sign(error)
            raise
        if page is None:
            raise StopIteration
        if self._prefetch and self.iteration.pages and self._ahead is None and not self._state.ended:
            self._read_ahead()
        self._held = None
        self.iteration.turn(page)
        return page

    def _read_ahead(self) -> None:
        self._ahead = ahead = new_future()
        try:
            self._session.background.submit(self._read, self._read.stop, ahead)
        except BaseException as error:
            # Begun it is waited for; not begun it never will be.
            if ahead.cancel():
                self._ahead = None
            # Where there can be no more threads, pages are read when they are asked for.
            if not isinstance(error, RuntimeError):
                raise

    def _take(self) -> Page[T] | None:
        if self._closed:
            return None
        if self._ahead is None:
            return self._read()
        if not self._ahead.cancelled():
            # Waits. Kept until it is done: whoever interrupts the waiting may come back for it.
            self._ahead.exception()
        ahead, self._ahead = self._ahead, None
        return self._read() if ahead.cancelled() else ahead.result()

    def close(self) -> None:
        """Begin nothing more, and drop what is being read."""
        self._closed = True
        self._read.stop.set()
        self._ahead = self._held = None

    def __del__(self) -> None:
        self._read.stop.set()


class AsyncPageSource(Generic[T]):
    """As `PageSource`."""

    def __init__(self, session: AsyncSession, state: PagingState[T], call: Mapping[str, Any], prefetch: int) -> None:
        self.iteration: IterationState[T] = IterationState(state.header.write_position(state.start))
        self._session, self._state, self._prefetch = session, state, prefetch
        self._read = _AsyncReader(session, state, call)
        self._ahead: asyncio.Task[Page[T] | None] | None = None
        self._held: Page[T] | None = None
        self._closed = False

    async def __anext__(self) -> Page[T]:
        try:
            self._held = page = self._held or await self._take()
            if page is not None:
                await self._session.emit(self.iteration.event(self._state.op.resource, page))
        except Exception as error:
            self.iteration.sign(error)
            raise
        self._held = None
        if page is None:
            raise StopAsyncIteration
        self.iteration.turn(page)
        if self._prefetch and self.iteration.pages > 1 and not self._state.ended:
            self._ahead = self._session.background.submit(self._read)
        return page

    async def _take(self) -> Page[T] | None:
        if self._closed:
            return None
        if self._ahead is None:
            return await self._read()
        import asyncio

        try:
            page = await self._ahead
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Not we were cancelled, but what read ahead: by a wait that was given up, or by the client's end.
            self._ahead = None
            return await self._read()
        except Exception:
            self._ahead = None
            raise
        self._ahead = None
        return page

    async def aclose(self) -> None:
        """Begin nothing more, and cancel what is being read."""
        self._closed = True
        ahead, self._ahead, self._held = self._ahead, None, None
        if ahead is not None:
            from asyncio import wait

            ahead.cancel()
            await wait([ahead])

    def __del__(self) -> None:
        # Perhaps in another thread, where the garbage collector happened to run, or after the loop's end.
        if self._ahead is not None and not self._ahead.get_loop().is_closed():
            self._ahead.get_loop().call_soon_threadsafe(self._ahead.cancel)


class ItemIterator(Iterator[T]):
    """One iteration over the items of a list."""

    def __init__(self, source: Source[T]) -> None:
        self._source, self._iteration = source, source.iteration
        self._items: list[T] = []

    def __next__(self) -> T:
        iteration = self._iteration
        while iteration.handed >= len(self._items):
            self._items = next(self._source).items
        iteration.handed += 1
        return self._items[iteration.handed - 1]

    def checkpoint(self) -> str:
        """The position after the last item handed out; pass it as `resume=`."""
        return self._iteration.checkpoint()

    def close(self) -> None:
        """End the iteration: nothing more is requested."""
        self._items = []
        self._source.close()


class PageIterator(Iterator[V], Generic[T, V]):
    """One iteration over the pages of a list."""

    def __init__(self, source: Source[T], shape: Callable[[Page[T]], V]) -> None:
        self._source, self._shape = source, shape

    def __next__(self) -> V:
        page = next(self._source)
        self._source.iteration.handed = len(page.items)
        return self._shape(page)

    def checkpoint(self) -> str:
        """The position after the last page handed out; pass it as `resume=`."""
        return self._source.iteration.checkpoint()

    def close(self) -> None:
        """End the iteration: nothing more is requested."""
        self._source.close()


class AsyncItemIterator(AsyncIterator[T]):
    """One iteration over the items of a list."""

    def __init__(self, source: AsyncSource[T]) -> None:
        self._source, self._iteration = source, source.iteration
        self._items: list[T] = []

    async def __anext__(self) -> T:
        iteration = self._iteration
        while iteration.handed >= len(self._items):
            self._items = (await self._source.__anext__()).items
        iteration.handed += 1
        return self._items[iteration.handed - 1]

    def checkpoint(self) -> str:
        """The position after the last item handed out; pass it as `resume=`."""
        return self._iteration.checkpoint()

    async def aclose(self) -> None:
        """End the iteration: nothing more is requested."""
        self._items = []
        await self._source.aclose()


class AsyncPageIterator(AsyncIterator[V], Generic[T, V]):
    """One iteration over the pages of a list."""

    def __init__(self, source: AsyncSource[T], shape: Callable[[Page[T]], V]) -> None:
        self._source, self._shape = source, shape

    async def __anext__(self) -> V:
        page = await self._source.__anext__()
        self._source.iteration.handed = len(page.items)
        return self._shape(page)

    def checkpoint(self) -> str:
        """The position after the last page handed out; pass it as `resume=`."""
        return self._source.iteration.checkpoint()

    async def aclose(self) -> None:
        """End the iteration: nothing more is requested."""
        await self._source.aclose()
