"""The only module that touches HTTP connections: whose they are, how they are made, and one attempt over them."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import ssl
import threading
import time
import warnings
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

import attrs
import httpx

from ..codec.request import PreparedRequest
from ..errors import ConfigurationError
from ..flow.background import BackgroundTasks, BackgroundThreads
from .config import KEY_HEADER, USER_AGENT, Config, is_local
from .http_logs import redact_http_logs
from .response import UnclosedTransport, read_fully
from .retry import Send
from .timeouts import LATE, Within, at_most, phases

if TYPE_CHECKING:
    import anyio

    from .config import Timeout
    from .network import Line

C = TypeVar("C", httpx.Client, httpx.AsyncClient)

# What a driver hands to the retry flow as an outcome; anything else is a mistake, ours or a hook's.
BUSY = "all connections are in use"
GRACE = 0.1  # seconds: the time-outs of single steps come first, they say more
FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict, OSError)


@attrs.frozen(eq=False)
class PoolSettings:
    """How connections are made. `http_client` and `transport` belong to the caller and are never closed."""

    label: str
    host: str
    max_connections: int = 100
    proxy: Any = attrs.field(default=None, repr=False)
    verify: Any = attrs.field(default=True, repr=False)
    transport: Any = None
    http_client: Any = None

    def arguments(self, host: str | None) -> dict[str, Any]:
        """Arguments of an HTTP client that talks to this host, or to any."""
        arguments: dict[str, Any] = {
            "timeout": None,
            "follow_redirects": False,
            "headers": {"User-Agent": USER_AGENT},
            "limits": httpx.Limits(max_connections=1),
        }
        if self.transport is not None:
            return {**arguments, "transport": UnclosedTransport(self.transport)}
        # This machine is never behind a proxy: the key would travel to the proxy unencrypted.
        local = ("localhost", "127.0.0.1", "[::1]") if host is None else (f"[{host}]" if ":" in host else host,)
        if self.proxy is None:
            arguments["mounts"] = {f"all://{name}": None for name in local if is_local(name.strip("[]"))}
        else:
            arguments["proxy"] = self.proxy
        return {**arguments, "verify": self.tls()}

    def tls(self) -> ssl.SSLContext:
        environment = (os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        return tls_context(self.verify, environment)


def check_kind(settings: PoolSettings, kind: type[Any]) -> None:
    """Refuse what the caller brought if it belongs to the other kind of client."""
    method = "handle_request" if kind is httpx.Client else "handle_async_request"
    if not isinstance(settings.http_client, kind | None):
        raise ConfigurationError(f"{settings.label}: http_client must be an httpx.{kind.__name__}")
    if settings.transport is not None and not hasattr(settings.transport, method):
        raise ConfigurationError(
            f"{settings.label}: transport must have {method}(), as one of httpx.{kind.__name__} has"
        )


@functools.lru_cache(maxsize=8)
def tls_context(verify: bool | str | ssl.SSLContext, environment: tuple[str | None, ...]) -> ssl.SSLContext:
    """One context for all pools with the same settings: reading the certificates takes longer than a request."""
    if isinstance(verify, str):
        is_folder = os.path.isdir(verify)
        return ssl.create_default_context(cafile=None if is_folder else verify, capath=verify if is_folder else None)
    return httpx.create_ssl_context(verify=verify)


class Place(Generic[C]):
    """The connections of one process, or of one event loop in it."""

    def __init__(self, slots: Any) -> None:
        self.slots = slots
        self.clients: list[C] = []
        self.idle: list[C] = []
        self.lines: list[Line] = []


class Pool(Generic[C]):
    """The connections of one client and of all copies of it.

    Each is an HTTP client of its own, lent to one call at a time. Shared by many threads, one client of httpx now and
    then closes a connection that another thread has just been given; shared by many tasks, it gets slower with each.
    """

    _make: type[C]

    def __init__(self, settings: PoolSettings) -> None:
        check_kind(settings, self._make)
        redact_http_logs()
        self.settings = settings
        self.closed = threading.Event()
        self._pid = os.getpid()
        self._places: dict[tuple[int, object], Place[C]] = {}

    def check_open(self) -> None:
        if self.closed.is_set():
            raise ConfigurationError(f"{self.settings.label} is closed")

    def place(self) -> Place[C]:
        """Where to borrow here and now."""
        self.check_open()
        # A forked child has copies of the connections: used by both, one would read the other's answers.
        key = (os.getpid(), self._loop())
        return self._places.get(key) or self._places.setdefault(key, Place(self._slots()))

    def borrow(self, place: Place[C]) -> C:
        """A client that nobody else uses; the caller has taken a slot, and gives both back."""
        self.check_open()
        self._check_process()
        if self.settings.http_client is not None:
            return cast("C", self.settings.http_client)
        try:
            # The last one used: its connection is the likeliest to be open still.
            return place.idle.pop()
        except IndexError:
            place.clients.append(client := self._new(self.settings.host))
            self._watch(place, client)
            return client

    def take_back(self, place: Place[C], client: C) -> None:
        if client is not self.settings.http_client:
            place.idle.append(client)

    def storage_client(self) -> C:
        """A new HTTP client for hosts that must not see the key; whoever asked for it closes it."""
        self._check_process()
        return self._new(None)

    def smaller(self) -> Self:
        """A pool of its own for one worker; what the caller injected is used as it is."""
        pool = type(self)(attrs.evolve(self.settings, max_connections=1))
        pool._pid = self._pid
        return pool

    def outcome(self, error: Exception) -> Exception:
        """What the retry flow is told about an exception; what is not the network's fault goes through."""
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

    def _new(self, host: str | None) -> C:
        try:
            arguments = self.settings.arguments(host)
            if host is None and "mounts" in arguments:
                from .network import mounts

                is_async = self._make is httpx.AsyncClient
                arguments["mounts"] = mounts(arguments["verify"], arguments["mounts"], is_async=is_async)
            return self._make(**arguments)
        except Exception as error:
            # A proxy or a certificate file, from arguments or variables, that is of no use.
            why = f"{type(error).__name__}: {error}"
        raise ConfigurationError(f"{self.settings.label} cannot make connections, check proxy= and verify=: {why}")

    def _watch(self, place: Place[C], client: C) -> None:
        """Whatever a new client needs besides."""

    def _take_all(self) -> Place[C]:
        """What there is to close here."""
        places, self._places = self._places, {}
        # The connections of another event loop can only be closed there.
        return places.get((os.getpid(), self._loop())) or Place(None)

    def _loop(self) -> object:
        return None

    def _slots(self) -> Any:
        raise AssertionError

    def __del__(self, warn: Any = warnings.warn, getpid: Any = os.getpid) -> None:
        # At the end of the interpreter module names may be gone, arguments are not.
        mine = [place.clients for (pid, _), place in getattr(self, "_places", {}).items() if pid == getpid()]
        if any(mine) and self.settings.transport is None:
            warn(f"unclosed {self.settings.label}: use it in a with block, or close() it", ResourceWarning, source=self)


class SyncPool(Pool[httpx.Client]):
    _make = httpx.Client

    def __init__(self, settings: PoolSettings) -> None:
        super().__init__(settings)
        self.background = BackgroundThreads()

    def close(self) -> None:
        self.closed.set()
        place = self._take_all()
        # A thread that waits for an answer is woken: nobody wants it any more.
        for line in place.lines:
            line.hang_up()
        try:
            self.background.close()
        finally:
            for client in place.clients:
                client.close()

    def exchange(self, attempt: Attempt) -> Any:
        """One attempt: a response that is read, or what was raised instead."""
        place, (limits, stop) = self.place(), attempt.limits()
        if not place.slots.acquire(timeout=limits.pool):
            return httpx.PoolTimeout(BUSY)
        try:
            client = self.borrow(place)
            try:
                request = attempt.build(client, limits)
                if client is self.settings.http_client:
                    response = client.send(request, stream=True, follow_redirects=False)
                else:
                    # Without what the client adds: redirects, cookies and sign-in have no place here, and take longer.
                    response = cast("Any", client)._transport_for_url(request.url).handle_request(request)
                body = BytesIO()
                # A hook of the caller's client, or a transport without network, has read it already.
                if not response.is_closed:
                    stream = cast("httpx.SyncByteStream", response.stream)
                    try:
                        for chunk in stream:
                            if time.monotonic() > stop:
                                raise httpx.ReadTimeout(LATE)
                            body.write(chunk)
                    finally:
                        stream.close()
            finally:
                self.take_back(place, client)
            return read_fully(response, body.getvalue())
        except Exception as error:
            return self.outcome(error)
        finally:
            place.slots.release()

    def _watch(self, place: Place[httpx.Client], client: httpx.Client) -> None:
        if self.settings.transport is None:
            from .network import Line

            place.lines.append(Line(self.closed, client))

    def _slots(self) -> threading.Semaphore:
        return threading.Semaphore(self.settings.max_connections)


class AsyncPool(Pool[httpx.AsyncClient]):
    _make = httpx.AsyncClient

    def __init__(self, settings: PoolSettings) -> None:
        super().__init__(settings)
        self.background = BackgroundTasks()

    async def close(self) -> None:
        self.closed.set()
        await self.background.aclose()
        for client in [*self._take_all().clients]:
            await client.aclose()

    async def exchange(self, attempt: Attempt) -> Any:
        """One attempt: a response that is read, or what was raised instead."""
        import anyio

        place, (limits, stop) = self.place(), attempt.limits()
        try:
            place.slots.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.move_on_after(limits.pool) as waiting:
                await place.slots.acquire()
            if waiting.cancelled_caught:
                return httpx.PoolTimeout(BUSY)
        try:
            client, clean = self.borrow(place), False
            try:
                with anyio.move_on_after(stop - time.monotonic() + GRACE):
                    request = attempt.build(client, limits)
                    if client is self.settings.http_client:
                        response = await client.send(request, stream=True, follow_redirects=False)
                    else:
                        way = cast("Any", client)._transport_for_url(request.url)
                        response = await way.handle_async_request(request)
                    body = BytesIO()
                    if not response.is_closed:
                        stream = cast("httpx.AsyncByteStream", response.stream)
                        try:
                            async for chunk in stream:
                                body.write(chunk)
                        finally:
                            await stream.aclose()
                    clean = True
                    return read_fully(response, body.getvalue())
            finally:
                if clean or client is self.settings.http_client:
                    self.take_back(place, client)
                else:
                    # Cancelled in the wrong moment its connection counts as in use for ever.
                    place.clients.remove(client)
                    with anyio.CancelScope(shield=True), contextlib.suppress(Exception):
                        await client.aclose()
        except Exception as error:
            return self.outcome(error)
        finally:
            place.slots.release()
        return self.outcome(httpx.ReadTimeout(LATE))

    def _slots(self) -> anyio.Semaphore:
        import anyio

        # Connections of loops that are over can be neither used nor closed.
        for key in [key for key in self._places if key[1] is not None and cast("Any", key[1]).is_closed()]:
            del self._places[key]
        return anyio.Semaphore(self.settings.max_connections)

    def _loop(self) -> object:
        import asyncio

        try:
            return asyncio.get_running_loop()
        except RuntimeError:
            # Another async library: it has one loop, or the caller has one client for each.
            return None


@attrs.frozen(eq=False)
class Attempt:
    """One sending of a request."""

    config: Config
    prepared: PreparedRequest
    step: Send
    timeout: Timeout
    extra_headers: Mapping[str, str] = attrs.field(repr=False)

    def build(self, client: httpx.Client | httpx.AsyncClient, limits: httpx.Timeout) -> httpx.Request:
        request = client.build_request(
            self.prepared.method,
            self.prepared.full_url,
            headers={"User-Agent": USER_AGENT, **self.prepared.headers},
            content=self.prepared.content,
            timeout=limits,
        )
        request.headers.update(self.extra_headers)
        request.headers[KEY_HEADER] = self.config.key.reveal()
        return request

    def limits(self) -> tuple[httpx.Timeout, float]:
        """The time-outs of each phase, and when all must be here: an answer that drips must not hold us for ever."""
        timeout, now = phases(self.timeout), time.monotonic()
        if self.step.attempt > 1:
            left = max(self.step.remaining, 0.001)
            return Within.of(at_most(timeout, left), now + left), now + left
        connect, read = timeout.connect, timeout.read
        # Who asks for a longer time-out than the deadline of the retries means it.
        whole = math.inf if connect is None or read is None else max(self.step.remaining, connect + read)
        return Within.of(timeout, now + whole), now + whole
