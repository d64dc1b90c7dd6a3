"""Fetching a file from the storage host: signed, redirected, resumed, checked. Nothing here ever has the key.

`transfer` is the flow; a sink takes the bytes; `Storage` and `AsyncStorage` are the connections.
"""

from __future__ import annotations

import math
import random
import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

import attrs
import httpx

from ..errors import ConfigurationError
from ..flow.steps import Call, Chunk, Flow, Step
from ..http.config import is_local
from ..http.retry import RetryPolicy, retry_after
from ..http.timeouts import phases
from .part_file import Fail

if TYPE_CHECKING:
    from ..http.config import Timeout
    from ..http.pool import AsyncPool, Pool, SyncPool
    from ..http.transport import Connection

P = TypeVar("P", bound="Pool[Any]")
C = TypeVar("C", httpx.Client, httpx.AsyncClient)

_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_REDIRECTS = 5
_LAST_PORT = 65_535
# What storage hosts answer to a URL that has expired; two of them say 400.
_EXPIRED = (400, 401, 403, 404, 410)
# What the HTTP library, and looking up a host, raise for an address that is none.
_NO_URL = (httpx.InvalidURL, UnicodeError)
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class SignedURL(httpx.URL):
    """A URL that lets in whoever has it: its query is in no text made of it."""

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


class _Transfer(Generic[P, C]):
    """What both kinds of `Storage` have: everything but waiting."""

    def __init__(self, pool: P, connection: Connection[C], timeout: Timeout) -> None:
        self._pool = pool
        self._connection: Connection[C] = connection
        self._timeout = phases(timeout)
        self.limit = StallLimit(pool.settings.min_bytes_per_minute)
        self._response: httpx.Response | None = None

    def _request(self, url: SignedURL, headers: Mapping[str, str]) -> httpx.Request:
        self._pool.check_open()
        self.limit.restart()
        # Headers that drip do not time out by themselves.
        self._connection.set_deadline(self._deadline(self._timeout.connect))
        request = self._connection.client.build_request("GET", url, headers=headers, timeout=self._timeout)
        request.url = url
        return request

    def _begin_read(self) -> float:
        """Before each piece; when that was."""
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

    def _failure(self, error: httpx.TransportError, began: float | None = None) -> Exception:
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


class Storage(_Transfer["SyncPool", httpx.Client]):
    """One answer of a storage host at a time."""

    def __init__(self, pool: SyncPool, timeout: Timeout) -> None:
        super().__init__(pool, pool.storage_connection(), timeout)

    def open(self, url: SignedURL, headers: Mapping[str, str]) -> httpx.Response:
        self.end()
        request = self._request(url, headers)
        try:
            self._response = response = self._connection.client.send(request, stream=True)
        except httpx.TransportError as error:
            raise self._failure(error) from None
        # A mocked answer has been read already.
        self._chunks = response.iter_bytes() if response.is_stream_consumed else response.iter_raw()
        return response

    def read(self) -> bytes:
        began = self._begin_read()
        try:
            chunk = next(self._chunks, b"")
        except httpx.TransportError as error:
            raise self._failure(error, began) from None
        return self._received(chunk, began)

    def sleep(self, seconds: float) -> None:
        self._pool.pause(seconds)

    def end(self) -> None:
        if self._response is not None:
            self._response.close()

    def close(self) -> None:
        try:
            self.end()
        finally:
            self._pool.end_storage(self._connection)


class AsyncStorage(_Transfer["AsyncPool", httpx.AsyncClient]):
    """As `Storage`."""

    def __init__(self, pool: AsyncPool, timeout: Timeout) -> None:
        super().__init__(pool, pool.storage_connection(), timeout)

    async def open(self, url: SignedURL, headers: Mapping[str, str]) -> httpx.Response:
        await self.end()
        request = self._request(url, headers)
        try:
            self._response = response = await self._connection.client.send(request, stream=True)
        except httpx.TransportError as error:
            raise self._failure(error) from None
        self._chunks = response.aiter_bytes() if response.is_stream_consumed else response.aiter_raw()
        return response

    async def read(self) -> bytes:
        began = self._begin_read()
        try:
            chunk = await anext(self._chunks, b"")
        except httpx.TransportError as error:
            raise self._failure(error, began) from None
        return self._received(chunk, began)

    async def sleep(self, seconds: float) -> None:
        await self._pool.pause(seconds)

    async def end(self) -> None:
        if self._response is not None:
            await self._response.aclose()

    async def aclose(self) -> None:
        try:
            await self.end()
        finally:
            await self._pool.end_storage(self._connection)


class Sink(Protocol):
    """Where the bytes go."""

    offset: int
    validator: str

    def restart(self, validator: str) -> Step: ...

    def go_on(self) -> None: ...

    def write(self, chunk: bytes) -> Step: ...


class StreamSink:
    """Hands the bytes on as they come; what has been handed on cannot be taken back."""

    def __init__(self, fail: Fail) -> None:
        self.offset = 0
        self.validator = ""
        self._fail = fail
        self._known = 0

    def restart(self, validator: str) -> Step:
        return Call(partial(self._restart, validator))

    def _restart(self, validator: str) -> None:
        if self.offset and (not validator or validator != self.validator):
            raise self._fail("the file changed while it was read; download it to a file instead")
        # The same file from its first byte: the beginning is known.
        self._known = self.offset
        self.validator = validator

    def go_on(self) -> None:
        """What comes now begins at `offset`, however much of an earlier answer was still to be skipped."""
        self._known = 0

    def write(self, chunk: bytes) -> Chunk:
        fresh = chunk[self._known :]
        self._known -= len(chunk) - len(fresh)
        self.offset += len(fresh)
        return Chunk(fresh)


@attrs.frozen
class _Failed:
    """Why an attempt did not bring the whole file."""

    reason: str
    expired: bool = False
    stalled: bool = False
    restarted: bool = False
    asked: float | None = None


def transfer(
    sign: Call,
    storage: Storage | AsyncStorage,
    sink: Sink,
    *,
    size: int,
    policy: RetryPolicy,
    fail: Fail,
    draw: Callable[[], float] = random.random,
) -> Flow[Step, None]:
    """Bring the whole file into the sink. Gives up after `policy.attempts` failures in a row without a new byte."""
    url: SignedURL | None = None
    failures = restarts = 0
    most = sink.offset
    while True:
        # Text would be shown by whoever reports the local variables of a failure.
        url = url or _masked(str((yield sign)))
        try:
            failed = yield from _attempt(url, storage, sink, size, fail)
        except (httpx.TransportError, *_NO_URL) as error:
            failed = _Failed(f"{type(error).__name__} {error}".strip(), stalled=storage.limit.is_missed)
        if failed is None:
            return
        # A byte is new beyond all that ever came: a server without versions sends the beginning again each time.
        failures = 1 if sink.offset > most and not failed.stalled else failures + 1
        most = max(most, sink.offset)
        restarts += failed.restarted
        delay = policy.delay(failures, failed.asked, draw)
        if max(failures, restarts) >= policy.attempts or delay > policy.deadline:
            raise fail(f"{url.host}: {failed.reason}")
        if failed.expired:
            url = None
        if not failed.expired or failures > 1:
            yield Call(partial(storage.sleep, delay))


def _attempt(
    url: SignedURL, storage: Storage | AsyncStorage, sink: Sink, size: int, fail: Fail
) -> Flow[Step, _Failed | None]:
    headers = {"Accept-Encoding": "identity"}
    if sink.offset and sink.validator:
        headers |= {"Range": f"bytes={sink.offset}-", "If-Range": sink.validator}
    answer = yield from _follow(url, storage, headers, fail)
    status = answer.status_code
    if status in _EXPIRED:
        return _Failed(f"the signed URL is refused with status {status}", expired=True)
    if status == 429 or status >= 500:
        return _Failed(f"status {status}", asked=retry_after(answer.headers))
    start, total = _extent(answer)
    if status == 416 and total == sink.offset and not _changed(answer, sink.validator):
        return None
    if status not in (200, 206, 416):
        raise fail(f"{answer.url.host} answered with status {status}")
    if status == 416 or (status == 206 and (start != sink.offset or _changed(answer, sink.validator))):
        yield sink.restart("")
        return _Failed("the server did not go on where the file ended", restarted=True)
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise fail("the server sent the file compressed, although it was asked not to")
    if size > 0 and total is not None and total != size:
        raise fail(f"the file has {total} bytes, the export reports {size}")
    if status == 200 or not sink.offset:
        yield sink.restart(_validator(answer))
    else:
        sink.go_on()
    while chunk := cast("bytes", (yield Call(storage.read))):
        yield sink.write(chunk)
    expected = size if total is None else total
    if sink.offset < expected:
        return _Failed(f"the connection ended after {sink.offset} of {expected} bytes")
    if sink.offset > expected > 0:
        found = sink.offset
        yield sink.restart("")
        return _Failed(f"the file has {found} bytes, the export reports {expected}", restarted=True)
    return None


def _follow(
    url: SignedURL, storage: Storage | AsyncStorage, headers: Mapping[str, str], fail: Fail
) -> Flow[Step, httpx.Response]:
    for _ in range(_MAX_REDIRECTS + 1):
        if not url.host or (url.port or 0) > _LAST_PORT:
            raise fail(f"{str(url)!r} is no URL of a file: it is not https, or there is no such host or port")
        if url.scheme != "https" and not (url.scheme == "http" and is_local(url.host)):
            raise fail(f"{url.scheme}://{url.host} is not https, over which alone files are fetched")
        answer = cast("httpx.Response", (yield Call(partial(storage.open, url, headers))))
        if answer.status_code not in _REDIRECTS or not answer.headers.get("location"):
            return answer
        url = url.follow(answer.headers["location"])
    raise fail(f"more than {_MAX_REDIRECTS} redirects")


def _masked(url: str) -> SignedURL:
    """Without a host when it is no URL."""
    try:
        signed = SignedURL(url)
        # Read here: a host may be in letters that cannot be looked up.
        _ = signed.host
    except _NO_URL:
        return SignedURL("")
    return signed


def _extent(answer: httpx.Response) -> tuple[int, int | None]:
    """Where the body begins in the file, and how long the file is."""
    text = answer.headers.get("content-range", "")
    if answer.status_code == 200:
        length = answer.headers.get("content-length", "")
        return 0, int(length) if length.isdecimal() else None
    if answer.status_code == 416:
        total = text.removeprefix("bytes */")
        return 0, int(total) if total.isdecimal() else None
    match = _RANGE.fullmatch(text)
    if match is None:
        return -1, None
    return int(match[1]), None if match[2] == "*" else int(match[2])


def _versions(answer: httpx.Response) -> list[str]:
    # A weak tag says that two files mean the same, not that their bytes are the same.
    tag = answer.headers.get("etag", "")
    return [name for name in ("" if tag.startswith("W/") else tag, answer.headers.get("last-modified", "")) if name]


def _validator(answer: httpx.Response) -> str:
    return next(iter(_versions(answer)), "")


def _changed(answer: httpx.Response, validator: str) -> bool:
    versions = _versions(answer)
    return bool(versions) and validator not in versions
