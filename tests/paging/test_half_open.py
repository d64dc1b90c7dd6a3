"""`inclusive="left"`: a range is its start <= t < end, whatever the server does with the ends, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsecurity import AdsecurityClient, AsyncNetworkClient, NetworkClient, PaginationError
from tests.support.report_server import ReportServer, Rows, make_rows

URL = {"api_key": "k", "base_url": "https://api.test"}
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
NIGHTS = (
    ("UTC", date(2026, 11, 1)),
    ("Europe/Berlin", date(2026, 10, 24)),  # 02:00 to 03:00 comes twice
    ("Europe/Berlin", date(2026, 3, 28)),  # 02:00 to 03:00 does not come
    ("Australia/Lord_Howe", date(2026, 4, 4)),  # half an hour comes twice
    ("Asia/Beirut", date(2026, 3, 28)),  # midnight does not come
    ("Asia/Beirut", date(2026, 10, 24)),  # 23:00 to midnight comes twice
    ("America/Havana", date(2026, 10, 31)),  # midnight to 01:00 comes twice
)


def network(server: ReportServer, **options: Any) -> Any:
    return NetworkClient(**URL, transport=server.transport()).reports.clicks(
        integration_id="i", **{"inclusive": "left", **options}
    )


def ads(server: ReportServer, **options: Any) -> Any:
    return AdsecurityClient(**URL, transport=server.transport()).reports.clicks(
        integration_id="i", **{"inclusive": "left", **options}
    )


def view(server: ReportServer, **options: Any) -> Any:
    client = AdsecurityClient(**URL, transport=server.transport())
    return client.publisher_view("o").reports.clicks(**{"inclusive": "left", **options})


def keys(rows: Any) -> list[str]:
    return [row.uuid for row in rows]


def expected(server: ReportServer, start: datetime, end: datetime) -> list[str]:
    """What lies in the range, in the order of the server."""
    found = [
        (datetime.fromisoformat(row["request_time"]), number, row["uuid"]) for number, row in enumerate(server.rows)
    ]
    return [
        uuid
        for time, _, uuid in sorted(found, key=lambda row: row[:2], reverse=server.newest_first)
        if start <= time < end
    ]


@st.composite
def nights(draw: st.DrawFn) -> tuple[ReportServer, str, list[date], list[datetime]]:
    """A server, and the bounds of three nights in its zone, as they are asked for and as moments."""
    zone, first = draw(st.sampled_from(NIGHTS))
    days = [first + number * DAY for number in range(4)]
    bounds = [datetime.combine(day, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC) for day in days]
    around = st.sampled_from([-3600, -1801, -2, -1, 0, 1, 2, 1800, 3599, 3600, 7200])
    rows = draw(st.lists(st.tuples(st.integers(0, 3), around, st.sampled_from([0, 1, 500_000, 999_999])), max_size=40))
    times = [bounds[which] + timedelta(seconds=offset, microseconds=micro) for which, offset, micro in rows]
    times += [bounds[0] + hours * timedelta(hours=1) for hours in range(0, 75, draw(st.integers(1, 30)))]
    server = ReportServer(
        make_rows(times),
        inclusive_end=draw(st.booleans()),
        inclusive_start=draw(st.booleans()),
        newest_first=draw(st.booleans()),
    )
    return server, zone, days, bounds


@settings(max_examples=150, deadline=None)
@given(case=nights(), page_size=st.integers(1, 20), workers=st.sampled_from([1, 1, 3]))
def test_consecutive_nights_share_no_row_and_miss_none(
    case: tuple[ReportServer, str, list[date], list[datetime]], page_size: int, workers: int
) -> None:
    server, zone, days, bounds = case
    if not (server.inclusive_start or server.inclusive_end):
        workers = 1  # windows that meet at a second which neither counts in would lose it
    for number in range(3):
        rows = network(
            server,
            start_time=days[number],
            end_time=days[number + 1],
            timezone=zone,
            page_size=page_size,
            concurrency=workers,
        )
        assert keys(rows) == expected(server, bounds[number], bounds[number + 1])


@settings(max_examples=150, deadline=None)
@given(
    offset=st.integers(-12, 14),
    inclusive=st.tuples(st.booleans(), st.booleans()),
    newest_first=st.booleans(),
    around=st.lists(st.tuples(st.integers(0, 3), st.integers(-50, 50), st.sampled_from([0, 1])), max_size=40),
    page_size=st.integers(1, 20),
    workers=st.sampled_from([1, 1, 3]),
    call=st.sampled_from([ads, view]),
)
def test_consecutive_days_are_days_of_utc_wherever_the_server_is(
    offset: int,
    inclusive: tuple[bool, bool],
    newest_first: bool,
    around: list[tuple[int, int, int]],
    page_size: int,
    workers: int,
    call: Callable[..., Any],
) -> None:
    bounds = [datetime(2026, 11, 1, tzinfo=UTC) + number * DAY for number in range(4)]
    times = [bounds[which] + timedelta(hours=hours, microseconds=-micro) for which, hours, micro in around] + bounds
    server = ReportServer(
        make_rows(times),
        zone=f"Etc/GMT{-offset:+d}",
        inclusive_start=inclusive[0],
        inclusive_end=inclusive[1],
        newest_first=newest_first,
    )
    if not any(inclusive):
        workers = 1  # windows that meet at a day which neither counts in would lose it
    for start, end in pairwise(bounds):
        rows = call(server, start_date=start.date(), end_date=end.date(), page_size=page_size, concurrency=workers)
        assert keys(rows) == expected(server, start, end)


@settings(max_examples=60, deadline=None)
@given(case=nights(), stop=st.integers(0, 30), page_size=st.integers(1, 9), workers=st.sampled_from([1, 3]))
def test_a_half_open_read_goes_on_from_any_row(
    case: tuple[ReportServer, str, list[date], list[datetime]], stop: int, page_size: int, workers: int
) -> None:
    server, zone, days, bounds = case
    server.inclusive_start = server.inclusive_start or workers == 1 or not server.inclusive_end
    args = {"start_time": days[1], "end_time": days[2], "timezone": zone, "page_size": page_size}
    iterator = iter(network(server, **args, concurrency=workers))
    first = keys(islice(iterator, stop))
    checkpoint = iterator.checkpoint()
    iterator.close()
    rest = keys(network(server, **args, concurrency=workers, resume=checkpoint))
    assert first + rest == expected(server, bounds[1], bounds[2])


def every_way(rows: Any) -> dict[str, list[str]]:
    return {
        "items": keys(rows),
        "pages": [row.uuid for page in rows.pages() for row in page.items],
        "to_list": keys(rows.to_list()),
        "to_arrow": rows.to_arrow().column("uuid").to_pylist(),
        "to_arrow_batches": [uuid for batch in rows.to_arrow_batches() for uuid in batch.column("uuid").to_pylist()],
    }


@pytest.mark.parametrize("concurrency", [1, 3])
def test_all_ways_to_read_agree(concurrency: int) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    server = ReportServer(make_rows([start + number * timedelta(minutes=30) for number in range(-2, 52)]))
    rows = network(server, start_time=start, end_time=start + DAY, page_size=7, concurrency=concurrency)
    wanted = expected(server, start, start + DAY)
    assert len(wanted) == 48
    assert {name: found for name, found in every_way(rows).items() if found != wanted} == {}
    assert rows.first().uuid == wanted[0]


def test_the_async_client_reads_the_same() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    server = ReportServer(make_rows([start + number * timedelta(minutes=30) for number in range(-2, 52)]))

    async def main(concurrency: int) -> list[Any]:
        async with AsyncNetworkClient(**URL, transport=server.transport()) as client:
            return await client.reports.clicks(
                integration_id="i",
                start_time=start,
                end_time=start + DAY,
                page_size=7,
                inclusive="left",
                concurrency=concurrency,
            ).to_list()

    assert keys(asyncio.run(main(1))) == keys(asyncio.run(main(3))) == expected(server, start, start + DAY)


def test_a_page_whose_rows_all_lie_outside_is_not_shown() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    server = ReportServer(make_rows([start - SECOND, start - SECOND, start, start + DAY, start + DAY]))
    pages = list(network(server, start_time=start, end_time=start + DAY, page_size=1).pages())
    assert [len(page) for page in pages] == [1]


def with_unreadable_times(server: ReportServer, uuids: set[str]) -> ReportServer:
    page = server.page

    def damaged(query: dict[str, str], body: dict[str, Any]) -> Any:
        answer = page(query, body)
        rows: Rows = answer["data"]["data"]
        answer["data"]["data"] = [{**row, "request_time": ""} if row["uuid"] in uuids else row for row in rows]
        return answer

    server.page = damaged  # type: ignore[method-assign]
    return server


@pytest.mark.parametrize("concurrency", [1, 2])
@pytest.mark.parametrize("page_size", [1, 2, 3, 10])
def test_a_row_without_a_readable_time_goes_with_the_row_before_it(page_size: int, concurrency: int) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    times = [start - SECOND, start - SECOND, start, start, start + DAY - SECOND, start + DAY, start + DAY]
    # Newest first: u6 u5 | u4 u3 u2 | u1 u0; the second of each group has no time.
    server = with_unreadable_times(ReportServer(make_rows(times)), {"u5", "u3", "u0"})
    args = {"start_time": start, "end_time": start + DAY, "page_size": page_size, "concurrency": concurrency}
    assert keys(network(server, **args)) == ["u4", "u3", "u2"]
    for count in range(4):
        iterator = iter(network(server, **args))
        first = keys(islice(iterator, count))
        rest = keys(network(server, **args, resume=iterator.checkpoint()))
        iterator.close()
        assert first + rest == ["u4", "u3", "u2"], count


def test_rows_without_a_time_at_the_top_go_with_the_row_behind_them() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    server = with_unreadable_times(ReportServer(make_rows([start, start + SECOND, start + 2 * SECOND])), {"u2"})
    assert keys(network(server, start_time=start, end_time=start + DAY)) == ["u2", "u1", "u0"]
    server = with_unreadable_times(ReportServer(make_rows([start, start + DAY, start + DAY])), {"u2"})
    assert keys(network(server, start_time=start, end_time=start + DAY)) == ["u0"]


@pytest.mark.parametrize("concurrency", [1, 2])
def test_a_row_outside_of_what_was_asked_for_is_an_error_with_a_checkpoint(concurrency: int) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    server = ReportServer(make_rows([start + hours * timedelta(hours=1) for hours in range(24)]))
    page = server.page

    def elsewhere(query: dict[str, str], body: dict[str, Any]) -> Any:
        answer = page(query, body)
        early = (start - timedelta(hours=2)).isoformat()
        rows: Rows = answer["data"]["data"]
        answer["data"]["data"] = [{**row, "request_time": early} if row["uuid"] == "u5" else row for row in rows]
        return answer

    server.page = elsewhere  # type: ignore[method-assign]
    args = {"start_time": start, "end_time": start + DAY, "page_size": 7, "concurrency": concurrency}
    iterator = iter(network(server, **args))
    got: list[Any] = []
    with pytest.raises(PaginationError, match="time field or time zone") as caught:
        got.extend(iterator)
    assert keys(got) == [f"u{number}" for number in range(23, len(server.rows) - 1 - len(got), -1)]
    with pytest.raises(PaginationError, match="time field or time zone"):
        next(iterator)
    server.page = page  # type: ignore[method-assign]
    rest = network(server, **args, resume=caught.value.checkpoint)
    assert keys(got) + keys(rest) == expected(server, start, start + DAY)


def test_a_server_in_another_zone_than_it_was_told_is_noticed() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    server = ReportServer(make_rows([start + minutes * timedelta(minutes=10) for minutes in range(-100, 200)]))
    inner = server.within
    server.within = lambda query: inner({**query, "timezone": "Asia/Tokyo"})  # type: ignore[method-assign]
    with pytest.raises(PaginationError, match="time field or time zone"):
        network(server, start_time="2026-11-01", end_time="2026-11-02", timezone="UTC").to_list()


MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)
REFUSED: dict[str, tuple[Callable[[ReportServer], Any], str]] = {
    "word": (lambda s: network(s, start_time="2026-11-01", end_time="2026-11-02", inclusive="right"), "not 'right'"),
    "empty": (lambda s: network(s, start_time="2026-11-01", end_time="2026-11-01"), "end_time is left out"),
    "one day": (lambda s: ads(s, start_date="2026-11-01", end_date="2026-11-01"), "end_date is left out"),
    "fraction": (
        lambda s: network(s, start_time=MIDNIGHT, end_time=MIDNIGHT + timedelta(seconds=9.5)),
        "end_time must be a whole second",
    ),
    "open": (lambda s: view(s, start_date="2026-11-01"), "both ends"),
    "fields": (lambda s: ads(s, start_date="2026-11-01", end_date="2026-11-02", fields=["country"]), "request_time"),
    "zone": (lambda s: network(s, start_time="2026-11-01", end_time="2026-11-02", timezone="Mars/Base"), "Mars"),
    "years": (lambda s: ads(s, start_date="0001-01-01", end_date="2026-11-02"), "years"),
    "gap": (
        lambda s: network(
            s, start_time="2026-03-29 02:30:00", end_time="2026-03-29 03:20:00", timezone="Europe/Berlin"
        ),
        "empty",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_half_open_range_is_refused_before_anything_is_sent(case: str) -> None:
    call, message = REFUSED[case]
    server = ReportServer([])
    with pytest.raises(ValueError, match=message):
        call(server)
    assert server.requests == []


def test_more_is_asked_for_at_both_ends_and_only_at_times_that_come_once() -> None:
    server = ReportServer([])
    list(network(server, start_time="2026-11-01", end_time="2026-11-02"))
    list(network(server, start_time="2026-10-25", end_time="2026-10-26", timezone="Asia/Beirut"))
    list(ads(server, start_date="2026-11-03", end_date="2026-11-04"))
    asked = [
        (query.get("start_time") or query["start_date"], query.get("end_time") or query["end_date"])
        for _, query in server.requests
    ]
    assert asked == [
        ("2026-10-31 23:59:59", "2026-11-02 00:00:01"),
        ("2026-10-24 22:45:00", "2026-10-26 00:00:01"),
        ("2026-11-01", "2026-11-05"),
    ]


def test_both_asks_for_what_was_given_and_leaves_nothing_out() -> None:
    server = ReportServer(make_rows([MIDNIGHT, MIDNIGHT + DAY]))
    assert len(list(network(server, start_time=MIDNIGHT, end_time=MIDNIGHT + DAY, inclusive="both"))) == 2
    assert server.requests[0][1]["start_time"] == "2026-11-01 00:00:00"


def test_a_checkpoint_knows_which_kind_of_range_it_is_of() -> None:
    server = ReportServer(make_rows([MIDNIGHT]))
    args = {"start_time": "2026-11-01", "end_time": "2026-11-02"}
    checkpoint = network(server, **args).checkpoint()
    with pytest.raises(ValueError, match="inclusive differs"):
        network(server, **args, inclusive="both", resume=checkpoint)
