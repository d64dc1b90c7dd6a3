"""An API host and a storage host on real sockets, the second one as unreliable as a test wants it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import adsecurity
from adsecurity import RetryPolicy
from tests.support.our_specs import SURFACES
from tests.support.routes import path_of
from tests.support.tls import server_context, trusting

KEY = "planted-key-0123456789"
ID = "64b0c0ffee"
QUICK = RetryPolicy(attempts=4, backoff=0, max_backoff=0)
HEADER = b"tx_id,country\r\n"


def csv_file(rows: int) -> bytes:
    return HEADER + b"".join(b"tx-%06d,DE\r\n" % n for n in range(rows))


class Host:
    """A server in a thread. `requests` are (path with query, headers in lower case)."""

    def __init__(self, *, tls: bool = False) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                host.requests.append((self.path, headers))
                host.answer(self, headers)

            do_POST = do_CONNECT = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls:
            # Shaking hands is left to the thread of each connection.
            self._server.socket = server_context().wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler, headers: dict[str, str]) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: object) -> None:
    handler.send_response(status)
    sent = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    for name, value in {"content-length": str(len(body)), **sent}.items():
        if value != "None":
            handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


class Store(Host):
    """Serves one file. `plan` holds what to do with the next requests, one each."""

    def __init__(self, *, tls: bool = False) -> None:
        super().__init__(tls=tls)
        self.content = csv_file(500)
        self.etag: str | None = '"v1"'
        self.modified: str | None = None
        self.plan: list[Callable[[BaseHTTPRequestHandler, dict[str, str]], None] | None] = []

    def answer(self, handler: BaseHTTPRequestHandler, headers: dict[str, str]) -> None:
        step = self.plan.pop(0) if self.plan else None
        (step or self.serve)(handler, headers)

    def serve(self, handler: BaseHTTPRequestHandler, headers: dict[str, str], cut: int | None = None) -> None:
        """The file, or the range of it that is asked for; cut off after so many bytes."""
        start, total = 0, len(self.content)
        if "range" in headers and headers.get("if-range") in (self.etag, self.modified):
            start = int(headers["range"].removeprefix("bytes=").removesuffix("-"))
        if start and start >= total:
            reply(handler, 416, content_range=f"bytes */{total}")
            return
        handler.send_response(206 if start else 200)
        handler.send_header("content-length", str(total - start))
        if start:
            handler.send_header("content-range", f"bytes {start}-{total - 1}/{total}")
        for name, value in (("etag", self.etag), ("last-modified", self.modified)):
            if value:
                handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(self.content[start:] if cut is None else self.content[start : start + cut])
        if cut is not None:
            handler.close_connection = True

    def cut(self, after: int) -> Callable[[BaseHTTPRequestHandler, dict[str, str]], None]:
        return lambda handler, headers: self.serve(handler, headers, cut=after)

    def say(self, status: int, body: bytes = b"", **headers: object) -> Any:
        return lambda handler, _: reply(handler, status, body, **headers)

    def ranges(self) -> list[str | None]:
        return [headers.get("range") for _, headers in self.requests]


SIGNED_PATHS = tuple({path_of(surface, "getExportSignedUrl") for surface in SURFACES})


class Api(Host):
    """Runs one export through `states`; the last one stays."""

    def __init__(self, store: Store, *, tls: bool = False) -> None:
        super().__init__(tls=tls)
        self.store = store
        self.states: list[dict[str, Any]] = [state("PENDING"), finished()]
        self.signed = 0
        self.target = store.url + "/bucket/clicks.csv"
        self.failures: list[int] = []
        """Statuses to answer the next polls with."""

    def answer(self, handler: BaseHTTPRequestHandler, headers: dict[str, str]) -> None:
        assert headers["api-key"] == KEY
        path = urlsplit(handler.path).path
        if path.endswith(SIGNED_PATHS):
            assert parse_qs(urlsplit(handler.path).query)["artifact_name"] == ["clicks.csv"]
            self.signed += 1
            body: dict[str, Any] = {"url": f"{self.target}?signature=secret-signature-{self.signed}"}
        elif self.failures and handler.command == "GET":
            reply(handler, self.failures.pop(0))
            return
        else:
            body = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        reply(handler, 200, json.dumps(body).encode(), content_type="application/json")


def state(status: str, **more: Any) -> dict[str, Any]:
    return {"id": ID, "status": status, "type": "click_logs", "artifact": {"name": "", "size": 0}, **more}


def finished(name: str = "clicks.csv", size: int = 0, total: int = 0, **more: Any) -> dict[str, Any]:
    meta = {"total": total, "range_truncated": False, **more.pop("results_meta", {})}
    link = "https://storage.invalid/clicks.csv?key=download-link-secret"
    artifact = {"name": name, "size": size, "download_link": link}
    return state(more.pop("status", "DONE"), **{"artifact": artifact, "results_meta": meta, **more})


class Bench:
    """Both hosts, and either client, used as if it blocked."""

    def __init__(self, mode: str, *, tls: bool = False) -> None:
        self.store = Store(tls=tls)
        self.api = Api(self.store, tls=tls)
        self._runner = asyncio.Runner() if mode == "async" else None
        self.mode = mode
        self._clients: list[Any] = []

    def client(self, **options: Any) -> Any:
        made = adsecurity.NetworkClient if self._runner is None else adsecurity.AsyncNetworkClient
        client = made(api_key=KEY, base_url=self.api.url, **{"retry": QUICK, "verify": trusting(), **options})
        self._clients.append(client)
        return client

    def start(self, client: Any = None, **options: Any) -> Any:
        """A job as the server's first answer makes it."""
        times = {"start_time": "2026-11-01", "end_time": "2026-11-02"}
        exports = (client or self.client()).exports
        return self.result(exports.clicks("i-1", **{**times, "fields": ["tx_id"], "extra_parameters": [], **options}))

    def resume(self, **options: Any) -> Any:
        return self.result(self.client().exports.resume(ID, **options))

    def done(self, **more: Any) -> Any:
        """A job that is finished."""
        self.api.states = [finished(**more)]
        return self.start()

    def result(self, value: Any) -> Any:
        async def awaited() -> Any:
            return await value

        return self._runner.run(awaited()) if self._runner and hasattr(value, "__await__") else value

    def each(self, rows: Any) -> Iterator[Any]:
        if self._runner is None:
            yield from rows
            return
        while True:
            try:
                yield self.result(rows.__anext__())
            except StopAsyncIteration:
                return

    def close(self) -> None:
        for client in self._clients:
            self.result(client.close())
        if self._runner is not None:
            self._runner.close()
        self.api.close()
        self.store.close()
