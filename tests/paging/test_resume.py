"""Going on with another page size, prefetch or concurrency gives exactly the rest, or says what to use."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsecurity import AdsecurityClient, NetworkClient
from tests.paging.kit import PAGED, Server, Use, rows, values
from tests.support.report_server import ReportServer, make_rows

START = datetime(2026, 11, 1, tzinfo=UTC)
URL = {"api_key": "k", "base_url": "https://api.test"}


@settings(max_examples=120, deadline=None)
@given(
    mode=st.sampled_from(["sync", "async"]),
    kind=st.sampled_from(PAGED),
    count=st.integers(0, 40),
    sizes=st.lists(st.integers(1, 15), min_size=2, max_size=5),
    stops=st.lists(st.integers(0, 15), min_size=4, max_size=4),
    prefetch=st.lists(st.sampled_from([0, 1]), min_size=5, max_size=5),
)
def test_each_run_may_have_another_page_size_and_prefetch(
    mode: str, kind: str, count: int, sizes: list[int], stops: list[int], prefetch: list[int]
) -> None:
    use = Use(mode)
    server = Server(kind, rows(count))
    got: list[Any] = []
    checkpoint: str | None = None
    try:
        for number, size in enumerate(sizes):
            try:
                listing = use.listing(server, page_size=size, prefetch=prefetch[number], resume=checkpoint)
            except ValueError as error:
                # A short page is not known to be the last where neither a total nor a flag says so.
                uneven = re.search(r"use page_size=(\d+)$", str(error))
                assert uneven is not None
                assert kind == "report-numbered"
                listing = use.listing(server, page_size=int(uneven[1]), resume=checkpoint)
            iterator = use.iterator(listing)
            last = number == len(sizes) - 1
            for _ in range(1000 if last else stops[number]):
                try:
                    got.append(use.next(iterator))
                except StopIteration:
                    break
            checkpoint = iterator.checkpoint()
    finally:
        use.close()
    assert values(got) == list(range(count))


def test_backwards_a_place_inside_of_a_page_needs_its_page_size(use: Use) -> None:
    server = Server("cursor", rows(25))
    iterator = use.iterator(use.listing(server, page_size=10, before="tx-24"))
    for _ in range(3):
        use.next(iterator)
    checkpoint = iterator.checkpoint()
    with pytest.raises(ValueError, match=r"cannot go on with page_size=5; use page_size=10"):
        use.listing(server, page_size=5, before="x", resume=checkpoint)
    for _ in range(7):
        use.next(iterator)
    between = use.listing(server, page_size=3, before="x", resume=iterator.checkpoint())
    assert sorted(values(use.each(between))) == list(range(14))


@pytest.mark.parametrize("kind", ["pages", "report-pages", "report-numbered"])
def test_a_numbered_place_behind_a_page_that_was_not_full_needs_its_page_size(use: Use, kind: str) -> None:
    server = Server(kind, rows(45))

    def hide(body: dict[str, Any]) -> None:
        if len(server.requests) == 1:
            (body["data"] if kind == "pages" else body["data"]["data"]).pop()
            if kind == "report-pages":
                body["data"]["pageInfo"]["hasNextPage"] = True

    server.change = hide
    iterator = use.iterator(use.listing(server, page_size=10))
    for _ in range(12):
        use.next(iterator)
    checkpoint = iterator.checkpoint()
    with pytest.raises(ValueError, match="use page_size=10"):
        use.listing(server, page_size=20, resume=checkpoint)
    assert values(use.each(use.listing(server, page_size=10, resume=checkpoint))) == list(range(13, 45))


def report(count: int = 200) -> ReportServer:
    return ReportServer(make_rows([START + number * timedelta(minutes=7) for number in range(count)]))


def clicks(of: ReportServer, **more: Any) -> Any:
    args = {"integration_id": "i", "start_time": START, "end_time": START + timedelta(days=1), "page_size": 7}
    return NetworkClient(**URL, transport=of.transport()).reports.clicks(**{**args, **more})


def days(of: ReportServer, **more: Any) -> Any:
    args = {"integration_id": "i", "start_date": "2026-11-01", "end_date": "2026-11-03", "page_size": 7}
    return AdsecurityClient(**URL, transport=of.transport()).reports.clicks(**{**args, **more})


def view(of: ReportServer, **more: Any) -> Any:
    client = AdsecurityClient(**URL, transport=of.transport())
    args = {"start_date": "2026-11-01", "end_date": "2026-11-03", "page_size": 7}
    return client.publisher_view("o").reports.clicks(**{**args, **more})


def uuids(found: Any) -> list[str]:
    return [row.uuid for row in found]


@settings(max_examples=60, deadline=None)
@given(
    call=st.sampled_from([clicks, view]),
    workers=st.lists(st.sampled_from([1, 2, 4]), min_size=3, max_size=5),
    sizes=st.lists(st.integers(1, 20), min_size=5, max_size=5),
    stops=st.lists(st.integers(0, 80), min_size=4, max_size=4),
    inclusive=st.sampled_from(["both", "left"]),
    newest_first=st.booleans(),
    step=st.sampled_from([0, 1, 60, 420]),
    keys=st.sampled_from([None, ["a", "b", None]]),
)
def test_each_run_may_have_another_concurrency(
    call: Callable[..., Any],
    workers: list[int],
    sizes: list[int],
    stops: list[int],
    inclusive: str,
    newest_first: bool,
    step: int,
    keys: list[str | None] | None,
) -> None:
    times = [START + timedelta(hours=5, seconds=number * step) for number in range(120)]
    server = ReportServer(make_rows(times, keys), newest_first=newest_first)
    plain = uuids(call(server, inclusive=inclusive))
    got: list[str] = []
    checkpoint: str | None = None
    for number, concurrency in enumerate(workers):
        rows = call(server, concurrency=concurrency, page_size=sizes[number], inclusive=inclusive, resume=checkpoint)
        iterator = iter(rows)
        got += uuids(islice(iterator, 1000 if number == len(workers) - 1 else stops[number]))
        checkpoint = iterator.checkpoint()
        iterator.close()
    assert Counter(got) == Counter(plain)


def test_numbered_pages_begun_by_one_reader_are_not_divided_among_several() -> None:
    server = report()
    iterator = iter(days(server))
    assert len(list(islice(iterator, 10))) == 10
    with pytest.raises(ValueError, match="use concurrency=1"):
        days(server, concurrency=2, resume=iterator.checkpoint())
    iterator.close()
    assert uuids(days(server, concurrency=2, resume=days(server).checkpoint())) == uuids(days(server))


def test_numbered_pages_begun_by_several_are_finished_by_one() -> None:
    server = report()
    plain = uuids(days(server))
    for count in (0, 10, 77, len(plain)):
        iterator = iter(days(server, concurrency=3))
        first = uuids(islice(iterator, count))
        iterator.close()
        assert first + uuids(days(server, resume=iterator.checkpoint())) == plain


def test_a_later_end_is_refused_with_the_way_to_do_it_right() -> None:
    server = report()
    checkpoint = clicks(server).checkpoint()
    later = START + timedelta(days=2)
    with pytest.raises(ValueError) as caught:
        clicks(server, end_time=later, resume=checkpoint)
    for words in ("end_time differs", "finish it with the old end_time", "start_time is the old end_time", "'left'"):
        assert words in str(caught.value)


def test_what_the_message_says_is_right() -> None:
    """The old range to its end, then a new call from there on: nothing twice, nothing missing."""
    server = report()
    middle, end = START + timedelta(hours=7), START + timedelta(hours=14)
    iterator = iter(clicks(server, end_time=middle, inclusive="left"))
    first = uuids(islice(iterator, 10))
    iterator.close()
    first += uuids(clicks(server, end_time=middle, inclusive="left", resume=iterator.checkpoint()))
    second = uuids(clicks(server, start_time=middle, end_time=end, inclusive="left"))
    assert second + first == uuids(clicks(server, end_time=end, inclusive="left"))


def test_every_argument_has_its_name_in_the_message() -> None:
    server = report()
    given_first: dict[str, Any] = {"filter": {"country": "DE"}, "timezone": "UTC", "integration_id": "i"}
    checkpoint = clicks(server, **given_first).checkpoint()
    assert list(json.loads(checkpoint)["args"]) == ["end_time", "filter", "integration_id", "start_time", "timezone"]
    for name, other in (
        ("filter", {"filter": {"country": "FR"}}),
        ("filter", {"filter": None}),
        ("timezone", {"timezone": "Europe/Berlin", "start_time": "2026-11-01", "end_time": "2026-11-02"}),
        ("integration_id", {"integration_id": "j"}),
    ):
        with pytest.raises(ValueError, match=f"with other arguments: {name} differs"):
            clicks(server, **{**given_first, **other}, resume=checkpoint)
    body = days(server, fields=["request_time"], filters=[{"field": "country", "value": "DE"}]).checkpoint()
    with pytest.raises(ValueError, match="with other arguments: fields, filters differ"):
        days(server, resume=body)


def test_raw_pages_do_not_go_on_from_a_concurrent_read() -> None:
    server = report()
    client = NetworkClient(**URL, transport=server.transport())
    args = {"integration_id": "i", "start_time": START, "end_time": START + timedelta(days=1)}
    checkpoint = client.reports.clicks(**args, concurrency=2).checkpoint()
    with pytest.raises(ValueError, match="one reader alone"):
        client.reports.with_raw_response.clicks(**args, resume=checkpoint)
