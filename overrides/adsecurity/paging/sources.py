"""Where an iteration takes its pages from, and how far it has come.

A source reads the next page of a list. What it has read but not returned (a hook raised, a task was cancelled) it
returns next; after an error it goes on where it was, or raises the error again.
"""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..codec.request import PreparedRequest
from ..events import OnPage, PageEvent
from ..flow.background import StopSignal, new_future
from ..flow.drivers import drive, drive_async
from ..flow.process import Process
from .page import Page, PageResponse
from .state import PagingState

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

    import httpx

    from ..codec.page import DecodedPage
    from ..http.session import AsyncSession, SyncSession
    from .incremental import Tracker

T = TypeVar("T")

Decode = Callable[[PreparedRequest, "httpx.Response"], "DecodedPage[Any]"]
"""Reads a page out of a response. That of the session makes models of its rows."""


class IterationState(Generic[T]):
    """How far one iteration has come. The paginator keeps it, and still knows after a `break`."""

    def __init__(self, start: str) -> None:
        self._start = start
        self._page: Page[T] | None = None
        self.emitted = 0
        """How many items of the current page the caller has got."""
        self.pages = 0
        self.ended = False
        """The caller has got all there is."""

    def advance(self, page: Page[T]) -> None:
        """Go on to the next page."""
        self._page, self.emitted = page, 0
        self.pages += 1

    def checkpoint(self) -> str:
        """The position behind the last item that the caller has got."""
        return self._start if self._page is None else self._page.checkpoint_at(self.emitted)

    def attach_checkpoint(self, error: Exception) -> None:
        """Give an error the checkpoint of the last item, unless it has one of its own."""
        if getattr(error, "checkpoint", None) is None:
            with contextlib.suppress(AttributeError):
                vars(error)["checkpoint"] = self.checkpoint()

    def page_event(self, operation: str, call_id: str, page: Page[T]) -> PageEvent:
        """What the hook is told about the page that comes next."""
        return PageEvent(operation, self.pages + 1, page.cursor, len(page.items), page.total_count, call_id=call_id)


class _BaseSource(Generic[T]):
    """What sources have in common, whether they block or are awaited."""

    def __init__(self, operation: str, start: str) -> None:
        self.iteration: IterationState[T] = IterationState(start)
        self._operation = operation
        self._call_id = ""
        self._on_page: OnPage | None = None
        self._left: int | None = None
        """How many items may still be given; None for all."""
        self._held: Page[T] | None = None
        """A page that has been read and not returned."""
        self._closed = False
        self._process: Process | None = None
        self._tracker: Tracker | None = None

    def set_up(
        self, *, call_id: str, on_page: OnPage | None, limit: int | None, tracker: Tracker | None, start: str | None
    ) -> None:
        """What the caller asked of this iteration: whom to tell of its pages, and where it begins and ends."""
        self._call_id, self._on_page, self._left, self._tracker = call_id, on_page, limit, tracker
        if start is not None:
            self.iteration = IterationState(start)

    @property
    def _wants_page(self) -> bool:
        """More is to be read: not closed, and not all that the limit allows given."""
        return self._held is None and not (self._closed or self._left == 0 or self.iteration.ended)

    @property
    def _holds_last(self) -> bool:
        """The page that is given next reaches the limit."""
        return self._held is not None and self._left is not None and len(self._held.items) >= self._left

    def _hold(self, page: Page[T] | None) -> None:
        """Keep a page until it is given, as much of it as the limit allows; none is the end of the list."""
        if page is None:
            # It is asked for when the caller has got all pages before it.
            self.iteration.ended = True
            return
        if self._tracker is not None and page.items:
            page = self._tracker.select(page)
            if not page.items:
                return
        if self._left is not None and len(page.items) > self._left:
            page = page.first(self._left)
        self._held = page

    def _add_checkpoint(self, error: Exception) -> None:
        if self._tracker is not None and self._held is None:
            self._tracker.add_progress(error)
        self.iteration.attach_checkpoint(error)

    def _hand_out(self, page: Page[T]) -> None:
        self._held = None
        if self._left is not None:
            self._left -= len(page.items)
        self.iteration.advance(page)

    def _check_process(self) -> None:
        if self._process is None:
            self._process = Process(f"{self._operation}: this iterator", " with resume= and the error's checkpoint")
        # The threads, tasks and connections that it works with stayed in the parent: a child would wait for ever.
        self._process.check()

    def _before_emitting(self) -> None:
        """What is to be done once the hook has seen the page, before the caller gets it."""


class Source(_BaseSource[T], ABC):
    """Reads the pages of one iteration, blocking."""

    def __init__(self, session: SyncSession, operation: str, start: str) -> None:
        super().__init__(operation, start)
        self._session = session

    def __next__(self) -> Page[T]:
        try:
            self._check_process()
            while self._wants_page:
                self._hold(self._read_page())
            page = self._held
            if page is not None:
                self._session.emit(self.iteration.page_event(self._operation, self._call_id, page), self._on_page)
        except Exception as error:
            self._add_checkpoint(error)
            raise
        if page is None:
            self.close()
            raise StopIteration
        self._before_emitting()
        self._hand_out(page)
        return page

    @abstractmethod
    def _read_page(self) -> Page[T] | None:
        """The next page; None at the end of the list."""

    @abstractmethod
    def close(self) -> None:
        """Begin nothing more, and end what is being read."""


class AsyncSource(_BaseSource[T], ABC):
    """As `Source`, awaited."""

    def __init__(self, session: AsyncSession, operation: str, start: str) -> None:
        super().__init__(operation, start)
        self._session = session

    async def __anext__(self) -> Page[T]:
        try:
            self._check_process()
            while self._wants_page:
                self._hold(await self._read_page())
            page = self._held
            if page is not None:
                await self._session.emit(self.iteration.page_event(self._operation, self._call_id, page), self._on_page)
        except Exception as error:
            self._add_checkpoint(error)
            raise
        if page is None:
            await self.aclose()
            raise StopAsyncIteration
        self._before_emitting()
        self._hand_out(page)
        return page

    @abstractmethod
    async def _read_page(self) -> Page[T] | None:
        """The next page; None at the end of the list."""

    @abstractmethod
    async def aclose(self) -> None:
        """Begin nothing more, and cancel what is being read."""


class _Reader(Generic[T]):
    """Reads the next page of a list. It does not refer to the source, so that a dropped iterator is collected."""

    def __init__(
        self, session: SyncSession, state: PagingState[T], call: Mapping[str, Any], decode: Decode | None
    ) -> None:
        self.stop = StopSignal()
        self._decode = decode or session.decode_page
        self._session, self._state, self._call = session, state, call

    def __call__(self) -> Page[T] | None:
        return drive(self._state.next_page(), self._send)

    def _send(self, request: PreparedRequest) -> PageResponse[T]:
        if self.stop.is_set():
            self._session.pool.check_open()
            # No caller sees it: the iterator is gone.
            raise RuntimeError("given up")
        started = time.monotonic()
        response = self._session.send(request, stop=self.stop, **self._call)
        return PageResponse(self._decode(request, response), response, time.monotonic() - started)


class _AsyncReader(Generic[T]):
    """As `_Reader`, awaited."""

    def __init__(
        self, session: AsyncSession, state: PagingState[T], call: Mapping[str, Any], decode: Decode | None
    ) -> None:
        self._decode = decode or session.decode_page
        self._session, self._state, self._call = session, state, call

    async def __call__(self) -> Page[T] | None:
        return await drive_async(self._state.next_page(), self._send)

    async def _send(self, request: PreparedRequest) -> PageResponse[T]:
        started = time.monotonic()
        response = await self._session.send(request, **self._call)
        return PageResponse(self._decode(request, response), response, time.monotonic() - started)


class PageSource(Source[T]):
    """Reads page after page. From the second on, the next one is read while the caller works on this one."""

    def __init__(
        self,
        session: SyncSession,
        state: PagingState[T],
        call: Mapping[str, Any],
        prefetch: int,
        decode: Decode | None = None,
    ) -> None:
        super().__init__(session, state.op.resource, state.header.write_position(state.start))
        self._state, self._prefetch = state, prefetch
        self._reader = _Reader(session, state, call, decode)
        self._ahead: Future[Page[T] | None] | None = None

    def _read_page(self) -> Page[T] | None:
        if self._ahead is None:
            return self._reader()
        if not self._ahead.cancelled():
            # Waits. Kept until it is done: a caller that is interrupted here may ask again.
            self._ahead.exception()
        ahead, self._ahead = self._ahead, None
        return self._reader() if ahead.cancelled() else ahead.result()

    def _before_emitting(self) -> None:
        if not self._prefetch or not self.iteration.pages or self._ahead is not None or self._state.ended:
            return
        if self._holds_last:
            return
        self._ahead = ahead = new_future()
        try:
            self._session.background.submit(self._reader, self._reader.stop, ahead)
        except BaseException as error:
            # Begun, it is waited for; otherwise it never will be.
            if ahead.cancel():
                self._ahead = None
            # Where no more threads can be had, pages are read when they are asked for.
            if not isinstance(error, RuntimeError):
                raise

    def close(self) -> None:
        self._closed = True
        self._reader.stop.set()
        self._ahead = self._held = None

    def __del__(self) -> None:
        # No lock may be taken here: see StopSignal.
        self._reader.stop.set()


class AsyncPageSource(AsyncSource[T]):
    """As `PageSource`, awaited."""

    def __init__(
        self,
        session: AsyncSession,
        state: PagingState[T],
        call: Mapping[str, Any],
        prefetch: int,
        decode: Decode | None = None,
    ) -> None:
        super().__init__(session, state.op.resource, state.header.write_position(state.start))
        self._state, self._prefetch = state, prefetch
        self._reader = _AsyncReader(session, state, call, decode)
        self._ahead: asyncio.Task[Page[T] | None] | None = None

    async def _read_page(self) -> Page[T] | None:
        if self._ahead is None:
            return await self._reader()
        import asyncio

        try:
            page = await self._ahead
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # It was the reading ahead that was cancelled: by a wait that was given up, or by the client's end.
            self._ahead = None
            return await self._reader()
        except Exception:
            self._ahead = None
            raise
        self._ahead = None
        return page

    def _before_emitting(self) -> None:
        ready = self._prefetch and self.iteration.pages and self._ahead is None and not self._state.ended
        if ready and not self._holds_last:
            self._ahead = self._session.background.submit(self._reader)

    async def aclose(self) -> None:
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
