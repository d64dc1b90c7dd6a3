"""The base of all clients: it checks settings at once, opens connections when needed, and closes those it opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, Self, TypeVar

from adsecurity_generated._operation import Surface
from adsecurity_generated._resource import described

from ..errors import ConfigurationError
from ..events import Hooks, OnError, OnPage, OnPoll, OnRequest, OnResponse, OnRetry
from ..http.config import (
    MAX_RESPONSE_BYTES,
    MIN_BYTES_PER_MINUTE,
    Config,
    PoolSettings,
    RouteInfo,
    check_host,
    find_base_url,
    find_key,
)
from ..http.retry import RetryPolicy
from ..http.tls import Certificates
from .custom import AsyncCustomCalls, CustomCalls

if TYPE_CHECKING:
    import ssl

    import httpx

    from ..http.config import Timeout
    from ..http.session import AsyncSession, SyncSession
    from .api import AsyncAPI, SyncAPI


H = TypeVar("H")
"""The type of the HTTP client that callers may pass."""
Tr = TypeVar("Tr")
"""The type of the transport that callers may pass."""


class _Client(Generic[H, Tr]):
    """Everything that sync and async clients share."""

    _surface: ClassVar[Surface]
    _session: Any
    _api: Any
    _owner = True

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: Timeout | None = None,
        retry: RetryPolicy | None = None,
        max_connections: int = 100,
        extra_headers: Mapping[str, str] | None = None,
        proxy: str | httpx.URL | httpx.Proxy | None = None,
        verify: bool | str | ssl.SSLContext = True,
        http_client: H | None = None,
        transport: Tr | None = None,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        min_bytes_per_minute: int = MIN_BYTES_PER_MINUTE,
        routes: Mapping[str, str] | None = None,
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
        on_error: OnError | None = None,
        on_retry: OnRetry | None = None,
        on_page: OnPage | None = None,
        on_poll: OnPoll | None = None,
    ) -> None:
        """Check all settings; nothing is sent. Async clients await what a hook returns.

        Args:
            api_key: The key. Default: the variable of this API, `ADSECURITY_NETWORK_API_KEY` or `ADSECURITY_API_KEY`.
            base_url: The address of the API, https unless it is this machine. Default: the variable
                `ADSECURITY_NETWORK_BASE_URL` or `ADSECURITY_BASE_URL`, then the documented address, if any.
            timeout: Seconds for reading and for writing, at most 5 of them for connecting; or an `httpx.Timeout`.
                Default: 60 seconds.
            retry: How calls are retried. Default: `RetryPolicy()`, 5 attempts in at most 180 seconds.
            max_connections: So many calls are under way at once, others wait. Default: 100.
            extra_headers: Sent with every call. Default: none.
            proxy: The address of a proxy, as in httpx. Default: the variables that curl reads, such as `HTTPS_PROXY`.
            verify: As in httpx: True, False, a file of certificates, or an SSL context. Default: True, with the
                certificates of `SSL_CERT_FILE` or `SSL_CERT_DIR` where these are set.
            http_client: An httpx client that brings the connections; it is not closed. Default: one of ours.
            transport: An httpx transport that brings the connections, under a client of ours; it is not closed.
                Default: one of ours.
            max_response_bytes: An answer with more bytes, unpacked, is a `ResponseDecodeError`. Default: 256 MiB.
            min_bytes_per_minute: A transfer of a file that brings fewer bytes in a minute of waiting is tried again,
                and ends in a `DownloadError`. Default: 60,000 bytes.
            routes: Corrections of routes: "METHOD /path" by operationId. Default: those of `client.routes()`.
            on_request: Called with a `RequestEvent` before each attempt is sent. Default: no hook.
            on_response: Called with a `ResponseEvent` for each answer, whatever its status. Default: no hook.
            on_error: Called with an `ErrorEvent` for each attempt that got no answer. Default: no hook.
            on_retry: Called with a `RetryEvent` when an attempt is made again. Default: no hook.
            on_page: Called with a `PageEvent` for each page of a list. Default: no hook.
            on_poll: Called with a `PollEvent` when the state of an export was asked for. Default: no hook.

        Raises:
            ConfigurationError: a setting is missing or wrong; the message says which.
        """
        label, surface = type(self).__name__, self._surface
        key = find_key(surface, api_key, label)
        # Tracebacks with local variables would show the key.
        del api_key
        if isinstance(key, ConfigurationError):
            raise key
        own = {"proxy": proxy is not None, "verify": verify is not True, "transport": transport is not None}
        if http_client is not None and any(own.values()):
            names = ", ".join(name for name, given in own.items() if given)
            raise ConfigurationError(f"{label}: http_client brings its own connections; {names} would do nothing")
        counts = {
            "max_connections": max_connections,
            "max_response_bytes": max_response_bytes,
            "min_bytes_per_minute": min_bytes_per_minute,
        }
        for name, count in counts.items():
            if type(count) is not int or count < 1:
                raise ConfigurationError(f"{label}: {name} must be a whole number from 1 on")
        url = find_base_url(surface, base_url, label)
        # As above: the key may be in it.
        del base_url
        if isinstance(url, ConfigurationError):
            raise url
        certificates = Certificates(verify)
        if http_client is None and transport is None and url.startswith("https://"):
            certificates.begin()
        check_host(url, f"{label}: base_url")
        if proxy is not None:
            check_host(getattr(proxy, "url", proxy), f"{label}: proxy")
        config = Config(surface, key, url, label=label)
        hooks = Hooks(on_request, on_response, on_retry, on_page, on_poll, on_error)
        config = config.changed(timeout, retry, extra_headers, routes, hooks)
        settings = PoolSettings(
            label,
            max_connections,
            proxy,
            certificates,
            transport,
            http_client,
            max_response_bytes,
            min_bytes_per_minute,
        )
        self._session = self._make_session(config, settings)
        self._api = self._make_api(self._session)

    @staticmethod
    def _make_session(config: Config, settings: PoolSettings) -> Any:
        raise NotImplementedError

    @staticmethod
    def _make_api(session: Any) -> Any:
        raise NotImplementedError

    def with_options(
        self,
        *,
        timeout: Timeout | None = None,
        retry: RetryPolicy | None = None,
        extra_headers: Mapping[str, str] | None = None,
        routes: Mapping[str, str] | None = None,
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
        on_error: OnError | None = None,
        on_retry: OnRetry | None = None,
        on_page: OnPage | None = None,
        on_poll: OnPoll | None = None,
    ) -> Self:
        """A client with other settings that shares the connections. What is left out stays; closing it closes nothing.

        Args:
            timeout: Seconds, or an `httpx.Timeout`.
            retry: How calls are retried.
            extra_headers: Sent in addition to those of this client.
            routes: Corrections of routes in addition to those of this client.
            on_request: Called with a `RequestEvent` before each attempt is sent.
            on_response: Called with a `ResponseEvent` for each answer, whatever its status.
            on_error: Called with an `ErrorEvent` for each attempt that got no answer.
            on_retry: Called with a `RetryEvent` when an attempt is made again.
            on_page: Called with a `PageEvent` for each page of a list.
            on_poll: Called with a `PollEvent` when the state of an export was asked for.

        Raises:
            ConfigurationError: a setting is wrong; the message says which.
        """
        hooks = Hooks(on_request, on_response, on_retry, on_page, on_poll, on_error)
        copy = object.__new__(type(self))
        copy._owner = False
        copy._session = self._session.with_config(
            self._session.config.changed(timeout, retry, extra_headers, routes, hooks)
        )
        copy._api = self._make_api(copy._session)
        return copy

    @property
    def base_url(self) -> str:
        config: Config = self._session.config
        return config.base_url

    def routes(self) -> list[RouteInfo]:
        """Every operation of this API with its method, its path, and the evidence for them."""
        config: Config = self._session.config
        return config.list_routes()

    def __repr__(self) -> str:
        # Crash reports call this even when the constructor has failed.
        url = self.base_url if "_session" in self.__dict__ else None
        return f"<{type(self).__name__} base_url={url!r}>"

    def _repr_html_(self) -> str:
        return described(self, repr(self))

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds connections and a key: make one in each process, do not pickle it"
        )


class SyncClient(_Client["httpx.Client", "httpx.BaseTransport"], CustomCalls):
    """The base of the sync clients. Threads may share a client, but not an iterator."""

    _session: SyncSession
    _api: SyncAPI

    @staticmethod
    def _make_session(config: Config, settings: PoolSettings) -> SyncSession:
        from ..http.session import SyncSession

        return SyncSession.make(config, settings)

    @staticmethod
    def _make_api(session: SyncSession) -> SyncAPI:
        from .api import SyncAPI

        return SyncAPI(session)

    def close(self) -> None:
        """Close the connections that this client opened; calls in progress fail. Closing twice is allowed."""
        if self._owner:
            self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient(_Client["httpx.AsyncClient", "httpx.AsyncBaseTransport"], AsyncCustomCalls):
    """The base of the async clients."""

    _session: AsyncSession
    _api: AsyncAPI

    @staticmethod
    def _make_session(config: Config, settings: PoolSettings) -> AsyncSession:
        from ..http.session import AsyncSession

        return AsyncSession.make(config, settings)

    @staticmethod
    def _make_api(session: AsyncSession) -> AsyncAPI:
        from .api import AsyncAPI

        return AsyncAPI(session)

    async def close(self) -> None:
        """Close the connections that this client opened; calls in progress fail. Closing twice is allowed."""
        if self._owner:
            await self._session.close()

    aclose = close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
