"""The workers of one pass over a range: threads for sync, tasks for async."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from ...codec.request import PreparedRequest
from ...errors import AdsecurityError
from ...flow.drivers import drive, drive_async
from ..iterators import IterationState
from ..page import Page, PageResponse
from .run import AGAIN, WAIT, Step, WindowedRead

if TYPE_CHECKING:
    import asyncio

    from ...http.session import AsyncSession, SyncSession

T = TypeVar("T")


def _given_up(run: WindowedRead[Any]) -> AdsecurityError:
    return AdsecurityError(f"{run.resource}: its workers ended before they had read all of the range")


class _Stop(threading.Event):
    """Stops the workers, also those that wait for something to do."""

    def __init__(self) -> None:
        super().__init__()
        lock = threading.RLock()
        self.news = threading.Condition(lock)
        """Of pages, for the reader."""
        self.room = threading.Condition(lock)
        """For another window, for the workers."""

    def set(self) -> None:
        super().set()
        with self.news:
            self.news.notify_all()
            self.room.notify_all()

    def locked(self, step: Callable[[], Any], turn: threading.Condition) -> Any:
        """Take a step when it can be taken; None when it is too late for it."""
        with turn:
            while not self.is_set():
                outcome = step()
                if outcome is WAIT:
                    turn.wait()
                    continue
                self.news.notify()
                # One worker: where there is room for two, it wakes the next. To wake all takes longer than a page.
                self.room.notify()
                if outcome is not AGAIN:
                    return outcome
        return None


def _work(session: SyncSession, run: WindowedRead[Any], call: Mapping[str, Any], stop: _Stop) -> None:
    def perform(step: Step) -> object:
        if isinstance(step, PreparedRequest):
            response = session.send(step, stop=stop, **call)
            # No raw pages are made of windows, so nobody asks how long it took.
            return PageResponse(session.decode_page(step, response), response, 0.0)
        return stop.locked(step, stop.room)

    try:
        drive(run.work(), perform)
    except BaseException:
        # Not one of the errors that the reader is told of: it must not wait for ever.
        stop.set()
        raise
    finally:
        session.close()


class WindowSource(Generic[T]):
    """The pages of one pass over a range, read by several threads."""

    def __init__(self, session: SyncSession, run: WindowedRead[T], call: Mapping[str, Any], workers: int) -> None:
        self.iteration: IterationState[T] = IterationState(run.start)
        self._session, self._run, self._call, self._workers = session, run, call, workers
        self._stop = _Stop()
        self._ended = False

    def __next__(self) -> Page[T]:
        try:
            self._begin()
            page = cast("Page[T] | None", self._stop.locked(self._run.next_page, self._stop.news))
            if page is not None:
                self._session.emit(self.iteration.event(self._run.resource, page))
            elif self._stop.is_set() and not self._ended:
                self._session.pool.check_open()
                raise _given_up(self._run)
        except Exception as error:
            self.close()
            self.iteration.sign(error)
            raise
        if page is None:
            self.close()
            raise StopIteration
        self.iteration.turn(page)
        return page

    def _begin(self) -> None:
        # Counted one by one: whoever is interrupted in here may come back.
        while self._workers:
            # One small pool for each: threads that share one wait for each other.
            call = partial(_work, self._session.spawn(), self._run, self._call, self._stop)
            if self._session.background.submit(call, self._stop).cancelled():
                self._stop.set()
            self._workers -= 1

    def close(self) -> None:
        """Begin nothing more, and drop what is being read."""
        self._ended = True
        self._stop.set()

    def __del__(self) -> None:
        self._stop.set()


class _Turn:
    """As the locked steps of `_Stop`; of one loop, so it needs no lock."""

    def __init__(self) -> None:
        self.news, self.room = deque["asyncio.Future[None]"](), deque["asyncio.Future[None]"]()

    def wake(self, _: object = None) -> None:
        """The reader looks again, and one worker."""
        for waiting in (self.news, self.room):
            while waiting:
                if not (first := waiting.popleft()).done():
                    first.set_result(None)
                    break

    async def __call__(self, step: Callable[[], Any], turn: deque[asyncio.Future[None]]) -> Any:
        # Not at the top: threads do without it, and it takes longer to import than the first request.
        from asyncio import get_running_loop

        while True:
            outcome = step()
            if outcome is WAIT:
                turn.append(get_running_loop().create_future())
                await turn[-1]
                continue
            self.wake()
            if outcome is not AGAIN:
                return outcome


async def _awork(session: AsyncSession, run: WindowedRead[Any], call: Mapping[str, Any], turn: _Turn) -> None:
    async def perform(step: Step) -> object:
        if isinstance(step, PreparedRequest):
            response = await session.send(step, **call)
            return PageResponse(session.decode_page(step, response), response, 0.0)
        return await turn(step, turn.room)

    try:
        await drive_async(run.work(), perform)
    finally:
        await session.close()


class AsyncWindowSource(Generic[T]):
    """The pages of one pass over a range, read by several tasks."""

    def __init__(self, session: AsyncSession, run: WindowedRead[T], call: Mapping[str, Any], workers: int) -> None:
        self.iteration: IterationState[T] = IterationState(run.start)
        self._session, self._run, self._call, self._workers = session, run, call, workers
        self._turn = _Turn()
        self._tasks: list[asyncio.Task[None]] = []
        self._ended = False
        self._error: Exception | None = None

    async def __anext__(self) -> Page[T]:
        page: Page[T] | None = None
        try:
            if self._error is not None:
                raise self._error
            self._begin()
            if not self._ended:
                page = await self._next()
            if page is not None:
                await self._session.emit(self.iteration.event(self._run.resource, page))
        except Exception as error:
            self.iteration.sign(error)
            # Whoever is interrupted while the workers end is told the next time.
            self._error = error
            await self.aclose()
            self._error = None
            raise
        if page is None:
            await self.aclose()
            raise StopAsyncIteration
        self.iteration.turn(page)
        return page

    async def _next(self) -> Page[T] | None:
        def step() -> Any:
            outcome = self._run.next_page()
            if outcome is WAIT and all(task.done() for task in self._tasks):
                # Cancelled, by the end of the client or of the loop: what is missing will never come.
                self._session.pool.check_open()
                raise _given_up(self._run)
            return outcome

        return cast("Page[T] | None", await self._turn(step, self._turn.news))

    def _begin(self) -> None:
        while self._workers:
            self._workers -= 1
            # One small pool for each: tasks that share one spend their time in its book-keeping.
            call = partial(_awork, self._session.spawn(), self._run, self._call, self._turn)
            task = self._session.background.submit(call)
            task.add_done_callback(self._turn.wake)
            self._tasks.append(task)

    async def aclose(self) -> None:
        """Begin nothing more, and cancel what is being read."""
        import asyncio

        self._ended = True
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def __del__(self) -> None:
        # Perhaps in another thread, where the garbage collector happened to run, or after the loop's end.
        for task in self._tasks:
            if not task.get_loop().is_closed():
                task.get_loop().call_soon_threadsafe(task.cancel)
