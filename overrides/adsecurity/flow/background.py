"""What a client has running besides its caller: pages that are fetched ahead. Closing the client ends all of it."""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

R = TypeVar("R")

_LINGER = 1.0  # seconds
_PATIENCE = 1.0


def new_future() -> Future[Any]:
    # Not at the top: what is never read ahead does not pay for it.
    from concurrent.futures import Future

    return Future()


class BackgroundThreads:
    """Runs calls in daemon threads: an interpreter that exits does not wait for an answer that nobody reads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[_Worker, threading.Event] = {}
        self._idle: list[_Worker] = []
        self._closed = False

    def submit(self, call: Callable[[], R], stop: threading.Event, future: Future[R] | None = None) -> Future[R]:
        """Start the call; `stop` is what tells it to begin nothing more. After close() the future is cancelled.

        Whoever brings the future has it also when this is interrupted: cancelled, it is not begun any more.
        """
        future = future or new_future()
        context = contextvars.copy_context()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(context.run(call))
            except BaseException as error:
                future.set_exception(error)

        with self._lock:
            if self._closed:
                future.cancel()
                return future
            worker = self._free_worker()
            self._running[worker] = stop
            worker.jobs.put(run)
        return future

    def _free_worker(self) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            # In a forked process none is.
            if worker.is_alive():
                return worker
        worker = _Worker(self)
        worker.start()
        return worker

    def take(self, worker: _Worker) -> Callable[[], None] | None:
        """The next job; None when the worker is to end."""
        try:
            return worker.jobs.get(timeout=_LINGER)
        except queue.Empty:
            with self._lock:
                if worker in self._idle:
                    self._idle.remove(worker)
                    return None
            # Chosen for a job a moment ago.
            return worker.jobs.get()

    def done(self, worker: _Worker) -> None:
        with self._lock:
            del self._running[worker]
            if not self._closed:
                self._idle.append(worker)

    def close(self) -> None:
        """Tell what runs to stop, and wait until it has; not for ever, since a caller's transport may not listen."""
        with self._lock:
            self._closed = True
            running, idle = dict(self._running), self._idle
            self._idle = []
        for stop in running.values():
            stop.set()
        deadline = time.monotonic() + _PATIENCE
        for worker in (*running, *idle):
            worker.jobs.put(None)
        for worker in (*running, *idle):
            if worker is not threading.current_thread():
                worker.join(max(deadline - time.monotonic(), 0))


class _Worker(threading.Thread):
    """Does one job after the other: to start a thread for each page takes longer than to decode the page."""

    def __init__(self, threads: BackgroundThreads) -> None:
        super().__init__(name="adsecurity-prefetch", daemon=True)
        self.jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads = threads

    def run(self) -> None:
        while job := self._threads.take(self):
            job()
            # It knows the client, which nobody may be using any more.
            del job
            self._threads.done(self)


class BackgroundTasks:
    """Runs coroutines as tasks of the running loop."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    def submit(self, call: Callable[[], Coroutine[Any, Any, R]]) -> asyncio.Task[R]:
        """Start the coroutine; after aclose() its task is cancelled at once."""
        import asyncio

        task = asyncio.get_running_loop().create_task(call())
        self._running.add(task)
        task.add_done_callback(self._done)
        if self._closed:
            task.cancel()
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            # Looked at, so that an answer that nobody awaits is not reported as lost.
            task.exception()

    async def aclose(self) -> None:
        """Cancel what runs, and wait until it has ended."""
        self._closed = True
        if not self._running:
            return
        import asyncio

        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
