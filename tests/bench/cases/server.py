"""What the bench server can do at most, asked by bare sockets."""

from __future__ import annotations

from tests.bench.cases import Outcome, Setting
from tests.bench.measure import median
from tests.bench.servers import ceiling, serving


def run(setting: Setting) -> Outcome:
    pages, seen = setting.of(3000, 500), []
    with serving() as server:
        for connections in (1, 16):
            rate = median([ceiling(server, connections=connections, pages=pages) for _ in range(3)])
            seen.append((f"bare sockets, {connections} at once, no latency", f"{rate * 100:,.0f} rows/s"))
    with serving(latency=20) as server:
        rate = median([ceiling(server, connections=16, pages=setting.of(1600, 400)) for _ in range(3)])
        seen.append(("bare sockets, 16 at once, 20 ms latency", f"{rate * 100:,.0f} rows/s of an ideal 80,000"))
    return Outcome(seen=seen, title="The bench server itself")
