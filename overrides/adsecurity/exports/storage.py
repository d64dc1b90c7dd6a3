"""The connections to a storage host, which never sees the key: one request at a time, read piece by piece."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import httpx

from ..errors import ConfigurationError, request_id
from ..events import OpenRequest, RequestEvent, ResponseEvent, new_call_id
from ..flow.process import Process
from ..http.session import AsyncSession, Session, SyncSession
from ..http.timeouts import phases

if TYPE_CHECKING:
    from ..http.config import Timeout
    from ..http.transport import Connection

S = TypeVar("S", bound="Session[Any]")
C = TypeVar("C", httpx.Client, httpx.AsyncClient)

_WHOLE_OR_PART = (200, 206)
ROUTE = "{signed_url}"
"""What events and log say in place of a path template: each file has an address of its own."""


class SignedURL(httpx.URL):
    """A URL that works for anybody who has it, so its query is in no text made of it."""

    def __str__(self) -> str:
        return str(self.copy_with(query=None, fragment=None, userinfo=b""))

    def __repr__(self) -> str:
        return f"SignedURL({str(self)!r})"

    def follow(self, location: str) -> SignedURL:
        # By the whole URL: this one shows less than it holds.
        return SignedURL(httpx.URL(self).join(location))


class Stalled(httpx.ReadTimeout):
    """A host that sends, but hardly anything."""


class StallLimit:
    """Counts what comes in a minute of waiting. The time in which nobody asks for more is not the host's."""

    SECONDS = 60.0

    def __init__(self, least: int) -> None:
        self._least = least
        self.restart()

    def restart(self) -> None:
        self._bytes = 0
        self._waited = 0.0

    @property
    def is_missed(self) -> bool:
        """Less has come than the limit asks for in so long a wait."""
        return self._bytes < self._least * self._waited / self.SECONDS

    def add(self, size: int, seconds: float) -> None:
        """So many bytes came after so long a wait; raises when a minute has brought too little."""
        self._bytes += size
        self._waited += seconds
        if self._waited < self.SECONDS:
            return
        if self._bytes < self._least:
            raise Stalled(f"{self._bytes} bytes in {self._waited:.0f} seconds, fewer than min_bytes_per_minute")
        self.restart()


class _Transfer(Generic[S, C]):
    """What both kinds of `Storage` have: everything but waiting."""

    def __init__(self, session: S, timeout: Timeout, operation: str) -> None:
        self.call_id = new_call_id()
        """That of all requests of this transfer, those for signed URLs included."""
        self.process = Process(f"{operation}: this transfer")
        """A forked child has a copy of the connection: what it read, its parent would never see."""
        self._session = session
        self._pool = session.pool
        self._connection: Connection[C] = session.pool.storage_connection()
        self._timeout = phases(timeout)
        self._operation = operation
        self.limit = StallLimit(session.pool.settings.min_bytes_per_minute)
        self._response: httpx.Response | None = None
        self._attempt = 0
        self._open_request = OpenRequest()

    def _request(self, url: SignedURL, headers: Mapping[str, str]) -> httpx.Request:
        self._pool.check_open()
        self.process.check()
        self.limit.restart()
        # Headers that drip do not time out by themselves.
        self._connection.set_deadline(self._deadline(self._timeout.connect))
        request = self._connection.client.build_request("GET", url, headers=headers, timeout=self._timeout)
        request.url = url
        return request

    def _begin(self, url: SignedURL) -> RequestEvent:
        self._attempt += 1
        event = RequestEvent(self._operation, "GET", ROUTE, str(url), self._attempt, call_id=self.call_id)
        self._open_request.note(event)
        return event

    def _answered(self, response: httpx.Response) -> ResponseEvent | None:
        return self._open_request.answered(response.status_code, request_id(response.headers))

    def _begin_read(self) -> float:
        """Before each piece; when that was."""
        self.process.check()
        self._connection.set_deadline(self._deadline(StallLimit.SECONDS))
        return time.monotonic()

    def _deadline(self, more: float | None) -> float:
        read = self._timeout.read
        return math.inf if read is None or more is None else time.monotonic() + read + more

    def _received(self, chunk: bytes, began: float) -> bytes:
        # A body without a length ends where the connection does, also when it was us who ended it.
        self._pool.check_open()
        if chunk:
            self.limit.add(len(chunk), time.monotonic() - began)
        return chunk

    def _take_response(self) -> httpx.Response | None:
        """The answer that is to be closed; None in a forked child, which would close it for its parent."""
        response, self._response = self._response, None
        return response if self.process.is_current else None

    def _may_close(self) -> bool:
        """Whether the connection is to be closed as usual: a forked child lets go of its copy of the socket alone."""
        if self.process.is_current:
            return True
        self._connection.abort()
        return False

    def _failure(self, error: httpx.TransportError, began: float | None) -> Exception:
        """What it was: closing the client breaks its connections."""
        try:
            self._pool.check_open()
            if began is not None:
                self.limit.add(0, time.monotonic() - began)
        except Stalled as stalled:
            return stalled
        except ConfigurationError as closed:
            return closed
        return error


class Storage(_Transfer[SyncSession, httpx.Client]):
    """One answer of a storage host at a time."""

    def open(self, url: SignedURL, headers: Mapping[str, str]) -> httpx.Response:
        self.end()
        request = self._request(url, headers)
        with self._telling():
            self._session.emit(self._begin(url))
            self.process.check()
            self._response = response = self._connection.client.send(request, stream=True)
        # A mocked answer has been read already.
        self._chunks = response.iter_bytes() if response.is_stream_consumed else response.iter_raw()
        if response.status_code not in _WHOLE_OR_PART:
            # Its body is not read.
            self._tell_answer(response)
        return response

    def read(self) -> bytes:
        began = self._begin_read()
        with self._telling(began):
            chunk = self._received(next(self._chunks, b""), began)
        if not chunk and self._response is not None:
            self._tell_answer(self._response)
        return chunk

    @contextmanager
    def _telling(self, began: float | None = None) -> Generator[None]:
        """Tell the hook of the end that an error makes of the request."""
        try:
            yield
        except BaseException as error:
            self._session.emit_end(self._open_request.failed(error), error)
            if isinstance(error, httpx.TransportError):
                raise self._failure(error, began) from None
            raise

    def _tell_answer(self, response: httpx.Response) -> None:
        if (event := self._answered(response)) is not None:
            self._session.emit(event)

    def sleep(self, seconds: float) -> None:
        self._pool.pause(seconds)

    def end(self) -> None:
        response = self._take_response()
        if response is not None:
            response.close()
            self._tell_answer(response)

    def close(self) -> None:
        try:
            self.end()
        finally:
            if self._may_close():
                self._pool.end_storage(self._connection)


class AsyncStorage(_Transfer[AsyncSession, httpx.AsyncClient]):
    """As `Storage`."""

    async def open(self, url: SignedURL, headers: Mapping[str, str]) -> httpx.Response:
        await self.end()
        request = self._request(url, headers)
        async with self._telling():
            await self._session.emit(self._begin(url))
            self.process.check()
            self._response = response = await self._connection.client.send(request, stream=True)
        self._chunks = response.aiter_bytes() if response.is_stream_consumed else response.aiter_raw()
        if response.status_code not in _WHOLE_OR_PART:
            await self._tell_answer(response)
        return response

    async def read(self) -> bytes:
        began = self._begin_read()
        async with self._telling(began):
            chunk = self._received(await anext(self._chunks, b""), began)
        if not chunk and self._response is not None:
            await self._tell_answer(self._response)
        return chunk

    @asynccontextmanager
    async def _telling(self, began: float | None = None) -> AsyncGenerator[None, None]:
        try:
            yield
        except BaseException as error:
            await self._session.emit_end(self._open_request.failed(error), error)
            if isinstance(error, httpx.TransportError):
                raise self._failure(error, began) from None
            raise

    async def _tell_answer(self, response: httpx.Response) -> None:
        if (event := self._answered(response)) is not None:
            await self._session.emit(event)

    async def sleep(self, seconds: float) -> None:
        await self._pool.pause(seconds)

    async def end(self) -> None:
        response = self._take_response()
        if response is not None:
            await response.aclose()
            await self._tell_answer(response)

    async def aclose(self) -> None:
        try:
            await self.end()
        finally:
            if self._may_close():
                await self._pool.end_storage(self._connection)
