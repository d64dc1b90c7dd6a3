"""The most memory that a process has had when it has iterated over many rows; each in a fresh process."""

from __future__ import annotations

from tests.bench.cases import Goal, Outcome, Setting
from tests.bench.measure import Worker
from tests.bench.servers import serving

_BOUNDS = {1: ("ours.fast_sync", 40.0, 2.0), 16: ("ours.fast_sync_16", 75.0, 5.0)}
"""By the number of workers: the contender, the bound of its peak, and that of its growth, in MB."""


def run(setting: Setting) -> Outcome:
    few, many = setting.of(100_000, 10_000), setting.of(1_000_000, 100_000)
    goals, seen = [], []
    with serving() as server:
        for concurrency, (name, bound, growth) in _BOUNDS.items():
            small, large = (_peak(name, server.api, rows) for rows in (few, many))
            what = f"peak RSS, {many:,} rows, concurrency={concurrency}"
            goals.append(Goal.under(what, large, "MB", bound))
            what = f"growth of it from {few:,} rows to {many:,}, concurrency={concurrency}"
            goals.append(Goal.under(what, large - small, "MB", growth, f"{few:,} rows: {small:.1f} MB"))
        for label, name in _BESIDE.items():
            seen.append((f"{label}, {few:,} rows", f"{_peak(name, server.api, few):.1f} MB"))
    return Outcome(goals, seen, "Memory")


_BESIDE = {
    "core only": "ours.core_sync",
    "core only, concurrency=16": "ours.core_sync_16",
    "[fast], async": "ours.fast_async",
    "plain generated": "plain.sync",
    "pydantic style": "pydantic_style.sync",
    "httpx + msgspec Struct": "structs.httpx_sync",
}


def _peak(name: str, url: str, rows: int) -> float:
    """In MB."""
    with Worker(name, url) as worker:
        worker.read(100)  # compiles what has to be compiled, which takes memory too
    with Worker(name, url) as worker:
        return worker.read(rows).peak / 1e6
