"""Stretches without rows are crossed fast: what a read costs is what its dense days cost, wherever they lie."""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import attrs
import pytest

from adsecurity.paging.clock import Seconds
from adsecurity.paging.windows.plan import WindowPlan
from adsecurity.paging.windows.window import Window

MONTH = datetime(2026, 11, 1, tzinfo=UTC)
DAY = 86_400
PAGE = 100
PAGES_A_DAY = 55
WORKERS = 16


@attrs.frozen
class Row:
    time: datetime
    key: str


@attrs.define
class Server:
    """Rows newest first, a page behind a cursor; the end of a range is counted in."""

    seconds: Sequence[int]
    """When a row came, oldest first."""
    newest_first: bool = True
    requests: int = 0

    def page(self, span: tuple[int, int], cursor: int | None) -> tuple[list[Row], int | None]:
        self.requests += 1
        low, high = bisect_left(self.seconds, span[0]), bisect_right(self.seconds, span[1])
        if self.newest_first:
            high = high if cursor is None else min(cursor, high)
            found = range(high - 1, max(low, high - PAGE) - 1, -1)
            following = max(low, high - PAGE)
            more = following > low
        else:
            low = low if cursor is None else max(cursor, low)
            found = range(low, min(high, low + PAGE))
            following = min(high, low + PAGE)
            more = following < high
        rows = [Row(datetime.fromtimestamp(self.seconds[place], UTC), str(place)) for place in found]
        return rows, following if more else None


def dense(days: Iterable[int], pages_a_day: int = PAGES_A_DAY) -> list[int]:
    start, count = int(MONTH.timestamp()), pages_a_day * PAGE
    return [start + day * DAY + number * DAY // count for day in sorted(days) for number in range(count)]


def rounds(server: Server, first_day: int, last_day: int, workers: int = WORKERS) -> int:
    """How long the read takes, in requests one after the other, with a clock of its own."""
    clock = Seconds(UTC)
    start = clock.parse(MONTH.replace(tzinfo=None).isoformat())
    plan = WindowPlan(
        clock,
        (start + first_day * DAY, start + last_day * DAY),
        page_size=PAGE,
        workers=workers,
        narrows=True,
        time_of=lambda row: row.time,
        identity=lambda row: row.key,
    )
    now, number, got = 0, 0, 0
    running: list[tuple[int, int, Window, int | None]] = []

    def begin(window: Window, cursor: int | None) -> None:
        nonlocal number
        number += 1
        heapq.heappush(running, (now + 1, number, window, cursor))

    while plan.current is not None:
        while len(running) < workers and (window := plan.next_window()) is not None:
            begin(window, None)
        current = plan.current
        if current.buffer:
            emitted = plan.preview(current.buffer[0])
            plan.emit(emitted)
            got += len(emitted.rows)
        elif current.complete:
            plan.advance()
        else:
            now, _, window, cursor = heapq.heappop(running)
            rows, following = server.page(window.asked, cursor)
            if plan.deliver(window, rows, None, more=following is not None):
                begin(window, following)
    assert got == len(server.seconds)
    return now


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("workers", [4, 16])
def test_a_week_of_rows_in_a_month_takes_as_long_as_the_week_alone_wherever_it_lies(
    workers: int, newest_first: bool
) -> None:
    alone = rounds(Server(dense(range(7)), newest_first), 0, 7, workers)
    for first in (0, 1, 8, 15, 22, 23):
        taken = rounds(Server(dense(range(first, first + 7)), newest_first), 0, 30, workers)
        assert taken <= 1.15 * alone, first


SPREAD = (
    [0, 5, 9, 14, 18, 23, 29],
    [3, 4, 12, 13, 14, 25, 26],
    [0, 1, 2, 3, 27, 28, 29],
    range(0, 28, 4),
    range(0, 14, 2),
)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("days", SPREAD, ids=str)
def test_days_of_rows_that_lie_apart_take_little_longer(days: Sequence[int], newest_first: bool) -> None:
    alone = rounds(Server(dense(range(7)), newest_first), 0, 7)
    assert rounds(Server(dense(days), newest_first), 0, 30) <= 1.3 * alone


def test_a_year_with_one_busy_hour_is_crossed_in_a_few_rounds() -> None:
    start = int(MONTH.timestamp()) + 200 * DAY
    server = Server([start + number for number in range(3600)])
    assert rounds(server, 0, 365) <= 15
    assert server.requests <= 120
