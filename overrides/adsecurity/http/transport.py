"""How requests leave: httpx's own transports over a network that we see, and HTTP clients over them.

They differ from httpx's in what they send through: pools with a `network_backend`, the sync one without locks. `_pool`
is the one private name of another library that the package needs, because httpx has no argument for it.
"""

from __future__ import annotations

import math
import ssl
import threading
from collections.abc import Callable
from http.cookiejar import CookieJar
from typing import Any, Generic, TypeVar, cast

import httpcore
import httpx

from ..errors import ConfigurationError
from .config import USER_AGENT
from .network import AsyncBackend, Backend
from .proxies import check_socks, find_proxy
from .response import ACCEPT_ENCODING

C = TypeVar("C", httpx.Client, httpx.AsyncClient)
T = TypeVar("T")

FindProxy = Callable[[httpx.URL], httpx.Proxy | None]
_KEEP_ALIVE = 5.0  # seconds, as in httpx
_SYNC_POOLS = (httpcore.ConnectionPool, httpcore.HTTPProxy, httpcore.SOCKSProxy)
_ASYNC_POOLS = (httpcore.AsyncConnectionPool, httpcore.AsyncHTTPProxy, httpcore.AsyncSOCKSProxy)


def proxy_finder(given: str | httpx.URL | httpx.Proxy | None, label: str) -> FindProxy:
    """The proxy that the caller names, for every host; without one, what the environment says."""
    if given is not None:
        proxy = given if isinstance(given, httpx.Proxy) else httpx.Proxy(given)
        check_socks("proxy=", proxy.url.scheme)
        return lambda url: proxy

    def find(url: httpx.URL) -> httpx.Proxy | None:
        try:
            return find_proxy(url)
        except ConfigurationError as error:
            raise ConfigurationError(f"{label}: {error}") from None

    return find


def _make_pool(
    pools: tuple[Any, Any, Any], tls: ssl.SSLContext, proxy: httpx.Proxy | None, backend: Backend | AsyncBackend
) -> Any:
    """What httpx makes of the same settings, and the backend besides."""
    options: dict[str, Any] = {
        "ssl_context": tls,
        "max_connections": 1,
        "keepalive_expiry": _KEEP_ALIVE,
        "network_backend": backend,
    }
    direct, through_http, through_socks = pools
    if proxy is None:
        return direct(**options)
    url = proxy.url
    options["proxy_url"] = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    options["proxy_auth"] = proxy.raw_auth
    if url.scheme not in ("http", "https"):
        return through_socks(**options)
    if url.scheme == "https":
        options["proxy_ssl_context"] = proxy.ssl_context or tls
    return through_http(proxy_headers=proxy.headers.raw, **options)


class LockFreePool:
    """What the transport sends through: the one connection that a pool of httpcore would make, without that pool.

    An interrupt while the pool holds its lock leaves it taken, and the pool then waits for it, in the same call, for
    ever. Nothing here is shared, so nothing has to be locked.
    """

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._maker = pool
        self._connection: httpcore.ConnectionInterface | None = None

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send on the connection as it is, or on a new one; the server may have closed it since."""
        if request.url.scheme not in (b"http", b"https"):
            raise httpcore.UnsupportedProtocol(f"Request URL has an unsupported protocol {request.url.scheme!r}.")
        connection = self._connection
        if connection is None or not connection.is_idle() or connection.has_expired():
            self.close()
            connection = self._connection = self._maker.create_connection(request.url.origin)
        return connection.handle_request(request)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Transport(httpx.HTTPTransport):
    """The way to one host, lent to one call at a time."""

    def __init__(self, tls: ssl.SSLContext, proxy: httpx.Proxy | None, backend: Backend) -> None:
        super().__init__(verify=tls, trust_env=False, proxy=proxy)
        self._pool = cast("Any", LockFreePool(_make_pool(_SYNC_POOLS, tls, proxy, backend)))


class AsyncTransport(httpx.AsyncHTTPTransport):
    """As `Transport`."""

    def __init__(self, tls: ssl.SSLContext, proxy: httpx.Proxy | None, backend: AsyncBackend) -> None:
        super().__init__(verify=tls, trust_env=False, proxy=proxy)
        self._pool = _make_pool(_ASYNC_POOLS, tls, proxy, backend)


class Router(Generic[T]):
    """The transports of one connection, one for each host and port; mostly there is a single one."""

    def __init__(self, make: Callable[[httpx.Proxy | None], T], find: FindProxy) -> None:
        self._make = make
        self._find = find
        self._transports: dict[tuple[bytes, bytes, int | None], T] = {}

    def to(self, url: httpx.URL) -> T:
        origin = (url.raw_scheme, url.raw_host, url.port)
        found = self._transports.get(origin)
        if found is None:
            found = self._transports[origin] = self._make(self._find(url))
        return found

    def all(self) -> list[T]:
        return list(self._transports.values())


class RoutingTransport(httpx.BaseTransport):
    """Sends each request through the proxy of its host. `deadline`, on the monotonic clock, ends what is under way."""

    def __init__(self, tls: ssl.SSLContext, find: FindProxy, closed: threading.Event) -> None:
        self.backend = Backend(closed)
        self._router = Router(lambda proxy: Transport(tls, proxy, self.backend), find)

    @property
    def deadline(self) -> float:
        return self.backend.deadline

    @deadline.setter
    def deadline(self, deadline: float) -> None:
        self.backend.deadline = deadline

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._router.to(request.url).handle_request(request)

    def close(self) -> None:
        for transport in self._router.all():
            transport.close()


class AsyncRoutingTransport(httpx.AsyncBaseTransport):
    """As `RoutingTransport`."""

    def __init__(self, tls: ssl.SSLContext, find: FindProxy, closed: threading.Event) -> None:
        self.backend = AsyncBackend(closed)
        self._router = Router(lambda proxy: AsyncTransport(tls, proxy, self.backend), find)

    @property
    def deadline(self) -> float:
        return self.backend.deadline

    @deadline.setter
    def deadline(self, deadline: float) -> None:
        self.backend.deadline = deadline

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._router.to(request.url).handle_async_request(request)

    async def aclose(self) -> None:
        self.backend.give_up()
        for transport in self._router.all():
            await transport.aclose()


class UnclosedTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The caller's transport, which the HTTP client around it does not close."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = self._transport.handle_request(request)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = await self._transport.handle_async_request(request)
        return response


class _NoCookies(CookieJar):
    """Keeps none, and does not take the time to look for them."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        pass

    def add_cookie_header(self, request: Any) -> None:
        pass


class Connection(Generic[C]):
    """An HTTP client over one connection, which is lent to one call at a time.

    Shared by many threads, one client of httpx now and then closes a connection that another thread has just been
    given; shared by many tasks, it gets slower with each.
    """

    def __init__(self, client: C, transport: Any) -> None:
        self.client: C = client
        self.transport = transport
        """What the client sends by; None where the caller brought the client."""
        self._own = transport if isinstance(transport, RoutingTransport | AsyncRoutingTransport) else None
        """None where the caller brought the client or its transport."""

    def set_deadline(self, deadline: float = math.inf) -> None:
        """When all that is sent and read here must be over, on the monotonic clock."""
        if self._own is not None:
            self._own.deadline = deadline

    def is_reusable(self, response: httpx.Response, last: bytes) -> bool:
        """Whether nothing came behind an answer that was read to its end; `last` is the last raw piece of its body."""
        stream = None if self._own is None else self._own.backend.stream
        if stream is None:
            return True
        return stream.state.ends_with(last, chunked="transfer-encoding" in response.headers)

    def hang_up(self) -> None:
        """Wake the thread that waits for something here."""
        stream = self._own.backend.stream if isinstance(self._own, RoutingTransport) else None
        if stream is not None:
            stream.hang_up()

    def abort(self) -> None:
        """Let go of the socket alone: an interrupt may have left the locks of the HTTP library taken for ever."""
        stream = self._own.backend.stream if isinstance(self._own, RoutingTransport) else None
        if stream is not None:
            stream.close()


def connect_over(kind: type[C], transport: Any) -> Connection[C]:
    """A new HTTP client over this transport, which follows nothing, keeps nothing and reads no environment."""
    client = kind(
        transport=transport,
        timeout=None,
        trust_env=False,
        follow_redirects=False,
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": ACCEPT_ENCODING},
        cookies=_NoCookies(),
    )
    return Connection(client, transport)
