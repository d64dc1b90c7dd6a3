"""Two public ways through httpx to the same bytes: the client's `send()`, and its transport's `handle_request()`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from tests.bench.contenders import KEY, ROUTE, Reader, query


def _request(url: str, start: str, end: str, after: str | None) -> Any:
    import httpx

    target = f"{url}{ROUTE}?{urlencode(query(start, end, after))}"
    timeout = {"connect": 5.0, "read": 60.0, "write": 60.0, "pool": 5.0}
    return httpx.Request("GET", target, headers={"API-KEY": KEY}, extensions={"timeout": timeout})


def _cursor(content: bytes) -> str | None:
    """The cursor of the next page, found without reading the others of its bytes."""
    tail = content[-200:]
    if b'"hasNextPage":false' in tail:
        return None
    return tail.partition(b'"endCursor":"')[2].split(b'"', 1)[0].decode()


def _sync(url: str, send: Callable[[Any], Any]) -> Reader:
    def read(start: str, end: str) -> tuple[int, None]:
        rows, after = 0, None
        while True:
            response = send(_request(url, start, end, after))
            after = _cursor(response.read())
            response.close()
            rows += 100
            if after is None:
                return rows, None

    return read


def _asynchronous(url: str, open_transport: Callable[[], Any], way: Callable[[Any], Any]) -> Reader:
    async def read(start: str, end: str) -> tuple[int, None]:
        async with open_transport() as opened:
            send: Callable[[Any], Awaitable[Any]] = way(opened)
            rows, after = 0, None
            while True:
                response = await send(_request(url, start, end, after))
                after = _cursor(await response.aread())
                await response.aclose()
                rows += 100
                if after is None:
                    return rows, None

    return lambda start, end: asyncio.run(read(start, end))


def _trust() -> Any:
    import ssl

    return ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))


def send(url: str) -> Reader:
    import httpx

    client = httpx.Client(transport=httpx.HTTPTransport(verify=_trust()))
    return _sync(url, lambda request: client.send(request, stream=True))


def handle_request(url: str) -> Reader:
    import httpx

    return _sync(url, httpx.HTTPTransport(verify=_trust()).handle_request)


def send_async(url: str) -> Reader:
    import httpx

    trust = _trust()
    return _asynchronous(
        url,
        lambda: httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(verify=trust)),
        lambda client: lambda request: client.send(request, stream=True),
    )


def handle_async_request(url: str) -> Reader:
    import httpx

    trust = _trust()
    return _asynchronous(
        url, lambda: httpx.AsyncHTTPTransport(verify=trust), lambda transport: transport.handle_async_request
    )
