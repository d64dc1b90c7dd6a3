"""A network stream takes all TLS records that have arrived, ends with its attempt, and can be cut by another thread."""

from __future__ import annotations

import math
import platform
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsecurity.http.network import BUFFER, RECORD, AsyncBackend, Backend, ReadState, Stream, take_records
from adsecurity.http.timeouts import step_timeout
from tests.support.demo.drivers import raw_server
from tests.support.tls import server_context, trusting

HEAD = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"


class Late(Exception):
    pass


def test_a_step_takes_what_is_left_of_the_attempt() -> None:
    assert step_timeout(None, math.inf, Late) is None
    assert step_timeout(5.0, math.inf, Late) == 5.0
    assert step_timeout(5.0, time.monotonic() + 60, Late) == 5.0
    assert 1 < (step_timeout(5.0, time.monotonic() + 2, Late) or 0) <= 2
    assert 1 < (step_timeout(None, time.monotonic() + 2, Late) or 0) <= 2
    assert 1 < (step_timeout(5.0, time.monotonic() + 8, Late, 4) or 0) <= 2


def test_after_the_deadline_no_step_begins_even_if_data_is_there() -> None:
    with pytest.raises(Late):
        step_timeout(5.0, time.monotonic() - 0.001, Late)


def receiving(*steps: bytes | Exception) -> Callable[[int], bytes]:
    """Gives these records, one each time."""
    left = list(steps)

    def receive(size: int) -> bytes:
        assert size == RECORD
        step = left.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    return receive


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.sampled_from(["wait", "write", "end", "error"]))
def test_all_records_that_have_arrived_are_taken_and_what_follows_is_kept(records: list[bytes], how: str) -> None:
    error = ConnectionResetError("reset")
    last = {"wait": ssl.SSLWantReadError(), "write": ssl.SSLWantWriteError(), "end": b"", "error": error}[how]
    assert take_records(b"first", receiving(*records, last)) == (
        b"first" + b"".join(records),
        error if how == "error" else None,
    )


def test_what_is_taken_at_once_is_bounded() -> None:
    taken, error = take_records(b"x", lambda size: bytes(size))
    assert BUFFER <= len(taken) < BUFFER + RECORD
    assert error is None


def test_an_error_behind_data_is_raised_by_the_next_read() -> None:
    state = ReadState(receiving(b"more", ConnectionResetError("reset")))
    assert state.complete(b"data ") == b"data more"
    with pytest.raises(httpcore.ReadError, match="reset"):
        state.raise_pending()
    state.raise_pending()


@pytest.mark.parametrize(
    ("block", "last", "chunked", "whole"),
    [
        (HEAD + b"body", b"body", False, True),
        (b"body", b"body", False, True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", False, True),
        (b"HTTP/1.1 200 OK\n\nbody", b"body", False, True),
        (b"HTTP/1.1 103 Early\r\n\r\n" + HEAD + b"body", b"body", False, True),
        (HEAD + b"bodyX", b"body", False, False),
        (HEAD + b"body\r\n", b"body", False, False),
        (HEAD + b"bodybody", b"body", False, False),
        (HEAD + b"body" + HEAD + b"body", b"body", False, False),
        (b"bodybody", b"body", False, False),
        (b"end: of-headers\r\n\r\nbody", b"body", False, True),
        (b"HTTP/1.1 103 Early\r\n\r\n" + HEAD + b"bodybody", b"body", False, False),
        (HEAD + b"surplus", b"", False, False),
        (HEAD + b"4\r\nbody\r\n0\r\n\r\n", b"body", True, True),
        (HEAD + b"4\r\nbody\r\n0\r\n\r\nX", b"body", True, False),
    ],
)
def test_bytes_behind_an_answer_are_seen(block: bytes, last: bytes, chunked: bool, whole: bool) -> None:
    state = ReadState(None)
    state.complete(block)
    assert state.ends_with(last, chunked=chunked) is whole


@pytest.mark.parametrize(
    ("behind", "whole"),
    [(ssl.SSLWantReadError(), True), (ssl.SSLWantWriteError(), True), (b"X", False), (b"", False), (OSError(), False)],
)
def test_behind_a_full_buffer_the_connection_itself_is_asked(behind: bytes | Exception, whole: bool) -> None:
    left = BUFFER // RECORD

    def receive(size: int) -> bytes:
        nonlocal left
        left -= 1
        if left > 0:
            return bytes(RECORD)
        if isinstance(behind, Exception):
            raise behind
        return behind

    state = ReadState(receive)
    block = state.complete(bytes(RECORD))
    assert len(block) == BUFFER
    assert state.ends_with(block, chunked=False) is whole


# Over sockets


@contextmanager
def talking(talk: Callable[[Any], None], tls: ssl.SSLContext | None) -> Iterator[tuple[str, int]]:
    with contextmanager(raw_server)(talk, tls) as url:
        host, _, port = url.partition("://")[2].partition(":")
        yield host, int(port)


@contextmanager
def connected(
    talk: Callable[[Any], None], tls: ssl.SSLContext | None
) -> Iterator[tuple[httpcore.NetworkStream, Backend]]:
    backend = Backend(threading.Event())
    with talking(talk, tls) as address:
        stream = backend.connect_tcp(*address, timeout=5)
        if tls is not None:
            stream = stream.start_tls(trusting(), "localhost", 5)
        try:
            yield stream, backend
        finally:
            stream.close()


VERSIONS = [pytest.param(True, id="TLS 1.3"), pytest.param(False, id="TLS 1.2")]


@pytest.mark.parametrize("newest", VERSIONS)
def test_many_records_come_in_one_read_and_then_the_end(newest: bool) -> None:
    body = bytes(range(256)) * 400  # 7 records
    sent = threading.Event()

    def talk(connection: ssl.SSLSocket) -> None:
        connection.recv(10)
        connection.sendall(body)
        connection.unwrap()  # half closed: it says goodbye, and the socket stays open
        sent.set()
        connection.recv(10)

    with connected(talk, server_context(newest=newest)) as (stream, _):
        stream.write(b"go", 5)
        time.sleep(0.1)  # so that all of it is there
        data = stream.read(65_536, 5)
        assert len(data) > 4 * RECORD
        while more := stream.read(65_536, 5):
            data += more
        assert data == body
        assert stream.read(65_536, 5) == b""


def test_what_breaks_behind_data_is_raised_after_it() -> None:
    def talk(connection: ssl.SSLSocket) -> None:
        connection.recv(10)
        connection.sendall(b"data")
        socket.socket.sendall(connection, b"no TLS at all")
        connection.recv(10)

    with connected(talk, server_context()) as (stream, _):
        stream.write(b"go", 5)
        assert stream.read(65_536, 5) == b"data"
        with pytest.raises(httpcore.ReadError):
            stream.read(65_536, 5)


@pytest.mark.parametrize("tls", [None, server_context()], ids=["plain", "tls"])
def test_every_step_ends_with_the_attempt(tls: ssl.SSLContext | None) -> None:
    done = threading.Event()
    with connected(lambda connection: done.wait(10) and None, tls) as (stream, backend):
        backend.deadline = time.monotonic() + 0.1
        began = time.monotonic()
        with pytest.raises(httpcore.ReadTimeout):
            stream.read(65_536, 60)
        assert time.monotonic() - began < 5
        for step, late in (
            (lambda: stream.read(65_536, 60), httpcore.ReadTimeout),
            (lambda: stream.write(b"w", 60), httpcore.WriteTimeout),
            (lambda: stream.start_tls(trusting(), "localhost", 60), httpcore.ConnectTimeout),
            (lambda: backend.connect_tcp("127.0.0.1", 1, 60), httpcore.ConnectTimeout),
        ):
            with pytest.raises(late, match="deadline"):
                step()
        done.set()


@pytest.mark.parametrize("tls", [None, server_context()], ids=["plain", "tls"])
def test_a_thread_that_waits_is_woken_by_hanging_up(tls: ssl.SSLContext | None) -> None:
    done = threading.Event()
    with connected(lambda connection: done.wait(10) and None, tls) as (stream, backend):
        assert backend.stream is stream
        threading.Timer(0.1, stream.hang_up).start()  # type: ignore[attr-defined]
        began = time.monotonic()
        assert stream.read(65_536, 60) == b""
        assert time.monotonic() - began < 5
        done.set()
        stream.close()
        stream.hang_up()  # type: ignore[attr-defined]


def test_what_connects_after_the_end_is_closed_at_once() -> None:
    closed = threading.Event()
    backend = Backend(closed)
    asynchronous = AsyncBackend(closed)
    closed.set()
    gone = threading.Event()
    with talking(lambda connection: gone.set() if not connection.recv(1) else None, None) as address:
        with pytest.raises(httpcore.ConnectError, match="closed"):
            backend.connect_tcp(*address, timeout=5)
        assert gone.wait(5)
        with pytest.raises(httpcore.ConnectError, match="closed"):
            anyio.run(lambda: asynchronous.connect_tcp(*address, timeout=5))


def test_a_handshake_for_which_no_descriptor_is_left_fails_and_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(*_: object) -> socket.socket:
        raise OSError(24, "Too many open files")

    with talking(lambda connection: None, None) as address:
        stream = Backend(threading.Event()).connect_tcp(*address, timeout=5)
        monkeypatch.setattr(socket, "fromfd", no_more)
        with pytest.raises(httpcore.ConnectError, match="Too many open files"):
            stream.start_tls(trusting(), "localhost", 5)
        assert stream.get_extra_info("socket").fileno() == -1


def test_what_is_connected_while_another_thread_closes_is_closed_at_once() -> None:
    closed = threading.Event()
    ended: list[bool] = []

    class Made(httpcore.AsyncNetworkStream):
        def get_extra_info(self, info: str) -> None:
            return None

        async def aclose(self) -> None:
            ended.append(True)

    async def connect(seconds: float) -> httpcore.AsyncNetworkStream:
        closed.set()
        await anyio.sleep(seconds)
        return Made()

    async def run() -> None:
        with pytest.raises(httpcore.ConnectError, match="closed"):
            await AsyncBackend(closed).connect(connect(0))
        assert ended == [True]
        with anyio.fail_after(2), pytest.raises(httpcore.ConnectError, match="closed"):
            await AsyncBackend(closed).connect(connect(60))

    anyio.run(run)


@pytest.mark.parametrize("newest", VERSIONS)
def test_async_many_records_come_in_one_read_and_then_the_end(newest: bool) -> None:
    body = bytes(range(256)) * 400

    def talk(connection: ssl.SSLSocket) -> None:
        connection.recv(10)
        connection.sendall(body)
        connection.unwrap()

    async def run(address: tuple[str, int]) -> None:
        backend = AsyncBackend(threading.Event())
        plain = await backend.connect_tcp(*address, timeout=5)
        stream = await plain.start_tls(trusting(), "localhost", 5)
        assert backend.stream is stream
        assert stream.get_extra_info("ssl_object") is not None
        await stream.write(b"go", 5)
        await anyio.sleep(0.1)
        data = await stream.read(65_536, 5)
        assert len(data) > RECORD
        while more := await stream.read(65_536, 5):
            data += more
        assert data == body
        backend.deadline = time.monotonic() - 1
        with pytest.raises(httpcore.ReadTimeout, match="deadline"):
            await stream.read(65_536, 5)
        with pytest.raises(httpcore.WriteTimeout, match="deadline"):
            await stream.write(b"x", 5)
        await stream.aclose()

    with talking(talk, server_context(newest=newest)) as address:
        anyio.run(run, address)


def test_tls_inside_the_tls_of_a_proxy_is_read_from_memory() -> None:
    class Inner(httpcore.MockStream):
        def get_extra_info(self, info: str) -> Any:
            if info == "ssl_object":
                return trusting().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
            return super().get_extra_info(info)

    stream = Stream(Inner([b"data"]), Backend(threading.Event()))
    # Nothing is in that memory.
    assert stream.read(65_536) == b"data"


PAGES = """
import resource
import adsecurity.http.network
for _ in range(3):
    page = [bytearray(300_000) for _ in range(4)]
    del page
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    page = [bytearray(300_000) for _ in range(4)]
    del page
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep memory in other ways")
def test_the_memory_of_one_page_serves_the_next() -> None:
    done = subprocess.run([sys.executable, "-c", PAGES], check=True, capture_output=True, text=True)
    assert int(done.stdout) < 100
