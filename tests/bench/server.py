"""The bench server: `python -m tests.bench.server [--latency MS] [--export FILE] [--certificate FILE]`.

Ends when its standard input does.

One process, two ports. The API port answers from bytes joined beforehand, so that a client is never kept waiting by
anything but the latency it was asked to have; the storage port hands the export's file to the kernel. A key is wanted
on the first, and refused on the second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import ssl
import sys
import threading
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.bench import dataset
from tests.support.routes import by_table, in_our_names

_BUFFER = 1 << 20  # a page fits, so that one call of send() takes it
EXPORT_ID = "export-1"
ARTIFACT = "clicks.csv"


def _response(body: bytes, status: str = "200 OK", kind: str = "application/json", more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def _answer(status: str, message: str) -> bytes:
    return _response(json.dumps({"error": message}).encode(), status)


@lru_cache(512)
def _page(start: str, end: str, size: int, after: str, dirty: bool) -> bytes:
    first, last = dataset.numbers(start, end)
    body, _ = dataset.page(first, last, size, dataset.number_of(after) if after else None, dirty=dirty)
    return _response(body)


class Api:
    """What the API answers: bytes for a method, a target."""

    def __init__(self, export: Path | None, rows: int, storage_url: str) -> None:
        self._export = export
        self._rows = rows
        self._storage = storage_url

    def answer(self, method: str, target: str) -> bytes:
        path, _, text = target.partition("?")
        method, path = by_table("network", method, path)
        if method == "GET" and path == "/api/v2/reports/v2/click-table":
            query = in_our_names(parse_qsl(text))
            try:
                return _page(
                    query["start_time"],
                    query["end_time"],
                    min(int(query["page[size]"]), dataset.PAGE),
                    query.get("page[after]", ""),
                    query["integration_id"] == "dirty",
                )
            except (KeyError, ValueError) as error:
                return _answer("400 Bad Request", f"the report needs {error}")
        if method == "GET" and path == "/api/v2/users":
            return _response(b'{"data":[{"id":"u1","email":"a@example.com"}],"meta":{"total_count":1,"total_page":1}}')
        if method == "POST" and unquote(path).startswith("/api/v2/integrations/") and path.endswith("/exports/clicks"):
            return _response(json.dumps(self._job()).encode())
        if method == "GET" and path == f"/api/v2/download-center/exports/{EXPORT_ID}":
            return _response(json.dumps({"data": self._job()}).encode())
        if method == "GET" and path == "/api/v2/download-center/signed-url":
            return _response(json.dumps({"url": f"{self._storage}/{ARTIFACT}?signature=bench"}).encode())
        return _answer("404 Not Found", f"the bench server has no {method} {path}")

    def _job(self) -> dict[str, object]:
        size = self._export.stat().st_size if self._export else 0
        return {
            "id": EXPORT_ID,
            "status": "FINISHED",
            "type": "click_logs",
            "artifact": {"name": ARTIFACT, "size": size},
            "results_meta": {"total": self._rows, "range_truncated": False},
            "format": {"delimiter": ","},
            "error": "",
        }


class Connection(asyncio.Protocol):
    """One client, which sends its next request when it has its answer."""

    def __init__(self, api: Api, latency: float) -> None:
        self._api = api
        self._latency = latency
        self._buffer = b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = 0
            if b"content-length:" in head:
                length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + length:
                return
            method, target, _ = self._buffer[: self._buffer.index(b"\r\n")].decode("latin-1").split(" ")
            self._buffer = self._buffer[end + 4 + length :]
            arrived = self._loop.time()
            if b"\r\napi-key:" in head:
                answer = self._api.answer(method, target)
            else:
                answer = _answer("401 Unauthorized", "no API-KEY")
            if self._latency:
                self._loop.call_at(arrived + self._latency, self._write, answer)
            else:
                self._write(answer)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


def _serve_file(connection: socket.socket, file: Path) -> None:
    """One request after another; each answered with the file, or its end."""
    with connection, connection.makefile("rb") as lines, file.open("rb") as source:
        size = os.fstat(source.fileno()).st_size
        while (line := lines.readline()).strip():
            headers = {}
            while header := lines.readline().strip():
                name, _, value = header.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            target = urlsplit(line.split()[1].decode("latin-1"))
            if "api-key" in headers or target.path != f"/{ARTIFACT}" or target.query != "signature=bench":
                connection.sendall(_answer("403 Forbidden", "not signed, or the API's key was sent along"))
                continue
            start = int(headers["range"].removeprefix("bytes=").rstrip("-")) if "range" in headers else 0
            status = f"206 Partial Content\r\nContent-Range: bytes {start}-{size - 1}/{size}" if start else "200 OK"
            connection.sendall(
                f"HTTP/1.1 {status}\r\nContent-Type: text/csv\r\nContent-Length: {size - start}\r\n"
                'ETag: "bench"\r\nAccept-Ranges: bytes\r\n\r\n'.encode()
            )
            if isinstance(connection, ssl.SSLSocket):
                source.seek(start)
                while piece := source.read(_BUFFER):
                    connection.sendall(piece)
                continue
            while start < size and (sent := os.sendfile(connection.fileno(), source.fileno(), start, 1 << 24)):
                start += sent


def _accept(listener: socket.socket, file: Path, tls: ssl.SSLContext | None) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_quietly, args=(connection, file, tls), daemon=True).start()


def _quietly(connection: socket.socket, file: Path, tls: ssl.SSLContext | None) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):  # a client that has seen enough
        _serve_file(connection if tls is None else tls.wrap_socket(connection, server_side=True), file)


def _listen(tls: ssl.SSLContext | None) -> tuple[socket.socket, str]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
    return listener, f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


async def _main(latency: float, export: Path | None, rows: int, certificate: Path | None) -> None:
    tls = None
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    listener, url = _listen(tls)
    storage_url = ""
    if export is not None:
        storage, storage_url = _listen(tls)
        threading.Thread(target=_accept, args=(storage, export, tls), daemon=True).start()
    api = Api(export, rows, storage_url)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(api, latency), sock=listener, ssl=tls)
    dataset.page(*dataset.numbers(*dataset.span(100)), 100, None, dirty=False)  # so that nobody waits for the templates
    print(json.dumps({"api": url, "storage": storage_url}), flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0, help="milliseconds before each answer")
    parser.add_argument("--export", type=Path, help="the file that exports end in")
    parser.add_argument("--rows", type=int, default=0, help="rows in that file")
    parser.add_argument("--certificate", type=Path, help="key and certificate, for TLS on both ports")
    options = parser.parse_args()
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    asyncio.run(_main(options.latency / 1000, options.export, options.rows, options.certificate))


if __name__ == "__main__":
    main()
