"""The base of all clients: it checks settings at once, opens connections when needed, and closes those it opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, Self, TypeVar

from adsecurity_generated._operation import Surface

from ..errors import ConfigurationError
from ..events import Hooks, OnPage, OnPoll, OnRequest, OnResponse, OnRetry
from ..http.config import Config, RouteInfo, find_base_url, find_key
from ..http.retry import RetryPolicy
from ..http.session import AsyncSession, SyncSession
from ..http.transport import PoolSettings
from .api import AsyncAPI, SyncAPI

if TYPE_CHECKING:
    import ssl

    import httpx

    from ..http.config import Timeout


H = TypeVar("H")
"""The type of the HTTP client that callers may pass."""
Tr = TypeVar("Tr")
"""The type of the transport that callers may pass."""


class _Client(Generic[H, Tr]):
    """Everything that sync and async clients share."""

    _surface: ClassVar[Surface]
    _session_class: ClassVar[type[Any]]
    _api_class: ClassVar[type[Any]]
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
        routes: Mapping[str, str] | None = None,
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
        on_retry: OnRetry | None = None,
        on_page: OnPage | None = None,
        on_poll: OnPoll | None = None,
    ) -> None:
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
        if isinstance(max_connections, bool) or max_connections < 1:
            raise ConfigurationError(f"{label}: max_connections must be a whole number from 1 on")
        config = Config(surface, key, find_base_url(surface, base_url, label), label=label)
        hooks = Hooks(on_request, on_response, on_retry, on_page, on_poll)
        config = config.changed(timeout, retry, extra_headers, routes, hooks)
        self._session = self._session_class.make(
            config,
            PoolSettings(label, config.host, max_connections, proxy, verify, transport, http_client),
        )
        self._api = self._api_class(self._session)

    def with_options(
        self,
        *,
        timeout: Timeout | None = None,
        retry: RetryPolicy | None = None,
        extra_headers: Mapping[str, str] | None = None,
        routes: Mapping[str, str] | None = None,
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
        on_retry: OnRetry | None = None,
        on_page: OnPage | None = None,
        on_poll: OnPoll | None = None,
    ) -> Self:
        """A client with other settings that shares the connections. What is left out stays; closing it closes nothing.

        Raises `ConfigurationError`, `TypeError` or `ValueError` for a wrong setting.
        """
        hooks = Hooks(on_request, on_response, on_retry, on_page, on_poll)
        copy = object.__new__(type(self))
        copy._owner = False
        copy._session = self._session.with_config(
            self._session.config.changed(timeout, retry, extra_headers, routes, hooks)
        )
        copy._api = self._api_class(copy._session)
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

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds connections and a key: make one in each process, do not pickle it"
        )


class SyncClient(_Client["httpx.Client", "httpx.BaseTransport"]):
    """The base of the sync clients. Threads may share a client, but not an iterator."""

    _session_class = SyncSession
    _api_class = SyncAPI
    _session: SyncSession
    _api: SyncAPI

    def close(self) -> None:
        """Close the connections that this client opened; calls in progress fail. Closing twice is allowed."""
        if self._owner:
            self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient(_Client["httpx.AsyncClient", "httpx.AsyncBaseTransport"]):
    """The base of the async clients."""

    _session_class = AsyncSession
    _api_class = AsyncAPI
    _session: AsyncSession
    _api: AsyncAPI

    async def close(self) -> None:
        """Close the connections that this client opened; calls in progress fail. Closing twice is allowed."""
        if self._owner:
            await self._session.close()

    aclose = close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
