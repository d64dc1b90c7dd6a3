"""Requests leave by httpx's transports over our network: through every proxy, over TLS, never past a deadline."""

from __future__ import annotations

import ast
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpcore
import httpx
import pytest

import adsecurity
import adsecurity_generated
from adsecurity import APITimeoutError, ConfigurationError, RetryPolicy
from adsecurity.http.network import AsyncBackend, Backend
from adsecurity.http.transport import AsyncTransport, Transport
from tests.support.demo.drivers import Driver, raw_server
from tests.support.demo.surface import GET, KEY
from tests.support.tls import certificate_file, server_context, trusting

ONE = {"thing_id": "1"}
THING = b'{"data": {"id": "1"}}'
SOURCES = Path(adsecurity.__file__).parent


@pytest.fixture(params=[None, server_context()], ids=["plain", "tls"])
def tls(request: pytest.FixtureRequest) -> ssl.SSLContext | None:
    found: ssl.SSLContext | None = request.param
    return found


@contextmanager
def answering(talk: Callable[[Any], None], tls: ssl.SSLContext | None) -> Iterator[tuple[str, list[int]]]:
    """A server, and as many numbers as connections were made to it."""
    made: list[int] = []

    def count(connection: Any) -> None:
        made.append(1)
        talk(connection)

    with contextmanager(raw_server)(count, tls) as url:
        yield url, made


def requests(connection: Any) -> Iterator[bytes]:
    """The heads of the requests of a connection."""
    received = b""
    while data := connection.recv(65_536):
        received += data
        while b"\r\n\r\n" in received:
            head, _, received = received.partition(b"\r\n\r\n")
            yield head


def answer(body: bytes = THING, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%b\r\n%b" % (len(body), headers, body)


# Private names of the libraries below


@pytest.mark.parametrize(
    ("theirs", "pool", "ours", "backend"),
    [
        (httpx.HTTPTransport, httpcore.ConnectionPool, Transport, Backend),
        (httpx.AsyncHTTPTransport, httpcore.AsyncConnectionPool, AsyncTransport, AsyncBackend),
    ],
)
def test_httpx_still_keeps_its_pool_under_the_name_by_which_ours_takes_its_place(
    theirs: Any, pool: Any, ours: Any, backend: Any
) -> None:
    assert type(theirs()._pool) is pool, "httpx keeps its pool elsewhere: see http/transport.py"
    network = backend(threading.Event())
    network.deadline = time.monotonic() - 1
    transport = ours(trusting(), None, network)
    request = httpx.Request("GET", "http://127.0.0.1:1")
    is_async = issubclass(theirs, httpx.AsyncHTTPTransport)
    send = partial(anyio.run, transport.handle_async_request) if is_async else transport.handle_request
    # The backend is asked, or this would be refused.
    with pytest.raises(httpx.ConnectTimeout, match="deadline"):
        send(request)


def test_that_name_is_the_only_private_one_of_another_library() -> None:
    used: dict[str, str] = {}
    defined: set[str] = set()
    generated = Path(adsecurity_generated.__file__).parent
    for path in (*SOURCES.rglob("*.py"), *generated.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                defined.add(node.attr)
            elif isinstance(node, ast.Attribute):
                used[node.attr] = f"{path.name}:{node.lineno}"
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                defined.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                defined.add(node.id)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                defined |= {name.name for name in node.names}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                defined.add(node.value)  # of __slots__
    private = {name for name in used if name.startswith("_") and not name.endswith("__")}
    # os._exit is public, whatever it is called.
    assert {name: used[name] for name in private - defined - {"_exit"}} == {}
    text = "".join(path.read_text("utf-8") for path in SOURCES.rglob("*.py"))
    for name in ("_transport_for_url", "_mounts", "_network_backend", "_client._transport"):
        assert name not in text
    assert text.count("(_make_pool(") + text.count("self._pool = _make_pool(") == 2


# Ways to the server


def tunnel(server: str, seen: list[bytes]) -> Callable[[Any], None]:
    """A proxy that connects to this server whatever it is asked for."""
    host, _, port = server.partition("://")[2].partition(":")

    def pump(source: Any, target: Any) -> None:
        try:
            while data := source.recv(65_536):
                target.sendall(data)
        except OSError:
            pass

    def talk(connection: Any) -> None:
        head = next(requests(connection))
        seen.append(head)
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with socket.create_connection((host, int(port))) as target:
            back = threading.Thread(target=pump, args=(target, connection), daemon=True)
            back.start()
            pump(connection, target)

    return talk


@pytest.mark.parametrize("how", ["variable", "argument"])
def test_a_call_goes_through_a_tunnel_and_the_proxy_sees_no_key(
    driver: Driver, tls: ssl.SSLContext | None, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over TLS to the proxy, that is TLS inside TLS."""
    seen: list[bytes] = []
    body = b'{"data": {"id": "1", "pad": "' + b"x" * 200_000 + b'"}}'

    def talk(connection: Any) -> None:
        for _ in requests(connection):
            connection.sendall(answer(body))

    with (
        answering(talk, server_context()) as (server, made),
        answering(tunnel(server, seen), tls) as (proxy, _),
    ):
        options: dict[str, Any] = {"verify": trusting(), "base_url": "https://far.example"}
        if how == "variable":
            monkeypatch.setenv("HTTPS_PROXY", proxy)
        else:
            # One that is named by the caller brings its own trust, if need be.
            options["proxy"] = httpx.Proxy(proxy, ssl_context=trusting() if tls else None)
        client = driver.client(**options)
        for _ in range(3):
            assert driver.call(client, "one", GET, ONE).id == "1"
        driver.run(client.close())
    assert len(made) == len(seen) == 1
    assert seen[0].startswith(b"CONNECT far.example:443 ")
    assert KEY.encode() not in b"".join(seen)


def test_hosts_of_no_proxy_are_reached_directly(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """These entries broke every call once."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "fe80::/10,10.0.0.0/8,[::1],far.example")
    client = driver.client(base_url="https://far.example:1", retry=RetryPolicy(1))
    with pytest.raises(adsecurity.APIConnectionError, match="could not connect") as caught:
        driver.call(client, "one", GET, ONE)
    assert "proxy" not in str(caught.value)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "NO_PROXY"])
def test_a_variable_of_no_use_is_named(driver: Driver, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv(variable, "gopher://u:hidden@p/")
    client = driver.client(base_url="https://far.example")
    with pytest.raises(ConfigurationError, match=rf"Demo: {variable}: ") as caught:
        driver.call(client, "one", GET, ONE)
    assert variable == "NO_PROXY" or "hidden" not in str(caught.value)


def test_a_socks_proxy_without_its_package_is_a_configuration_error(driver: Driver) -> None:
    with pytest.raises(ConfigurationError, match="socksio"):
        driver.call(driver.client(proxy="socks5://p.example"), "one", GET, ONE)


@pytest.mark.parametrize("setting", ["variable", "argument"])
def test_a_certificate_of_ones_own_authority_is_trusted_when_told(
    driver: Driver, setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def talk(connection: Any) -> None:
        for _ in requests(connection):
            connection.sendall(answer())

    file = certificate_file(tmp_path)
    with answering(talk, server_context()) as (url, _):
        with pytest.raises(adsecurity.APIConnectionError, match="certificate") as caught:
            driver.call(driver.client(base_url=url), "one", GET, ONE)
        assert caught.value.attempts == 1
        options: dict[str, Any] = {}
        if setting == "variable":
            monkeypatch.setenv("SSL_CERT_FILE", str(file))
        else:
            options["verify"] = str(file)
        client = driver.client(base_url=url, **options)
        assert driver.call(client, "one", GET, ONE).id == "1"
        driver.run(client.close())


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_missing_certificates_are_named_by_variable_and_path(
    driver: Driver, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "/no/such/place")
    with pytest.raises(ConfigurationError, match=f"{variable}=/no/such/place"):
        driver.call(driver.client(), "one", GET, ONE)


# Deadlines


def drip(connection: Any) -> None:
    next(requests(connection))
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        time.sleep(0.01)
        connection.sendall(b"a")


def flood(connection: Any) -> None:
    next(requests(connection))
    while True:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 200)


def drip_chunks(connection: Any) -> None:
    next(requests(connection))
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;")
    while True:
        time.sleep(0.01)
        connection.sendall(b"a")


@pytest.mark.parametrize("talk", [drip, flood, drip_chunks])
def test_an_answer_without_end_does_not_hold_a_call_past_its_deadline(
    driver: Driver, tls: ssl.SSLContext | None, talk: Callable[[Any], None]
) -> None:
    with answering(talk, tls) as (url, _):
        client = driver.client(base_url=url, verify=trusting())
        began = time.monotonic()
        with pytest.raises(APITimeoutError, match="no data in time"):
            driver.call(client, "raw", GET, ONE, timeout=0.4, retry=RetryPolicy(2, 0, 0, 0.5))
        assert time.monotonic() - began < 3
        driver.run(client.close())


def test_a_handshake_without_end_does_not_hold_a_call_past_its_deadline(driver: Driver) -> None:
    with contextmanager(raw_server)(lambda connection: time.sleep(5)) as url:
        client = driver.client(base_url=url.replace("http:", "https:"), verify=trusting())
        began = time.monotonic()
        with pytest.raises(APITimeoutError, match="no connection in time"):
            driver.call(client, "raw", GET, ONE, timeout=httpx.Timeout(0.4), retry=RetryPolicy(1))
        assert time.monotonic() - began < 3


def sip(connection: Any) -> None:
    while connection.recv(16_384):
        time.sleep(0.003)


def test_a_server_that_reads_slowly_does_not_hold_a_call_past_its_deadline(
    driver: Driver, tls: ssl.SSLContext | None
) -> None:
    """Each piece that it takes is in time."""
    with answering(sip, tls) as (url, _):
        client = driver.client(base_url=url, verify=trusting())
        long, timeout = "x" * 20_000_000, httpx.Timeout(0.4, write=5)
        began = time.monotonic()
        with pytest.raises(APITimeoutError, match="could not send in time"):
            driver.run(client.request("POST", "/x", json=long, timeout=timeout, retry=RetryPolicy(2, 0, 0, 0.5)))
        assert time.monotonic() - began < 2
        driver.run(client.close())


@contextmanager
def silence() -> Iterator[tuple[str, int]]:
    """An address that does not answer: nobody accepts, and the queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        for _ in range(4):
            connection = waiting.enter_context(socket.socket())
            connection.setblocking(False)
            connection.connect_ex(full.getsockname())
        yield full.getsockname()


def answer_look_ups(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    """Name servers give these addresses for `far.example`."""
    known = socket.getaddrinfo

    def look_up(host: Any, *args: Any, **options: Any) -> Any:
        if host not in ("far.example", b"far.example"):
            return known(host, *args, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def test_a_host_with_many_dead_addresses_does_not_hold_a_call_past_its_deadline(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silence() as dead:
        answer_look_ups(monkeypatch, *[dead] * 12)
        client = driver.client(base_url=f"https://far.example:{dead[1]}", verify=trusting())
        began = time.monotonic()
        with pytest.raises(APITimeoutError, match="no connection in time"):
            driver.call(client, "raw", GET, ONE, timeout=httpx.Timeout(0.3), retry=RetryPolicy(2, 0, 0, 0.5))
        assert time.monotonic() - began < 2


def test_a_live_address_behind_dead_ones_is_reached_before_the_deadline(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silence() as dead, socket.create_server(("127.0.0.2", dead[1])) as live:
        answer_look_ups(monkeypatch, dead, live.getsockname())
        backend: Any = (AsyncBackend if driver.is_async else Backend)(threading.Event())
        backend.deadline = time.monotonic() + 2
        stream = driver.run(backend.connect_tcp("far.example", dead[1], 5))
        assert time.monotonic() < backend.deadline
        assert stream.get_extra_info("server_addr")[0] == "127.0.0.2"
        driver.run(stream.aclose() if driver.is_async else stream.close())


def test_why_no_address_answered_is_told_by_the_last(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_look_ups(monkeypatch, ("127.0.0.1", 1), ("127.0.0.2", 1))
    client = driver.client(base_url="https://far.example:1", retry=RetryPolicy(1))
    with pytest.raises(adsecurity.APIConnectionError, match="could not connect"):
        driver.call(client, "one", GET, ONE)


@pytest.mark.parametrize("host", ["a..b", ".example", f"{'a' * 64}.example"])
def test_a_name_that_no_name_server_can_be_asked_for_is_a_failure_of_the_network(driver: Driver, host: str) -> None:
    backend: Any = (AsyncBackend if driver.is_async else Backend)(threading.Event())
    with pytest.raises(httpcore.ConnectError):
        driver.run(backend.connect_tcp(host, 1, 5))


# Connections that are used again, and those that are not


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PACKED = gzip.compress(THING, mtime=0)
LARGE = b'{"data": {"id": "1", "pad": "' + bytes(range(48, 90)) * 20_000 + b'"}}'
LARGE = LARGE.replace(b"\\", b"x")


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(answer(), id="length"),
        pytest.param(answer(LARGE), id="large"),
        pytest.param(answer(PACKED, b"Content-Encoding: gzip\r\n"), id="packed"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer(), id="interim"),
        pytest.param(CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(THING), THING), id="chunked"),
        pytest.param(CHUNKED + b"%x\r\n%b\r\n0\r\nT: 1\r\n\r\n" % (len(LARGE), LARGE), id="trailers"),
    ],
)
@pytest.mark.parametrize("cut", [0, 60])
def test_a_connection_is_used_by_one_call_after_the_other(
    driver: Driver, tls: ssl.SSLContext | None, response: bytes, cut: int
) -> None:
    def talk(connection: Any) -> None:
        for _ in requests(connection):
            connection.sendall(response[:cut])
            time.sleep(0.02 if cut else 0)
            connection.sendall(response[cut:])

    with answering(talk, tls) as (url, made):
        client = driver.client(base_url=url, verify=trusting())
        for _ in range(4):
            assert driver.call(client, "one", GET, ONE).id == "1"
        driver.run(client.close())
    assert len(made) == 1


EVIL = answer(b'{"data": {"id": "evil"}}')


@pytest.mark.parametrize(
    "surplus", [b"\r\n", b"X", EVIL, EVIL[:20], answer(), THING, CHUNKED + b"0\r\n\r\n", EVIL * 3000]
)
@pytest.mark.parametrize(
    "response",
    [answer(), answer(LARGE), CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(THING), THING)],
    ids=["length", "large", "chunked"],
)
def test_what_comes_behind_an_answer_is_not_taken_for_the_next_one(
    driver: Driver, tls: ssl.SSLContext | None, response: bytes, surplus: bytes
) -> None:
    def talk(connection: Any) -> None:
        for _ in requests(connection):
            connection.sendall(response + surplus)

    with answering(talk, tls) as (url, made):
        client = driver.client(base_url=url, verify=trusting(), retry=RetryPolicy(1))
        for _ in range(4):
            assert driver.call(client, "one", GET, ONE).id == "1"
            time.sleep(0.03)  # what comes later than the next request is beyond reach
        driver.run(client.close())
    assert len(made) == 4
