"""Typed rows through one connection, without latency: rows per second of the client's own processor time."""

from __future__ import annotations

from tests.bench.cases import Goal, Outcome, Setting
from tests.bench.measure import Reading, in_turns, median
from tests.bench.servers import serving

PEERS = {
    "plain.sync": "plain generated",
    "plain.asynchronous": "plain generated, async",
    "pydantic_style.sync": "pydantic style",
    "pydantic_style.asynchronous": "pydantic style, async",
    "structs.httpx_sync": "httpx + msgspec Struct",
    "structs.urllib3_sync": "urllib3 + msgspec Struct",
    "structs.aiohttp_async": "aiohttp + msgspec Struct, async",
    "untyped.httpx_bytes": "httpx, bytes alone (untyped)",
    "untyped.requests_dicts": "requests, dicts (untyped)",
}
OURS = {
    "ours.core_sync": "core only, 1 % dirty",
    "ours.core_async": "core only, 1 % dirty, async",
    "ours.fast_sync": "[fast], 1 % dirty",
    "ours.fast_async": "[fast], 1 % dirty, async",
    "ours.fast_sync_clean": "[fast], nothing dirty",
}
_GOALS = (
    ("typed rows, core only, sync", "ours.core_sync", "plain.sync", 1.3),
    ("typed rows, core only, sync", "ours.core_sync", "pydantic_style.sync", 1.0),
    ("typed rows, [fast], sync, 1 % of the pages dirty", "ours.fast_sync", "plain.sync", 2.5),
    ("typed rows, [fast], sync, 1 % of the pages dirty", "ours.fast_sync", "pydantic_style.sync", 1.9),
    ("typed rows, [fast], async, 1 % of the pages dirty", "ours.fast_async", "plain.asynchronous", 2.3),
)


def run(setting: Setting) -> Outcome:
    # Long enough for one page in a hundred to be the dirty one.
    rows, rounds = setting.of(20_000, 10_000), setting.of(7, 3)
    names = [*PEERS, *OURS]
    with serving() as server:
        readings = in_turns(names, server.api, rows=rows, rounds=rounds, warm_up=setting.of(10_000, 1000))

    def rate(name: str) -> float:
        return median(readings[name], lambda reading: reading.rows / reading.cpu)

    goals = []
    for what, ours, peer, bound in _GOALS:
        pairs = zip(readings[ours], readings[peer], strict=True)
        ratio = median([theirs.cpu / own.cpu for own, theirs in pairs])
        beside = f"{PEERS[peer]}: {rate(peer):,.0f}"
        goals.append(Goal.at_least(what, f"{rate(ours):,.0f} rows/s/core", beside, ratio, bound))
    seen = [(label, _speeds(readings[name])) for name, label in {**PEERS, **OURS}.items()]
    return Outcome(goals, seen, "Typed rows through one connection, no latency")


def _speeds(readings: list[Reading]) -> str:
    cpu, wall = (median(readings, lambda reading: reading.rows / getattr(reading, name)) for name in ("cpu", "wall"))  # noqa: B023
    return f"{cpu:,.0f} rows/s/core; {wall:,.0f} rows/s by the clock"
