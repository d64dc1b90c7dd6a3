"""A body is unpacked within a limit, and the answer keeps nothing of what sent it."""

from __future__ import annotations

import gzip
import math
import time
import zlib
from typing import Any

import httpx
import pytest

from adsecurity import APIConnectionError, ConfigurationError, ResponseDecodeError, RetryPolicy
from adsecurity.http.response import Body, TooLarge, unpack
from tests.support.demo.drivers import Driver, Server
from tests.support.demo.surface import GET, Demo

ONE = {"thing_id": "1"}
MEGABYTE = 1 << 20
NEVER = math.inf


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def answered(*chunks: bytes, limit: int = 100, **headers: str) -> httpx.Response:
    response = httpx.Response(
        200, headers=headers, request=httpx.Request("GET", "https://h.example"), stream=httpx.ByteStream(b"")
    )
    body = Body(response, limit, NEVER)
    for chunk in chunks:
        body.add(chunk)
    return body.answer()


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("", b"body"),
        ("identity", b"body"),
        ("gzip", gzip.compress(b"body", mtime=0)),
        ("X-GZIP", gzip.compress(b"body", mtime=0)),
        ("deflate", zlib.compress(b"body")),
        ("deflate", raw_deflate(b"body")),
        ("deflate, gzip", gzip.compress(zlib.compress(b"body"), mtime=0)),
    ],
)
def test_a_body_is_unpacked_and_its_headers_stay(encoding: str, packed: bytes) -> None:
    answer = answered(packed[:3], packed[3:], **{"Content-Encoding": encoding, "X": "1"})
    assert answer.content == b"body"
    assert answer.headers["content-encoding"] == encoding
    assert answer.headers["x"] == "1"


def test_an_answer_does_not_know_its_request_which_has_the_key() -> None:
    with pytest.raises(RuntimeError):
        _ = answered(b"body").request


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", b"no gzip"),
        ("gzip", gzip.compress(b"body", mtime=0)[:-1]),
        ("deflate", b"\xff\xff"),
        ("br", b"x"),
        ("zstd", b"x"),
        ("gzip, what", gzip.compress(b"body", mtime=0)),
    ],
)
def test_what_cannot_be_unpacked_whole_is_an_error(encoding: str, packed: bytes) -> None:
    with pytest.raises(httpx.DecodingError):
        answered(packed, **{"Content-Encoding": encoding})


@pytest.mark.parametrize("size", [99, 100, 101])
@pytest.mark.parametrize("pack", [None, gzip.compress, zlib.compress, raw_deflate])
def test_the_limit_is_exact(size: int, pack: Any) -> None:
    data = bytes(size)
    headers = {} if pack is None else {"Content-Encoding": "gzip" if pack is gzip.compress else "deflate"}
    packed = data if pack is None else pack(data)
    if size > 100:
        with pytest.raises(TooLarge):
            answered(packed, **headers)
    else:
        assert answered(packed, **headers).content == data


def test_no_more_is_unpacked_than_the_limit_and_one() -> None:
    bomb = gzip.compress(gzip.compress(bytes(200 * MEGABYTE)))
    import tracemalloc

    tracemalloc.start()
    assert unpack(unpack(bomb, "gzip", MEGABYTE) or b"", "gzip", MEGABYTE) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * MEGABYTE


def test_a_body_that_comes_too_late_is_given_up() -> None:
    body = Body(httpx.Response(200, stream=httpx.ByteStream(b"")), 10, time.monotonic() - 1)
    with pytest.raises(httpx.ReadTimeout, match="deadline"):
        body.add(b"x")


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_beyond_the_limit_is_an_error_that_says_so_and_is_not_asked_for_again(
    driver: Driver, server: Server, packed: bool
) -> None:
    content = b'{"data": {"id": "' + b"1" * 5000 + b'"}}'
    headers = {"Content-Encoding": "gzip"} if packed else {}
    whole = server.answers[0]
    server.answers[:] = [(200, headers, gzip.compress(content) if packed else content), whole]
    client = driver.client(base_url=server.url, max_response_bytes=1000, retry=RetryPolicy(backoff=0))
    with pytest.raises(ResponseDecodeError, match=r"more than 1,000 bytes: raise max_response_bytes="):
        driver.call(client, "one", GET, ONE)
    assert len(server.seen) == 1
    # The connection that still had the rest of it is not used again.
    assert driver.call(client, "one", GET, ONE).id == "1"


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_bomb_is_an_error_of_ours(driver: Driver, server: Server, times: int) -> None:
    bomb = bytes(64 * MEGABYTE)
    for _ in range(times):
        bomb = gzip.compress(bomb)
    server.answers[:] = [(200, {"Content-Encoding": ", ".join(["gzip"] * times)}, bomb)]
    client = driver.client(base_url=server.url, max_response_bytes=MEGABYTE)
    with pytest.raises(ResponseDecodeError, match="max_response_bytes="):
        driver.call(client, "one", GET, ONE)


def test_only_what_can_be_bounded_is_asked_for(driver: Driver, server: Server) -> None:
    driver.call(driver.client(base_url=server.url), "one", GET, ONE)
    assert server.seen[0].headers["accept-encoding"] == "gzip, deflate"
    server.answers[:] = [(200, {"Content-Encoding": "br"}, b"x")]
    with pytest.raises(APIConnectionError, match="br was not asked for"):
        driver.call(driver.client(base_url=server.url, retry=RetryPolicy(1)), "one", GET, ONE)


def test_the_limit_holds_for_what_a_hook_has_read(driver: Driver, server: Server) -> None:
    server.answers[:] = [(200, {}, b'{"data": {"id": "' + b"1" * 5000 + b'"}}')]

    async def read(response: httpx.Response) -> None:
        await response.aread()

    hook: Any = read if driver.is_async else httpx.Response.read
    http = (httpx.AsyncClient if driver.is_async else httpx.Client)(event_hooks={"response": [hook]})
    client = driver.client(base_url=server.url, http_client=http, max_response_bytes=1000)
    with pytest.raises(ResponseDecodeError, match="max_response_bytes="):
        driver.call(client, "one", GET, ONE)
    driver.run(http.aclose() if driver.is_async else http.close())


@pytest.mark.parametrize("name", ["max_response_bytes", "min_bytes_per_minute"])
@pytest.mark.parametrize("value", [-1, 1.5, True, "1"])
def test_a_limit_that_is_none_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Demo(api_key="k", base_url="https://api.example", **{name: value})
