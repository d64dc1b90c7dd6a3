"""Background threads and tasks of a client, which fetch pages ahead. Closing the client ends them."""

from __future__ import annotations

import contextvars
import os
import queue
import threading
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from .loop import running_loop

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

R = TypeVar("R")

_LINGER = 1.0  # seconds that an idle thread waits for its next job
_PATIENCE = 1.0  # seconds that closing waits for threads to end


class StopSignal(threading.Event):
    """An event whose `set()` takes no lock, so that `__del__` may call it.

    The garbage collector runs in any thread that allocates, also in one that holds the lock of an ordinary
    event, and at the interpreter's end that lock may belong to a thread that never runs again.
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_set = False
        # put() of a SimpleQueue may be called at any moment, from any thread; that is what it is made for.
        self._wakeups: queue.SimpleQueue[None] = queue.SimpleQueue()

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True
        self._wakeups.put(None)

    def wait(self, timeout: float | None = None) -> bool:
        if not self._is_set:
            try:
                self._wakeups.get(timeout=None if timeout is None else max(timeout, 0))
            except queue.Empty:
                return self._is_set
            # One token wakes one thread, which wakes the next.
            self._wakeups.put(None)
        return self._is_set


def new_future() -> Future[Any]:
    # Not at the top: a program that never reads ahead does not pay for the import.
    from concurrent.futures import Future

    return Future()


@attrs.frozen(eq=False)
class _Job:
    """How a running call is ended."""

    stop: threading.Event
    interrupt: Callable[[], object]


def _nothing() -> None:
    pass


class BackgroundThreads:
    """Runs calls in daemon threads: an interpreter that exits does not wait for their answers."""

    def __init__(self) -> None:
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._running: dict[_Worker, _Job] = {}
        self._idle: list[_Worker] = []

    def submit(
        self,
        call: Callable[[], R],
        stop: threading.Event,
        future: Future[R] | None = None,
        *,
        interrupt: Callable[[], object] = _nothing,
    ) -> Future[R]:
        """Start the call in a thread. After close() the future is cancelled.

        `stop` is set when the call is to begin nothing more; then `interrupt` ends what it is waiting for. A future
        that is passed in is known to the caller even if submit() itself is interrupted, and can then be cancelled.
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

        if os.getpid() != self._process:
            # A forked child has none of the threads, and perhaps a lock that one of them held.
            self._begin()
        with self._lock:
            if self._closed:
                future.cancel()
                return future
            worker = self._free_worker()
            self._running[worker] = _Job(stop, interrupt)
            worker.jobs.put(run)
        return future

    def _free_worker(self) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive():
                return worker
        worker = _Worker(self)
        worker.start()
        return worker

    def take(self, worker: _Worker) -> Callable[[], None] | None:
        """The next job of this worker; None when it is to end."""
        try:
            return worker.jobs.get(timeout=_LINGER)
        except queue.Empty:
            with self._lock:
                if worker in self._idle:
                    self._idle.remove(worker)
                    return None
            # It was chosen for a job a moment ago.
            return worker.jobs.get()

    def done(self, worker: _Worker) -> None:
        """The worker has finished its job."""
        with self._lock:
            del self._running[worker]
            if not self._closed:
                self._idle.append(worker)

    def close(self) -> None:
        """End what runs, and wait for it; not for ever, since a caller's transport may not notice."""
        if os.getpid() != self._process:
            self._begin()
        with self._lock:
            self._closed = True
            running, idle = dict(self._running), self._idle
            self._idle = []
        for job in running.values():
            job.stop.set()
        for job in running.values():
            job.interrupt()
        deadline = time.monotonic() + _PATIENCE
        for worker in (*running, *idle):
            worker.jobs.put(None)
        for worker in (*running, *idle):
            if worker is not threading.current_thread():
                worker.join(max(deadline - time.monotonic(), 0))


class _Worker(threading.Thread):
    """Does one job after another: starting a thread for each page takes longer than decoding the page."""

    def __init__(self, threads: BackgroundThreads) -> None:
        super().__init__(name="adsecurity-prefetch", daemon=True)
        self.jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads = threads

    def run(self) -> None:
        while job := self._threads.take(self):
            job()
            # The job refers to the client: an idle thread must not keep that alive.
            del job
            self._threads.done(self)


class BackgroundTasks:
    """Runs coroutines as tasks of the running loop."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    def submit(self, call: Callable[[], Coroutine[Any, Any, R]]) -> asyncio.Task[R]:
        """Start the coroutine; after aclose() its task is cancelled at once."""
        task = running_loop().create_task(call())
        self._running.add(task)
        task.add_done_callback(self._done)
        if self._closed:
            task.cancel()
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            # An error that is never awaited would be reported as lost otherwise.
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
