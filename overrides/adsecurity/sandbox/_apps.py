"""The three servers as ASGI applications: one for each surface, one for the files."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from ._engine import Engine
from ._errors import Refusal
from ._faults import DROP, Faults, RateLimit

_log = logging.getLogger(__name__)


@dataclass
class Recorded:
    """One request as it arrived, and the status that it got; 0 where the connection was dropped."""

    surface: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    operation: str = ""
    status: int = 0


@dataclass
class Shared:
    """What the three applications have in common."""

    engine: Engine
    faults: Faults
    storage_faults: Faults
    limit: RateLimit
    latency: float
    requests: list[Recorded] = field(default_factory=list[Recorded])
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))


class Connection(H11Protocol):
    """A connection that the application can cut: uvicorn's own, which tells it how."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "abort": transport.abort}


def _abort(scope: Scope) -> None:
    abort: Callable[[], None] = scope["state"]["abort"]
    abort()


async def _record(shared: Shared, surface: str, request: Request) -> Recorded:
    recorded = Recorded(
        surface=surface,
        method=request.method,
        path=request.scope["raw_path"].decode(),
        query=request.scope["query_string"].decode(),
        headers=dict(request.headers),
        body=await request.body(),
    )
    shared.requests.append(recorded)
    return recorded


class ApiApp:
    """One surface."""

    def __init__(self, shared: Shared, surface: str) -> None:
        self._shared = shared
        self._surface = surface

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shared = self._shared
        recorded = await _record(shared, self._surface, Request(scope, receive))
        if shared.latency:
            await asyncio.sleep(shared.latency)
        fault = shared.faults.next()
        if fault is not None and fault.kind == DROP:
            _abort(scope)
            return
        try:
            if fault is not None:
                raise fault.refusal()
            shared.limit.check()
            answer = shared.engine.answer(
                self._surface, recorded.method, recorded.path, recorded.query, recorded.headers, recorded.body
            )
            recorded.operation = answer.operation
            response = Response(status_code=answer.status)
            if answer.body is not None:
                response = JSONResponse(answer.body, answer.status)
        except Refusal as refusal:
            response = JSONResponse(refusal.body(), refusal.status, refusal.headers)
        except Exception as error:
            _log.exception("%s %s", recorded.method, recorded.path)
            response = JSONResponse(Refusal(500, f"the sandbox failed: {error!a}").body(), 500)
        recorded.status = response.status_code
        response.headers["X-Request-Id"] = f"sandbox-{next(shared.numbers)}"
        await response(scope, receive, send)


class StorageApp:
    """The files: for whoever has a signed URL, and never for someone who shows an API key."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shared = self._shared
        request = Request(scope, receive)
        recorded = await _record(shared, "storage", request)
        fault = shared.storage_faults.next()

        async def cut(message: Message) -> None:
            """Half of the first piece of the body, then the end of the connection."""
            if message["type"] == "http.response.body":
                await send({**message, "body": message["body"][: len(message["body"]) // 2], "more_body": True})
                await asyncio.sleep(0.02)
                _abort(scope)
                raise ConnectionAbortedError
            await send(message)

        if fault is not None and fault.kind != DROP:
            response: Response = JSONResponse(fault.refusal().body(), int(fault.kind), fault.refusal().headers)
        else:
            response = self._response(request, recorded)
        recorded.status = response.status_code
        if fault is None or fault.kind != DROP:
            await response(scope, receive, send)
            return
        recorded.status = 0
        try:
            await response(scope, receive, cut)
        except ConnectionAbortedError:
            return

    def _response(self, request: Request, recorded: Recorded) -> Response:
        def refused(status: int, message: str) -> Response:
            return JSONResponse({"error": "storage", "message": message}, status)

        if "api-key" in request.headers:
            return refused(400, "an API key has no business here")
        segments = recorded.path.strip("/").split("/")
        if request.method not in ("GET", "HEAD") or len(segments) != 2 or segments[0] != "artifacts":
            return refused(404, "there is nothing here")
        path, why = self._shared.engine.exports.file(unquote(segments[1]), dict(request.query_params))
        if path is None:
            return refused(403, why)
        return FileResponse(path, media_type="text/csv", stat_result=path.stat(), filename=path.name)
