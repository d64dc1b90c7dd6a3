"""Windows of a range, read in any order by any number of workers, are the plain call."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsecurity.paging.clock import Days, Seconds
from adsecurity.paging.windows.plan import WindowPlan
from adsecurity.paging.windows.window import Window

BASE = datetime(2026, 10, 25, tzinfo=UTC)


@attrs.frozen
class Row:
    time: datetime | None
    key: str | None
    payload: int = 0


def identity(row: Row) -> str | None:
    if row.key:
        return f"{row.time}|{row.key}"
    return f"{row!r}" if row.time is not None else None


@attrs.define
class Server:
    """Answers one page of a range the way the API does: filters by unit, sorts by time, pages by cursor or number."""

    rows: list[Row]
    zone: Any
    days: bool
    inclusive_end: bool
    numbered: bool
    newest_first: bool
    page_size: int
    requests: int = 0

    def unit(self, row: Row) -> Any:
        assert row.time is not None
        wall = row.time.astimezone(self.zone).replace(tzinfo=None)
        return wall.date() if self.days else wall.replace(microsecond=0)

    def parse(self, text: str) -> Any:
        return date.fromisoformat(text) if self.days else datetime.fromisoformat(text)

    def page(self, start: str, end: str, cursor: Any) -> tuple[list[Row], Any]:
        self.requests += 1
        low, high = self.parse(start), self.parse(end)
        found = [
            (number, row)
            for number, row in enumerate(self.rows)
            if low <= self.unit(row) and (self.unit(row) < high or (self.inclusive_end and self.unit(row) == high))
        ]
        found.sort(key=lambda pair: (pair[1].time, pair[0]), reverse=self.newest_first)
        if self.numbered:
            number = cursor or 1
            page = found[(number - 1) * self.page_size : number * self.page_size]
            following = number + 1 if len(page) == self.page_size else None
        else:
            order = {number: place for place, (number, _) in enumerate(found)}
            if cursor is None or cursor in order:
                begin = 0 if cursor is None else order[cursor] + 1
            else:  # a cursor whose own row fell out of the narrowed range
                after = (self.rows[cursor].time, cursor)
                begin = sum(
                    ((row.time, number) >= after if self.newest_first else (row.time, number) <= after)
                    for number, row in found
                )
            page = found[begin : begin + self.page_size]
            following = page[-1][0] if begin + self.page_size < len(found) else None
        return [row for _, row in page], following


def run(
    plan: WindowPlan,
    server: Server,
    clock: Any,
    workers: int,
    rng: random.Random,
    *,
    stop_after: int | None = None,
    first: tuple[Any, int] = (None, 0),
) -> tuple[list[Row], Any]:
    """Workers take turns at random, a consumer reads what is ready; returns rows, and a checkpoint if stopped."""
    busy: list[Window] = []
    out: list[Row] = []
    # Cursor of each window's next page; the first window may begin inside a page.
    cursors: dict[int, tuple[Any, int]] = {}
    if (window := plan.next_window()) is not None:
        busy.append(window)
        cursors[id(window)] = first
    while plan.current is not None:
        while len(busy) < workers and (window := plan.next_window()):
            busy.append(window)
        if busy and rng.random() < 0.8:
            window = rng.choice(busy)
            low, high = window.asked
            cursor, skip = cursors.get(id(window), (None, 0))
            rows, following = server.page(clock.text(low), clock.text(high), cursor)
            more = plan.deliver(window, rows[skip:], (cursor, skip), more=following is not None)
            cursors[id(window)] = (following, 0) if window.pages else (None, 0)
            if not more:
                busy.remove(window)
        current = plan.current
        while current is not None and current.buffer:
            emitted = plan.preview(current.buffer[0])
            plan.emit(emitted)
            for count, row in enumerate(emitted.rows, 1):
                out.append(row)
                if stop_after is not None and len(out) == stop_after:
                    done, state = emitted.state(count)
                    cursor, skip = emitted.entry.page
                    return out, (state, cursor, skip + done)
        if current is not None and current.complete and not current.buffer:
            plan.advance()
    assert not busy
    return out, None


def make_plan(server: Server, clock: Any, span: tuple[int, int], workers: int, state: Any = None) -> WindowPlan:
    return WindowPlan(
        clock,
        span,
        page_size=server.page_size,
        workers=workers,
        narrows=not server.numbered,
        time_of=lambda row: row.time,
        identity=identity,
        state=state,
    )


ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]


@st.composite
def servers(draw: st.DrawFn) -> tuple[Server, Any, tuple[int, int]]:
    days = draw(st.booleans())
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    # Around the night of 25 October 2026, when Berlin's clocks repeat an hour.
    span_seconds = draw(st.sampled_from([30, 600, 6 * 3600])) if not days else 5 * 86400
    offsets = draw(
        st.lists(
            st.one_of(st.integers(0, span_seconds), st.sampled_from([0, 1, span_seconds // 2, span_seconds])),
            max_size=120,
        )
    )
    micro = draw(st.booleans())
    rows = []
    for number, offset in enumerate(offsets):
        time = BASE + timedelta(seconds=offset, microseconds=(number * 137_001) % 1_000_000 if micro else 0)
        key = draw(st.sampled_from([f"k{number}", f"k{number}", f"k{number}", "same", None]))
        rows.append(Row(time, key, number % 3))
    rows.sort(key=lambda row: row.time)
    server = Server(
        rows,
        zone,
        days,
        inclusive_end=draw(st.booleans()),
        numbered=days and draw(st.booleans()),
        newest_first=draw(st.booleans()),
        page_size=draw(st.integers(1, 9)),
    )
    clock = Days() if days else Seconds(zone)
    low = draw(st.integers(-5, 5)) if not days else -1
    if days:
        span = (BASE.toordinal() + low, BASE.toordinal() + draw(st.integers(2, 7)))
    else:
        start = (BASE + timedelta(seconds=low)).astimezone(zone).replace(tzinfo=None)
        end = (BASE + timedelta(seconds=span_seconds + draw(st.integers(-2, 5)))).astimezone(zone).replace(tzinfo=None)
        span = (clock.parse(start.isoformat(sep=" ")), clock.parse(end.isoformat(sep=" ")))
    return server, clock, span


def plain(server: Server, clock: Any, span: tuple[int, int]) -> list[Row]:
    whole = attrs.evolve(server, page_size=10_000)
    return whole.page(clock.text(span[0]), clock.text(span[1]), None)[0]


@settings(max_examples=400, deadline=None)
@given(servers(), st.integers(1, 6), st.integers(0, 10_000))
def test_any_schedule_of_any_windows_equals_the_plain_call(case: Any, workers: int, seed: int) -> None:
    server, clock, span = case
    if span[1] - span[0] < 2:
        return
    rows, _ = run(make_plan(server, clock, span, workers), server, clock, workers, random.Random(seed))
    expected = plain(server, clock, span)
    assert Counter(rows) == Counter(expected)
    assert [row.time for row in rows] == sorted((row.time for row in rows), reverse=server.newest_first) or server.days


@settings(max_examples=400, deadline=None)
@given(servers(), st.integers(1, 6), st.integers(0, 10_000), st.integers(1, 120))
def test_resuming_from_any_row_gives_exactly_the_rest(case: Any, workers: int, seed: int, stop: int) -> None:
    server, clock, span = case
    expected = plain(server, clock, span)
    if span[1] - span[0] < 2 or stop > len(expected):
        return
    rng = random.Random(seed)
    first, checkpoint = run(make_plan(server, clock, span, workers), server, clock, workers, rng, stop_after=stop)
    assert checkpoint is not None
    state, cursor, skip = json.loads(json.dumps(checkpoint))
    plan = make_plan(server, clock, span, workers, state)
    second, _ = run(plan, server, clock, workers, rng, first=(cursor, skip))
    assert Counter(first) + Counter(second) == Counter(expected)


def test_a_range_under_two_units_is_refused() -> None:
    with pytest.raises(ValueError, match="two units"):
        WindowPlan(Days(), (5, 6), page_size=1, workers=1, narrows=True, time_of=identity, identity=identity)  # type: ignore[arg-type]


def test_a_window_that_failed_is_taken_up_by_one_worker_however_often_a_read_fails_before_that() -> None:
    plan = WindowPlan(
        Days(), (0, 30), page_size=1, workers=2, narrows=True, time_of=lambda row: row.time, identity=identity
    )
    window = plan.next_window()
    assert window is not None
    for _ in range(3):
        plan.restart()
    assert plan.next_window() is window
    assert plan.next_window() is None


def test_a_repeated_hour_is_never_cut() -> None:
    clock = Seconds(ZoneInfo("Europe/Berlin"))
    assert clock.is_unique(clock.parse("2026-10-25 01:59:59"))
    assert not clock.is_unique(clock.parse("2026-10-25 02:30:00"))
    assert clock.is_unique(clock.parse("2026-10-25 03:00:00"))
    assert not clock.is_unique(clock.parse("2026-03-29 02:30:00"))
