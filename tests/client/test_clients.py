"""Clients are set up once and checked at once, talk to their own host only, and clean up what they made."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import gc
import gzip
import inspect
import os
import pickle
import random
import re
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

import adsecurity
from adsecurity import APIConnectionError, APIStatusError, APITimeoutError, ConfigurationError, RetryPolicy
from adsecurity.http.tls import Certificates
from tests.support.demo.drivers import Driver, Server, raw_server
from tests.support.demo.surface import GET, KEY, OPERATIONS, AsyncDemo, Demo, Documented

ONE = {"thing_id": "1"}
URL = "https://api.example"


def ok(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"data": {"id": "1"}})


def made(client: Any) -> list[Any]:
    """The HTTP clients that a client has made."""
    return [connection.client for here in client._session.pool._by_loop.values() for connection in here.connections]


def recorder() -> tuple[list[httpx.Request], Callable[[httpx.Request], httpx.Response]]:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return ok(request)

    return seen, handler


# Set-up


def test_key_and_url_come_from_the_surfaces_own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADSECURITY_DEMO_API_KEY", " env-key\n")
    monkeypatch.setenv("ADSECURITY_DEMO_BASE_URL", "https://env.example/")
    client = Demo()
    assert client.base_url == "https://env.example"
    assert client._session.config.key.reveal() == "env-key"
    given = Demo(api_key="argument", base_url=URL)
    assert given.base_url == URL
    assert given._session.config.key.reveal() == "argument"


@pytest.mark.parametrize("key", [None, "", "  ", "\n"])
def test_a_missing_key_names_argument_and_variable_and_no_other_surface_lends_its_own(
    key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADSECURITY_OTHER_API_KEY", "foreign")
    monkeypatch.setenv("ADSECURITY_API_KEY", "foreign")
    for cls in (Demo, AsyncDemo):
        with pytest.raises(ConfigurationError, match=r"api_key=, or set ADSECURITY_DEMO_API_KEY"):
            cls(api_key=key, base_url=URL)


def test_an_empty_key_does_not_fall_back_on_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADSECURITY_DEMO_API_KEY", "env-key")
    with pytest.raises(ConfigurationError, match="needs an API key"):
        Demo(api_key="", base_url=URL)


@pytest.mark.parametrize("key", ["se\ncret", "se cret", "sécret", "se\x00cret", 5])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(key: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Demo(api_key=key, base_url=URL)
    assert str(key) not in str(caught.value)


def test_a_surface_without_a_documented_host_asks_for_one_and_names_the_likely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADSECURITY_OTHER_BASE_URL", "https://foreign.example")
    with pytest.raises(ConfigurationError, match=r"ADSECURITY_DEMO_BASE_URL.*https://demo\.example is likely"):
        Demo(api_key=KEY)


def test_a_documented_host_is_the_default() -> None:
    assert Documented(api_key=KEY).base_url == "https://documented.example"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example",
        "ftp://api.example",
        "api.example",
        "",
        "https://",
        "https://user:secret@api.example",
        "https://api.example?key=secret",
        "https://api.example/#secret",
        "https://api.example:port",
        "https://[half",
        "https://exa mple",
        "//api.example",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://api.localhost",
        "http://[::ffff:127.0.0.1]",
        "https://xn--a",
        "https://secret@api.example",
        "https://:secret@api.example",
        "secret@api.example",
        "secret://api.example",
        "https://a:secret@b@api.example",
        "https://a..secret",
        "https://.secret",
        "https://secret..",
        f"https://{'a' * 64}.secret",
        f"https://{'a.' * 126}secret",
    ],
)
def test_an_address_that_is_not_https_or_hides_something_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url") as caught:
        Demo(api_key=KEY, base_url=url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:80/x", "http://127.9.9.9"],
)
def test_this_machine_needs_no_https(url: str) -> None:
    assert Demo(api_key=KEY, base_url=url).base_url == url


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": 0},
        {"timeout": "5"},
        {"timeout": True},
        {"retry": 5},
        {"max_connections": 0},
        {"max_connections": True},
        {"extra_headers": {"X\n": "1"}},
        {"extra_headers": {"X": "1\r\nY: 2"}},
        {"extra_headers": {"X": "é"}},
        {"extra_headers": {"X": 1}},
        {"extra_headers": {"api-key": "other"}},
        {"extra_headers": {"Host": "other"}},
        {"on_request": "print"},
        {"routes": {"getThing": "GET"}},
        {"http_client": httpx.Client(), "transport": httpx.MockTransport(ok)},
        {"http_client": httpx.Client(), "proxy": "http://p", "verify": False},
    ],
)
def test_whatever_else_is_wrong_is_said_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="Demo"):
        Demo(api_key=KEY, base_url=URL, **wrong)


@pytest.mark.parametrize(
    ("cls", "other", "kind"), [(Demo, httpx.AsyncClient, "Client"), (AsyncDemo, httpx.Client, "AsyncClient")]
)
def test_what_the_caller_brings_must_be_of_the_same_kind(cls: Any, other: Any, kind: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"http_client must be an httpx\.{kind}$"):
        cls(api_key=KEY, base_url=URL, http_client=other())
    with pytest.raises(ConfigurationError, match=rf"transport must have .* httpx\.{kind} has"):
        cls(api_key=KEY, base_url=URL, transport=other()._transport)


def test_an_unknown_setting_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="time_out"):
        Demo(api_key=KEY, base_url=URL, time_out=5)  # type: ignore[call-arg]


# What is sent


def test_requests_carry_key_version_and_extra_headers_once(driver: Driver) -> None:
    seen, handler = recorder()
    client = driver.client(handler, extra_headers={"X-Team": "a", "X-Both": "client"})
    driver.call(client, "one", GET, ONE, extra_headers={"x-both": "call"})
    headers = seen[0].headers
    assert headers.get_list("api-key") == [KEY]
    assert headers["user-agent"].startswith(f"adsecurity/{adsecurity.__version__} ")
    assert (headers["x-team"], headers.get_list("x-both")) == ("a", ["call"])
    assert headers["accept"] == "application/json"
    assert str(seen[0].url) == "https://api.example/base/api/v2/things/1"
    with pytest.raises(ValueError, match="API-KEY"):
        driver.call(client, "one", GET, ONE, extra_headers={"API-KEY": "other"})


def test_an_injected_client_sends_our_user_agent_and_follows_no_redirect(driver: Driver) -> None:
    seen, handler = recorder()

    def redirecting(request: httpx.Request) -> httpx.Response:
        handler(request)
        return httpx.Response(302, headers={"Location": "https://elsewhere.example/x"})

    transport = httpx.MockTransport(redirecting)
    make = httpx.AsyncClient if driver.is_async else httpx.Client
    client = driver.client(http_client=make(transport=transport, follow_redirects=True, headers={"X-Own": "1"}))
    with pytest.raises(APIStatusError):
        driver.call(client, "one", GET, ONE)
    assert len(seen) == 1
    assert seen[0].headers["x-own"] == "1"
    assert seen[0].headers["user-agent"].startswith("adsecurity/")


def test_a_redirect_is_an_error_and_the_second_host_hears_nothing(
    driver: Driver, server: Server, second_server: Server
) -> None:
    server.answers[:] = [(307, {"Location": f"{second_server.url}/take?token=secret"}, b"")]
    client = driver.client(base_url=server.url)
    with pytest.raises(APIStatusError, match="Redirects are not followed") as caught:
        driver.call(client, "one", GET, ONE)
    assert second_server.seen == []
    assert caught.value.headers["location"] == f"{second_server.url}/take"


def test_a_netrc_file_is_never_read(
    driver: Driver, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password hidden\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    driver.call(driver.client(base_url=server.url), "one", GET, ONE)
    assert "authorization" not in server.seen[0].headers


@pytest.mark.parametrize("how", ["variable", "argument"])
def test_proxies_are_asked_for_a_tunnel_and_never_see_the_key(
    driver: Driver, server: Server, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers[:] = [(403, {}, b"")]
    options: dict[str, Any] = {"retry": RetryPolicy(1)}
    if how == "variable":
        monkeypatch.setenv("HTTPS_PROXY", server.url)
    else:
        options["proxy"] = server.url
    with pytest.raises(APIConnectionError, match="the proxy refused"):
        driver.call(driver.client(**options), "one", GET, ONE)
    assert [(seen.method, seen.path) for seen in server.seen] == [("CONNECT", "api.example:443")]
    assert KEY not in server.everything()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_never_reached_through_a_proxy_variable(
    driver: Driver, server: Server, second_server: Server, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, second_server.url)
    driver.call(driver.client(base_url=server.url.replace("127.0.0.1", host)), "one", GET, ONE)
    assert second_server.seen == []
    assert len(server.seen) == 1


def inside(driver: Driver, call: Callable[[], Any]) -> Any:
    """Call something that wants to be in the event loop of an async client."""

    async def in_the_loop() -> Any:
        return call()

    return driver.run(in_the_loop()) if driver.is_async else call()


def test_a_storage_client_has_no_key_and_follows_nothing(driver: Driver, server: Server) -> None:
    client = driver.client(base_url=server.url, extra_headers={"X-Secret": "hidden"})
    storage = inside(driver, client._session.pool.storage_connection).client
    server.answers[:] = [(302, {"Location": server.url}, b"")]
    response = driver.run(storage.get(server.url))
    assert response.status_code == 302
    assert KEY not in server.everything()
    assert "hidden" not in server.everything()
    driver.run(storage.aclose() if driver.is_async else storage.close())


def context(verify: Any = True) -> ssl.SSLContext:
    return Certificates(verify).context()


def test_certificates_are_checked_unless_told_otherwise(tmp_path: Path) -> None:
    assert context().verify_mode is ssl.CERT_REQUIRED
    assert context() is context()
    assert context(False).verify_mode is ssl.CERT_NONE
    assert not context(False).check_hostname
    own = ssl.create_default_context()
    assert context(own) is own
    import certifi

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert context(certifi.where()).cert_store_stats()["x509_ca"] > 10
        assert context(str(tmp_path)).verify_mode is ssl.CERT_REQUIRED


def test_the_same_certificates_are_trusted_as_by_the_http_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert context().get_ca_certs() == httpx.create_ssl_context().get_ca_certs()


def test_another_certificate_variable_makes_another_context(monkeypatch: pytest.MonkeyPatch) -> None:
    import certifi

    before = context()
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    monkeypatch.setenv("SSL_CERT_DIR", "/ignored")
    assert context() is not before


def test_certificates_are_read_before_the_first_call_needs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Certificates] = []
    monkeypatch.setattr(Certificates, "begin", lambda certificates: begun.append(certificates))
    Demo(api_key=KEY, base_url=URL)
    assert len(begun) == 1
    Demo(api_key=KEY, base_url="http://127.0.0.1")
    Demo(api_key=KEY, base_url=URL, transport=httpx.MockTransport(ok))
    Demo(api_key=KEY, base_url=URL, http_client=httpx.Client(transport=httpx.MockTransport(ok)))
    assert len(begun) == 1


def test_what_is_wrong_with_certificates_is_said_when_they_are_needed(tmp_path: Path) -> None:
    certificates = Certificates(str(tmp_path / "missing"))
    certificates.begin()
    with pytest.raises(ConfigurationError, match=r"verify=.*missing"):
        certificates.context()


@pytest.mark.parametrize(
    ("options", "text"),
    [({"proxy": "gopher://u:hidden@p.example"}, "Unknown scheme"), ({"verify": "/no/such/file"}, "No such file")],
)
def test_a_proxy_or_a_certificate_of_no_use_is_a_configuration_error(
    driver: Driver, options: dict[str, Any], text: str
) -> None:
    client = driver.client(**options)
    with pytest.raises(ConfigurationError, match=text) as caught:
        driver.call(client, "one", GET, ONE)
    assert "hidden" not in str(caught.value)
    with pytest.raises(ConfigurationError, match=text):
        client._session.pool.storage_connection()


PROXY_NAMES = ["a..hidden", ".hidden", f"{'a' * 64}.hidden", "xn--a.hidden"]


@pytest.mark.parametrize("kind", [str, httpx.URL, httpx.Proxy])
@pytest.mark.parametrize("host", PROXY_NAMES)
def test_a_proxy_whose_name_cannot_be_looked_up_is_refused(driver: Driver, host: str, kind: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Demo: proxy must have a host that can be looked up") as caught:
        driver.client(proxy=kind(f"http://user:hidden@{host}:1"))
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("host", PROXY_NAMES)
def test_a_proxy_whose_name_cannot_be_looked_up_is_our_error(
    driver: Driver, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:hidden@{host}:1")
    client = driver.client(retry=RetryPolicy(1))
    with pytest.raises(ConfigurationError, match=r"Demo: HTTPS_PROXY is no address of a proxy") as caught:
        driver.call(client, "one", GET, ONE)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://example.", "https://[::1]", f"https://{'a' * 63}.example", "https://a_b.c"])
def test_what_may_be_a_host_is_none_of_the_constructors_business(url: str) -> None:
    assert Demo(api_key=KEY, base_url=url, proxy=url).base_url == url


# Routes


def test_routes_are_listed_with_their_evidence_and_corrections() -> None:
    client = Demo(api_key=KEY, base_url=URL, routes={"getThing": "POST /v3/{thingID}"})
    routes = {route.operation: route for route in client.routes()}
    assert len(routes) == len(OPERATIONS)
    changed, known = routes["getThing"], routes["knownThing"]
    assert (changed.method, changed.path, changed.evidence) == ("POST", "/v3/{thingID}", "override")
    assert (known.resource, known.method, known.evidence) == ("things.knownThing", "GET", "documented")


def test_a_corrected_route_is_called(driver: Driver) -> None:
    seen, handler = recorder()
    client = driver.client(handler, routes={"getThing": " POST   /v3/{thingID}/full "})
    driver.call(client, "one", GET, {"thing_id": "a/b"})
    assert (seen[0].method, seen[0].url.raw_path) == ("POST", b"/base/v3/a%2Fb/full")


@pytest.mark.parametrize(
    ("operation", "route", "why"),
    [
        ("getThings", "GET /x/{thingID}", "no operation 'getThings'; getThing?"),
        ("zzz", "GET /x", "no operation 'zzz'"),
        ("getThing", None, "must be a string, not NoneType"),
        ("getThing", "/x/{thingID}", "must look like 'GET /api/v2/things/{thingID}'"),
        ("getThing", "FETCH /x/{thingID}", "must look like"),
        ("getThing", "GET https://evil.example/{thingID}", "must look like"),
        ("getThing", "GET x/{thingID}", "must look like"),
        ("getThing", "GET /x?id={thingID}", "must look like"),
        ("getThing", "GET /x", "must have the placeholders of /api/v2/things/{thingID}"),
        ("getThing", "GET /x/{id}", "placeholders"),
        ("getThing", "GET /x/{thingID}/{thingID}", "placeholders"),
    ],
)
def test_a_correction_that_cannot_work_is_refused(operation: str, route: Any, why: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Demo(api_key=KEY, base_url=URL, routes={operation: route})
    assert why in str(caught.value)


# Copies, closing, sharing


def test_a_copy_has_its_own_settings_and_the_same_connections(driver: Driver) -> None:
    seen, handler = recorder()
    events: list[str] = []
    client = driver.client(
        handler,
        extra_headers={"X-A": "1"},
        routes={"knownThing": "GET /k/{thingID}"},
        on_request=lambda event: events.append("first"),
        on_response=lambda event: events.append("kept"),
    )
    copy_ = client.with_options(
        timeout=7,
        retry=RetryPolicy(1),
        extra_headers={"X-B": "2"},
        routes={"getThing": "GET /v3/{thingID}"},
        on_request=lambda event: events.append("second"),
    )
    assert type(copy_) is type(client)
    driver.call(copy_, "one", GET, ONE)
    assert events == ["second", "kept"]
    assert seen[0].url.path == "/base/v3/1"
    assert (seen[0].headers["x-a"], seen[0].headers["x-b"]) == ("1", "2")
    assert seen[0].extensions["timeout"]["read"] == 7
    assert copy_._session.retry.attempts == 1
    assert len(copy_._session.config.routes) == 2
    assert client._session.retry.attempts == 5
    assert copy_._session.pool is client._session.pool
    with pytest.raises(ConfigurationError, match="timeout"):
        client.with_options(timeout=-1)


def test_closing_a_copy_closes_nothing_and_closing_the_client_closes_its_copies(driver: Driver) -> None:
    client = driver.client(ok)
    copy_ = client.with_options(timeout=5)
    driver.run(copy_.close())
    driver.call(copy_, "one", GET, ONE)
    driver.run(client.close())
    driver.run(client.close())
    for closed in (client, copy_):
        with pytest.raises(ConfigurationError, match="is closed"):
            driver.call(closed, "one", GET, ONE)


def test_a_with_block_closes_the_connections(server: Server) -> None:
    with Demo(api_key=KEY, base_url=server.url) as client:
        client._api.one(GET, ONE)
        (http,) = made(client)
    assert http.is_closed

    async def run() -> bool:
        async with AsyncDemo(api_key=KEY, base_url=server.url) as client:
            await client._api.one(GET, ONE)
            (http,) = made(client)
        again = AsyncDemo(api_key=KEY, base_url=server.url)
        await again._api.one(GET, ONE)
        await again.aclose()
        return http.is_closed

    assert asyncio.run(run())


class Closeable(httpx.MockTransport):
    closed = False

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


def test_what_the_caller_brought_the_caller_closes(driver: Driver) -> None:
    transport = Closeable(ok)
    http = (httpx.AsyncClient if driver.is_async else httpx.Client)(transport=Closeable(ok))
    for options in ({"transport": transport}, {"http_client": http}):
        client = driver.client(**options)
        driver.call(client, "one", GET, ONE)
        pool = client._session.pool
        connection = inside(driver, pool.storage_connection)
        driver.run(pool.end_storage(connection))
        driver.run(client.close())
        with pytest.raises(ConfigurationError, match="is closed"):
            driver.call(client, "one", GET, ONE)
    assert not transport.closed
    assert not http.is_closed


def test_a_forgotten_close_warns_and_an_unused_client_does_not(driver: Driver, server: Server) -> None:
    cls: Any = AsyncDemo if driver.is_async else Demo
    cls(api_key=KEY, base_url=server.url)
    gc.collect()
    forgotten = [cls(api_key=KEY, base_url=server.url)]
    inside(driver, lambda: forgotten[0]._session.pool.borrow(forgotten[0]._session.pool.here()))
    with pytest.warns(ResourceWarning, match=f"unclosed {cls.__name__}: use it in a with block"):
        forgotten.clear()


def test_many_threads_share_a_client(server: Server) -> None:
    with Demo(api_key=KEY, base_url=server.url, max_connections=4) as client, ThreadPoolExecutor(12) as threads:
        things = list(threads.map(lambda _: client._api.one(GET, ONE).id, range(120)))
        assert 1 <= len(made(client)) <= 4
    assert things == ["1"] * 120


def test_more_calls_than_connections_wait_for_one_as_long_as_they_may(driver: Driver) -> None:
    client = driver.client(ok, max_connections=1, retry=RetryPolicy(1))
    pool = client._session.pool

    def exhausted() -> Any:
        here = pool.here()
        return here, here.permits.acquire_nowait() if driver.is_async else here.permits.get_nowait()

    async def run_async() -> None:
        here, _ = exhausted()
        with pytest.raises(APITimeoutError, match="max_connections="):
            await client._api.one(GET, ONE, timeout=0.05)
        here.permits.release()
        first, second = await asyncio.gather(*(client._api.one(GET, ONE) for _ in range(2)))
        assert first.to_dict() == second.to_dict()

    if driver.is_async:
        driver.run(run_async())
    else:
        here, permit = exhausted()
        with pytest.raises(APITimeoutError, match="max_connections="):
            client._api.one(GET, ONE, timeout=0.05)
        here.permits.put(permit)
        client._api.one(GET, ONE)
    assert len(made(client)) == 1


def test_a_client_brought_by_the_caller_is_used_by_all_calls(driver: Driver) -> None:
    http = (httpx.AsyncClient if driver.is_async else httpx.Client)(transport=httpx.MockTransport(ok))
    client = driver.client(http_client=http)
    for _ in range(3):
        driver.call(client, "one", GET, ONE)
    assert made(client) == []
    assert [here.idle for here in client._session.pool._by_loop.values()] == [[]]


@pytest.mark.parametrize("hooked", [False, True])
def test_a_compressed_answer_is_read_also_where_a_hook_of_the_callers_client_has_read_it(
    driver: Driver, server: Server, hooked: bool
) -> None:
    content = b'{"data": {"id": "' + b"1" * 300_000 + b'"}}'
    server.answers[:] = [(200, {"Content-Encoding": "gzip"}, gzip.compress(content))]

    async def read(response: httpx.Response) -> None:
        await response.aread()

    hook: Any = read if driver.is_async else httpx.Response.read
    options = {}
    if hooked:
        made = httpx.AsyncClient if driver.is_async else httpx.Client
        options["http_client"] = made(event_hooks={"response": [hook]})
    client = driver.client(base_url=server.url, **options)
    assert driver.call(client, "raw", GET, ONE).content == content
    if hooked:
        driver.run(options["http_client"].aclose() if driver.is_async else options["http_client"].close())


def _in_halves(line: socket.socket) -> None:
    body = b'{"data": {"id": "1"}}'
    while line.recv(65_536):
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:5])
        time.sleep(random.random() * 0.02)
        line.sendall(body[5:])


def test_calls_cancelled_at_any_moment_take_no_connection_with_them() -> None:
    async def one(client: AsyncDemo) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(client._api.one(GET, ONE), random.random() * 0.02)

    async def run(url: str) -> None:
        retry = RetryPolicy(attempts=1)
        async with AsyncDemo(api_key=KEY, base_url=url, retry=retry, timeout=2, max_connections=3) as client:
            for _ in range(100):
                await asyncio.gather(*(one(client) for _ in range(5)))
            for _ in range(9):
                assert (await client._api.one(GET, ONE)).id == "1"
            assert len(made(client)) <= 3

    with contextlib.contextmanager(raw_server)(_in_halves) as url:
        asyncio.run(run(url))


def test_no_cookie_is_kept(driver: Driver, server: Server) -> None:
    server.answers[:] = [(200, {"Set-Cookie": "session=abc; Path=/"}, b'{"data": {"id": "1"}}')]
    client = driver.client(base_url=server.url)
    for _ in range(2):
        driver.call(client, "one", GET, ONE)
    assert [seen.headers.get("cookie") for seen in server.seen] == [None, None]


def test_a_client_is_not_pickled_or_copied() -> None:
    client = Demo(api_key=KEY, base_url=URL)
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="make one in each process"):
            attempt(client)


def test_a_forked_process_gets_connections_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Demo(api_key=KEY, base_url="http://127.0.0.1")
    brought: dict[str, Any] = {
        "http_client": httpx.Client(transport=httpx.MockTransport(ok)),
        "transport": httpx.MockTransport(ok),
    }
    injected = [(name, Demo(api_key=KEY, base_url=URL, **{name: it})) for name, it in brought.items()]
    pool = client._session.pool
    ours = pool.borrow(pool.here())
    pool.give_back(pool.here(), ours)
    assert pool.borrow(pool.here()) is ours
    pool.give_back(pool.here(), ours)
    pid = os.getpid()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: pid + 1)
        theirs = pool.borrow(pool.here())
        assert theirs is not ours
        pool.give_back(pool.here(), theirs)
        for name, other in injected:
            for shared in (other._session.pool, other._session.pool.smaller()):
                with pytest.raises(ConfigurationError, match=f"{name} was made before this process was forked"):
                    shared.borrow(shared.here())
                with pytest.raises(ConfigurationError, match=f"{name} was made before this process was forked"):
                    shared.storage_connection()
        client.close()
    assert theirs.client.is_closed
    assert not ours.client.is_closed
    ours.client.close()


def test_parent_and_child_both_call_after_a_fork(server: Server) -> None:
    script = f"""
        import os
        from tests.support.demo.surface import Demo, GET, KEY
        with Demo(api_key=KEY, base_url={server.url!r}) as client:
            call = lambda: client._api.one(GET, {{"thing_id": "1"}}).id
            assert call() == "1"
            child = os.fork()
            if child == 0:
                assert call() == "1"
                client.close()
                os._exit(7)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
            assert call() == "1"
    """
    subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(script)], check=True, timeout=60)
    assert len(server.seen) == 3


def test_an_async_client_works_in_one_loop_after_another(server: Server) -> None:
    client = AsyncDemo(api_key=KEY, base_url=server.url)

    async def call(last: bool) -> Any:
        thing = await client._api.one(GET, ONE)
        if last:
            await client.close()
        else:
            await made(client)[0].aclose()
        return thing.id

    assert [asyncio.run(call(last)) for last in (False, False, True)] == ["1", "1", "1"]


def test_connections_of_loops_that_are_over_are_forgotten(server: Server) -> None:
    client = AsyncDemo(api_key=KEY, base_url=server.url, transport=httpx.MockTransport(ok))
    for _ in range(3):
        asyncio.run(client._api.one(GET, ONE))
    assert len(client._session.pool._by_loop) == 1


def test_a_worker_has_a_small_pool_of_its_own(driver: Driver, server: Server) -> None:
    client = driver.client(base_url=server.url)
    worker = client._session.spawn()
    driver.run(worker.run(GET, ONE))
    assert worker.pool is not client._session.pool
    assert worker.pool.settings.max_connections == 1
    driver.run(worker.close())
    driver.call(client, "one", GET, ONE)


def test_repr_names_the_address_and_nothing_secret() -> None:
    client = Demo(api_key=KEY, base_url=URL, extra_headers={"X": "hidden"}, proxy="http://u:hidden@p.example")
    assert repr(client) == "<Demo base_url='https://api.example'>"
    shown = repr((vars(client), vars(client._session), client._session.config, client._session.pool.settings))
    assert KEY not in shown
    assert "hidden" not in shown


def test_sync_calls_in_threads_end_before_close_returns(server: Server) -> None:
    client = Demo(api_key=KEY, base_url=server.url)
    stop = threading.Event()
    future = client._session.background.submit(lambda: client._api.one(GET, ONE), stop)
    client.close()
    assert future.done()


CLIENTS = (
    adsecurity.NetworkClient,
    adsecurity.AsyncNetworkClient,
    adsecurity.AdsecurityClient,
    adsecurity.AsyncAdsecurityClient,
)


@pytest.mark.parametrize("method", ["__init__", "with_options", "request", "paginate"])
@pytest.mark.parametrize("cls", CLIENTS)
def test_docstrings_explain_every_argument(cls: type[Any], method: str) -> None:
    function = getattr(cls, method)
    arguments = [name for name in inspect.signature(function).parameters if name != "self"]
    text = inspect.getdoc(function) or ""
    listed = re.search(r"\nArgs:\n(.*?)\n\n", text, re.DOTALL)
    assert listed is not None
    assert re.findall(r"^    (\w+): .", listed[1], re.MULTILINE) == arguments
