"""A month that has rows in one week only, of a server that takes 100 ms: what the empty weeks cost.

In one process and without sockets: it is requests that are counted here, and how many of them are under way at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx

from adsecurity import AsyncNetworkClient, NetworkClient
from tests.bench.cases import Goal, Outcome, Setting
from tests.bench.measure import alternately, median
from tests.support.report_server import ReportServer, make_rows

LATENCY = 0.1  # seconds
WORKERS = 16
MONTH = datetime(2026, 11, 1, tzinfo=UTC)
DAYS, WEEK = 30, 7
PLACES = {"beginning": 0, "middle": 12, "end": 23}
"""The day on which the week begins."""
ROWS = WEEK * 144


def run(setting: Setting) -> Outcome:
    goals, seen = [], []
    for kind, read in {"sync": _sync, "async": _async}.items():
        _timed(read, _server(0), 0, WEEK)  # loads what is loaded once
        found = {place: _found(read, first, setting.of(5, 1)) for place, first in PLACES.items()}
        ratios = {
            place: median([month / week for week, month in zip(*walls.values(), strict=True)])
            for place, walls in found.items()
        }
        for place, walls in found.items():
            seen.append((f"{kind}, the week at the {place}", _line(walls, ratios[place])))
        worst = max(ratios, key=lambda place: ratios[place])
        what = f"a month with rows in one week at {1000 * LATENCY:.0f} ms, concurrency={WORKERS}, {kind}"
        beside = f"the week alone, at the {worst}: {median(found[worst]['week']):.2f} s"
        goals.append(Goal.at_most(what, f"{median(found[worst]['month']):.2f} s", beside, ratios[worst], 1.3))
    return Outcome(goals, seen, "A month with rows in one week, in one process and without sockets")


def _found(read: Callable[..., int], first: int, rounds: int) -> dict[str, list[float]]:
    server = _server(first)
    spans = {"week": (first, first + WEEK), "month": (0, DAYS)}
    return alternately({name: partial(_timed, read, server, *days) for name, days in spans.items()}, rounds)


def _line(walls: dict[str, list[float]], ratio: float) -> str:
    return f"{median(walls['month']):.2f} s, the week alone {median(walls['week']):.2f} s, ratio {ratio:.2f}"


def _server(first: int) -> ReportServer:
    """Its rows are those of the week that begins on this day."""
    start = MONTH + timedelta(days=first)
    return ReportServer(make_rows([start + timedelta(minutes=10 * number) for number in range(ROWS)]))


def _timed(read: Callable[..., int], server: ReportServer, first: int, behind: int) -> float:
    span = {
        "integration_id": "integration-1",
        "start_time": MONTH + timedelta(days=first),
        "end_time": MONTH + timedelta(days=behind),
        "page_size": 5,
        "concurrency": WORKERS,
    }
    began = time.perf_counter()
    if (rows := read(server, span)) != ROWS:
        raise RuntimeError(f"{rows} rows were read, not {ROWS}")
    return time.perf_counter() - began


def _sync(server: ReportServer, span: dict[str, Any]) -> int:
    def answer(request: httpx.Request) -> httpx.Response:
        time.sleep(LATENCY)
        return server.answer(request)

    transport = httpx.MockTransport(answer)
    with NetworkClient(api_key="k", base_url="https://api.test", transport=transport) as client:
        return len(client.reports.clicks(**span).to_list())


def _async(server: ReportServer, span: dict[str, Any]) -> int:
    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(LATENCY)
        return server.answer(request)

    async def count() -> int:
        transport = httpx.MockTransport(answer)
        async with AsyncNetworkClient(api_key="k", base_url="https://api.test", transport=transport) as client:
            return len(await client.reports.clicks(**span).to_list())

    return asyncio.run(count())
