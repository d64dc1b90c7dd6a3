"""What a client is set up with: arguments and variables checked, once, before anything is sent."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Mapping
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

import attrs

from adsecurity_generated._operation import Surface

from .._version import __version__
from ..codec.secrets import Secret
from ..errors import ConfigurationError
from ..events import Hooks
from .retry import RetryPolicy
from .tls import Certificates

if TYPE_CHECKING:
    import httpx

    Timeout: TypeAlias = float | httpx.Timeout
    """Seconds for reading and writing (connecting: at most 5 of them), or one value for each."""

KEY_HEADER = "API-KEY"
CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 60.0
MAX_RESPONSE_BYTES = 256 * 1024 * 1024
MIN_BYTES_PER_MINUTE = 60_000
USER_AGENT = f"adsecurity/{__version__} python/{sys.version_info.major}.{sys.version_info.minor}"

# Of a host, as name servers know them.
_LONGEST_NAME = 253
_LONGEST_LABEL = 63
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e]*")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
# Set by the client itself, or decided by what is sent.
_RESERVED = frozenset(("api-key", "host", "content-length", "transfer-encoding", "connection"))


@attrs.frozen(eq=False)
class PoolSettings:
    """How connections are made. `http_client` and `transport` belong to the caller and are never closed."""

    label: str
    max_connections: int = 100
    proxy: Any = attrs.field(default=None, repr=False)
    certificates: Certificates = attrs.field(factory=Certificates, repr=False)
    transport: Any = None
    http_client: Any = None
    max_response_bytes: int = MAX_RESPONSE_BYTES
    min_bytes_per_minute: int = MIN_BYTES_PER_MINUTE


@attrs.frozen
class RouteInfo:
    """Where one operation goes to."""

    operation: str
    """The operationId: the name that `routes=` takes."""
    resource: str
    """The name under the client."""
    method: str
    path: str
    evidence: str
    """`official`, `documented`, `prose`, `inferred` or `borrowed`, or `override` where `routes=` corrects the spec."""


@attrs.frozen(eq=False)
class Config:
    """The settings of one client; its pool has settings of its own."""

    surface: Surface = attrs.field(repr=False)
    key: Secret
    base_url: str
    label: str
    timeout: Timeout = READ_TIMEOUT
    retry: RetryPolicy = attrs.field(factory=RetryPolicy)
    extra_headers: Mapping[str, str] = attrs.field(repr=False, default=MappingProxyType({}))
    routes: Mapping[str, tuple[str, str]] = MappingProxyType({})
    hooks: Hooks = attrs.field(factory=Hooks)

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or ""

    def changed(
        self,
        timeout: Timeout | None,
        retry: RetryPolicy | None,
        extra_headers: Mapping[str, str] | None,
        routes: Mapping[str, str] | None,
        hooks: Hooks,
    ) -> Config:
        """A copy in which what is given replaces, or adds to, what is there."""
        try:
            return attrs.evolve(
                self,
                timeout=self.timeout if timeout is None else check_timeout(timeout),
                retry=self.retry if retry is None else check_retry(retry),
                extra_headers={**self.extra_headers, **check_headers(extra_headers)},
                routes={**self.routes, **check_routes(self.surface, routes)},
                hooks=self.hooks.updated(hooks),
            )
        except (TypeError, ValueError) as error:
            # Of a call this is a wrong argument; of a client, a wrong configuration.
            raise ConfigurationError(f"{self.label}: {error}") from None

    def list_routes(self) -> list[RouteInfo]:
        listed: list[RouteInfo] = []
        for name, route in self.surface.routes.items():
            method, path = self.routes.get(name, (route.method, route.path))
            evidence = "override" if name in self.routes else route.evidence
            listed.append(RouteInfo(name, route.resource, method, path, evidence))
        return listed


def find_key(surface: Surface, given: object, label: str) -> Secret | ConfigurationError:
    """The key from the argument or from the surface's own variable; never from another surface's.

    An error is given back, not raised: a traceback would hold on to these frames, and the key is in them.
    """
    variable = f"{surface.env_prefix}_API_KEY"
    value = os.environ.get(variable) if given is None else given
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str | None):
        return ConfigurationError(f"{label}: api_key must be a string, not {type(value).__name__}")
    key = (value or "").strip()
    if not key:
        return ConfigurationError(f"{label} needs an API key: pass api_key=, or set {variable}")
    if not _PRINTABLE.fullmatch(key):
        return ConfigurationError(f"{label}: the API key has characters in it that no header can carry")
    return Secret(key)


def find_base_url(surface: Surface, given: object, label: str) -> str | ConfigurationError:
    """The address from the argument, the surface's variable, or the documentation.

    An error is given back, not raised, as by `find_key`: a key may have been typed into the address.
    """
    variable = f"{surface.env_prefix}_BASE_URL"
    value = (os.environ.get(variable) or surface.default_base_url) if given is None else given
    if value is None:
        return ConfigurationError(
            f"{label} needs base_url=, or the variable {variable}: the documentation names no host."
            f" {surface.likely_base_url} is likely"
        )
    url = str(value).strip()
    problem = _url_problem(url, f"like {surface.likely_base_url}")
    return ConfigurationError(f"{label}: base_url must {problem}") if problem else url.rstrip("/")


def _url_problem(url: str, hint: str) -> str:
    """What the address must be or have and is not; empty when all is well."""
    if not _PRINTABLE.fullmatch(url):
        return f"be an address {hint}"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if not host or parts.scheme not in ("https", "http"):
        return f"be an https address {hint}"
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        return "have neither user, password, query nor fragment"
    if parts.scheme == "http" and not is_local(host):
        return "begin with https://, or the key would travel unencrypted"
    return ""


def check_host(url: Any, setting: str) -> None:
    """Refuse a host that can never be looked up; it would be found out only when a request is sent."""
    import httpx

    try:
        address = httpx.URL(url)
        if address.host and can_be_looked_up(address):
            return
    except (httpx.InvalidURL, UnicodeError, TypeError):
        pass
    raise ConfigurationError(f"{setting} must have a host that can be looked up")


def can_be_looked_up(url: httpx.URL) -> bool:
    """Whether the host's name is none that is refused before any name server is asked."""
    name = url.raw_host.removesuffix(b".")
    return len(name) <= _LONGEST_NAME and all(0 < len(label) <= _LONGEST_LABEL for label in name.split(b"."))


def is_local(host: str) -> bool:
    """Whether the host is this machine, where https is not asked for."""
    try:
        address = ip_address(host)
    except ValueError:
        # What is below it may be any machine, if a name server says so.
        return host == "localhost"
    return address.is_loopback and (address.version == 4 or str(address) == "::1")


def check_headers(headers: Mapping[str, str] | None) -> Mapping[str, str]:
    """Extra headers that can be sent; no message shows a value."""
    for name, value in (headers or {}).items():
        if not isinstance(name, str) or not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError("extra_headers must map strings to strings")
        if not _TOKEN.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            raise ValueError(f"extra_headers: {name!r} or its value has characters in it that no header can carry")
        if name.lower() in _RESERVED:
            raise ValueError(f"extra_headers: {name} is set by the client")
    # In lower case, so that headers that differ in case alone replace each other.
    return {name.lower(): value for name, value in (headers or {}).items()}


def check_timeout(timeout: Timeout) -> Timeout:
    if isinstance(timeout, bool) or (isinstance(timeout, int | float) and not 0 < timeout < math.inf):
        raise ValueError(f"timeout must be a number of seconds above 0 or an httpx.Timeout, not {timeout!r}")
    if not isinstance(timeout, int | float) and not hasattr(timeout, "connect"):
        raise TypeError(f"timeout must be a number of seconds or an httpx.Timeout, not {type(timeout).__name__}")
    return timeout


def check_retry(retry: RetryPolicy) -> RetryPolicy:
    if not isinstance(retry, RetryPolicy):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"retry must be a RetryPolicy, not {type(retry).__name__}")
    return retry


def check_routes(surface: Surface, routes: Mapping[str, str] | None) -> Mapping[str, tuple[str, str]]:
    """Corrections of routes: known operations, and the placeholders that each route had."""
    checked: dict[str, tuple[str, str]] = {}
    for operation, text in (routes or {}).items():
        route = surface.routes.get(operation)
        if route is None:
            import difflib  # not at the top: it takes a while to import

            near = difflib.get_close_matches(operation, surface.routes, 1)
            raise ValueError(f"routes: there is no operation {operation!r}{f'; {near[0]}?' if near else ''}")
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"routes[{operation!r}] must be a string, not {type(text).__name__}")
        method, _, path = text.strip().partition(" ")
        path = path.strip()
        if method not in ("GET", "POST", "PUT", "PATCH", "DELETE") or not re.fullmatch(r"/[^\s?#]*", path):
            raise ValueError(f"routes[{operation!r}] must look like '{route.method} {route.path}'")
        if sorted(_PLACEHOLDER.findall(path)) != sorted(_PLACEHOLDER.findall(route.path)):
            raise ValueError(f"routes[{operation!r}] must have the placeholders of {route.path}")
        checked[operation] = (method, path)
    return checked
