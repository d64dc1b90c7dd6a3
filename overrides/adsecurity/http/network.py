"""Sockets under the HTTP library: its public base classes, with a deadline and with reads that take all TLS records.

A TLS read gives one record, 16 KB at most. Reading on until nothing more has arrived saves the parser most of its
rounds: a large file comes almost twice as fast.
"""

from __future__ import annotations

import contextlib
import math
import re
import socket
import ssl
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, cast

import anyio
import httpcore

from .timeouts import step_timeout

BUFFER = 512 * 1024
"""No read returns much more than this: with half as much, or twice, a large file takes a third longer."""
RECORD = 16 * 1024
"""The most that one TLS record holds."""
_HEADERS = re.compile(rb"(?:HTTP/1\.\d 1\d\d (?s:.*?)\n\r?\n)*(?s:.*?)\n\r?\n")
"""Of one answer, with the interim ones before it; or the end of them."""
_LAST_CHUNK = re.compile(rb"\r\n0+(?:;[^\r\n]*)?\r\n(?:[^\r\n]+\r\n)*\r\n")

# A page has some 260 KB. glibc gives freed memory above a limit back to the system, page after page, and clearing what
# it gets for the next one takes up to a third of the time of a request. The limit follows the largest block that was
# ever freed: this one, of which nothing is ever used.
bytes(1 << 20)

Receive = Callable[[int], bytes]
_NOTHING_YET = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


def take_records(first: bytes, receive: Receive) -> tuple[bytes, Exception | None]:
    """What was read, with all that has arrived behind it, and the error that came after it.

    `receive` does not wait: it raises `SSLWantReadError` where nothing has come, or `SSLWantWriteError` where the
    other end renegotiates; the next read that waits does what is wanted. An empty result is the other end's end.
    """
    parts, size = [first], len(first)
    try:
        while size < BUFFER and (part := receive(RECORD)):
            parts.append(part)
            size += len(part)
    except OSError as error:
        return b"".join(parts), None if isinstance(error, _NOTHING_YET) else error
    return b"".join(parts), None


class ReadState:
    """What the streams of both kinds remember between reads: an error, and the bytes that were read last."""

    def __init__(self, receive: Receive | None, connection: socket.socket | None = None) -> None:
        self._receive = receive
        self._connection = connection
        """What `receive` reads from, where it would wait."""
        self._error: Exception | None = None
        self._block = b""

    def raise_pending(self) -> None:
        """Raise what came behind the data of the read before."""
        if (error := self._error) is not None:
            self._error = None
            raise httpcore.ReadError(str(error)) from error

    @property
    def size(self) -> int:
        """How much to ask for: memory is taken for all of it, and TLS gives one record at a time."""
        return BUFFER if self._receive is None else RECORD

    def complete(self, data: bytes) -> bytes:
        """What was read, with the TLS records behind it."""
        if data and self._receive is not None:
            self._wait_no_more()
            data, self._error = take_records(data, self._receive)
        self._block = data
        return data

    def ends_with(self, body: bytes, *, chunked: bool) -> bool:
        """Whether the bytes read last end where the answer ended, whose last piece of body is given.

        Bytes behind it are in the parser's buffer, out of reach: it would take them for the next answer.
        """
        block, self._block = self._block, b""
        if len(block) >= BUFFER and self._receive is not None and self._has_more(self._receive):
            return False
        if chunked:
            end = _LAST_CHUNK.search(b"\r\n" + block)
            return end is not None and end.end() == len(block) + 2
        before = block.removesuffix(body)
        if len(before) + len(body) != len(block):
            return False
        headers = _HEADERS.match(before)
        return not before or (headers is not None and headers.end() == len(before))

    def _wait_no_more(self) -> None:
        # The next read that waits sets a time-out of its own.
        if self._connection is not None:
            self._connection.settimeout(0)

    def _has_more(self, receive: Receive) -> bool:
        try:
            # The HTTP library may have closed the connection already, at the sight of more than an answer.
            self._wait_no_more()
            receive(1)
        except _NOTHING_YET:
            return False
        except OSError:
            return True
        # Data, or the end of the connection.
        return True


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host, in the order in which they are to be tried."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        # The latter for a name that no name server can be asked for.
        raise httpcore.ConnectError(str(error)) from error
    return [_address(parts) for *_, parts in found]


def _address(parts: tuple[Any, ...]) -> str:
    host, scope = parts[0], parts[3] if len(parts) > 3 else 0
    # An address that is valid on one network only is told apart by the number of that network.
    return f"{host}%{scope}" if scope else str(host)


class Stream(httpcore.NetworkStream):
    """A connection that ends with its attempt, and can be cut from another thread."""

    def __init__(self, stream: httpcore.NetworkStream, backend: Backend) -> None:
        self._stream = stream
        self._backend = backend
        self._in_handshake: socket.socket | None = None
        tls = stream.get_extra_info("ssl_object")
        if tls is None or isinstance(tls, ssl.SSLObject):
            # An object of its own: TLS inside the TLS of a proxy, which is read from memory.
            self.state = ReadState(None if tls is None else tls.read)
        else:
            connection: ssl.SSLSocket = stream.get_extra_info("socket")
            self.state = ReadState(connection.recv, connection)
        backend.connected(self)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.state.raise_pending()
        left = self._backend.left(timeout, httpcore.ReadTimeout)
        return self.state.complete(self._stream.read(self.state.size, left))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # A server that reads slowly takes a little with each send, and each of these may take all the time that is
        # given here: so what is left is counted anew before each piece.
        for start in range(0, len(buffer), RECORD):
            left = self._backend.left(timeout, httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + RECORD], left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._backend.left(timeout, httpcore.ConnectTimeout)
        plain: socket.socket = self._stream.get_extra_info("socket")
        # The TLS socket takes the descriptor of the plain one, and is not known before the handshake is over. A second
        # descriptor of the same connection is what hang_up() needs meanwhile.
        try:
            self._in_handshake = socket.fromfd(plain.fileno(), plain.family, plain.type)
        except OSError as error:
            self.close()
            raise httpcore.ConnectError(str(error)) from error
        with self._in_handshake:
            return Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def hang_up(self) -> None:
        """Wake the thread that waits at this end of it."""
        # Not the method of a TLS socket: that takes the TLS off, and what is still written goes out unencrypted.
        # In this order: the first loses its descriptor only after the second is there.
        for connection in (self._stream.get_extra_info("socket"), self._in_handshake):
            if connection is not None:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)


class Backend(httpcore.SyncBackend):
    """Makes the connections of one transport, which is lent to one call at a time."""

    def __init__(self, closed: threading.Event) -> None:
        self._closed = closed
        self._stream: Callable[[], Stream | None] = lambda: None
        self.deadline = math.inf

    @property
    def stream(self) -> Stream | None:
        """The connection made last, while it is there."""
        return self._stream()

    def left(self, timeout: float | None, late: type[Exception], steps: int = 1) -> float | None:
        return step_timeout(timeout, self.deadline, late, steps)

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **options: Any
    ) -> httpcore.NetworkStream:
        """Try each address of the host in turn: none takes longer than its share of what is left."""
        addresses = look_up(host, port)
        while True:
            left = self.left(timeout, httpcore.ConnectTimeout, len(addresses))
            try:
                stream = super().connect_tcp(addresses.pop(0), port, left, *args, **options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not addresses:
                    raise
            else:
                return Stream(stream, self)

    def connected(self, stream: Stream) -> None:
        self._stream = weakref.ref(stream)
        if self._closed.is_set():
            stream.close()
            raise httpcore.ConnectError("closed")


class AsyncStream(httpcore.AsyncNetworkStream):
    """As `Stream`."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, backend: AsyncBackend) -> None:
        self._stream = stream
        self._backend = backend
        tls: ssl.SSLObject | None = stream.get_extra_info("ssl_object")
        self.state = ReadState(None if tls is None else tls.read)
        backend.connected(self)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        self.state.raise_pending()
        left = self._backend.left(timeout, httpcore.ReadTimeout)
        # Without TLS all that the event loop has read: what it keeps would not be seen before the next call.
        return self.state.complete(await self._stream.read(self.state.size, left))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, self._backend.left(timeout, httpcore.WriteTimeout))

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        from asyncio import CancelledError

        left = self._backend.left(timeout, httpcore.ConnectTimeout)
        try:
            return await self._backend.connect(self._stream.start_tls(ssl_context, server_hostname, left))
        except (Exception, CancelledError):
            # The library below closes it after an error, not after a cancellation.
            await self.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class AsyncBackend(httpcore.AsyncNetworkBackend):
    """As `Backend`; a task that waits is woken by closing its connection in the same loop."""

    def __init__(self, closed: threading.Event) -> None:
        self._closed = closed
        self._stream: Callable[[], AsyncStream | None] = lambda: None
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())
        self._connecting: anyio.CancelScope | None = None
        self.deadline = math.inf

    @property
    def stream(self) -> AsyncStream | None:
        return self._stream()

    def left(self, timeout: float | None, late: type[Exception]) -> float | None:
        return step_timeout(timeout, self.deadline, late)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        *args: Any,
        **options: Any,
    ) -> httpcore.AsyncNetworkStream:
        left = self.left(timeout, httpcore.ConnectTimeout)
        return await self.connect(self._inner.connect_tcp(host, port, left, *args, **options))

    async def connect(self, connecting: Coroutine[Any, Any, httpcore.AsyncNetworkStream]) -> AsyncStream:
        """The stream that is being connected, or secured; `give_up()` ends the wait for it."""
        with anyio.CancelScope() as self._connecting:
            if self._closed.is_set():
                self.give_up()
            stream = AsyncStream(await connecting, self)
            if not self._closed.is_set():
                return stream
            await stream.aclose()
        raise httpcore.ConnectError("closed")

    def give_up(self) -> None:
        """Wake the task that waits for a connection: there is nothing yet that could be closed."""
        if self._connecting is not None:
            self._connecting.cancel()

    def connected(self, stream: AsyncStream) -> None:
        self._stream = weakref.ref(stream)
