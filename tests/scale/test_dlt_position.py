"""Loads one after the other give each row that arrives in time, and without a lag give it once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from adsecurity.dlt.keys import KEY, Shape
from adsecurity.dlt.position import Position
from adsecurity_generated.network.surface import SURFACE as NETWORK

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
SCHEMA = pa.schema([("time", pa.timestamp("us", "UTC")), (KEY, pa.string())])

arrivals = st.lists(st.lists(st.integers(0, 30), max_size=6), min_size=1, max_size=6)
"""For each load the seconds of the rows that have arrived since the one before."""


def at(second: int) -> datetime:
    return BEGIN + timedelta(seconds=second)


def loads(arrived: list[list[int]], lag: timedelta, batch: int) -> list[list[tuple[datetime | None, str]]]:
    """What each load gives, of a report that shows the latest rows first."""
    there: list[tuple[datetime | None, str]] = []
    saved = None
    given_rows = []
    for number, seconds in enumerate(arrived):
        there += [(at(second), f"{number}-{place}") for place, second in enumerate(seconds)]
        position = Position(saved, BEGIN, at(100), lag, "time")
        # As the server answers: what is asked for is rounded, so more may come.
        rows = sorted((row for row in there if row[0] >= position.start - timedelta(seconds=1)), reverse=True)
        tables = [
            pa.table(list(zip(*rows[place : place + batch], strict=True)), schema=SCHEMA)
            for place in range(0, len(rows), batch)
        ]
        given_rows.append([tuple(row.values()) for table in tables for row in position.select(table).to_pylist()])
        if (reached := position.saved()) is not None:
            saved = json.loads(json.dumps(reached))
    return given_rows


@given(arrivals, st.integers(1, 7))
def test_without_a_lag_a_row_that_is_not_earlier_than_the_latest_comes_once(
    arrived: list[list[int]], batch: int
) -> None:
    expected, latest = [], -1
    for number, seconds in enumerate(arrived):
        in_time = [(at(s), f"{number}-{place}") for place, s in enumerate(seconds) if s >= latest]
        expected.append(sorted(in_time, reverse=True))
        latest = max([latest, *seconds])
    assert loads(arrived, timedelta(0), batch) == expected


@given(arrivals, st.integers(1, 30), st.integers(1, 7))
def test_with_a_lag_every_row_that_is_late_by_less_comes_and_what_comes_again_is_of_the_lag(
    arrived: list[list[int]], lag: int, batch: int
) -> None:
    given_rows = loads(arrived, timedelta(seconds=lag), batch)
    latest = -1
    for number, (seconds, rows) in enumerate(zip(arrived, given_rows, strict=True)):
        for place, second in enumerate(seconds):
            assert ((at(second), f"{number}-{place}") in rows) == (second >= latest - lag)
        assert all(time >= at(latest - lag) for time, _ in rows)
        assert len(set(rows)) == len(rows)
        latest = max([latest, *seconds])


def test_of_the_rows_only_those_at_the_latest_time_are_kept_in_the_state() -> None:
    position = Position(None, BEGIN, at(100), timedelta(0), "time")
    for second in (10, 20, 30):
        position.select(pa.table([[at(second)] * 2, [f"{second}a", f"{second}b"]], schema=SCHEMA))
    saved = position.saved()
    assert saved is not None
    assert (saved["time"], len(saved["rows"])) == (at(30).isoformat(), 2)


def test_rows_without_a_time_always_come_and_move_nothing() -> None:
    position = Position({"time": at(50).isoformat(), "rows": []}, BEGIN, at(100), timedelta(0), "time")
    table = pa.table([[None, at(10), at(60), at(100)], ["a", "b", "c", "d"]], schema=SCHEMA)
    assert position.select(table)[KEY].to_pylist() == ["a", "c"]
    empty = Position(None, BEGIN, at(100), timedelta(0), "time")
    assert empty.select(table.slice(0, 1))[KEY].to_pylist() == ["a"]
    assert empty.saved() is None


def test_a_file_with_other_columns_becomes_the_table_of_the_specs_and_loses_nothing() -> None:
    shape = Shape(NETWORK.model("User"), {"integration_id": 7}, ["id"])
    file = pa.RecordBatch.from_pydict({"surprise": ["x", None], "id": ["1", "2"], "role": [None, "admin"]})
    table = shape.table(file)
    assert table.schema == shape.schema
    rows = table.select(["integration_id", "id", "role", "email", "_extra", KEY]).to_pylist()
    assert [list(row.values()) for row in rows] == [
        ["7", "1", None, None, '{"surprise": "x"}', "7|1"],
        ["7", "2", "admin", None, None, "7|2"],
    ]
