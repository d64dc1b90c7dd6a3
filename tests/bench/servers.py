"""Starts the bench server beside the clients, and measures what it can do: no client may wait for it."""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import attrs

from tests.bench import dataset

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "bench"


def environment() -> dict[str, str]:
    """The environment of children: their modules are compiled once, as those of an installed package are."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(CACHE / "bytecode")}


@attrs.frozen
class Server:
    api: str
    storage: str


@contextmanager
def serving(*, latency: float = 0.0, export: Path | None = None, rows: int = 0, tls: bool = False) -> Iterator[Server]:
    """A bench server in a process of its own; `latency` in milliseconds.

    Over TLS, the environment of this process, and of its children, trusts it as long as the server is there.
    """
    if tls:
        with _trusted() as certificate, _started(latency, export, rows, certificate) as server:
            yield server
    else:
        with _started(latency, export, rows, None) as server:
            yield server


@contextmanager
def _trusted() -> Iterator[Path]:
    import certifi
    import trustme

    CACHE.mkdir(parents=True, exist_ok=True)
    authority, before = trustme.CA(), os.environ.get("SSL_CERT_FILE")
    certificate, trusted = CACHE / "server.pem", CACHE / "trusted.pem"
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    # Beside all others: to read them is part of a first call.
    trusted.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
    os.environ["SSL_CERT_FILE"] = str(trusted)
    try:
        yield certificate
    finally:
        del os.environ["SSL_CERT_FILE"]
        if before is not None:
            os.environ["SSL_CERT_FILE"] = before


@contextmanager
def _started(latency: float, export: Path | None, rows: int, certificate: Path | None) -> Iterator[Server]:
    command = [sys.executable, "-m", "tests.bench.server", "--latency", str(latency), "--rows", str(rows)]
    if export is not None:
        command += ["--export", str(export)]
    if certificate is not None:
        command += ["--certificate", str(certificate)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Server(**json.loads(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(10)


def export_file(rows: int) -> Path:
    """The CSV file that exports end in, made once."""
    path = CACHE / f"export-{rows}-{len(dataset.export_columns())}.csv"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            for block in dataset.csv_blocks(rows):
                file.write(block)
        part.rename(path)
    return path


def ceiling(server: Server, *, connections: int, pages: int) -> float:
    """Pages a second that bare sockets get, which look for the cursor and read nothing else.

    Each connection walks a range of its own, so that no page is answered twice.
    """
    address = urlsplit(server.api)
    selector = selectors.DefaultSelector()
    for number in range(connections):
        connection = socket.create_connection((address.hostname or "", address.port or 0))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        walk = _Walk(connection, number * 10_000)
        selector.register(connection, selectors.EVENT_READ, walk)
        walk.ask()
    started, done = time.perf_counter(), 0
    while done < pages:
        for key, _ in selector.select():
            done += key.data.read()
    seconds = time.perf_counter() - started
    for key in list(selector.get_map().values()):
        selector.unregister(key.fileobj)
        key.data.close()
    return done / seconds


class _Walk:
    def __init__(self, connection: socket.socket, skip: int) -> None:
        self._connection = connection
        self._after = dataset.row_id(dataset.LAST + 1 - skip)
        self._buffer = bytearray(1 << 20)
        self._view = memoryview(self._buffer)
        self._have = self._want = 0

    def ask(self) -> None:
        start, end = dataset.span(10_000_000)
        query = {"integration_id": "clean", "start_time": start, "end_time": end, "page[size]": 100}
        target = "/api/v2/reports/v2/click-table?" + urlencode(query | {"page[after]": self._after})
        self._connection.sendall(f"GET {target} HTTP/1.1\r\nHost: bench\r\nAPI-KEY: k\r\n\r\n".encode())
        self._have = self._want = 0

    def read(self) -> bool:
        """Whether that was the end of a page; the next one is asked for then."""
        self._have += self._connection.recv_into(self._view[self._have :])
        if not self._want:
            head = bytes(self._view[:200])
            length = head.partition(b"Content-Length: ")[2].split(b"\r\n", 1)[0]
            self._want = head.index(b"\r\n\r\n") + 4 + int(length)
        if self._have < self._want:
            return False
        tail = bytes(self._view[self._have - 60 : self._have])
        self._after = tail.partition(b'"endCursor":"')[2].split(b'"', 1)[0].decode()
        self.ask()
        return True

    def close(self) -> None:
        self._connection.close()
