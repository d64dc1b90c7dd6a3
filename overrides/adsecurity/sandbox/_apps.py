"""The three servers as ASGI applications: one for each surface, and the storage that serves the files of exports."""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from ._engine import Engine
from ._errors import HttpError
from ._faults import DROP, FaultInjector, RateLimiter

_log = logging.getLogger(__name__)

# How long the first half of a response gets to leave the socket before the connection is aborted.
_FLUSH_SECONDS = 0.02
# A host name, IPv4 address or bracketed IPv6 address, and a port that may be empty.
_HOST = re.compile(r"(\[(?P<ipv6>[^\]]*)\]|(?P<name>[^:\[\]]*))(:\d*)?")


@dataclass
class Recorded:
    """One request as it arrived, and the status of its response; 0 when the connection was dropped.

    `surface` is "network", "adsecurity" or "storage"; `operation` is the operationId, "" when no handler was reached.
    """

    surface: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    operation: str = ""
    status: int = 0


class RequestLog(list[Recorded]):
    """The latest requests, oldest first: at most `limit`; `dropped` is the number of older ones that made room."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.dropped = 0

    def append(self, recorded: Recorded) -> None:
        super().append(recorded)
        excess = max(0, len(self) - self.limit)
        del self[:excess]
        self.dropped += excess


@dataclass
class ServerState:
    """What the three applications share; `latency` is in seconds."""

    engine: Engine
    faults: FaultInjector
    storage_faults: FaultInjector
    rate_limiter: RateLimiter
    latency: float
    requests: RequestLog
    request_numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def record(self, surface: str, request: Request) -> Recorded:
        recorded = Recorded(
            surface=surface,
            method=request.method,
            path=request.scope["raw_path"].decode(),
            query=request.scope["query_string"].decode(),
            headers=dict(request.headers),
            body=await request.body(),
        )
        self.requests.append(recorded)
        return recorded


class AbortableConnection(H11Protocol):
    """uvicorn's connection, with `abort` in the state of the application's scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "abort": transport.abort}


def check_host(host: str) -> None:
    """Raises HttpError 421 for a `Host` header that does not name this machine.

    A web page can let its own host name resolve to 127.0.0.1 and so send requests here from a browser. The port does
    not matter: it differs where the connection is forwarded.
    """
    matched = _HOST.fullmatch(host)
    if matched is None or not _is_loopback(matched["name"] or "", matched["ipv6"] or ""):
        raise HttpError(421, f"the sandbox serves localhost and loopback addresses only, not the host {host!r}")


def _is_loopback(name: str, ipv6: str) -> bool:
    if name.lower() == "localhost":
        return True
    try:
        address = ipaddress.IPv6Address(ipv6) if ipv6 else ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return address.is_loopback


def _abort_connection(scope: Scope) -> None:
    abort: Callable[[], None] = scope["state"]["abort"]
    abort()


class ApiApp:
    """The application of one surface."""

    def __init__(self, state: ServerState, surface: str) -> None:
        self._state = state
        self._surface = surface

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = self._state
        recorded = await state.record(self._surface, Request(scope, receive))
        if state.latency:
            await asyncio.sleep(state.latency)
        try:
            check_host(recorded.headers.get("host", ""))
            fault = state.faults.next_fault()
            if fault is not None and fault.kind == DROP:
                _abort_connection(scope)
                return
            if fault is not None:
                raise fault.to_error()
            state.rate_limiter.check()
            response = self._handle(recorded)
        except HttpError as error:
            response = JSONResponse(error.body(), error.status, error.headers)
        except Exception as error:
            _log.exception("%s %s", recorded.method, recorded.path)
            response = JSONResponse(HttpError(500, f"the sandbox failed: {error!a}").body(), 500)
        recorded.status = response.status_code
        response.headers["X-Request-Id"] = f"sandbox-{next(state.request_numbers)}"
        await response(scope, receive, send)

    def _handle(self, recorded: Recorded) -> Response:
        handled = self._state.engine.handle(
            self._surface, recorded.method, recorded.path, recorded.query, recorded.headers, recorded.body
        )
        recorded.operation = handled.operation_id
        if handled.body is None:
            return Response(status_code=handled.status)
        return JSONResponse(handled.body, handled.status)


class StorageApp:
    """The storage: serves a file to any request with a valid signed URL, and refuses requests that show an API key."""

    def __init__(self, state: ServerState) -> None:
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        recorded = await self._state.record("storage", request)
        try:
            check_host(recorded.headers.get("host", ""))
        except HttpError as error:
            await self._send_error(error, recorded, scope, receive, send)
            return
        fault = self._state.storage_faults.next_fault()
        if fault is not None and fault.kind != DROP:
            await self._send_error(fault.to_error(), recorded, scope, receive, send)
            return
        response = self._response(request, recorded)
        if fault is not None:
            await _send_half(response, scope, receive, send)
            return
        recorded.status = response.status_code
        await response(scope, receive, send)

    async def _send_error(
        self, error: HttpError, recorded: Recorded, scope: Scope, receive: Receive, send: Send
    ) -> None:
        recorded.status = error.status
        response = JSONResponse(error.body(), error.status, error.headers)
        await response(scope, receive, send)

    def _response(self, request: Request, recorded: Recorded) -> Response:
        if "api-key" in request.headers:
            return _storage_error(400, "an API key has no business here")
        segments = recorded.path.strip("/").split("/")
        if request.method not in ("GET", "HEAD") or len(segments) != 2 or segments[0] != "artifacts":
            return _storage_error(404, "there is nothing here")
        path, refusal = self._state.engine.exports.find_artifact(unquote(segments[1]), dict(request.query_params))
        if path is None:
            return _storage_error(403, refusal)
        return FileResponse(path, media_type="text/csv", stat_result=path.stat(), filename=path.name)


def _storage_error(status: int, message: str) -> Response:
    return JSONResponse({"error": "storage", "message": message}, status)


async def _send_half(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Sends the headers and half of the first chunk of the body, then aborts the connection."""

    async def send_half(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        half = message["body"][: len(message["body"]) // 2]
        await send({**message, "body": half, "more_body": True})
        await asyncio.sleep(_FLUSH_SECONDS)
        _abort_connection(scope)
        raise ConnectionAbortedError

    try:
        await response(scope, receive, send_half)
    except ConnectionAbortedError:
        return
