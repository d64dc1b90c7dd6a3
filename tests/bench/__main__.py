"""`python -m tests.bench [--only rows,start] [--quick] [--profile CONTENDER]`.

Prints the table of goals. A full run of all cases writes it to RESULTS.md as well.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.cases import NAMES, Outcome, Setting, case
from tests.bench.measure import Worker
from tests.bench.servers import serving
from tests.bench.table import goals_text, report

RESULTS = Path(__file__).with_name("RESULTS.md")


def profile(name: str, rows: int) -> None:
    """Where a contender's time goes; only its first thread is seen, so take one that has no other."""
    with serving() as server, Worker(name, server.api) as worker:
        worker.read(1000)
        reading = worker.read(rows, profile=True)
    print(f"{name}: {reading.rows} rows, {reading.cpu:.2f} s of processor time under the profiler")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", default=",".join(NAMES), help=f"cases, of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="small sizes: for working on it, not for judging")
    parser.add_argument("--profile", metavar="CONTENDER", help="cProfile of one, such as ours.fast_sync_serial")
    parser.add_argument("--rows", type=int, default=20_000, help="rows to profile")
    options = parser.parse_args()
    if options.profile:
        profile(options.profile, options.rows)
        return 0
    chosen = options.only.split(",")
    if unknown := set(chosen) - set(NAMES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    setting, started = Setting(quick=options.quick), time.monotonic()
    outcomes: list[Outcome] = []
    for name in chosen:
        begun = time.monotonic()
        outcomes.append(case(name)(setting))
        print(f"{name}: measured in {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    whole = list(NAMES) == chosen and not options.quick
    text = report(outcomes, datetime.now(UTC), seconds=time.monotonic() - started)
    print(text if whole else goals_text(outcomes))
    if whole:
        RESULTS.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
