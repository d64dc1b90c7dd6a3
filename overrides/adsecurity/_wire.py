"""What stands between our requests and the network: whose transport it is, when all must be here, what is logged."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING, Any

import httpx

from ._config import CONNECT_TIMEOUT

if TYPE_CHECKING:
    from ._config import Timeout

LATE = "the answer kept coming past the deadline"


class Borrowed(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The caller's transport, which the HTTP client around it does not close."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = self._transport.handle_request(request)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = await self._transport.handle_async_request(request)
        return response


class Within(float):
    """A time-out in seconds that also knows when the whole attempt must be over: it travels down to the socket."""

    __slots__ = ("stop",)
    stop: float

    @classmethod
    def of(cls, timeout: httpx.Timeout, stop: float) -> httpx.Timeout:
        """The same time-outs, all of which know."""
        phases = {name: None if most is None else cls(most) for name, most in timeout.as_dict().items()}
        for phase in phases.values():
            if phase is not None:
                phase.stop = stop
        return httpx.Timeout(**phases)


def left(timeout: float | None) -> float | None:
    """How long one step may take now."""
    if isinstance(timeout, Within):
        # Never 0, which would not wait even for what is there.
        return max(min(timeout, timeout.stop - time.monotonic()), 0.001)
    return timeout


def phases(timeout: Timeout) -> httpx.Timeout:
    """The time-out of each phase: a number stands for all, but nobody waits that long for a connection."""
    if isinstance(timeout, httpx.Timeout):
        return timeout
    return httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT))


def at_most(timeout: Timeout, seconds: float) -> httpx.Timeout:
    """The same time-out, but in no phase longer than that."""
    known: dict[str, float | None] = phases(timeout).as_dict()
    return httpx.Timeout(**{name: seconds if time is None else min(time, seconds) for name, time in known.items()})


def whole(response: httpx.Response, raw: bytes) -> httpx.Response:
    """The response with all of its body, decoded in one piece: piece by piece it is held twice."""
    response.stream = httpx.ByteStream(raw)
    response.read()
    # What came by the caller's client refers to the response, and a page would wait for the collector.
    response.stream = httpx.ByteStream(b"")
    return response


_ADDRESS = re.compile(
    r"""(b'(?:content-location|location|link|refresh)', b)('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", re.IGNORECASE
)
_QUERY = re.compile(r"[?#].*(?=.$)")


class _NoQueries(logging.Filter):
    """Takes the queries out of response headers in the HTTP library's logs: a signed URL lets in whoever reads it."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if (safe := _ADDRESS.sub(lambda found: found[1] + _QUERY.sub("", found[2]), text)) != text:
            record.msg, record.args = safe, ()
        return True


_NO_QUERIES = _NoQueries()


def hush() -> None:
    """Keep signed URLs out of the HTTP library's logs. Twice is fine."""
    for name in ("httpcore.http11", "httpcore.http2"):
        logging.getLogger(name).addFilter(_NO_QUERIES)
