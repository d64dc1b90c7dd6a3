"""Which proxy leads to a host, read from the variables as curl reads them; `no_proxy` may say more.

`https_proxy` and `all_proxy`, in small letters before capitals; `http_proxy` in small letters only, since a CGI server
sets the other from a request header; `no_proxy` lists the hosts that are reached directly. An empty variable is none.

Some entries of `no_proxy` mean nothing to curl, and something to other programs that read the same variable:
`*.example.com` for `example.com` and all below it, `example.com:443` for that port alone, `[2001:db8::1]`. IPv6
addresses are compared by what they are and not by how they are written.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import attrs
import httpx

from ..errors import ConfigurationError
from .config import can_be_looked_up, is_local

_VARIABLES = {
    "http": ("http_proxy", "all_proxy", "ALL_PROXY"),
    "https": ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
}
_EXCEPTIONS = ("no_proxy", "NO_PROXY")
_SOCKS = ("socks5", "socks5h")
_DEFAULT_PORT = 1080
"""Where curl looks for a proxy whose port is not given."""
_NAME = re.compile(r"[\w.-]+")
_LAST_PORT = 65_535

Address = IPv4Address | IPv6Address


@attrs.frozen
class _Exception:
    """One entry of `no_proxy`: a network, or a domain with all that is below it; perhaps one port only."""

    host: IPv4Network | IPv6Network | str
    port: int | None = None

    def covers(self, host: str, address: Address | None, port: int) -> bool:
        if self.port is not None and self.port != port:
            return False
        if isinstance(self.host, str):
            return address is None and f".{host}".endswith(f".{self.host}")
        return address is not None and address in self.host


def find_proxy(url: httpx.URL, environment: Mapping[str, str] = os.environ) -> httpx.Proxy | None:
    """The proxy for this URL; None where it is reached directly. `ConfigurationError` names a variable of no use."""
    if is_local(url.host):
        # This machine is never behind a proxy: the key would travel to the proxy unencrypted.
        return None
    variable = _first(_VARIABLES[url.scheme], environment)
    if variable is None or _is_exception(url, environment):
        return None
    return read_proxy(variable, environment[variable])


def read_proxy(variable: str, text: str) -> httpx.Proxy:
    """The proxy of a variable's value, `[scheme://][user:password@]host[:port]`; no message shows the value."""
    scheme, separator, rest = text.strip().rpartition("://")
    scheme = scheme.lower() if separator else "http"
    if scheme not in ("http", "https", *_SOCKS):
        raise ConfigurationError(f"{variable}: a proxy is http, https, socks5 or socks5h")
    check_socks(variable, scheme)
    try:
        url = httpx.URL(f"{scheme}://{rest}")
        if url.port is None and scheme != "https":
            url = url.copy_with(port=_DEFAULT_PORT)
        is_name = _NAME.fullmatch(url.host) is not None and can_be_looked_up(url)
        is_host = is_name or _address(url.host) is not None
        if is_host and url.raw_path == b"/" and (url.port or 0) <= _LAST_PORT:
            return httpx.Proxy(url)
    except (httpx.InvalidURL, UnicodeError, ValueError):
        pass
    raise ConfigurationError(f"{variable} is no address of a proxy, like http://proxy.example:3128")


def check_socks(setting: str, scheme: str) -> None:
    if scheme in _SOCKS and importlib.util.find_spec("socksio") is None:
        raise ConfigurationError(f"{setting}: a socks proxy needs the package socksio; run: pip install 'httpx[socks]'")


def _first(variables: tuple[str, ...], environment: Mapping[str, str]) -> str | None:
    return next((name for name in variables if environment.get(name)), None)


def _is_exception(url: httpx.URL, environment: Mapping[str, str]) -> bool:
    variable = _first(_EXCEPTIONS, environment)
    if variable is None:
        return False
    host = url.raw_host.decode("ascii").strip("[]").rstrip(".").lower()
    port = url.port or {"http": 80, "https": 443}[url.scheme]
    address = _address(host)
    # All of them are read, so that a mistake is not found by some hosts only.
    entries = [_read_exception(variable, text) for text in re.split(r"[\s,]+", environment[variable]) if text]
    return any(entry is None or entry.covers(host, address, port) for entry in entries)


def _read_exception(variable: str, text: str) -> _Exception | None:
    """One entry; None stands for every host."""
    if text == "*":
        return None
    try:
        return _read_host(text)
    except (ValueError, httpx.InvalidURL):
        pass
    raise ConfigurationError(f"{variable}: {text!r} is no host, address or network, like example.com or 10.0.0.0/8")


def _read_host(text: str) -> _Exception:
    bracketed = re.fullmatch(r"\[([^]]*)\](?::(\d+))?", text)
    if bracketed is not None:
        return _Exception(ip_network(IPv6Address(bracketed[1])), _port(bracketed[2]))
    if "/" in text or _address(text) is not None:
        return _Exception(ip_network(text, strict=False))
    name, _, port = text.partition(":")
    if _address(name) is not None:
        return _Exception(ip_network(name), _port(port))
    name = name.removeprefix("*").removeprefix(".").rstrip(".")
    if not _NAME.fullmatch(name):
        raise ValueError
    return _Exception(httpx.URL(f"http://{name}").raw_host.decode("ascii").lower(), _port(port))


def _port(text: str | None) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text) <= _LAST_PORT:
        raise ValueError
    return int(text)


def _address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
