"""Spans are read each on its own, and together they are the range: every row once, about as many in each."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsecurity import AdsecurityClient, AsyncNetworkClient, NetworkClient
from tests.support.report_server import ReportServer, make_rows

URL = {"api_key": "k", "base_url": "https://api.test"}
START = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def clicks(server: ReportServer, **args: Any) -> Any:
    client = NetworkClient(**URL, transport=server.transport())
    return client.reports.clicks(integration_id="i", **{"inclusive": "left", **args})


def days(server: ReportServer, **args: Any) -> Any:
    client = AdsecurityClient(**URL, transport=server.transport())
    return client.reports.clicks(integration_id="i", **{"inclusive": "left", **args})


def uuids(found: Any) -> list[str]:
    return [row.uuid for row in found]


@settings(max_examples=60, deadline=None)
@given(
    hours=st.lists(st.integers(0, 95), max_size=60),
    count=st.integers(1, 12),
    page_size=st.integers(1, 20),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Beirut"]),
    inclusive=st.tuples(st.booleans(), st.booleans()),
    newest_first=st.booleans(),
)
def test_together_the_spans_are_the_range(
    hours: list[int], count: int, page_size: int, zone: str, inclusive: tuple[bool, bool], newest_first: bool
) -> None:
    """Over the night in which clocks are put back."""
    first = datetime(2026, 10, 23, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    server = ReportServer(
        make_rows([first + timedelta(hours=hour) for hour in hours]),
        inclusive_start=inclusive[0],
        inclusive_end=inclusive[1],
        newest_first=newest_first,
    )
    args: dict[str, Any] = {
        "start_time": date(2026, 10, 23),
        "end_time": date(2026, 10, 27),
        "timezone": zone,
        "page_size": page_size,
    }
    spans = clicks(server, **args).spans(count)
    assert 1 <= len(spans) <= count
    assert len(server.requests) <= min(count, 32)
    assert spans[0]["start_time"] == "2026-10-23 00:00:00"
    assert spans[-1]["end_time"] == "2026-10-27 00:00:00"
    assert all(one["end_time"] == other["start_time"] for one, other in pairwise(spans))
    found = [uuid for span in spans for uuid in uuids(clicks(server, **{**args, **span}))]
    assert sorted(found) == sorted(uuids(clicks(server, **args)))


@pytest.mark.parametrize("offset", [-12, 0, 14])
def test_spans_of_days_are_days_of_utc(offset: int) -> None:
    server = ReportServer(make_rows([START + number * timedelta(hours=1.5) for number in range(200)]))
    server.zone = f"Etc/GMT{-offset:+d}"
    args: dict[str, Any] = {"start_date": "2026-11-02", "end_date": "2026-11-12", "page_size": 9}
    spans = days(server, **args).spans(4)
    assert 2 <= len(spans) <= 4
    found = [uuid for span in spans for uuid in uuids(days(server, **{**args, **span}))]
    assert len(found) == 160
    assert sorted(found) == sorted(uuids(days(server, **args)))


@pytest.mark.parametrize(("inclusive", "days_more"), [(True, 4), (False, 3)])
def test_a_span_of_days_asks_for_three_or_four_more_however_long_it_is(inclusive: bool, days_more: int) -> None:
    """So a span of one day costs up to five times what the day itself does, and long ones hardly more."""
    server = ReportServer(make_rows([START + number * timedelta(hours=1) for number in range(40 * 24)]))
    server.inclusive_end = inclusive
    for length in (1, 10):
        server.requests.clear()
        first = date(2026, 11, 10)
        found = days(server, start_date=first, end_date=first + length * DAY)
        assert len(found.to_list()) == length * 24
        assert len(server.within(server.requests[0][1])) == (length + days_more) * 24


def test_spans_have_about_as_many_rows_each_though_some_days_are_busy_and_others_empty() -> None:
    busy = [START + number * timedelta(seconds=30) for number in range(2 * 2880)]  # two days of ten
    quiet = [START + 6 * DAY + number * timedelta(minutes=10) for number in range(144)]
    server = ReportServer(make_rows([*busy, *quiet]))
    args: dict[str, Any] = {"start_time": START, "end_time": START + 10 * DAY}
    spans = clicks(server, **args).spans(16)
    sizes = [len(clicks(server, **{**args, **span}).to_list()) for span in spans]
    assert sum(sizes) == len(busy) + len(quiet)
    assert max(sizes) <= 2.5 * sum(sizes) / 16


def test_a_range_without_rows_is_cut_into_pieces_of_the_same_length() -> None:
    spans = clicks(ReportServer([]), start_time=START, end_time=START + 4 * DAY).spans(4)
    assert [span["start_time"] for span in spans] == [f"2026-11-0{day} 00:00:00" for day in (1, 2, 3, 4)]


def test_a_range_of_two_seconds_has_no_three_spans() -> None:
    server = ReportServer(make_rows([START, START + timedelta(seconds=1)]))
    assert len(clicks(server, start_time=START, end_time=START + timedelta(seconds=2)).spans(3)) == 2
    assert len(clicks(server, start_time=START, end_time=START + timedelta(seconds=1)).spans(3)) == 1


def test_one_span_is_the_range_and_asks_for_nothing() -> None:
    server = ReportServer([])
    assert clicks(server, start_time=START, end_time=START + DAY).spans(1) == [
        {"start_time": "2026-11-01 00:00:00", "end_time": "2026-11-02 00:00:00"}
    ]
    assert server.requests == []


def test_the_async_client_plans_the_same() -> None:
    server = ReportServer(make_rows([START + number * timedelta(minutes=7) for number in range(200)]))
    args: dict[str, Any] = {"start_time": START, "end_time": START + DAY, "page_size": 10}

    async def main() -> list[dict[str, str]]:
        async with AsyncNetworkClient(**URL, transport=server.transport()) as client:
            return await client.reports.clicks(integration_id="i", inclusive="left", **args).spans(5)

    assert asyncio.run(main()) == clicks(server, **args).spans(5)


@pytest.mark.parametrize("count", [0, -1, 2.0, True, "4"])
def test_what_is_no_number_of_spans_is_refused(count: Any) -> None:
    with pytest.raises(ValueError, match="whole number"):
        clicks(ReportServer([]), start_time=START, end_time=START + DAY).spans(count)


def test_spans_of_a_range_that_is_not_half_open_are_refused() -> None:
    with pytest.raises(ValueError, match="inclusive='left'"):
        clicks(ReportServer([]), start_time=START, end_time=START + DAY, inclusive="both").spans(2)
