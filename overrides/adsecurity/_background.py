"""What a client has running besides its caller: pages that are fetched ahead. Closing the client ends all of it."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

R = TypeVar("R")


class Threads:
    """Runs calls in daemon threads: an interpreter that exits does not wait for an answer that nobody reads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[threading.Thread, threading.Event] = {}
        self._closed = False

    def submit(self, call: Callable[[], R], stop: threading.Event) -> Future[R]:
        """Start the call; `stop` is what tells it to begin nothing more. After close() the future is cancelled."""
        # Not at the top: what is never read ahead does not pay for it.
        from concurrent.futures import Future

        future: Future[R] = Future()
        context = contextvars.copy_context()

        def run() -> None:
            try:
                future.set_result(context.run(call))
            except BaseException as error:
                future.set_exception(error)
            finally:
                with self._lock:
                    self._running.pop(threading.current_thread(), None)

        thread = threading.Thread(target=run, name="adsecurity-prefetch", daemon=True)
        with self._lock:
            if self._closed:
                future.cancel()
                # Without this, whoever waits for it waits for ever.
                future.set_running_or_notify_cancel()
                return future
            self._running[thread] = stop
            thread.start()
        return future

    def close(self) -> None:
        """Tell what runs to stop, and wait until it has."""
        with self._lock:
            self._closed = True
            running = dict(self._running)
        for stop in running.values():
            stop.set()
        for thread in running:
            if thread is not threading.current_thread():
                thread.join()


class Tasks:
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
