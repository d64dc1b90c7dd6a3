"""An export made into a Parquet file, beside what duckdb takes from the file that is there already."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.cases import Goal, Outcome, Setting
from tests.bench.exports import Task, timed
from tests.bench.measure import alternately, median
from tests.bench.servers import CACHE, export_file, serving


def run(setting: Setting) -> Outcome:
    rows = setting.of(1_000_000, 100_000)
    file = export_file(rows)
    with serving(export=file, rows=rows) as server, TemporaryDirectory(dir=CACHE) as folder:
        target = Path(folder, "clicks.parquet")

        def task(name: str, source: str) -> Task:
            done = timed(name, source, target)
            import pyarrow.parquet  # type: ignore[import-untyped]

            if pyarrow.parquet.read_metadata(target).num_rows != rows:
                raise RuntimeError(f"{name} lost rows on the way to Parquet")
            target.unlink()
            return done

        found = alternately(
            {
                "duckdb, from the file": lambda: task("duckdb_file", str(file)),
                "ours, from the export": lambda: task("to_parquet", server.api),
                "duckdb, from the file, types told": lambda: task("duckdb_typed", str(file)),
                "pyarrow, from the file": lambda: task("pyarrow_file", str(file)),
            },
            setting.of(3, 3),
        )
    ours, duckdb = found["ours, from the export"], found["duckdb, from the file"]
    wall, theirs = (median(tasks, lambda task: task.wall) for tasks in (ours, duckdb))
    ratio = median([own.wall / other.wall for own, other in zip(ours, duckdb, strict=True)])
    peak = median(ours, lambda task: task.peak) / 1e6
    goals = [
        Goal.at_most(
            f"export to Parquet, {rows:,} rows", f"{wall:.2f} s", f"duckdb from the file: {theirs:.2f} s", ratio, 1.25
        ),
        Goal.under(
            "peak RSS of it", peak, "MB", 400.0, f"duckdb: {median(duckdb, lambda task: task.peak) / 1e6:.0f} MB"
        ),
    ]
    seen = [
        (name, f"{median(tasks, lambda t: t.wall):.2f} s, {median(tasks, lambda t: t.peak) / 1e6:.0f} MB")
        for name, tasks in found.items()
    ]
    return Outcome(goals, seen, "Export to Parquet")
