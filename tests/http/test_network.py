"""A line to the API ends with the attempt, can be cut from another thread, and stays what it is under TLS."""

from __future__ import annotations

import ssl
import threading
import time
from typing import Any

import httpcore
import httpx
import pytest

from adsecurity.http.network import Line
from adsecurity.http.timeouts import Within, left


class Inner(httpcore.NetworkStream):
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.closed = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.asked.append((max_bytes, timeout))
        return b"x"

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.asked.append((buffer, timeout))

    def close(self) -> None:
        self.closed = True

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self.asked.append((server_hostname, timeout))
        return self

    def get_extra_info(self, info: str) -> Any:
        raise OSError


@pytest.fixture
def inner(monkeypatch: pytest.MonkeyPatch) -> Inner:
    inner = Inner()
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", lambda *args, **options: inner)
    return inner


def within(seconds: float, stop: float) -> Any:
    return Within.of(httpx.Timeout(seconds), time.monotonic() + stop).read


def test_a_time_out_is_what_is_left_of_the_attempt() -> None:
    assert left(None) is None
    assert left(5.0) == 5.0
    assert left(within(5, 60)) == 5.0
    assert 1 < (left(within(5, 2)) or 0) <= 2
    assert left(within(5, -1)) == 0.001
    assert Within.of(httpx.Timeout(5, pool=None), 0).pool is None


def test_every_step_ends_with_the_attempt_under_tls_too(inner: Inner) -> None:
    with httpx.Client() as client:
        line = Line(threading.Event(), client)
        stream = line.connect_tcp("h", 1, timeout=1.0).start_tls(ssl.create_default_context(), "h", within(5, -1))
        assert stream.read(65_536, within(5, -1)) == b"x"
        stream.write(b"w", within(5, -1))
    assert inner.asked == [("h", 0.001), (65_536, 0.001), (b"w", 0.001)]


def test_what_connects_after_the_end_is_closed_at_once(inner: Inner) -> None:
    closed = threading.Event()
    with httpx.Client() as client:
        line = Line(closed, client)
        closed.set()
        with pytest.raises(httpcore.ConnectError):
            line.connect_tcp("h", 1)
    assert inner.closed


def test_a_line_that_is_not_there_can_be_cut(inner: Inner) -> None:
    with httpx.Client() as client:
        line = Line(threading.Event(), client)
        line.hang_up()
        stream = line.connect_tcp("h", 1)
        line.hang_up()
        stream.close()


@pytest.mark.parametrize("proxy", [None, "http://p.example", "https://p.example"])
def test_every_way_out_of_a_client_is_a_line(proxy: str | None) -> None:
    with httpx.Client(proxy=proxy, mounts={"all://localhost": None}) as client:
        line = Line(threading.Event(), client)
        for transport in (client._transport, *filter(None, client._mounts.values())):
            assert isinstance(transport, httpx.HTTPTransport)
            assert transport._pool._network_backend is line
