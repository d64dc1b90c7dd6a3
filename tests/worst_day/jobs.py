"""The jobs of the drills: what they do with either client, and whether all of it came."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pyarrow.parquet as pq

from adsecurity import AsyncNetworkClient, NetworkClient, RetryPolicy
from tests.worst_day.hosts import FILE, IDS, KEY

TIMEOUT = 0.4
RETRY = RetryPolicy(attempts=3, backoff=0.01, max_backoff=0.02, deadline=2.5)
RANGE = {"start_time": "2026-11-01", "end_time": "2026-11-06"}


@attrs.define
class State:
    """How far a job has come."""

    folder: Path
    rows: list[str] = attrs.field(factory=list)
    resume: str | None = None
    listing: Any = None

    @property
    def path(self) -> Path:
        return self.folder / "result"


class Side:
    """Either client, used as if it blocked."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.is_async = mode == "async"
        self.runner = asyncio.Runner() if self.is_async else None

    def client(self, url: str) -> Any:
        made: Any = AsyncNetworkClient if self.is_async else NetworkClient
        return made(api_key=KEY, base_url=url, timeout=TIMEOUT, retry=RETRY, min_bytes_per_minute=60_000)

    def result(self, value: Any) -> Any:
        async def awaited() -> Any:
            return await value

        return self.runner.run(awaited()) if self.runner and inspect.isawaitable(value) else value

    def tasks(self) -> int:
        return len(asyncio.all_tasks(self.runner.get_loop())) if self.runner else 0

    def close(self) -> None:
        if self.runner:
            self.runner.close()


@attrs.frozen
class Job:
    name: str
    host: str
    """Which host the faults are about."""
    begin: Callable[[Any, State], Any]
    """Does all of it; to be awaited with an async client."""
    is_whole: Callable[[State], bool]
    writes: bool = True
    concurrency: int = 1


def _listing(client: Any, state: State, concurrency: int) -> Any:
    state.listing = client.reports.clicks(
        integration_id="i-1", **RANGE, page_size=100, concurrency=concurrency, resume=state.resume
    )
    return state.listing


def _read(concurrency: int) -> Callable[[Any, State], Any]:
    def begin(client: Any, state: State) -> Any:
        listing = _listing(client, state, concurrency)
        if hasattr(listing, "__aiter__"):
            return _read_async(listing, state)
        for row in listing:
            state.rows.append(row.real_tx_id)
        return None

    return begin


async def _read_async(listing: Any, state: State) -> None:
    async for row in listing:
        state.rows.append(row.real_tx_id)


def _export(action: str) -> Callable[[Any, State], Any]:
    def begin(client: Any, state: State) -> Any:
        found = client.exports.resume("e-1")
        if not inspect.isawaitable(found):
            return getattr(found, action)(state.path)

        async def run() -> Any:
            return await getattr(await found, action)(state.path)

        return run()

    return begin


JOBS = (
    Job("list", "api", _read(1), lambda state: state.rows == IDS, writes=False),
    Job("concurrency", "api", _read(3), lambda state: state.rows == IDS, writes=False, concurrency=3),
    Job(
        "list to Parquet",
        "api",
        lambda client, state: _listing(client, state, 1).to_parquet(state.path),
        lambda state: pq.read_table(state.path)["real_tx_id"].to_pylist() == IDS,
    ),
    Job("download", "storage", _export("download"), lambda state: state.path.read_bytes() == FILE),
    Job(
        "export to Parquet",
        "storage",
        _export("to_parquet"),
        lambda state: pq.read_table(state.path)["tx_id"].to_pylist() == [f"tx-{n:05d}" for n in range(3000)],
    ),
)
