"""A million rows of a server that takes 20 ms for each answer, read by 16 workers."""

from __future__ import annotations

from tests.bench import dataset
from tests.bench.cases import Goal, Outcome, Setting
from tests.bench.contenders import plain
from tests.bench.measure import Reading, Worker, alternately, median
from tests.bench.servers import Server, serving

LATENCY = 20
WORKERS = 16


def run(setting: Setting) -> Outcome:
    rows, part = setting.of(1_000_000, 100_000), setting.of(20_000, 5000)
    ideal = rows / dataset.PAGE / WORKERS * LATENCY / 1000
    plain.made()
    with serving(latency=LATENCY) as server:
        found = alternately(
            {
                "plain": lambda: _fresh("plain.sync", server, part),
                "sync, serial": lambda: _fresh("ours.fast_sync", server, part),
                "sync": lambda: _fresh("ours.fast_sync_16", server, rows),
                "async, serial": lambda: _fresh("ours.fast_async", server, part),
                "async": lambda: _fresh("ours.fast_async_16", server, rows),
            },
            setting.of(3, 1),
        )
    goals, seen = [], []
    loop = median(found["plain"], lambda reading: reading.wall) / part * rows
    for kind in ("sync", "async"):
        wall, page = median(found[kind], lambda reading: reading.wall), median(found[kind], _page)
        serial = median(found[f"{kind}, serial"], _page)
        what = f"{rows:,} rows at {LATENCY} ms, concurrency={WORKERS}, [fast], {kind}"
        goals.append(Goal.at_least(what, f"{wall:.1f} s", f"plain generated loop: {loop:.0f} s", loop / wall, 10))
        what = f"processor time of a page of it, {kind}"
        goals.append(Goal.at_most(what, f"{page:.2f} ms", f"read by one: {serial:.2f} ms", page / serial, 1.3))
        seen.append((f"{kind}: wall time", f"{wall:.1f} s, of an ideal {ideal:.1f} s"))
        seen.append((f"{kind}: peak RSS of the run", f"{median(found[kind], lambda r: r.peak) / 1e6:.1f} MB"))
        seen.append((f"{kind}: processor time", f"{median(found[kind], lambda r: r.cpu):.1f} s"))
    seen.append(("plain generated loop", f"{part:,} rows read, the rest extrapolated"))
    return Outcome(goals, seen, "Many rows of a slow server")


def _page(reading: Reading) -> float:
    """Processor time, in milliseconds."""
    return reading.cpu / reading.rows * dataset.PAGE * 1000


def _fresh(name: str, server: Server, rows: int) -> Reading:
    with Worker(name, server.api) as worker:
        worker.read(1000)
        return worker.read(rows)
