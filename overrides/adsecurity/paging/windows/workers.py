"""The workers of one pass over a range: threads for sync, tasks for async."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ...codec.request import PreparedRequest
from ...errors import AdsecurityError
from ...flow.background import StopSignal
from ...flow.drivers import drive, drive_async
from ...flow.loop import running_loop
from ..page import Page, PageResponse
from ..sources import AsyncSource, Decode, Source
from .run import AGAIN, WAIT, Step, WindowedRead

if TYPE_CHECKING:
    import asyncio

    from ...http.session import AsyncSession, SyncSession

T = TypeVar("T")


class _Stopped(BaseException):
    """Ends a worker that was told to stop. Not an error: what it was doing can be done again."""


def _gave_up(read: WindowedRead[Any]) -> AdsecurityError:
    return AdsecurityError(f"{read.operation}: its workers ended before they had read all of the range")


class _Waiters:
    """Threads that wait for their turn. A token wakes one of them; one too many makes it look once more."""

    def __init__(self) -> None:
        self._tokens: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._count = 0

    def join(self) -> None:
        """Announce a wait, under the lock, so that no wake-up is missed before it begins."""
        self._count += 1

    def wait(self) -> None:
        self._tokens.get()

    def wake_one(self) -> None:
        """Wake a waiter, if there is one; under the lock."""
        if self._count:
            self._count -= 1
            self._tokens.put(None)

    def wake(self, count: int) -> None:
        """Wake so many, without the lock: also from `__del__`."""
        for _ in range(count):
            self._tokens.put(None)


class _Steps:
    """Takes the steps of one read, one at a time, for its workers and its reader."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._lock = threading.Lock()
        self.news = _Waiters()
        """The reader, which waits for pages."""
        self.room = _Waiters()
        """Workers, which wait for room for another window."""

    def take(self, step: Callable[[], Any], waiters: _Waiters, stop: StopSignal) -> Any:
        """Take a step as soon as it can be taken; `_Stopped` when it is too late for it."""
        while True:
            with self._lock:
                if stop.is_set():
                    raise _Stopped
                outcome = step()
                if outcome is WAIT:
                    waiters.join()
                else:
                    self.news.wake_one()
                    # One worker: where there is room for two, it wakes the next. Waking all takes longer than a page.
                    self.room.wake_one()
            if outcome is WAIT:
                waiters.wait()
            elif outcome is not AGAIN:
                return outcome

    def wake_all(self) -> None:
        self.news.wake(1)
        self.room.wake(self._workers)


class _WorkersStop(StopSignal):
    """Stops the workers of one start, also those that wait for something to do, and wakes the reader."""

    def __init__(self, steps: _Steps) -> None:
        super().__init__()
        self._steps = steps

    def set(self) -> None:
        super().set()
        self._steps.wake_all()


def _work(
    session: SyncSession,
    read: WindowedRead[Any],
    call: Mapping[str, Any],
    decode: Decode,
    steps: _Steps,
    stop: StopSignal,
) -> None:
    def perform(step: Step) -> object:
        if isinstance(step, PreparedRequest):
            response = session.send(step, stop=stop, **call)
            # The elapsed time is for raw pages, which are never made of windows.
            return PageResponse(decode(step, response), response, 0.0)
        return steps.take(step, steps.room, stop)

    try:
        drive(read.work(), perform)
    except _Stopped:
        pass
    except BaseException:
        # Not one of the errors that the reader is told of: it must not wait for ever.
        stop.set()
        raise
    finally:
        session.close()


class WindowSource(Source[T]):
    """The pages of one pass over a range, read by several threads."""

    def __init__(
        self,
        session: SyncSession,
        read: WindowedRead[T],
        call: Mapping[str, Any],
        workers: int,
        decode: Decode | None = None,
    ) -> None:
        super().__init__(session, read.operation, read.start)
        self._decode = decode or session.decode_page
        self._read, self._call, self._workers = read, call, workers
        self._steps = _Steps(workers)
        self._stop = _WorkersStop(self._steps)
        self._missing = workers
        """Workers that are still to be started."""
        self._sessions: list[SyncSession] = []

    def _read_page(self) -> Page[T] | None:
        self._start_workers()
        try:
            return cast("Page[T] | None", self._steps.take(self._read.next_page, self._steps.news, self._stop))
        except _Stopped:
            self._end_workers()
            self._session.pool.check_open()
        except Exception:
            self._end_workers()
            raise
        raise _gave_up(self._read)

    def _start_workers(self) -> None:
        if self._stop.is_set():
            # They ended with an error. Others take up what they had begun.
            self._stop = _WorkersStop(self._steps)
            self._missing = self._workers
            self._steps.take(self._read.restart, self._steps.news, self._stop)
        # Counted one by one: a caller that is interrupted in here may come back.
        while self._missing:
            # One small pool for each: threads that share one wait for each other.
            session = self._session.spawn()
            call = partial(_work, session, self._read, self._call, self._decode, self._steps, self._stop)
            if self._session.background.submit(call, self._stop, interrupt=session.close).cancelled():
                self._stop.set()
            self._sessions.append(session)
            self._missing -= 1

    def _end_workers(self) -> None:
        self._stop.set()
        sessions, self._sessions = self._sessions, []
        for session in sessions:
            # Ends the answer that the worker is waiting for.
            session.close()

    def close(self) -> None:
        self._closed = True
        self._held = None
        self._end_workers()

    def __del__(self) -> None:
        # No lock may be taken here: see StopSignal. The workers close their connections themselves.
        self._stop.set()


class _AsyncSteps:
    """As `_Steps`; of one loop, so it needs no lock."""

    def __init__(self) -> None:
        self.news, self.room = deque["asyncio.Future[None]"](), deque["asyncio.Future[None]"]()

    def wake(self, _: object = None) -> None:
        """The reader looks again, and one worker."""
        for waiters in (self.news, self.room):
            while waiters:
                if not (first := waiters.popleft()).done():
                    first.set_result(None)
                    break

    async def take(self, step: Callable[[], Any], waiters: deque[asyncio.Future[None]], stop: StopSignal) -> Any:
        while True:
            if stop.is_set():
                raise _Stopped
            outcome = step()
            if outcome is WAIT:
                waiters.append(running_loop().create_future())
                await waiters[-1]
                continue
            self.wake()
            if outcome is not AGAIN:
                return outcome


async def _work_async(
    session: AsyncSession,
    read: WindowedRead[Any],
    call: Mapping[str, Any],
    decode: Decode,
    steps: _AsyncSteps,
    stop: StopSignal,
) -> None:
    async def perform(step: Step) -> object:
        if isinstance(step, PreparedRequest):
            response = await session.send(step, **call)
            return PageResponse(decode(step, response), response, 0.0)
        return await steps.take(step, steps.room, stop)

    try:
        await drive_async(read.work(), perform)
    except _Stopped:
        pass
    finally:
        await session.close()


class AsyncWindowSource(AsyncSource[T]):
    """The pages of one pass over a range, read by several tasks."""

    def __init__(
        self,
        session: AsyncSession,
        read: WindowedRead[T],
        call: Mapping[str, Any],
        workers: int,
        decode: Decode | None = None,
    ) -> None:
        super().__init__(session, read.operation, read.start)
        self._decode = decode or session.decode_page
        self._read, self._call, self._workers = read, call, workers
        self._steps = _AsyncSteps()
        self._stop = StopSignal()
        self._missing = workers
        self._tasks: list[asyncio.Task[None]] = []
        self._error: Exception | None = None
        """What ended the workers and could not be told, because the caller was cancelled meanwhile."""

    async def _read_page(self) -> Page[T] | None:
        if self._error is None:
            self._start_workers()
            try:
                return cast("Page[T] | None", await self._steps.take(self._next_step, self._steps.news, self._stop))
            except Exception as caught:
                self._error = caught
        await self._end_workers()
        error, self._error = self._error, None
        assert error is not None
        raise error

    def _next_step(self) -> Any:
        outcome = self._read.next_page()
        if outcome is WAIT and all(task.done() for task in self._tasks):
            # Cancelled, by the end of the client or of the loop: what is missing will never come.
            self._session.pool.check_open()
            raise _gave_up(self._read)
        return outcome

    def _start_workers(self) -> None:
        if self._stop.is_set():
            self._stop = StopSignal()
            self._missing = self._workers
            self._read.restart()
        while self._missing:
            self._missing -= 1
            # One small pool for each: tasks that share one spend their time in its book-keeping.
            session = self._session.spawn()
            call = partial(_work_async, session, self._read, self._call, self._decode, self._steps, self._stop)
            task = self._session.background.submit(call)
            task.add_done_callback(self._steps.wake)
            self._tasks.append(task)

    async def _end_workers(self) -> None:
        import asyncio

        self._stop.set()
        tasks = self._tasks
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._tasks = []

    async def aclose(self) -> None:
        self._closed = True
        self._held = None
        await self._end_workers()

    def __del__(self) -> None:
        # Perhaps in another thread, where the garbage collector happened to run, or after the loop's end.
        for task in self._tasks:
            if not task.get_loop().is_closed():
                task.get_loop().call_soon_threadsafe(task.cancel)
