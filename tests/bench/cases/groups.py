"""Row groups of several sizes: the memory that they take, the file that they give, and how fast duckdb scans it."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs

from tests.bench.cases import Outcome, Setting
from tests.bench.exports import timed
from tests.bench.measure import alternately, median
from tests.bench.servers import CACHE, serving

_MIB = 1 << 20
_SIZES = (4, 8, 16, 32, 64, 128)
_SCAN = "select country, count(*), sum(payout), count(distinct real_tx_id) from read_parquet('{}') group by country"


@attrs.frozen
class _Written:
    wall: float
    peak: int
    size: int
    groups: int
    scan: float


def run(setting: Setting) -> Outcome:
    rows = setting.of(200_000, 20_000)
    with serving() as server, TemporaryDirectory(dir=CACHE) as folder:
        target = Path(folder, "clicks.parquet")
        jobs = {size: (lambda size=size: _written(server.api, target, rows, size)) for size in _SIZES}
        found = alternately({f"{size} MiB": job for size, job in jobs.items()}, setting.of(3, 1))
    return Outcome(
        seen=[(name, _line(written)) for name, written in found.items()],
        title=f"Row groups of so many bytes in memory, report of {rows:,} rows",
    )


def _written(url: str, target: Path, rows: int, size: int) -> _Written:
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    done = timed("report_in_groups", url, target, BENCH_GROUP_BYTES=str(size * _MIB), BENCH_ROWS=str(rows))
    about = pq.read_metadata(target)
    if about.num_rows != rows:
        raise RuntimeError(f"row groups of {size} MiB lost rows")
    written = _Written(done.wall, done.peak, target.stat().st_size, about.num_row_groups, _scan(target))
    target.unlink()
    return written


def _scan(file: Path) -> float:
    import duckdb

    def once(connection: Any) -> float:
        started = time.perf_counter()
        connection.execute(_SCAN.format(file)).fetchall()
        return time.perf_counter() - started

    with duckdb.connect() as connection:
        return median([once(connection) for _ in range(5)])


def _line(found: list[_Written]) -> str:
    last = found[-1]
    return (
        f"{median(found, lambda one: one.peak) / 1e6:.0f} MB peak; {last.size / 1e6:.1f} MB in {last.groups} groups;"
        f" scan {median(found, lambda one: one.scan) * 1000:.0f} ms; {median(found, lambda one: one.wall):.1f} s"
    )
