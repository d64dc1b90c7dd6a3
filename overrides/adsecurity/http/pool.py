"""The connections of a client and its copies: who may use one now, one attempt over it, and how all of them end."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
import warnings
import weakref
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

import attrs
import httpx

from ..errors import ConfigurationError
from ..flow.background import BackgroundTasks, BackgroundThreads
from ..flow.loop import running_loop
from .attempt import Attempt
from .config import PoolSettings
from .http_logs import redact_http_logs
from .response import Body, TooLarge
from .timeouts import LATE
from .transport import (
    AsyncRoutingTransport,
    Connection,
    RoutingTransport,
    UnclosedTransport,
    connect_over,
    proxy_finder,
)

if TYPE_CHECKING:
    import anyio

C = TypeVar("C", httpx.Client, httpx.AsyncClient)

BUSY = "all connections are in use"
GRACE = 0.1  # seconds: the time-outs of single steps come first, they say more
# What the retry flow takes for a failure of the network; anything else is a mistake, ours or a hook's.
FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict, OSError)


def check_kind(settings: PoolSettings, kind: type[Any]) -> None:
    """Refuse what the caller brought if it belongs to the other kind of client."""
    method = "handle_request" if kind is httpx.Client else "handle_async_request"
    if not isinstance(settings.http_client, kind | None):
        raise ConfigurationError(f"{settings.label}: http_client must be an httpx.{kind.__name__}")
    if settings.transport is not None and not hasattr(settings.transport, method):
        raise ConfigurationError(
            f"{settings.label}: transport must have {method}(), as one of httpx.{kind.__name__} has"
        )


class Permit:
    """The right to use one connection. One that an interrupt loses comes back by itself."""

    def __init__(self, permits: queue.SimpleQueue[Permit]) -> None:
        # Not the queue: it holds its permits, and neither would ever go.
        self._permits = weakref.ref(permits)

    def __del__(self) -> None:
        # This put() takes no lock.
        if (permits := self._permits()) is not None:
            permits.put(Permit(permits))


def new_permits(count: int) -> queue.SimpleQueue[Permit]:
    permits: queue.SimpleQueue[Permit] = queue.SimpleQueue()
    for _ in range(count):
        permits.put(Permit(permits))
    return permits


class LoopConnections(Generic[C]):
    """The connections of one process, or of one event loop in it."""

    def __init__(self, permits: Any) -> None:
        self.permits = permits
        self.connections: list[Connection[C]] = []
        self.idle: list[Connection[C]] = []
        self.storage: list[Connection[C]] = []
        """Lent to transfers until they are over; these are not counted."""
        self.pauses: set[anyio.CancelScope] = set()


class Pool(Generic[C]):
    """The connections of one client and of all copies of it."""

    _kind: type[C]
    _transport: type[RoutingTransport | AsyncRoutingTransport]

    def __init__(self, settings: PoolSettings, process: int | None = None) -> None:
        check_kind(settings, self._kind)
        redact_http_logs()
        self.settings = settings
        self.closed = threading.Event()
        # The process in which what the caller injected was made.
        self._pid = process or os.getpid()
        self._by_loop: dict[tuple[int, object], LoopConnections[C]] = {}

    def check_open(self) -> None:
        if self.closed.is_set():
            raise ConfigurationError(f"{self.settings.label} is closed")

    def here(self) -> LoopConnections[C]:
        """The connections of this process and loop."""
        self.check_open()
        # A forked child has copies of the connections: used by both, one would read the other's answers.
        key = (os.getpid(), self._loop())
        return self._by_loop.get(key) or self._by_loop.setdefault(key, LoopConnections(self._new_permits()))

    def borrow(self, here: LoopConnections[C]) -> Connection[C]:
        """A connection that nobody else uses; the caller has a permit, and gives both back."""
        self.check_open()
        self._check_process()
        if self.settings.http_client is not None:
            return Connection(self.settings.http_client, None)
        try:
            # The last one used is the likeliest to be open still.
            return here.idle.pop()
        except IndexError:
            connection = self._new_connection()
            here.connections.append(connection)
            return connection

    def give_back(self, here: LoopConnections[C], connection: Connection[C]) -> None:
        if connection.client is not self.settings.http_client:
            here.idle.append(connection)

    def storage_connection(self) -> Connection[C]:
        """A new connection for hosts that must not see the key; the caller gives it to `end_storage`."""
        self._check_process()
        connection = self._new_connection()
        self.here().storage.append(connection)
        return connection

    def smaller(self) -> Self:
        """A pool of its own for one worker; what the caller injected is used as it is."""
        return type(self)(attrs.evolve(self.settings, max_connections=1), self._pid)

    def outcome(self, error: Exception, attempt: Attempt) -> Exception:
        """What the retry flow is told about an exception; what is not the network's fault goes through."""
        if isinstance(error, TooLarge):
            return attempt.too_large(error)
        if isinstance(error, ConfigurationError):
            return error
        if self.closed.is_set():
            return ConfigurationError(f"{self.settings.label} was closed during a call")
        if isinstance(error, FAILURES):
            return error
        raise error

    def _check_process(self) -> None:
        if os.getpid() == self._pid:
            return
        # Their connections would be shared with the parent: each process would read answers meant for the other.
        for name in ("http_client", "transport"):
            if getattr(self.settings, name) is not None:
                raise ConfigurationError(f"{self.settings.label}: {name} was made before this process was forked")

    def _new_connection(self) -> Connection[C]:
        settings = self.settings
        if settings.transport is not None:
            return connect_over(self._kind, UnclosedTransport(settings.transport))
        try:
            tls, find = settings.certificates.context(), proxy_finder(settings.proxy, settings.label)
            return connect_over(self._kind, self._transport(tls, find, self.closed))
        except Exception as error:
            # A proxy or a certificate file, from arguments or variables, that is of no use.
            why = str(error) if isinstance(error, ConfigurationError) else f"{type(error).__name__}: {error}"
        raise ConfigurationError(f"{settings.label} cannot make connections, check proxy= and verify=: {why}")

    def _take_all(self) -> LoopConnections[C]:
        """What there is to close here."""
        by_loop, self._by_loop = self._by_loop, {}
        # The connections of another event loop can only be closed there.
        if not by_loop:
            return LoopConnections(None)
        return by_loop.get((os.getpid(), self._loop())) or LoopConnections(None)

    def _loop(self) -> object:
        return None

    def _new_permits(self) -> Any:
        raise NotImplementedError

    def __del__(self, warn: Any = warnings.warn, getpid: Any = os.getpid) -> None:
        # At the end of the interpreter module names may be gone, arguments are not.
        by_loop = getattr(self, "_by_loop", {})
        mine = [here.connections for (pid, _), here in by_loop.items() if pid == getpid()]
        if any(mine) and self.settings.transport is None:
            warn(f"unclosed {self.settings.label}: use it in a with block, or close() it", ResourceWarning, source=self)


class SyncPool(Pool[httpx.Client]):
    _kind = httpx.Client
    _transport = RoutingTransport

    def __init__(self, settings: PoolSettings, process: int | None = None) -> None:
        super().__init__(settings, process)
        self.background = BackgroundThreads()

    def close(self) -> None:
        self.closed.set()
        here = self._take_all()
        # Threads that wait for an answer are woken: nobody wants it any more.
        for connection in (*here.connections, *here.storage):
            connection.hang_up()
        try:
            self.background.close()
        finally:
            for connection in here.connections:
                if connection in here.idle:
                    connection.client.close()
                else:
                    connection.abort()

    def end_storage(self, connection: Connection[httpx.Client]) -> None:
        for here in self._by_loop.values():
            if connection in here.storage:
                here.storage.remove(connection)
        connection.client.close()

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the end of the client."""
        self.closed.wait(seconds)

    def exchange(self, attempt: Attempt) -> Any:
        """One attempt: a response that is read, or what was raised instead."""
        here, (timeouts, deadline) = self.here(), attempt.limits()
        try:
            permit = here.permits.get(timeout=timeouts.pool)
        except queue.Empty:
            return httpx.PoolTimeout(BUSY)
        connection: Connection[httpx.Client] | None = None
        reusable = False
        try:
            connection = self.borrow(here)
            connection.set_deadline(deadline)
            request = attempt.build(self.settings.http_client, timeouts)
            if connection.transport is None:
                response = connection.client.send(request, stream=True, follow_redirects=False)
            else:
                # Not by send(): its steps for redirects, cookies, hooks and authentication, none of which there are
                # here, take 6 % of the time of a page, and 10 % of an awaited one.
                response = connection.transport.handle_request(request)
            body = Body(response, self.settings.max_response_bytes, deadline)
            # A hook of the caller's client, or a transport without network, has read it already.
            if not response.is_closed:
                stream = cast("httpx.SyncByteStream", response.stream)
                try:
                    for chunk in stream:
                        body.add(chunk)
                finally:
                    stream.close()
            reusable = connection.is_reusable(response, body.last)
            return body.answer()
        except Exception as error:
            return self.outcome(error, attempt)
        finally:
            # Also after an interrupt, which can come at any moment.
            if reusable and connection is not None:
                self.give_back(here, connection)
            elif connection is not None:
                self._drop(here, connection)
            here.permits.put(permit)

    def _drop(self, here: LoopConnections[httpx.Client], connection: Connection[httpx.Client]) -> None:
        if connection in here.connections:
            here.connections.remove(connection)
            connection.abort()

    def _new_permits(self) -> queue.SimpleQueue[Permit]:
        return new_permits(self.settings.max_connections)


class AsyncPool(Pool[httpx.AsyncClient]):
    _kind = httpx.AsyncClient
    _transport = AsyncRoutingTransport

    def __init__(self, settings: PoolSettings, process: int | None = None) -> None:
        super().__init__(settings, process)
        self.background = BackgroundTasks()

    async def close(self) -> None:
        self.closed.set()
        await self.background.aclose()
        here = self._take_all()
        for scope in here.pauses:
            scope.cancel()
        for connection in [*here.connections, *here.storage]:
            await connection.client.aclose()

    async def end_storage(self, connection: Connection[httpx.AsyncClient]) -> None:
        for here in self._by_loop.values():
            if connection in here.storage:
                here.storage.remove(connection)
        await connection.client.aclose()

    async def pause(self, seconds: float) -> None:
        """As that of `SyncPool`."""
        import anyio

        pauses = self.here().pauses
        with anyio.CancelScope() as scope:
            pauses.add(scope)
            try:
                await anyio.sleep(seconds)
            finally:
                pauses.discard(scope)

    async def exchange(self, attempt: Attempt) -> Any:
        """One attempt: a response that is read, or what was raised instead."""
        import anyio

        here, (timeouts, deadline) = self.here(), attempt.limits()
        try:
            here.permits.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.move_on_after(timeouts.pool) as waiting:
                await here.permits.acquire()
            if waiting.cancelled_caught:
                return httpx.PoolTimeout(BUSY)
        connection: Connection[httpx.AsyncClient] | None = None
        reusable = False
        try:
            connection = self.borrow(here)
            connection.set_deadline(deadline)
            with anyio.move_on_after(deadline - time.monotonic() + GRACE):
                request = attempt.build(self.settings.http_client, timeouts)
                if connection.transport is None:
                    response = await connection.client.send(request, stream=True, follow_redirects=False)
                else:
                    response = await connection.transport.handle_async_request(request)
                body = Body(response, self.settings.max_response_bytes, deadline)
                if not response.is_closed:
                    stream = cast("httpx.AsyncByteStream", response.stream)
                    try:
                        async for chunk in stream:
                            body.add(chunk)
                    finally:
                        await stream.aclose()
                reusable = connection.is_reusable(response, body.last)
                return body.answer()
        except Exception as error:
            return self.outcome(error, attempt)
        finally:
            if reusable and connection is not None:
                self.give_back(here, connection)
            elif connection is not None:
                await self._drop(here, connection)
            here.permits.release()
        return self.outcome(httpx.ReadTimeout(LATE), attempt)

    async def _drop(self, here: LoopConnections[httpx.AsyncClient], connection: Connection[httpx.AsyncClient]) -> None:
        if connection in here.connections:
            import anyio

            here.connections.remove(connection)
            # Cancelled in the wrong moment it would count as in use for ever.
            with anyio.CancelScope(shield=True), contextlib.suppress(Exception):
                await connection.client.aclose()

    def _new_permits(self) -> anyio.Semaphore:
        import anyio

        # Connections of loops that are over can be neither used nor closed.
        for key in [key for key in self._by_loop if key[1] is not None and cast("Any", key[1]).is_closed()]:
            del self._by_loop[key]
        return anyio.Semaphore(self.settings.max_connections)

    def _loop(self) -> object:
        return running_loop()
