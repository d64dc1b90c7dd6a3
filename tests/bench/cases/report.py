"""A report made into a Parquet file: one page after the other, and by 16 workers of a server that takes 20 ms."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.cases import Goal, Outcome, Setting
from tests.bench.measure import Reading, Worker, alternately, median
from tests.bench.servers import Server, serving

LATENCY = 20
PEERS = {
    "tables.ours": "ours, 1 % of the pages dirty",
    "tables.ours_clean": "ours, nothing dirty",
    "tables.by_models": "ours, by models",
    "tables.ours_2_processes": "ours, 2 processes",
    "tables.ours_16": "ours, 16 workers",
    "tables.by_models_16": "ours, 16 workers, by models",
    "tables.hand_msgspec": "httpx + msgspec + pyarrow by hand",
    "tables.hand_pandas": "httpx + json + pandas by hand",
    "tables.hand_pool_16": "httpx + msgspec + pyarrow by hand, 16 threads over windows that they are told",
    "dlt.ours": "our dlt source, filesystem destination",
    "dlt.rest_api": "dlt's rest_api, filesystem destination",
}
_SERIAL = ("tables.ours", "tables.ours_clean", "tables.by_models", "tables.hand_msgspec", "tables.hand_pandas")
_DIVIDED = ("tables.ours", "tables.ours_2_processes")
_AT_ONCE = ("tables.ours_16", "tables.by_models_16", "tables.hand_pool_16")

Readings = dict[str, list[Reading]]


def run(setting: Setting) -> Outcome:
    rows, rounds = setting.of(60_000, 10_000), setting.of(5, 3)
    with serving() as server:
        serial = _in_turns([*_SERIAL, "dlt.ours", "dlt.rest_api"], server, rows, rounds)
        # Two cores are full with one process, which converts while it fetches, and this server: seen, but no goal.
        busy = _in_turns(_DIVIDED, server, 5 * rows, rounds)
    with serving(latency=LATENCY) as server:
        at_once = _in_turns(_AT_ONCE, server, rows, rounds)
        # Processes start Python anew, which takes as long as some ten thousand rows.
        divided = _in_turns(_DIVIDED, server, 2 * rows, rounds)
    goals = [
        _faster("report to Parquet, serial", serial, "tables.ours", "tables.hand_msgspec", 1.6),
        _faster("report to Parquet, serial", serial, "tables.ours", "dlt.rest_api", 12),
        _faster("report to Parquet by dlt, serial", serial, "dlt.ours", "dlt.rest_api", 5),
        _small("peak RSS of it", serial, "tables.ours", "tables.hand_msgspec"),
    ]
    what = f"report to Parquet, {LATENCY} ms, concurrency=16"
    goals += [
        _faster(what, at_once, "tables.ours_16", "tables.by_models_16", 1.5),
        _faster(what, at_once, "tables.ours_16", "tables.hand_pool_16", 1.2),
        _small("peak RSS of it", at_once, "tables.ours_16", "tables.hand_pool_16"),
        _faster(
            f"report of {2 * rows:,} rows to Parquet, {LATENCY} ms, 2 processes",
            divided,
            "tables.ours_2_processes",
            "tables.ours",
            1.3,
        ),
    ]
    seen = [*_seen(serial, ""), *_seen(busy, f", {5 * rows:,} rows")]
    seen += [*_seen(at_once, f", {LATENCY} ms"), *_seen(divided, f", {LATENCY} ms, {2 * rows:,} rows")]
    with serving(tls=True) as server:
        over_tls = _in_turns(["tables.ours", "tables.hand_msgspec"], server, rows, rounds)
    with serving(tls=True, latency=LATENCY) as server:
        over_tls |= _in_turns(["tables.ours_16", "tables.hand_pool_16"], server, rows, rounds)
    goals.append(_faster("report to Parquet, serial, TLS", over_tls, "tables.ours", "tables.hand_msgspec", 1.6))
    goals.append(_faster(f"{what}, TLS", over_tls, "tables.ours_16", "tables.hand_pool_16", 1.2))
    seen += _seen(over_tls, ", TLS")
    return Outcome(goals, seen, "Report to Parquet")


def _in_turns(names: Sequence[str], server: Server, rows: int, rounds: int) -> Readings:
    # So slow that fewer rows tell as much.
    sizes = {name: rows // 5 if name == "dlt.rest_api" else rows for name in names}
    return alternately({name: lambda name=name: _fresh(name, server, sizes[name]) for name in names}, rounds)


def _fresh(name: str, server: Server, rows: int) -> Reading:
    with Worker(name, server.api) as worker:
        worker.read(1000)
        return worker.read(rows)


def _rate(reading: Reading) -> float:
    return reading.rows / reading.wall


def _faster(what: str, readings: Readings, ours: str, peer: str, bound: float) -> Goal:
    pairs = zip(readings[ours], readings[peer], strict=True)
    ratio = median([_rate(own) / _rate(theirs) for own, theirs in pairs])
    measured = f"{median(readings[ours], _rate):,.0f} rows/s"
    return Goal.at_least(what, measured, f"{PEERS[peer]}: {median(readings[peer], _rate):,.0f}", ratio, bound)


def _small(what: str, readings: Readings, ours: str, peer: str) -> Goal:
    own, theirs = (median(readings[name], lambda reading: reading.peak) / 1e6 for name in (ours, peer))
    return Goal.under(what, own, "MB", 300.0, f"{PEERS[peer]}: {theirs:.0f} MB")


def _seen(readings: Readings, more: str) -> list[tuple[str, str]]:
    return [
        (
            PEERS[name] + more,
            f"{median(found, _rate):,.0f} rows/s; {median(found, lambda r: r.rows / r.cpu):,.0f} rows/s/core;"
            f" {median(found, lambda r: r.peak) / 1e6:.0f} MB",
        )
        for name, found in readings.items()
    ]
