"""The request that a call would send, with the key hidden; nothing is sent."""

from __future__ import annotations

import json
from typing import Any

import httpx

from .. import errors
from .rows import dumps

_HIDDEN = "***"
_SHOWN_HEADERS = ("accept", "content-type")


class Recorder(httpx.BaseTransport):
    """Keeps the first request and answers that it is refused, which is never tried again."""

    def __init__(self) -> None:
        self.request: httpx.Request | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if self.request is None:
            self.request = request
        return httpx.Response(400, json={}, request=request)


def recorded(recorder: Recorder, error: errors.AdsecurityError) -> httpx.Request:
    """The request that was kept; an error before there was one is raised."""
    if recorder.request is None:
        raise error
    return recorder.request


def text(request: httpx.Request, secrets: frozenset[str]) -> str:
    """The request as one reads it."""
    lines = [f"{request.method} {_readable(request.url, secrets)}", f"API-KEY: {_HIDDEN}"]
    lines += [f"{name.title()}: {value}" for name, value in request.headers.items() if name in _SHOWN_HEADERS]
    if request.content:
        lines += ["", dumps(_without(json.loads(request.content), secrets), indent=2)]
    return "\n".join(lines) + "\n"


def _readable(url: httpx.URL, secrets: frozenset[str]) -> str:
    # The text of a URL has no query where something of the call is secret, so that no log has it.
    address = str(url).partition("?")[0]
    shown = [_parameter(part, secrets) for part in url.query.decode().split("&") if part]
    query = f"?{'&'.join(shown)}" if shown else ""
    # Brackets mean what they say; escaped they only hide the filters.
    return (address + query).replace("%5B", "[").replace("%5D", "]").replace("%2C", ",")


def _parameter(part: str, secrets: frozenset[str]) -> str:
    name, _, value = part.partition("=")
    return f"{name}={_HIDDEN if name in secrets else value}"


def _without(value: Any, secrets: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {  # pyright: ignore[reportUnknownVariableType]
            name: _HIDDEN if name in secrets and isinstance(inner, str) else _without(inner, secrets)
            for name, inner in value.items()  # pyright: ignore[reportUnknownVariableType]
        }
    if isinstance(value, list):
        return [_without(inner, secrets) for inner in value]  # pyright: ignore[reportUnknownVariableType]
    return value
