"""Sockets under the HTTP library, where it lets us: lines to the API end in time, and big reads fetch files.

A megabyte at a time, a file of many gigabytes costs a thousand steps, not sixteen thousand.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import weakref
from collections.abc import Callable, Iterable
from typing import Any, cast
from urllib.request import getproxies

import httpcore
import httpx

from ..flow.background import keep_memory
from .timeouts import left

MOST = 1 << 20


class _Stream(httpcore.NetworkStream):
    """Reads at least so much at once, and ends with the attempt."""

    least = MOST

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max(max_bytes, self.least), left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return self._again(self._stream.start_tls(ssl_context, server_hostname, left(timeout)))

    def _again(self, stream: httpcore.NetworkStream) -> httpcore.NetworkStream:
        return _Stream(stream)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _LineStream(_Stream):
    least = 0

    def __init__(self, stream: httpcore.NetworkStream, line: Line) -> None:
        super().__init__(stream)
        self._line = line
        line.hold(self)

    def _again(self, stream: httpcore.NetworkStream) -> httpcore.NetworkStream:
        return _LineStream(stream, self._line)


class Line(httpcore.SyncBackend):
    """The connection of one client to the API, which another thread may cut."""

    def __init__(self, closed: threading.Event, client: httpx.Client) -> None:
        self._closed = closed
        self._stream: Callable[[], httpcore.NetworkStream | None] = lambda: None
        # Through a proxy or not: the library has no way to say this to all of them at once.
        inner = cast("Any", client)
        for transport in (inner._transport, *inner._mounts.values()):
            if isinstance(transport, httpx.HTTPTransport):
                cast("Any", transport)._pool._network_backend = self

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **options: Any
    ) -> httpcore.NetworkStream:
        return _LineStream(super().connect_tcp(host, port, left(timeout), *args, **options), self)

    def hold(self, stream: httpcore.NetworkStream) -> None:
        """Remember what there is to cut; too late, it is closed at once."""
        self._stream = weakref.ref(stream)
        if self._closed.is_set():
            stream.close()
            raise httpcore.ConnectError("closed")

    def hang_up(self) -> None:
        """Wake whoever waits at the other end of it."""
        if (stream := self._stream()) is not None:
            # Not the method of a TLS socket: that takes the TLS off, and what is still written goes out unencrypted.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(stream.get_extra_info("socket"), socket.SHUT_RDWR)


class _Backend(httpcore.SyncBackend):
    def connect_tcp(self, *args: Any, **options: Any) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(*args, **options))


class _AsyncStream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._stream.read(MOST, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _AsyncBackend(httpcore.AsyncNetworkBackend):
    def __init__(self) -> None:
        self._backend = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(await self._backend.connect_tcp(*args, **options))


class _Transport(httpx.HTTPTransport):
    def __init__(self, tls: ssl.SSLContext) -> None:
        # All that the base has beside this is how it makes its pool.
        self._pool = httpcore.ConnectionPool(tls, network_backend=_Backend())


class _AsyncTransport(httpx.AsyncHTTPTransport):
    def __init__(self, tls: ssl.SSLContext) -> None:
        self._pool = httpcore.AsyncConnectionPool(tls, network_backend=_AsyncBackend())


def mounts(tls: ssl.SSLContext, hosts: Iterable[str], *, is_async: bool) -> dict[str, Any]:
    """Mounts of an HTTP client for large reads: these hosts, and all that the environment sets no proxy for."""
    keep_memory(4 * MOST)  # what was read, and three copies of it on its way
    direct = _AsyncTransport(tls) if is_async else _Transport(tls)
    patterns = [*hosts] if "all" in getproxies() else [*hosts, "all://"]
    return dict.fromkeys(patterns, direct)
