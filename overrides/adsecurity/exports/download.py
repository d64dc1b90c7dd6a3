"""Fetching a file from the storage host: signed, redirected, resumed, checked. Nothing here ever has the key.

`transfer` is the flow; a sink takes the bytes.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol, cast

import attrs
import httpx

from ..flow.steps import Call, Chunk, Flow, Step
from ..http.config import is_local
from ..http.retry import RetryPolicy, retry_after
from .part_file import Fail
from .storage import AsyncStorage, SignedURL, Storage

_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_REDIRECTS = 5
_LAST_PORT = 65_535
# What storage hosts answer to a URL that has expired; two of them say 400.
_EXPIRED = (400, 401, 403, 404, 410)
# What the HTTP library, and looking up a host, raise for an address that is none.
_NO_URL = (httpx.InvalidURL, UnicodeError)
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


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
    progress: Callable[[int], object] | None = None,
    draw: Callable[[], float] = random.random,
) -> Flow[Step, None]:
    """Bring the whole file into the sink. Gives up after `policy.attempts` failures in a row without a new byte.

    `progress` is called with the bytes so far after each piece, and awaited if it can be.
    """
    url: SignedURL | None = None
    failures = restarts = 0
    most = sink.offset
    while True:
        # A plain text would be shown by tools that report the local variables of a failure.
        url = url or _masked(str((yield sign)))
        try:
            failed = yield from _attempt(url, storage, sink, size, fail, progress)
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
    url: SignedURL,
    storage: Storage | AsyncStorage,
    sink: Sink,
    size: int,
    fail: Fail,
    progress: Callable[[int], object] | None,
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
        if progress is not None:
            yield Call(partial(progress, sink.offset))
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
