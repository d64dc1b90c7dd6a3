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
SENDING = {
    "sending.send": "httpx.Client.send, bytes alone",
    "sending.handle_request": "HTTPTransport.handle_request, bytes alone",
    "sending.send_async": "httpx.AsyncClient.send, bytes alone",
    "sending.handle_async_request": "AsyncHTTPTransport.handle_async_request, bytes alone",
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
_OVER_TLS = [*dict.fromkeys(name for _, ours, peer, _ in _GOALS for name in (peer, ours)), *SENDING]
_WAYS = (
    ("sending.send", "sending.handle_request", "ours.fast_sync"),
    ("sending.send_async", "sending.handle_async_request", "ours.fast_async"),
)

Readings = dict[str, list[Reading]]


def run(setting: Setting) -> Outcome:
    # Long enough for one page in a hundred to be the dirty one.
    rows, rounds, warm_up = setting.of(20_000, 10_000), setting.of(7, 3), setting.of(10_000, 1000)
    with serving() as server:
        plain = in_turns([*PEERS, *SENDING, *OURS], server.api, rows=rows, rounds=rounds, warm_up=warm_up)
    with serving(tls=True) as server:
        secured = in_turns(_OVER_TLS, server.api, rows=rows, rounds=rounds, warm_up=warm_up)
    goals, seen = [], []
    for how, readings in (("", plain), (", TLS", secured)):
        goals += _goals(readings, how)
        for name, label in {**PEERS, **SENDING, **OURS}.items():
            if name in readings:
                seen.append((label + how, _speeds(readings[name])))
        seen += _shares(readings, how)
    return Outcome(goals, seen, "Typed rows through one connection, no latency")


def _goals(readings: Readings, how: str) -> list[Goal]:
    goals: list[Goal] = []
    for what, ours, peer, bound in _GOALS:
        pairs = zip(readings[ours], readings[peer], strict=True)
        ratio = median([theirs.cpu / own.cpu for own, theirs in pairs])
        beside = f"{PEERS[peer]}: {_rate(readings[peer]):,.0f}"
        goals.append(Goal.at_least(what + how, f"{_rate(readings[ours]):,.0f} rows/s/core", beside, ratio, bound))
    return goals


def _shares(readings: Readings, how: str) -> list[tuple[str, str]]:
    """What `send()` takes over `handle_request()`, as a share of the processor time of a page of ours."""
    shares: list[tuple[str, str]] = []
    for long, short, ours in _WAYS:
        rounds = zip(readings[long], readings[short], readings[ours], strict=True)
        share = median([(one.cpu - other.cpu) / page.cpu for one, other, page in rounds])
        shares.append((f"{SENDING[long]} over {SENDING[short]}{how}", f"{share:.1%} of a page of {OURS[ours]}"))
    return shares


def _rate(readings: list[Reading]) -> float:
    return median(readings, lambda reading: reading.rows / reading.cpu)


def _speeds(readings: list[Reading]) -> str:
    wall = median(readings, lambda reading: reading.rows / reading.wall)
    return f"{_rate(readings):,.0f} rows/s/core; {wall:,.0f} rows/s by the clock"
