"""Pipelines of dlt into duckdb files, each in a folder of its own, and what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dlt
import duckdb

DATASET = "loaded"


def pipeline(folder: Path, **options: Any) -> Any:
    """The pipeline of a folder, which has its state, and the database that it loads."""
    return dlt.pipeline(
        "ads",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(folder / "ads.duckdb")),
        dataset_name=DATASET,
        **options,
    )


def load(folder: Path, source: Any, *names: str) -> dict[str, int]:
    """Run the pipeline with these resources, or with those that are selected; how many rows each gave.

    Where a load was left in the middle, the run finishes it and does nothing else.
    """
    running = pipeline(folder)
    running.run(source.with_resources(*names) if names else source)
    normalized = running.last_trace.last_normalize_info
    counts: dict[str, int] = normalized.row_counts if normalized else {}
    return {name: count for name, count in counts.items() if not name.startswith("_dlt")}


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """What a query gives; the tables stand without the name of their schema."""
    with duckdb.connect(str(folder / "ads.duckdb"), read_only=True) as connection:
        connection.execute(f"USE {DATASET}")
        found: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
    return found
