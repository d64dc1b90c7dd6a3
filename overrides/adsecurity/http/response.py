"""The caller's own transport, and responses that are read to their end."""

from __future__ import annotations

from typing import Any

import httpx


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


def read_fully(response: httpx.Response, raw: bytes) -> httpx.Response:
    """The response with all of its body, decoded in one piece: piece by piece it is held twice."""
    response.stream = httpx.ByteStream(raw)
    response.read()
    # What came by the caller's client refers to the response, and a page would wait for the collector.
    response.stream = httpx.ByteStream(b"")
    return response
