"""Background threads and tasks of a client, which fetch pages ahead. Closing the client ends them."""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Coroutine
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

R = TypeVar("R")

# Seconds that an idle thread waits for another job, and that close() waits for running jobs.
_LINGER = 1.0
_PATIENCE = 1.0


def new_future() -> Future[Any]:
    # Imported here: only reading ahead needs it.
    from concurrent.futures import Future

    return Future()


@cache
def keep_memory(size: int = 1 << 20) -> None:
    """Make the C library keep freed memory up to this size for reuse; once per process is enough.

    glibc returns freed blocks above a threshold to the system, and raises the threshold to the largest block freed so
    far. Without this, each page or file block is returned and requested again, which costs a tenth of the time of a
    page and a fifth of that of a file.
    """
    bytes(size)


class BackgroundThreads:
    """Runs calls in daemon threads, so that an exiting interpreter does not wait for a response that nobody needs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[_Worker, threading.Event] = {}
        self._idle: list[_Worker] = []
        self._closed = False

    def submit(self, call: Callable[[], R], stop: threading.Event, future: Future[R] | None = None) -> Future[R]:
        """Start the call in a thread; close() sets `stop` to tell it to end. After close() the future is cancelled.

        A caller that passes its own future can cancel it even if this method is interrupted: a call that has not begun
        is then never made.
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
            # After a fork, the threads of the parent process are not running in the child.
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
            # submit() has just taken this worker for a job.
            return worker.jobs.get()

    def done(self, worker: _Worker) -> None:
        with self._lock:
            del self._running[worker]
            if not self._closed:
                self._idle.append(worker)

    def close(self) -> None:
        """Tell running calls to stop and wait for them, but not for ever: a caller's own transport may ignore it."""
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
    """Runs one job after the other: starting a thread for each page would take longer than decoding the page."""

    def __init__(self, threads: BackgroundThreads) -> None:
        super().__init__(name="adsecurity-prefetch", daemon=True)
        self.jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads = threads

    def run(self) -> None:
        while job := self._threads.take(self):
            job()
            # The job refers to the client, which could not be freed while this thread is idle.
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
            # Retrieved, so that asyncio does not report an exception of a page that nobody needs any more.
            task.exception()

    async def aclose(self) -> None:
        """Cancel running tasks and wait for them to end."""
        self._closed = True
        if not self._running:
            return
        import asyncio

        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
