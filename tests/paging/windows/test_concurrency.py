"""`concurrency=k` gives the rows of the plain call, in its order, each exactly once, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adsecurity
from adsecurity import AdsecurityClient, AsyncAdsecurityClient, AsyncNetworkClient, NetworkClient, RetryPolicy
from adsecurity.http.pool import SyncPool
from tests.support.report_server import ReportServer, Rows, make_rows

BASE = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
QUICK = RetryPolicy(attempts=3, backoff=0.01, max_backoff=0.02)


def arguments(server: ReportServer, **more: Any) -> dict[str, Any]:
    return {"integration_id": "integration-1", "start_time": BASE, "end_time": BASE + DAY, **more}


def read(server: ReportServer, mode: str, **args: Any) -> tuple[list[Any], Any]:
    """All rows by one call, sync or async, and the error that ended it."""
    network = {"api_key": "k", "base_url": "https://api.test", "transport": server.transport(), "retry": QUICK}
    rows: list[Any] = []

    def sync() -> None:
        with NetworkClient(**network) as client:
            for row in client.reports.clicks(**args):
                rows.append(row)

    async def async_() -> None:
        async with AsyncNetworkClient(**network) as client:
            async for row in client.reports.clicks(**args):
                rows.append(row)

    try:
        if mode == "sync":
            sync()
        else:
            asyncio.run(async_())
    except adsecurity.AdsecurityError as error:
        return rows, error
    return rows, None


def ids(rows: Any) -> list[tuple[Any, Any]]:
    return [(row.request_time, row.uuid) for row in rows]


MODES = pytest.mark.parametrize("mode", ["sync", "async"])


@st.composite
def servers(draw: st.DrawFn) -> ReportServer:
    seconds = draw(st.sampled_from([20, 600, 86_400]))
    offsets = draw(st.lists(st.one_of(st.integers(0, seconds), st.sampled_from([0, 10, seconds])), max_size=60))
    fraction = draw(st.sampled_from([0, 250_000]))
    times = [BASE + timedelta(seconds=offset, microseconds=fraction * (n % 4)) for n, offset in enumerate(offsets)]
    keys = draw(st.sampled_from([None, ["a", "b", None], ["twice", None], [None]]))
    rows = make_rows(times, keys or [f"k{number}" for number in range(max(1, len(times)))])
    return ReportServer(rows, inclusive_end=draw(st.booleans()), newest_first=draw(st.integers(0, 3)) > 0)


@MODES
@settings(max_examples=30, deadline=None)
@given(server=servers(), page_size=st.integers(1, 12), workers=st.integers(2, 6), span=st.sampled_from([3, 21, 86_400]))
def test_the_rows_are_those_of_the_plain_call(
    mode: str, server: ReportServer, page_size: int, workers: int, span: int
) -> None:
    args = arguments(server, page_size=page_size, end_time=BASE + timedelta(seconds=span))
    plain, _ = read(server, "sync", **args)
    rows, error = read(server, mode, **args, concurrency=workers)
    assert error is None
    assert Counter(ids(rows)) == Counter(ids(plain))
    assert [row.request_time for row in rows] == [row.request_time for row in plain]


@MODES
@settings(max_examples=25, deadline=None)
@given(server=servers(), page_size=st.integers(1, 7), workers=st.integers(2, 5), stop=st.integers(0, 60))
def test_a_run_that_was_interrupted_goes_on_exactly_where_it_was(
    mode: str, server: ReportServer, page_size: int, workers: int, stop: int
) -> None:
    args = arguments(server, page_size=page_size, concurrency=workers)
    plain, _ = read(server, "sync", **{**args, "concurrency": 1})
    with NetworkClient(api_key="k", base_url="https://api.test", transport=server.transport()) as client:
        iterator = iter(client.reports.clicks(**args))
        first = list(islice(iterator, stop))
        checkpoint = iterator.checkpoint()
        iterator.close()
    rest, error = read(server, mode, **args, resume=checkpoint)
    assert error is None
    assert Counter(ids(first) + ids(rest)) == Counter(ids(plain))
    assert [row.request_time for row in (*first, *rest)] == [row.request_time for row in plain]


def spread(count: int, seconds: int = 86_400) -> Rows:
    return make_rows([BASE + timedelta(seconds=number * seconds / count) for number in range(count)])


@MODES
def test_rows_that_arrive_meanwhile_come_at_most_once_and_all_others_exactly_once(mode: str) -> None:
    server = ReportServer(spread(400))
    present = {row["uuid"] for row in server.rows}

    def arrive(number: int) -> None:
        moment = BASE + timedelta(seconds=(number * 7919) % 86_400)
        server.rows.append({"request_time": moment.isoformat(), "uuid": f"new{number}", "real_tx_id": f"n{number}"})

    server.before_answer = arrive
    rows, error = read(server, mode, **arguments(server, page_size=7, concurrency=4))
    assert error is None
    counts = Counter(row.uuid for row in rows)
    assert {uuid for uuid in counts if not uuid.startswith("new")} == present
    assert set(counts.values()) == {1}


@MODES
def test_the_hour_that_the_clocks_repeat_is_read_once(mode: str) -> None:
    night = datetime(2026, 10, 24, 22, tzinfo=UTC)  # midnight in Berlin; 01:00 UTC is 02:00 again
    server = ReportServer(make_rows([night + timedelta(seconds=30 * number) for number in range(900)]))
    args = arguments(server, start_time="2026-10-25", end_time="2026-10-25 08:00:00", timezone="Europe/Berlin")
    plain, _ = read(server, "sync", **args, page_size=5)
    rows, error = read(server, mode, **args, page_size=5, concurrency=5)
    assert error is None
    assert ids(rows) == ids(plain)
    assert len(plain) > 800
    asked = {query[name] for _, query in server.requests for name in ("start_time", "end_time")}
    assert not [text for text in asked if "2026-10-25 02:00:00" <= text < "2026-10-25 03:00:00"]


@MODES
def test_a_429_makes_all_workers_wait(mode: str) -> None:
    server = ReportServer(spread(600))
    refused: list[float] = []

    def trouble(number: int, query: dict[str, str]) -> httpx.Response | None:
        if number != 20:
            return None
        refused.append(time.monotonic())
        return httpx.Response(429, headers={"retry-after": "0.4"})

    server.trouble = trouble
    rows, error = read(server, mode, **arguments(server, page_size=5, concurrency=6))
    assert error is None
    assert len(rows) == 600
    # What was on its way may still arrive; nothing else does until the time is over.
    early = [moment for moment, _ in server.requests if refused[0] + 0.1 < moment < refused[0] + 0.38]
    assert not early


@MODES
def test_an_error_in_one_window_stops_the_rest_names_it_and_can_be_resumed(mode: str) -> None:
    server = ReportServer(spread(2000))
    windows: list[tuple[str, str]] = []

    def trouble(number: int, query: dict[str, str]) -> httpx.Response | None:
        window = (query["start_time"], query["end_time"])
        if window not in windows:
            windows.append(window)
        return httpx.Response(403) if len(windows) > 3 and window == windows[3] else None

    server.trouble = trouble
    args = arguments(server, page_size=10, concurrency=3)
    rows, error = read(server, mode, **args)
    assert isinstance(error, adsecurity.PermissionDeniedError)
    assert any(windows[3][0] in note and windows[3][1] in note for note in error.__notes__)
    sent = len(server.requests)
    time.sleep(0.05)
    assert len(server.requests) == sent
    assert sent < 60
    server.trouble = lambda number, query: None
    rest, again = read(server, mode, **args, resume=error.checkpoint)
    assert again is None
    plain, _ = read(server, "sync", **{**args, "concurrency": 1})
    assert ids(rows) + ids(rest) == ids(plain)


def test_after_a_break_no_new_request_starts() -> None:
    server = ReportServer(spread(3000))
    with NetworkClient(api_key="k", base_url="https://api.test", transport=server.transport()) as client:
        for _ in client.reports.clicks(**arguments(server, page_size=10, concurrency=4)):
            break
        time.sleep(0.1)
        sent = len(server.requests)
        time.sleep(0.2)
        assert len(server.requests) == sent
        assert client.reports.clicks(**arguments(server, page_size=10, concurrency=4)).first() is not None


@pytest.mark.anyio
async def test_after_a_break_no_new_request_starts_async() -> None:
    server = ReportServer(spread(3000))
    async with AsyncNetworkClient(api_key="k", base_url="https://api.test", transport=server.transport()) as client:
        async for _ in client.reports.clicks(**arguments(server, page_size=10, concurrency=4)):
            break
        gc.collect()
        await asyncio.sleep(0.1)
        sent = len(server.requests)
        await asyncio.sleep(0.2)
        assert len(server.requests) == sent
        assert await client.reports.clicks(**arguments(server, page_size=10, concurrency=4)).first() is not None


def test_a_reader_that_pauses_holds_the_workers_up() -> None:
    server = ReportServer(spread(6000))
    with NetworkClient(api_key="k", base_url="https://api.test", transport=server.transport()) as client:
        iterator = iter(client.reports.clicks(**arguments(server, page_size=10, concurrency=3)))
        next(iterator)
        time.sleep(0.5)
        # Six windows of at most about four pages, of 600 pages in all.
        assert len(server.requests) <= 6 * 6 + 1
        assert sum(1 for _ in iterator) == 5999


def test_closing_the_client_ends_the_iteration_with_an_error() -> None:
    server = ReportServer(spread(3000))
    client = NetworkClient(api_key="k", base_url="https://api.test", transport=server.transport())
    iterator = iter(client.reports.clicks(**arguments(server, page_size=10, concurrency=3)))
    next(iterator)
    client.close()
    with pytest.raises(adsecurity.ConfigurationError, match="closed"):
        for _ in iterator:
            pass


@pytest.mark.anyio
async def test_closing_the_client_ends_the_iteration_with_an_error_async() -> None:
    server = ReportServer(spread(3000))
    client = AsyncNetworkClient(api_key="k", base_url="https://api.test", transport=server.transport())
    iterator = aiter(client.reports.clicks(**arguments(server, page_size=10, concurrency=3)))
    await anext(iterator)
    await client.close()
    with pytest.raises(adsecurity.ConfigurationError, match="closed"):
        async for _ in iterator:
            pass


def limited_after(answers: int) -> tuple[ReportServer, dict[str, Any]]:
    """A server that asks for a long wait after so many answers, and what a client of it takes."""
    server = ReportServer(spread(3000))
    refusal = httpx.Response(429, headers={"retry-after": "50"})
    server.trouble = lambda number, query: refusal if number > answers else None
    return server, {"api_key": "k", "base_url": "https://api.test", "transport": server.transport()}


def until_workers_wait(client: Any, workers: int) -> None:
    end = time.monotonic() + 10
    while client._session.throttle.waiting < workers:
        assert time.monotonic() < end, "the workers never waited"
        time.sleep(0.005)


def test_closing_ends_a_read_whose_workers_wait_for_their_turn() -> None:
    server, options = limited_after(8)
    client = NetworkClient(**options)
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(client.reports.clicks(**arguments(server, page_size=10, concurrency=4)).to_list)
        until_workers_wait(client, 3)
        began = time.monotonic()
        client.close()
        assert isinstance(reading.exception(timeout=10), adsecurity.ConfigurationError)
        assert time.monotonic() - began < 2


@pytest.mark.anyio
async def test_closing_ends_a_read_whose_workers_wait_for_their_turn_async() -> None:
    server, options = limited_after(8)
    client = AsyncNetworkClient(**options)
    rows = client.reports.clicks(**arguments(server, page_size=10, concurrency=4))
    reading = asyncio.ensure_future(rows.to_list())
    await asyncio.to_thread(until_workers_wait, client, 3)
    began = time.monotonic()
    await asyncio.wait_for(client.close(), 10)
    with pytest.raises(adsecurity.ConfigurationError, match="closed"):
        await asyncio.wait_for(reading, 10)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Tokyo"])
@pytest.mark.parametrize("inclusive", [True, False])
def test_days_of_a_server_in_an_unknown_zone_are_read_once(zone: str, inclusive: bool) -> None:
    rows = make_rows([BASE + timedelta(hours=number * 0.7) for number in range(400)])
    server = ReportServer(rows, zone=zone, inclusive_end=inclusive)
    days = {"integration_id": "i", "start_date": "2026-11-01", "end_date": "2026-11-12", "page_size": 9}
    with AdsecurityClient(api_key="k", base_url="https://api.test", transport=server.transport()) as client:
        plain = client.reports.clicks(**days).to_list()
        assert ids(client.reports.clicks(**days, concurrency=4)) == ids(plain)
        view = client.publisher_view("o1").reports
        by_cursor = {name: value for name, value in days.items() if name != "integration_id"}
        assert ids(view.clicks(**by_cursor, concurrency=4)) == ids(view.clicks(**by_cursor))
    assert len(plain) > 300


@pytest.mark.parametrize("newest_first", [True, False])
def test_days_that_were_interrupted_go_on_exactly_where_they_were(newest_first: bool) -> None:
    rows = make_rows([BASE + timedelta(hours=number * 0.8) for number in range(150)])
    server = ReportServer(rows, newest_first=newest_first)
    days = {"integration_id": "i", "start_date": "2026-11-01", "end_date": "2026-11-05", "page_size": 10}
    with AdsecurityClient(api_key="k", base_url="https://api.test", transport=server.transport()) as client:
        plain = ids(client.reports.clicks(**days))
        for stop in range(0, len(plain), 4):
            iterator = iter(client.reports.clicks(**days, concurrency=3))
            first = ids(islice(iterator, stop))
            iterator.close()
            rest = ids(client.reports.clicks(**days, concurrency=3, resume=iterator.checkpoint()))
            assert Counter(first + rest) == Counter(plain), stop
    assert len(plain) == 150


def test_a_worker_that_did_not_start_is_started_by_who_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start
    failing = [1]

    def fails_once(thread: threading.Thread) -> None:
        if failing:
            failing.clear()
            raise KeyboardInterrupt
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", fails_once)
    server = ReportServer(spread(100))
    with NetworkClient(api_key="k", base_url="https://api.test", transport=server.transport()) as client:
        iterator = iter(client.reports.clicks(**arguments(server, page_size=7, concurrency=2)))
        with pytest.raises(KeyboardInterrupt):
            next(iterator)
        assert len(list(iterator)) == 100


@pytest.fixture
def ads() -> Iterator[AdsecurityClient]:
    server = ReportServer([])
    with AdsecurityClient(api_key="k", base_url="https://api.test", transport=server.transport()) as client:
        yield client
    assert server.requests == []


DAYS = {"integration_id": "i", "start_date": "2026-11-01", "end_date": "2026-11-12"}
REFUSED: dict[str, tuple[Callable[[AdsecurityClient], Any], str]] = {
    "sort": (lambda ads: ads.reports.clicks(**DAYS, sort="country", concurrency=2), "sort"),
    "short": (
        lambda ads: ads.reports.clicks(**{**DAYS, "end_date": "2026-11-02"}, concurrency=2),
        "at least two units",
    ),
    "open": (lambda ads: ads.publisher_view("o").reports.clicks(concurrency=2), "both ends"),
    "fields": (lambda ads: ads.reports.clicks(**DAYS, fields=["country"], concurrency=2), "fields must include"),
    "page": (lambda ads: ads.reports.clicks(**DAYS, page_number=2, concurrency=2), "page_number cannot be given"),
    "none": (lambda ads: ads.reports.clicks(**DAYS, concurrency=0), "whole number"),
    "text": (lambda ads: ads.reports.clicks(**DAYS, concurrency="4"), "whole number"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_divided_is_refused_before_anything_is_sent(ads: AdsecurityClient, case: str) -> None:
    call, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        call(ads)


def test_aggregates_cannot_be_divided(ads: AdsecurityClient) -> None:
    with pytest.raises(TypeError, match="concurrency"):
        ads.reports.performance(**DAYS, concurrency=2)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "damage",
    [
        {"span": ["a", "b"]},
        {"asked": []},
        {"rest": [1]},
        {"span": None},
        {"tail": None},
        {"seen": 5},
    ],
    ids=str,
)
def test_a_damaged_checkpoint_is_refused_before_anything_is_sent(damage: dict[str, Any]) -> None:
    server = ReportServer(spread(100))
    args = arguments(server, page_size=7, concurrency=2)
    with NetworkClient(api_key="k", base_url="https://api.test", transport=server.transport()) as client:
        iterator = iter(client.reports.clicks(**args))
        assert len(list(islice(iterator, 20))) == 20
        facts = json.loads(iterator.checkpoint())
        iterator.close()
        facts["at"]["windows"].update(damage)
        with pytest.raises(ValueError, match="resume: "):
            client.reports.clicks(**args, resume=json.dumps(facts))
        facts["at"] = {"windows": facts["at"]["windows"], "spot": {"skip": "x"}}
        with pytest.raises(ValueError, match="resume: "):
            client.reports.clicks(**args, resume=json.dumps(facts))


def test_an_unknown_zone_is_refused() -> None:
    server = ReportServer([])
    with NetworkClient(api_key="k", base_url="https://api.test", transport=server.transport()) as client:
        with pytest.raises(ValueError, match="Mars"):
            client.reports.clicks(**arguments(server, start_time="2026-11-01", timezone="Mars/Base"), concurrency=2)


def test_each_worker_has_connections_of_its_own() -> None:
    made: list[int] = []

    def counted(*_: object) -> httpx.MockTransport:
        made.append(1)
        return server.transport()

    server = ReportServer(spread(500))
    readers: set[int] = set()
    server.before_answer = lambda number: readers.add(threading.get_ident()) or time.sleep(0.002)  # type: ignore[func-returns-value]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SyncPool, "_transport", staticmethod(counted))
        with NetworkClient(api_key="k", base_url="https://api.test") as client:
            assert len(client.reports.clicks(**arguments(server, page_size=5, concurrency=4)).to_list()) == 500
    # A worker that comes too late for any window needs none.
    assert 1 < len(readers) <= 4
    assert len(made) == len(readers)


def test_hooks_and_async_adsecurity_work_as_for_the_plain_call() -> None:
    server = ReportServer(spread(300))
    pages: list[Any] = []

    async def main() -> list[Any]:
        async with AsyncAdsecurityClient(
            api_key="k", base_url="https://api.test", transport=server.transport(), on_page=pages.append
        ) as client:
            return await client.reports.clicks(
                integration_id="i", start_date="2026-11-01", end_date="2026-11-04", page_size=20, concurrency=3
            ).to_list()

    assert len(asyncio.run(main())) == 300
    assert sum(page.items for page in pages) == 300
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))


@MODES
def test_a_worker_that_dies_ends_the_iteration_with_an_error(mode: str) -> None:
    server = ReportServer(spread(500))
    died: list[int] = []

    def trouble(number: int, query: dict[str, str]) -> httpx.Response | None:
        if number > 10:
            died.append(number)
            raise asyncio.CancelledError if mode == "async" else SystemExit
        return None

    server.trouble = trouble
    with pytest.MonkeyPatch.context() as patch:
        # In a thread nobody else is told; pytest would report it.
        patch.setattr("threading.excepthook", lambda _: None)
        rows, error = read(server, mode, **arguments(server, page_size=5, concurrency=3))
    assert died
    assert type(error) is adsecurity.AdsecurityError
    assert len(rows) < 500
    server.trouble = lambda number, query: None
    rest, _ = read(server, mode, **arguments(server, page_size=5, concurrency=3), resume=error.checkpoint)
    assert len(rows) + len(rest) == 500


@pytest.mark.anyio
async def test_an_error_that_comes_while_the_reader_is_cancelled_is_told_to_who_comes_back() -> None:
    server = ReportServer(spread(300))
    inner = server.transport()
    sent = 0
    slow = True
    got: list[Any] = []

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal sent
            sent += 1
            if sent == 12:
                await asyncio.sleep(0.05)
                return httpx.Response(400)
            if sent > 12 and slow:
                try:
                    await asyncio.sleep(5)
                finally:
                    await asyncio.sleep(0.3)  # to be cancelled takes a moment
            return await inner.handle_async_request(request)

    async def until_it_ends(rows: Any) -> int:
        interrupted = 0
        while True:
            try:
                got.append(await asyncio.wait_for(anext(rows), 0.1))
            except TimeoutError:
                interrupted += 1
            except StopAsyncIteration:
                return interrupted

    retry = RetryPolicy(attempts=1)
    async with AsyncNetworkClient(api_key="k", base_url="https://a.test", retry=retry, transport=Slow()) as client:
        rows = aiter(client.reports.clicks(**arguments(server, page_size=7, concurrency=4)))
        with pytest.raises(adsecurity.BadRequestError) as caught:
            await until_it_ends(rows)
        assert caught.value.checkpoint
        slow = False
        assert await until_it_ends(rows) == 0
    plain, _ = read(server, "sync", **arguments(server, page_size=7))
    assert ids(got) == ids(plain)
