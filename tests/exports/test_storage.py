"""Transfers from a storage host: over TLS, ended by close(), and given up when a host sends hardly anything."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsecurity import ConfigurationError, DownloadError, RetryPolicy
from adsecurity.exports.part_file import PartFile
from adsecurity.exports.storage import Stalled, StallLimit
from adsecurity.http.network import BUFFER, RECORD
from tests.exports.kit import QUICK, Bench, csv_file


@pytest.fixture(params=["sync", "async"])
def secured(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Both hosts over TLS."""
    made = Bench(request.param, tls=True)
    yield made
    made.close()


@pytest.fixture(params=[(mode, tls) for mode in ("sync", "async") for tls in (False, True)], ids=str)
def either(request: pytest.FixtureRequest) -> Iterator[Bench]:
    mode, tls = request.param
    made = Bench(mode, tls=tls)
    yield made
    made.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clicks.csv"


def whole(bench: Bench, path: Path) -> bool:
    return path.read_bytes() == bench.store.content and [entry.name for entry in path.parent.iterdir()] == [path.name]


# Over TLS


def test_a_file_comes_over_tls_whole_and_in_pieces_larger_than_a_record(
    secured: Bench, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    write = PartFile._write

    def noted(part: PartFile, chunk: bytes) -> None:
        sizes.append(len(chunk))
        write(part, chunk)

    monkeypatch.setattr(PartFile, "_write", noted)
    secured.store.content = csv_file(1_000_000)
    secured.result(secured.done().download(path))
    assert whole(secured, path)
    assert max(sizes) > 2 * RECORD
    assert max(sizes) < BUFFER + RECORD


@pytest.mark.parametrize("after", [0, 1, 5000, 200_000])
def test_a_download_over_tls_goes_on_where_it_was_cut(secured: Bench, path: Path, after: int) -> None:
    secured.store.content = csv_file(40_000)
    secured.store.plan = [secured.store.cut(after)]
    secured.result(secured.done().download(path))
    assert whole(secured, path)
    assert secured.store.ranges() == [None, f"bytes={after}-" if after else None]


def test_rows_come_over_tls(secured: Bench) -> None:
    assert len(list(secured.each(secured.done().rows()))) == 500


# The stall limit


@given(st.lists(st.tuples(st.integers(1, 2000), st.floats(0, 30)), max_size=60))
def test_a_minute_of_waiting_brings_the_least_or_the_transfer_is_stalled(pieces: list[tuple[int, float]]) -> None:
    limit = StallLimit(1000)
    size = waited = 0.0
    for more, seconds in pieces:
        size, waited = size + more, waited + seconds
        if waited >= 60 and size < 1000:
            with pytest.raises(Stalled, match="min_bytes_per_minute"):
                limit.add(more, seconds)
            return
        limit.add(more, seconds)
        if waited >= 60:
            size = waited = 0.0


def drip(piece: bytes, pause: float, head: bytes | None = None) -> Callable[[Any, dict[str, str]], None]:
    def answer(handler: Any, headers: dict[str, str]) -> None:
        content = handler.server.content
        start = int(headers["range"].removeprefix("bytes=").removesuffix("-")) if "range" in headers else 0
        status = b"206 Partial Content" if start else b"200 OK"
        more = b"Content-Range: bytes %d-%d/%d\r\n" % (start, content - 1, content) if start else b""
        begin = b'HTTP/1.1 %b\r\nETag: "v1"\r\nContent-Length: %d\r\n%b\r\n' % (status, content - start, more)
        try:
            handler.connection.sendall(begin if head is None else head)
            while True:
                time.sleep(pause)
                handler.connection.sendall(piece)
        except OSError:
            handler.close_connection = True

    return answer


def dripping(bench: Bench, *arguments: Any) -> Any:
    bench.store._server.content = 1_000_000  # type: ignore[attr-defined]
    bench.store.plan = [drip(*arguments)] * 20
    return bench


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((b"x", 0.01), id="body"),
        pytest.param((b"x", 0.01, b"HTTP/1.1 200 OK\r\nX: "), id="headers"),
        pytest.param((b"x", 0.01, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"), id="chunk"),
        pytest.param((b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100, 0.0, b""), id="interim"),
    ],
)
def test_a_host_that_drips_does_not_hold_a_transfer_for_ever(
    either: Bench, path: Path, arguments: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StallLimit, "SECONDS", 0.2)
    dripping(either, *arguments)
    job = either.done()
    client = either.client(timeout=0.1, retry=QUICK.with_attempts(2))
    job = either.result(client.exports.resume("64b0c0ffee"))
    began = time.monotonic()
    with pytest.raises(DownloadError, match=r"(Read|Write)Timeout|Stalled"):
        either.result(job.download(path))
    assert time.monotonic() - began < 5
    assert not path.exists()


def test_a_host_that_stops_after_a_few_bytes_each_time_is_given_up(bench: Bench, path: Path) -> None:
    """Each try brings something new, but hardly anything for the time that it takes."""

    def few(handler: Any, headers: dict[str, str]) -> None:
        start = int(headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        content = bench.store.content
        handler.send_response(206 if start else 200)
        handler.send_header("content-length", str(len(content) - start))
        handler.send_header("etag", '"v1"')
        if start:
            handler.send_header("content-range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        handler.end_headers()
        handler.wfile.write(content[start : start + 20])
        while handler.connection.recv(65_536):
            pass

    bench.store.plan = [few] * 40
    bench.done()
    job = bench.result(bench.client(timeout=0.1).exports.resume("64b0c0ffee"))
    with pytest.raises(DownloadError, match="ReadTimeout"):
        bench.result(job.download(path))
    assert len(bench.store.requests) == QUICK.attempts
    assert path.with_name("clicks.csv.part").stat().st_size == 20 * QUICK.attempts


def test_a_host_that_is_slow_but_above_the_limit_is_waited_for(
    bench: Bench, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StallLimit, "SECONDS", 0.05)
    bench.store.content = csv_file(30)

    def slowly(handler: Any, headers: dict[str, str]) -> None:
        handler.send_response(200)
        handler.send_header("content-length", str(len(bench.store.content)))
        handler.end_headers()
        for at in range(0, len(bench.store.content), 40):
            time.sleep(0.02)
            handler.wfile.write(bench.store.content[at : at + 40])

    bench.store.plan = [slowly]
    bench.done()
    client = bench.client(min_bytes_per_minute=20)
    bench.result(bench.result(client.exports.resume("64b0c0ffee")).download(path))
    assert whole(bench, path)
    assert len(bench.store.requests) == 1


def test_a_reader_that_is_slow_is_not_the_hosts_fault(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StallLimit, "SECONDS", 0.1)
    bench.store.content = csv_file(60_000)
    rows = 0
    for number, _ in enumerate(bench.each(bench.done().rows())):
        rows += 1
        if number % 20_000 == 0:
            time.sleep(0.15)
    assert rows == 60_000


# Addresses that are none

NO_HOSTS = [
    "xn--a",
    "a..b",
    ".example",
    "a" * 64 + ".example",
    "exa mple",
    "\u0378.example",
    "\u2603\u200d.example",
    "[::1",
]


@pytest.mark.parametrize(
    "address", [*(f"https://{host}/x" for host in NO_HOSTS), "http://127.0.0.1/\ud800", "https://\ud800.example/"]
)
def test_a_signed_url_without_a_host_that_can_be_looked_up_is_a_download_error(
    bench: Bench, path: Path, address: str
) -> None:
    bench.api.target = address
    with pytest.raises(DownloadError) as caught:
        bench.result(bench.done().download(path))
    assert "signature" not in str(caught.value)
    assert not path.exists()


@pytest.mark.parametrize("location", [*(f"https://{host}/x" for host in NO_HOSTS), "data:,x", "//", "http:///x"])
def test_a_redirect_to_nowhere_is_a_download_error(bench: Bench, path: Path, location: str) -> None:
    bench.store.plan = [bench.store.say(302, location=location.encode().decode("latin-1"))] * 30
    with pytest.raises(DownloadError):
        bench.result(bench.done().download(path))
    assert not path.exists()


# The end of the client


def hold(
    asked: threading.Event, length: bool, begin: bytes = b"tx_id,country\r\n"
) -> Callable[[Any, dict[str, str]], None]:
    """Sends the beginning of a file, and nothing more."""

    def answer(handler: Any, headers: dict[str, str]) -> None:
        handler.send_response(200)
        handler.send_header("content-length" if length else "connection", "1000" if length else "close")
        handler.end_headers()
        handler.wfile.write(begin)
        asked.set()
        while handler.connection.recv(65_536):
            pass

    return answer


@pytest.mark.parametrize("host", ["silent", "silent without a length", "dripping"])
@pytest.mark.parametrize("action", ["download", "rows"])
def test_closing_ends_a_transfer(either: Bench, path: Path, action: str, host: str) -> None:
    asked = threading.Event()
    if host == "dripping":
        dripping(either, b"x", 0.01)
        drips = either.store.plan[0]

        def begin(handler: Any, headers: dict[str, str]) -> None:
            asked.set()
            drips(handler, headers)

        either.store.plan = [begin] * 5
    else:
        either.store.plan = [hold(asked, host == "silent")] * 5
    either.done()
    client = either.client()
    raised: list[BaseException] = []

    def blocking() -> None:
        try:
            job = client.exports.resume("64b0c0ffee")
            job.download(path) if action == "download" else list(job.rows())
        except BaseException as error:
            raised.append(error)

    async def awaiting() -> None:
        async def transfer() -> None:
            job = await client.exports.resume("64b0c0ffee")
            if action == "download":
                await job.download(path)
            else:
                async for _ in job.rows():
                    pass

        task = asyncio.ensure_future(transfer())
        assert await asyncio.to_thread(asked.wait, 5)
        await asyncio.sleep(0.1)
        await client.close()
        try:
            await asyncio.wait_for(task, 5)
        except BaseException as error:
            raised.append(error)

    began = time.monotonic()
    if either.mode == "async":
        either.result(awaiting())
    else:
        thread = threading.Thread(target=blocking)
        thread.start()
        assert asked.wait(5)
        time.sleep(0.1)
        client.close()
        thread.join(5)
    assert time.monotonic() - began < 4
    assert [type(error) for error in raised] == [ConfigurationError]
    assert "is closed" in str(raised[0])
    assert not path.exists()


def test_closing_ends_the_wait_before_the_next_attempt(bench: Bench, path: Path) -> None:
    refused = threading.Event()

    def refuse(handler: Any, headers: dict[str, str]) -> None:
        handler.send_response(503)
        handler.send_header("retry-after", "60")
        handler.send_header("content-length", "0")
        handler.end_headers()
        refused.set()

    bench.store.plan = [refuse] * 3
    bench.done()
    client = bench.client(retry=RetryPolicy())
    raised: list[BaseException] = []

    def blocking() -> None:
        try:
            client.exports.resume("64b0c0ffee").download(path)
        except BaseException as error:
            raised.append(error)

    async def awaiting() -> None:
        async def transfer() -> None:
            await (await client.exports.resume("64b0c0ffee")).download(path)

        task = asyncio.ensure_future(transfer())
        assert await asyncio.to_thread(refused.wait, 5)
        await asyncio.sleep(0.1)
        await client.close()
        try:
            await asyncio.wait_for(task, 5)
        except BaseException as error:
            raised.append(error)

    if bench.mode == "async":
        bench.result(awaiting())
    else:
        thread = threading.Thread(target=blocking)
        thread.start()
        assert refused.wait(5)
        time.sleep(0.1)
        client.close()
        thread.join(5)
    assert [type(error) for error in raised] == [ConfigurationError]


def test_a_transfer_that_is_over_leaves_no_connection(either: Bench, path: Path) -> None:
    job = either.done()
    either.result(job.download(path))
    (here,) = job._session.pool._by_loop.values()
    assert here.storage == []
