"""One way to run a test against both kinds of client, and a server on a real socket that remembers what it was sent."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs
import httpx

from tests.support.demo.surface import KEY, AsyncDemo, Demo

Handler = Callable[[httpx.Request], httpx.Response]


class Driver:
    """Runs what is awaited where it has to be; tests are written once."""

    def __init__(self, kind: str) -> None:
        self.is_async = kind == "async"
        self._runner = asyncio.Runner()
        self._clients: list[Any] = []

    def client(self, handler: Handler | None = None, **options: Any) -> Any:
        """A client over a handler, or over real connections."""
        if handler is not None:
            options["transport"] = httpx.MockTransport(handler)
        options = {"api_key": KEY, "base_url": "https://api.example/base", **options}
        client = (AsyncDemo if self.is_async else Demo)(**options)
        self._clients.append(client)
        return client

    def run(self, value: Any) -> Any:
        if not inspect.isawaitable(value):
            return value

        async def wait() -> Any:
            return await value

        return self._runner.run(wait())

    def call(self, client: Any, method: str, *args: Any, **options: Any) -> Any:
        """Call a method of the client's API and wait for its result; "raw" asks for the response as it came."""
        bound = client._api.raw.one if method == "raw" else getattr(client._api, method)
        return self.run(bound(*args, **options))

    def finish(self) -> None:
        for client in self._clients:
            self.run(client.close())
        self._runner.close()


@attrs.define
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@attrs.define
class Server:
    """`answers` are used up in turn, the last one for ever: status, headers, body."""

    url: str
    seen: list[Seen] = attrs.field(factory=list)
    answers: list[tuple[int, dict[str, str], bytes]] = attrs.field(
        factory=lambda: [(200, {"Content-Type": "application/json"}, b'{"data": {"id": "1"}}')]
    )

    def everything(self) -> str:
        return repr(self.seen)


def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that says on each connection what it likes."""
    listening = socket.create_server(("127.0.0.1", 0))

    def greet(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            talk(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=greet, args=(listening.accept()[0],), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def serve() -> Iterator[Server]:
    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.seen.append(Seen(self.command, self.path, headers, body))
            status, more, content = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = do_CONNECT = answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    http.daemon_threads = True
    server = Server(f"http://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    http.shutdown()
    http.server_close()
    thread.join()
