"""Answers read to their end: unpacked within a limit, and free of what sent them."""

from __future__ import annotations

import time
import zlib
from io import BytesIO
from typing import Any

import httpx

from .timeouts import LATE

ACCEPT_ENCODING = "gzip, deflate"
"""What can be unpacked piece by piece, so that a limit holds; nothing else is asked for."""


class TooLarge(Exception):
    """An answer has more bytes than the limit."""

    def __init__(self, response: httpx.Response, limit: int) -> None:
        super().__init__()
        self.response = _answer(response, b"")
        self.limit = limit


class Body:
    """The body of an answer, as it arrives."""

    def __init__(self, response: httpx.Response, limit: int, deadline: float) -> None:
        self._response = response
        self._limit = limit
        self._deadline = deadline
        self._raw = BytesIO()
        self._read_before = response.is_closed
        self.last = b""
        """The last piece of it."""

    def add(self, chunk: bytes) -> None:
        # A transport of the caller's knows no deadline.
        if time.monotonic() > self._deadline:
            raise httpx.ReadTimeout(LATE)
        if self._raw.tell() + len(chunk) > self._limit:
            raise TooLarge(self._response, self._limit)
        self._raw.write(chunk)
        self.last = chunk

    def answer(self) -> httpx.Response:
        """The answer with all of its body, unpacked.

        A new object: the old one knows the request, in which the key is, and the connection.
        """
        response, limit = self._response, self._limit
        # A hook of the caller's client, or a transport without network, has read and unpacked it already.
        body = response.content if self._read_before else unpack_all(self._raw.getvalue(), response.headers, limit)
        if body is None or len(body) > limit:
            raise TooLarge(response, limit)
        return _answer(response, body)


def _answer(response: httpx.Response, body: bytes) -> httpx.Response:
    known = ("http_version", "reason_phrase")
    extensions: dict[str, Any] = {name: response.extensions[name] for name in known if name in response.extensions}
    answer = httpx.Response(
        response.status_code, headers=response.headers, stream=httpx.ByteStream(body), extensions=extensions
    )
    # Unpacked already: read under this header it would be unpacked again.
    encoding = answer.headers.pop("content-encoding", None)
    answer.read()
    answer.stream = httpx.ByteStream(b"")
    if encoding is not None:
        answer.headers["content-encoding"] = encoding
    return answer


def unpack_all(body: bytes, headers: httpx.Headers, limit: int) -> bytes | None:
    """A body without its encodings; None when it has more bytes than the limit after one of them."""
    unpacked: bytes | None = body
    for encoding in reversed(headers.get("content-encoding", "").split(",")):
        name = encoding.strip().lower()
        if unpacked is not None and name not in ("", "identity"):
            unpacked = unpack(unpacked, name, limit)
    return unpacked


def unpack(data: bytes, encoding: str, limit: int) -> bytes | None:
    """The data without one of its encodings; None when that has more bytes than the limit."""
    if encoding in ("gzip", "x-gzip"):
        return _inflate(data, zlib.MAX_WBITS | 16, limit)
    if encoding != "deflate":
        raise httpx.DecodingError(f"{encoding} was not asked for")
    try:
        return _inflate(data, zlib.MAX_WBITS, limit)
    except httpx.DecodingError:
        # Some servers leave out the wrapping that the standard wants.
        return _inflate(data, -zlib.MAX_WBITS, limit)


def _inflate(data: bytes, bits: int, limit: int) -> bytes | None:
    if not data:
        return data
    packed = zlib.decompressobj(bits)
    try:
        body = packed.decompress(data, limit + 1)
    except zlib.error as error:
        why = str(error)
    else:
        if len(body) > limit:
            return None
        if packed.eof:
            return body
        why = "it ends too early"
    raise httpx.DecodingError(why)
