"""An API host and a storage host on real sockets, which go wrong as a drill wants them to."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import socket
import struct
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs

from tests.support.report_server import ReportServer, make_rows
from tests.support.routes import in_our_names

SEED = 20_061_102
KEY = "drill-key-0123456789"
ROWS = make_rows([datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=12 * n) for n in range(600)])
IDS = [row["real_tx_id"] for row in reversed(ROWS)]
FILE = b"tx_id,country\r\n" + b"".join(b"tx-%05d,DE\r\n" % n for n in range(3000))


@attrs.frozen
class Request:
    """One request as it came."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@attrs.frozen
class Answer:
    """What a host that works would say."""

    status: int
    body: bytes
    headers: dict[str, str]

    def head(self, **more: str) -> bytes:
        headers = {"content-length": str(len(self.body)), **self.headers, **more}
        lines = [
            f"HTTP/1.1 {self.status} X",
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode()


Act = Callable[[socket.socket, Answer, threading.Event], bool]
"""Answers a request in its own way; whether the connection may be used again."""


def serve(connection: socket.socket, answer: Answer, over: threading.Event) -> bool:
    connection.sendall(answer.head() + answer.body)
    return True


class Host:
    """A server in threads. `act` answers the next `left` requests, or connections where it is `at_once`."""

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.over = threading.Event()
        self.requests: list[Request] = []
        self.open = 0
        self.delay = 0.0
        self._lock = threading.Lock()
        self.mend()
        threading.Thread(target=self._accept, daemon=True).start()

    def mend(self) -> None:
        self.act: Act = serve
        self.left = 0.0
        self.skip = 0
        self.at_once = False

    def break_down(self, act: Act, times: float, *, skip: int = 0, at_once: bool = False) -> None:
        self.act, self.left, self.skip, self.at_once = act, times, skip, at_once

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with self._lock:
            self.open += 1
        try:
            with connection, contextlib.suppress(OSError, ValueError):
                if self.at_once and self._is_broken():
                    self.act(connection, Answer(200, b"", {}), self.over)
                    return
                reader = connection.makefile("rb")
                while (request := _read(reader)) is not None:
                    self.requests.append(request)
                    self.over.wait(self.delay)
                    act = self.act if not self.at_once and self._is_broken() else serve
                    if not act(connection, self._answer(request), self.over):
                        return
        finally:
            with self._lock:
                self.open -= 1

    def _is_broken(self) -> bool:
        with self._lock:
            if self.skip > 0:
                self.skip -= 1
                return False
            self.left -= 1
            return self.left >= 0

    def close(self) -> None:
        self.over.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


def _read(reader: Any) -> Request | None:
    line = reader.readline()
    if not line:
        return None
    _, target, _ = line.decode().split()
    headers: dict[str, str] = {}
    while (text := reader.readline().decode("latin-1").strip()) != "":
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    reader.read(int(headers.get("content-length", 0)))
    parts = urlsplit(target)
    return Request(parts.path, dict(parse_qsl(parts.query)), headers)


class World:
    """Both hosts, and what they have: a report and a finished export."""

    def __init__(self) -> None:
        self.report = ReportServer(ROWS)
        self.version = 1
        self.api = Host(self._api)
        self.storage = Host(self._storage)
        self.other = Host(self._storage)
        self.target = f"{self.storage.url}/clicks.csv"
        self.hosts = (self.api, self.storage, self.other)

    def _api(self, request: Request) -> Answer:
        if request.headers.get("api-key") != KEY:
            return Answer(401, b"{}", {})
        if request.path.endswith("/signed-url"):
            return _json({"url": f"{self.target}?signature=s"})
        query = in_our_names(request.query.items())
        if "page[size]" in query:
            return _json(self.report.page(query, {}))
        artifact = {"name": "clicks.csv", "size": len(FILE)}
        meta = {"total": 3000, "range_truncated": False}
        export = {"id": "e-1", "status": "DONE", "type": "click_logs", "artifact": artifact, "results_meta": meta}
        return _json(export)

    def _storage(self, request: Request) -> Answer:
        headers = {"etag": f'"v{self.version}"'}
        if "range" in request.headers and request.headers.get("if-range") == headers["etag"]:
            start = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
            extent = f"bytes {start}-{len(FILE) - 1}/{len(FILE)}"
            return Answer(206, FILE[start:], {**headers, "content-range": extent})
        return Answer(200, FILE, headers)

    def mend(self) -> None:
        self.target = f"{self.storage.url}/clicks.csv"
        for host in self.hosts:
            host.mend()
            host.delay = 0.0

    def close(self) -> None:
        for host in self.hosts:
            host.close()


def _json(body: Any) -> Answer:
    return Answer(200, json.dumps(body).encode(), {"content-type": "application/json"})


# Ways to go wrong


def reset(connection: socket.socket, answer: Answer, over: threading.Event) -> bool:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def stall_headers(connection: socket.socket, answer: Answer, over: threading.Event) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    return _hold(connection)


def stall_body(connection: socket.socket, answer: Answer, over: threading.Event) -> bool:
    connection.sendall(answer.head() + answer.body[: len(answer.body) // 2])
    return _hold(connection)


def _hold(connection: socket.socket) -> bool:
    while connection.recv(65_536):
        pass
    return False


def truncate(connection: socket.socket, answer: Answer, over: threading.Event) -> bool:
    connection.sendall(answer.head() + answer.body[: random.Random(SEED).randrange(1, len(answer.body))])
    return False


def claim_more(connection: socket.socket, answer: Answer, over: threading.Event) -> bool:
    connection.sendall(answer.head(content_length=str(len(answer.body) + 10)) + answer.body)
    return False


def claim_less(connection: socket.socket, answer: Answer, over: threading.Event) -> bool:
    connection.sendall(answer.head(content_length=str(len(answer.body) - 10)) + answer.body)
    return True


def bad_gzip(connection: socket.socket, answer: Answer, over: threading.Event) -> bool:
    connection.sendall(answer.head(content_encoding="gzip") + answer.body)
    return True


def say(status: int, body: bytes = b"", **headers: str) -> Act:
    def act(connection: socket.socket, answer: Answer, over: threading.Event) -> bool:
        return serve(connection, Answer(status, body, headers), over)

    return act


def flood(connection: socket.socket, answer: Answer, over: threading.Event) -> bool:
    while not over.wait(0.001):
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")
    return False


def drip(connection: socket.socket, answer: Answer, over: threading.Event) -> bool:
    connection.sendall(answer.head())
    for at in itertools.count():
        if at >= len(answer.body) or over.wait(0.05):
            return False
        connection.sendall(answer.body[at : at + 1])
    return False
