"""What a good engineer writes by hand for this one report: msgspec Structs behind several HTTP clients."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msgspec

from tests.bench.contenders import KEY, ROUTE, Reader, query
from tests.bench.dataset import properties

_KINDS: dict[tuple[str, str], Any] = {
    ("string", "date"): dt.date,
    ("string", "date-time"): dt.datetime,
    ("integer", ""): int,
    ("number", ""): float,
    ("array", ""): list[str],
}
_HEADERS = {"API-KEY": KEY}


class _PageInfo(msgspec.Struct):
    endCursor: str | None = None
    hasNextPage: bool | None = None


def _decoder() -> msgspec.json.Decoder[Any]:
    columns = [
        (
            name.replace(".", "_"),
            _KINDS.get((schema.get("type", ""), schema.get("format", "")), str) | None,
            msgspec.field(name=name, default=None),
        )
        for name, schema in properties().items()
    ]
    row = msgspec.defstruct("Row", columns, gc=False)
    data = msgspec.defstruct("Data", [("data", list[row]), ("pageInfo", _PageInfo)])  # type: ignore[valid-type]
    return msgspec.json.Decoder(msgspec.defstruct("Page", [("data", data)]))


def _loop(fetch: Callable[[dict[str, str]], bytes]) -> Reader:
    decode = _decoder().decode

    def read(start: str, end: str) -> tuple[int, float]:
        rows, total, after = 0, 0.0, None
        while True:
            page = decode(fetch(query(start, end, after))).data
            for row in page.data:
                rows += 1
                total += row.payout
            if not page.pageInfo.hasNextPage:
                return rows, total
            after = page.pageInfo.endCursor

    return read


def httpx_sync(url: str) -> Reader:
    import httpx

    client = httpx.Client(base_url=url, headers=_HEADERS)
    return _loop(lambda params: client.get(ROUTE, params=params).content)


def urllib3_sync(url: str) -> Reader:
    import urllib3

    pool = urllib3.PoolManager(headers=_HEADERS)
    return _loop(lambda params: pool.request("GET", f"{url}{ROUTE}?{urlencode(params)}").data)


def aiohttp_async(url: str) -> Reader:
    import aiohttp

    decode = _decoder().decode

    async def read(start: str, end: str) -> tuple[int, float]:
        rows, total, after = 0, 0.0, None
        async with aiohttp.ClientSession(headers=_HEADERS) as session:
            while True:
                async with session.get(url + ROUTE, params=query(start, end, after)) as response:
                    page = decode(await response.read()).data
                for row in page.data:
                    rows += 1
                    total += row.payout
                if not page.pageInfo.hasNextPage:
                    return rows, total
                after = page.pageInfo.endCursor

    return lambda start, end: asyncio.run(read(start, end))
