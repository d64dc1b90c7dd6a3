"""The only module that touches HTTP connections: whose they are, how they are made, and one attempt over them."""

from __future__ import annotations

import functools
import math
import os
import ssl
import threading
import time
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

import attrs
import httpx

from ._background import Tasks, Threads
from ._config import CONNECT_TIMEOUT, KEY_HEADER, USER_AGENT, Config, is_local
from ._request import Prepared
from ._retry import Send
from .errors import ConfigurationError

if TYPE_CHECKING:
    from ._config import Timeout

C = TypeVar("C", httpx.Client, httpx.AsyncClient)

# What a driver hands to the retry flow as an outcome; anything else is a mistake, ours or a hook's.
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
            "limits": httpx.Limits(
                max_connections=self.max_connections, max_keepalive_connections=self.max_connections
            ),
        }
        if self.transport is not None:
            return {**arguments, "transport": self.transport}
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


@functools.lru_cache(maxsize=8)
def tls_context(verify: bool | str | ssl.SSLContext, environment: tuple[str | None, ...]) -> ssl.SSLContext:
    """One context for all pools with the same settings: reading the certificates takes longer than a request."""
    if isinstance(verify, str):
        is_folder = os.path.isdir(verify)
        return ssl.create_default_context(cafile=None if is_folder else verify, capath=verify if is_folder else None)
    return httpx.create_ssl_context(verify=verify)


class Pool(Generic[C]):
    """The connections of one client and of all copies of it: one HTTP client per process (and per event loop)."""

    _make: type[C]

    def __init__(self, settings: PoolSettings) -> None:
        self.settings = settings
        self.closed = threading.Event()
        self._pid = os.getpid()
        self._clients: dict[tuple[int, object], C] = {}

    def client(self) -> C:
        """The HTTP client to use here and now, made when it is first needed."""
        if self.closed.is_set():
            raise ConfigurationError(f"{self.settings.label} is closed")
        if self.settings.http_client is not None:
            if os.getpid() != self._pid:
                raise ConfigurationError(f"{self.settings.label}: http_client was made before this process was forked")
            return cast("C", self.settings.http_client)
        # A forked child has copies of the connections: used by both, one would read the other's answers.
        place = (os.getpid(), self._loop())
        client = self._clients.get(place)
        if client is None:
            made = self._make(**self.settings.arguments(self.settings.host))
            # Another thread may have been faster; an HTTP client without connections needs no closing.
            client = self._clients.setdefault(place, made)
        return client

    def storage_client(self) -> C:
        """A new HTTP client for hosts that must not see the key; whoever asked for it closes it."""
        return self._make(**self.settings.arguments(None))

    def smaller(self) -> Self:
        """A pool of its own for one worker; what the caller injected is used as it is."""
        return type(self)(attrs.evolve(self.settings, max_connections=1))

    def take_open(self) -> list[tuple[object, C]]:
        """What is left to close, with the loop that each belongs to."""
        clients, self._clients = self._clients, {}
        if self.settings.transport is not None:
            return []
        return [(loop, client) for (pid, loop), client in clients.items() if pid == os.getpid()]

    def outcome(self, error: Exception) -> Exception:
        """What the retry flow is told about an exception; what is not the network's fault goes through."""
        if self.closed.is_set():
            return ConfigurationError(f"{self.settings.label} was closed during a call")
        if isinstance(error, FAILURES):
            return error
        raise error

    def _loop(self) -> object:
        return None

    def __del__(self, warn: Any = warnings.warn, getpid: Any = os.getpid) -> None:
        # Not `take_open`: at the end of the interpreter, module names may be gone.
        if any(pid == getpid() for pid, _ in getattr(self, "_clients", ())) and self.settings.transport is None:
            warn(f"unclosed {self.settings.label}: use it in a with block, or close() it", ResourceWarning, source=self)


class SyncPool(Pool[httpx.Client]):
    _make = httpx.Client

    def __init__(self, settings: PoolSettings) -> None:
        super().__init__(settings)
        self.background = Threads()

    def close(self) -> None:
        self.closed.set()
        self.background.close()
        for _, client in self.take_open():
            client.close()

    def exchange(self, attempt: Attempt) -> Any:
        """One attempt: a response that is read, or what was raised instead."""
        client = self.client()
        try:
            request, stop = attempt.build(client)
            response = client.send(request, stream=True, follow_redirects=False)
            try:
                response.stream = Watched(response.stream, stop)
                response.read()
            finally:
                response.close()
        except Exception as error:
            return self.outcome(error)
        return response


class AsyncPool(Pool[httpx.AsyncClient]):
    _make = httpx.AsyncClient

    def __init__(self, settings: PoolSettings) -> None:
        super().__init__(settings)
        self.background = Tasks()

    async def close(self) -> None:
        self.closed.set()
        await self.background.aclose()
        here = self._loop()
        for loop, client in self.take_open():
            # The connections of another event loop can only be closed there.
            if loop is here:
                await client.aclose()

    async def exchange(self, attempt: Attempt) -> Any:
        """One attempt: a response that is read, or what was raised instead."""
        client = self.client()
        try:
            request, stop = attempt.build(client)
            response = await client.send(request, stream=True, follow_redirects=False)
            try:
                response.stream = Watched(response.stream, stop)
                await response.aread()
            finally:
                await response.aclose()
        except Exception as error:
            return self.outcome(error)
        return response

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
    prepared: Prepared
    step: Send
    timeout: Timeout
    extra_headers: Mapping[str, str] = attrs.field(repr=False)

    def build(self, client: httpx.Client | httpx.AsyncClient) -> tuple[httpx.Request, float]:
        """The request, and until when its answer may keep coming."""
        limits, seconds = self.limits()
        request = client.build_request(
            self.prepared.method,
            self.prepared.full_url,
            headers={"User-Agent": USER_AGENT, **self.prepared.headers},
            content=self.prepared.content,
            timeout=limits,
        )
        request.headers.update(self.extra_headers)
        request.headers[KEY_HEADER] = self.config.key.reveal()
        return request, time.monotonic() + seconds

    def limits(self) -> tuple[httpx.Timeout, float]:
        """The time-outs of each phase, and the seconds for the whole: a server that drips must not hold us for ever."""
        timeout = self.timeout
        if not isinstance(timeout, httpx.Timeout):
            timeout = httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT))
        phases = timeout.as_dict()
        if self.step.attempt > 1:
            left = max(self.step.remaining, 0.001)
            return httpx.Timeout(**{name: left if n is None else min(n, left) for name, n in phases.items()}), left
        connect, read = phases["connect"], phases["read"]
        # Who asks for a longer time-out than the deadline of the retries means it.
        whole = math.inf if connect is None or read is None else max(self.step.remaining, connect + read)
        return timeout, whole


class Watched(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that ends in a time-out if it is still coming at a certain time."""

    def __init__(self, stream: Any, stop: float) -> None:
        self._stream = stream
        self._stop = stop

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            yield self._in_time(chunk)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield self._in_time(chunk)

    def _in_time(self, chunk: bytes) -> bytes:
        if time.monotonic() > self._stop:
            raise httpx.ReadTimeout("the body kept coming past the deadline")
        return chunk

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()
