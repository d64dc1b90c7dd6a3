"""Proxy variables are read as curl reads them; what cannot be read is named with its variable and not shown.

The exceptions in `no_proxy` may be written in more ways than curl knows.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

import httpx
import pytest

from adsecurity import ConfigurationError
from adsecurity.http.proxies import find_proxy, read_proxy

FAR = httpx.URL("https://far.example/x")
FAR_HTTP = httpx.URL("http://far.example/x")


def proxy_of(url: str | httpx.URL, environment: Mapping[str, str]) -> str | None:
    proxy = find_proxy(httpx.URL(url), environment)
    return None if proxy is None else str(proxy.url)


@pytest.mark.parametrize(
    ("environment", "https", "http"),
    [
        ({}, None, None),
        ({"https_proxy": "http://a:1"}, "http://a:1", None),
        ({"HTTPS_PROXY": "http://a:1"}, "http://a:1", None),
        ({"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1"}, "http://a:1", None),
        ({"https_proxy": "", "HTTPS_PROXY": "http://b:1"}, "http://b:1", None),
        ({"http_proxy": "http://a:1"}, None, "http://a:1"),
        # A CGI server makes it from a header of the request.
        ({"HTTP_PROXY": "http://a:1"}, None, None),
        ({"all_proxy": "http://a:1"}, "http://a:1", "http://a:1"),
        ({"ALL_PROXY": "http://a:1"}, "http://a:1", "http://a:1"),
        ({"ALL_PROXY": "http://a:1", "HTTPS_PROXY": "http://b:1"}, "http://b:1", "http://a:1"),
        ({"HTTPS_PROXY": ""}, None, None),
    ],
)
def test_each_scheme_has_its_variables(environment: dict[str, str], https: str | None, http: str | None) -> None:
    assert proxy_of(FAR, environment) == https
    assert proxy_of(FAR_HTTP, environment) == http


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("proxy.example", "http://proxy.example:1080"),
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("http://proxy.example/", "http://proxy.example:1080/"),
        ("HTTP://proxy.example:80", "http://proxy.example"),
        ("https://proxy.example", "https://proxy.example"),
        (" http://[::1]:3128 ", "http://[::1]:3128"),
    ],
)
def test_a_proxy_is_read_with_curls_defaults(value: str, url: str) -> None:
    if value.startswith("HTTP:"):
        # Port 80 is what httpx leaves out; it is no missing port.
        value = value.replace(":80", ":8080")
        url += ":8080"
    assert str(read_proxy("ALL_PROXY", value).url) == url


def test_user_and_password_of_a_proxy_are_kept() -> None:
    proxy = read_proxy("ALL_PROXY", "http://us%40er:pass@proxy.example:3128")
    assert proxy.auth == ("us@er", "pass")


@pytest.mark.parametrize(
    "value",
    [
        "http://",
        "://x",
        "socks4://secret@p",
        "gopher://secret@p",
        "http://secret:secret@[p",
        "http://p:secret",
        "http://p/secret",
        "http://p:99999",
        "http://xn--a.secret",
        "http://a..secret",
        f"http://{'a' * 64}.secret",
        "se cret",
    ],
)
@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_read_is_named_by_its_variable_and_not_shown(variable: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{variable}") as caught:
        find_proxy(FAR, {variable: value})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_socks_proxy_needs_its_package(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"^ALL_PROXY: a socks proxy needs the package socksio"):
        read_proxy("ALL_PROXY", f"{scheme}://p")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert str(read_proxy("ALL_PROXY", f"{scheme}://p").url) == f"{scheme}://p:1080"


DIRECT = [
    ("far.example", "far.example"),
    ("far.example", "www.far.example"),
    (".far.example", "far.example"),
    (".far.example", "www.far.example"),
    ("far.example.", "far.example"),
    ("FAR.Example", "far.example"),
    ("a.example, far.example", "far.example"),
    ("a.example far.example", "far.example"),
    ("*", "far.example"),
    ("bücher.example", "bücher.example"),
    ("10.0.0.0/8", "10.1.2.3"),
    ("10.1.2.3", "10.1.2.3"),
    ("10.9.9.9/8", "10.1.2.3"),
    ("2001:db8::1", "[2001:db8::1]"),
]
# With these curl 7.88 asks the proxy. Other programs take them, so who writes them means them.
BEYOND_CURL = [
    ("*.far.example", "far.example"),
    ("*.far.example", "www.far.example"),
    ("far.example:443", "far.example"),
    ("10.1.2.3:443", "10.1.2.3"),
    ("[2001:db8::1]", "[2001:db8::1]"),
    ("[2001:db8::1]:443", "[2001:db8::1]"),
    ("2001:DB8:0::1", "[2001:db8::1]"),
    ("fe80::/10", "[fe80::1]"),
]
PROXIED = [
    ("far.example", "notfar.example"),
    ("far.example:8443", "far.example"),
    ("far.example", "far.example.org"),
    ("10.0.0.0/8", "11.1.2.3"),
    ("10.0.0.0/8", "far.example"),
    ("1.2.3", "9.1.2.3"),
    ("fe80::/10", "[2001:db8::1]"),
    ("[::1]", "far.example"),
    ("fe80::/10,10.0.0.0/8,[::1]", "far.example"),
    (" , ", "far.example"),
]


@pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize(("listed", "host"), DIRECT)
def test_hosts_of_no_proxy_are_reached_directly(listed: str, host: str, variable: str) -> None:
    assert proxy_of(f"https://{host}/", {"HTTPS_PROXY": "http://p:1", variable: listed}) is None


@pytest.mark.parametrize(("listed", "host"), BEYOND_CURL)
def test_wildcards_ports_and_ipv6_in_brackets_are_understood_in_no_proxy_though_curl_does_not(
    listed: str, host: str
) -> None:
    assert proxy_of(f"https://{host}/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": listed}) is None


@pytest.mark.parametrize(("listed", "host"), PROXIED)
def test_all_others_are_not(listed: str, host: str) -> None:
    assert proxy_of(f"https://{host}/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": listed}) == "http://p:1"


def test_small_letters_come_before_capitals_in_no_proxy_too() -> None:
    assert proxy_of(FAR, {"ALL_PROXY": "http://p:1", "no_proxy": "other.example", "NO_PROXY": "*"}) == "http://p:1"


@pytest.mark.parametrize(
    "entry",
    ["10.0.0.0/99", "fe80::/x", "[::1", "[far]", "far.example:port", "far.example:0", "http://far.example", "a/b"],
)
def test_an_entry_of_no_proxy_that_cannot_be_read_is_named_with_its_variable(entry: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^NO_PROXY: ") as caught:
        find_proxy(FAR, {"ALL_PROXY": "http://p:1", "NO_PROXY": f"far.example,{entry}"})
    assert repr(entry) in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_this_machine_is_never_behind_a_proxy(host: str) -> None:
    assert proxy_of(f"http://{host}:8000/", {"ALL_PROXY": "http://p:1", "http_proxy": "http://p:1"}) is None
