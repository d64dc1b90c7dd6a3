"""`since=`: run after run, each row comes exactly once into what is saved together with the state, whatever happens."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsecurity import (
    AdsecurityClient,
    AdsecurityError,
    AsyncNetworkClient,
    NetworkClient,
    PaginationError,
    RetryPolicy,
    State,
)
from tests.support.report_server import ReportServer, make_rows

KEY = "planted-key-0123456789"
URL = {"api_key": KEY, "base_url": "https://api.test", "retry": RetryPolicy(attempts=1)}
START = datetime(2026, 11, 1, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@attrs.define(eq=False)
class Memory:
    """A store that can be put back, as a transaction that is rolled back does."""

    text: str | None = None

    def load(self) -> str | None:
        return self.text

    def save(self, state: str, /) -> None:
        self.text = state


def network(server: ReportServer, since: State, end: datetime, **options: Any) -> Any:
    client = NetworkClient(**URL, transport=server.transport())
    return client.reports.clicks(
        integration_id="i", **{"start_time": START, "end_time": end, "since": since, **options}
    )


def ads(server: ReportServer, since: State, end: datetime, **options: Any) -> Any:
    client = AdsecurityClient(**URL, transport=server.transport())
    after = (end + DAY - timedelta(microseconds=1)).date()
    return client.reports.clicks(integration_id="i", start_date=START.date(), end_date=after, since=since, **options)


def uuids(rows: Any) -> list[str]:
    return [row.uuid for row in rows]


def column(batches: Any) -> list[str]:
    return [uuid for batch in batches for uuid in batch.column("uuid").to_pylist()]


WAYS: dict[str, Callable[[Any], list[str]]] = {
    "items": uuids,
    "pages": lambda rows: [row.uuid for page in rows.pages() for row in page.items],
    "to_list": lambda rows: uuids(rows.to_list()),
    "to_arrow": lambda rows: column([rows.to_arrow()]),
    "to_arrow_batches": lambda rows: column(rows.to_arrow_batches()),
    "to_pandas": lambda rows: list(rows.to_pandas()["uuid"]),
}


@attrs.define
class Run:
    """One night of a load."""

    sees: float
    """How much of all that comes is there, from 0 to 1."""
    cut: float
    """Where its range ends, as a part of the time until then; above 1 in the future."""
    fate: str
    """`stored`, `killed` before the commit, or `resumed` by another process in the middle."""
    stop: int
    way: str
    workers: int


RUNS = st.lists(
    st.builds(
        Run,
        sees=st.floats(0, 1),
        cut=st.sampled_from([0.3, 0.9, 1.0, 1.0, 1.5]),
        fate=st.sampled_from(["stored", "stored", "killed", "resumed"]),
        stop=st.integers(0, 30),
        way=st.sampled_from([*WAYS, "items", "items"]),
        workers=st.sampled_from([1, 1, 1, 3]),
    ),
    max_size=5,
)
LAST = Run(1.0, 1.5, "stored", 0, "items", 1)


def read(call: Callable[..., Any], run: Run, **options: Any) -> list[str]:
    """What one run gives; its last call has the state to commit."""
    if run.fate != "resumed":
        return WAYS[run.way](call(concurrency=run.workers, **options))
    iterator = iter(call(concurrency=run.workers, **options))
    first = uuids(islice(iterator, run.stop))
    checkpoint = iterator.checkpoint()
    iterator.close()
    assert KEY not in checkpoint
    return first + WAYS[run.way](call(concurrency=run.workers, resume=checkpoint, **options))


@settings(max_examples=50, deadline=None)
@given(
    arrivals=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 600), st.integers(0, 4)), max_size=40),
    runs=RUNS,
    lag=st.sampled_from([600, 600, 4000]),
    newest_first=st.booleans(),
    page_size=st.integers(1, 20),
    call=st.sampled_from([network, network, ads]),
)
def test_each_row_comes_exactly_once_whatever_arrives_late_and_whichever_run_is_killed(
    arrivals: list[tuple[int, int, int]],
    runs: list[Run],
    lag: int,
    newest_first: bool,
    page_size: int,
    call: Callable[..., Any],
) -> None:
    """Arrivals are the time of a row, its delay, and its key: some rows share theirs, some have none."""
    keys = [None, "twice", "a", "b", "c"]
    rows = make_rows([START + timedelta(milliseconds=500 * time) for time, _, _ in sorted(arrivals)])
    arrived = []
    for number, (time, delay, key) in enumerate(sorted(arrivals)):
        rows[number]["real_tx_id"] = keys[key]
        rows[number] = {name: value for name, value in rows[number].items() if value is not None}
        arrived.append(0.5 * time + delay)
    server = ReportServer([], newest_first=newest_first)
    store = Memory()
    stored: list[str] = []
    span = max(arrived, default=0.0) + 1
    for run in [*sorted(runs, key=lambda run: run.sees), LAST]:
        now = run.sees * span
        server.rows = [row for row, moment in sorted(zip(rows, arrived, strict=True), key=lambda pair: pair[1])]
        server.rows = server.rows[: sum(moment <= now for moment in arrived)]
        end = START + timedelta(seconds=max(1, int(run.cut * now)))
        state = State(store, lag=timedelta(seconds=lag))
        given = read(partial(call, server, state, end, page_size=page_size), run)
        if run.fate != "killed":
            state.commit()
            stored += given
            assert KEY not in (store.text or "")
    assert sorted(stored) == sorted(row["uuid"] for row in rows)


@settings(max_examples=30, deadline=None)
@given(
    times=st.lists(st.integers(0, 3000), max_size=25, unique=True),
    changes=st.lists(st.tuples(st.integers(0, 24), st.integers(0, 900)), max_size=20),
    nights=st.lists(st.integers(1, 4000), max_size=4),
    newest_first=st.booleans(),
    tables=st.booleans(),
)
def test_rows_that_changed_within_lookback_are_given_again_and_no_others(
    times: list[int], changes: list[tuple[int, int]], nights: list[int], newest_first: bool, tables: bool
) -> None:
    rows = make_rows([START + time * SECOND for time in times])
    happens = sorted((sorted(times)[which] + delay, which) for which, delay in changes if which < len(times))
    server, store = ReportServer([], newest_first=newest_first), Memory()
    warehouse: dict[str, str] = {}
    for now in [*sorted(nights), 5000]:
        there = [time for time in sorted(times) if time <= now]
        server.rows = [
            {**rows[number], "country": str([moment for moment, which in happens if which == number and moment <= now])}
            for number in range(len(there))
        ]
        with State(store, lookback=900 * SECOND) as state:
            call = network(server, state, START + max(1, now) * SECOND, page_size=7)
            given = (
                [(row["uuid"], row["country"]) for row in call.to_arrow().to_pylist()]
                if tables
                else [(row.uuid, row.country) for row in call]
            )
        # Those alone that are not what they were.
        assert [pair for pair in given if warehouse.get(pair[0]) == pair[1]] == []
        warehouse |= dict(given)
    assert warehouse == {row["uuid"]: row["country"] for row in server.rows}


def hours(count: int, first: int = 0) -> list[datetime]:
    return [START + (first + number) * HOUR for number in range(count)]


def test_the_present_can_be_read_again_and_again_and_a_far_end_skips_nothing() -> None:
    """The end is a bound, not what is complete; a night without news asks for the last moment alone."""
    server, store = ReportServer(make_rows(hours(30))), Memory()
    far = START + 300 * DAY
    with State(store) as state:
        assert len(uuids(network(server, state, far))) == 30
    server.requests.clear()
    with State(store) as state:
        assert uuids(network(server, state, far)) == []
    assert [query["start_time"] for _, query in server.requests] == ["2026-11-02 04:59:59"]
    server.rows += [{"request_time": (START + 29 * HOUR).isoformat(), "uuid": "same moment", "real_tx_id": "new"}]
    server.rows += [{"request_time": (START + 99 * HOUR).isoformat(), "uuid": "later", "real_tx_id": "new"}]
    with State(store) as state:
        assert uuids(network(server, state, far)) == ["later", "same moment"]


def test_without_lag_rows_that_come_late_are_missed_and_with_it_those_alone_that_are_later() -> None:
    for lag, wanted in ((timedelta(0), []), (2 * HOUR, ["in time"])):
        server, store = ReportServer(make_rows(hours(10))), Memory()
        with State(store, lag=lag) as state:
            network(server, state, START + DAY).to_list()
        for uuid, moment in (("in time", 7 * HOUR), ("too late", 6 * HOUR)):
            server.rows.append({"request_time": (START + moment).isoformat(), "uuid": uuid, "real_tx_id": uuid})
        with State(store, lag=lag) as state:
            assert uuids(network(server, state, START + DAY)) == wanted


def test_a_state_is_small_and_has_marks_for_the_stretch_alone() -> None:
    server = ReportServer(make_rows([START + number * MINUTE for number in range(600)]))
    for newest_first in (True, False):
        server.newest_first = newest_first
        store = Memory()
        with State(store, lag=HOUR) as state:
            network(server, state, START + DAY).to_list()
        facts = json.loads(store.text or "")
        assert len(facts["marks"]) == 61
        assert facts["complete"] == "2026-11-01T09:59:00+00:00"
        assert len(store.text or "") < 500 + 61 * 20


def test_marks_that_the_stretch_has_left_behind_are_forgotten_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adsecurity.paging.incremental._PRUNED_FROM", 20)
    server = ReportServer(make_rows([START + number * MINUTE for number in range(300)]), newest_first=False)
    store = Memory()
    with State(store, lag=5 * MINUTE) as state:
        rows = network(server, state, START + DAY, page_size=10)
        sizes = [len(json.loads(page.checkpoint())["since"]["seen"]) for page in rows.pages()]
    assert max(sizes) <= 30
    assert len(json.loads(store.text or "")["marks"]) == 6
    server.rows += make_rows([START + 294 * MINUTE])
    server.rows[-1] |= {"uuid": "late", "real_tx_id": "late"}
    with State(store, lag=5 * MINUTE) as state:
        assert uuids(network(server, state, START + DAY)) == ["late"]


@pytest.mark.parametrize("workers", [1, 3])
def test_what_was_not_read_to_its_end_is_not_saved(workers: int) -> None:
    server, store = ReportServer(make_rows(hours(40))), Memory()
    state = State(store)

    def call(**options: Any) -> Any:
        return network(server, state, START + 9 * DAY, page_size=10, concurrency=workers, **options)

    def stop_after(rows: Any) -> None:
        next(iter(rows))

    def one_batch(rows: Any) -> None:
        rows.to_arrow_batches().read_next_batch()

    for use in (stop_after, one_batch, lambda rows: rows.first(), lambda rows: rows.to_list(39), lambda rows: None):
        use(call())
        with pytest.raises(PaginationError, match="not read to its end") as caught:
            state.commit()
        assert store.text is None
    with pytest.raises(PaginationError):
        with state:
            assert len(call(limit=40).to_list()) == 40
    with state:
        assert len(call(limit=41).to_list()) == 40
    assert store.text is not None
    # Nothing is left to be saved, so nothing happens.
    state.commit()
    assert caught.value.checkpoint is not None


def test_the_checkpoint_of_a_refused_commit_goes_on() -> None:
    server, store = ReportServer(make_rows(hours(40))), Memory()
    state = State(store, lag=DAY)
    first = network(server, state, START + 9 * DAY, page_size=10, limit=25).to_list()
    with pytest.raises(PaginationError) as caught:
        state.commit()
    with state:
        rest = network(server, state, START + 9 * DAY, page_size=10, resume=caught.value.checkpoint).to_list()
    assert sorted(uuids([*first, *rest])) == sorted(row["uuid"] for row in server.rows)
    with state:
        assert uuids(network(server, state, START + 9 * DAY)) == []


def test_an_error_inside_of_with_saves_nothing_and_a_failed_file_neither(tmp_path: Path) -> None:
    server, store = ReportServer(make_rows(hours(5))), Memory()
    state = State(store)
    with pytest.raises(ZeroDivisionError), state:
        print(len(network(server, state, START + DAY).to_list()) / 0)
    assert store.text is None
    # Left by an error, it has nothing to commit.
    state.commit()
    assert store.text is None
    rows = network(server, state, START + DAY)
    with pytest.raises(AdsecurityError):
        rows.to_parquet(tmp_path / "no folder" / "clicks.parquet")
    with pytest.raises(PaginationError, match="not read to its end"):
        state.commit()
    with state:
        rows.to_parquet(tmp_path / "clicks.parquet")
    assert store.text is not None


@pytest.mark.parametrize("workers", [1, 3])
def test_errors_carry_a_checkpoint_that_knows_what_came(workers: int) -> None:
    server, store = ReportServer(make_rows(hours(40))), Memory()
    state = State(store, lag=DAY)
    failing = [0]
    server.trouble = lambda number, query: httpx.Response(400) if number == failing[0] else None
    for failing[0] in range(1, 6):
        server.requests.clear()
        given: list[str] = []
        checkpoint = None
        try:
            for row in network(server, state, START + 9 * DAY, page_size=10, concurrency=workers):
                given.append(row.uuid)
        except AdsecurityError as error:
            checkpoint = pickle.loads(pickle.dumps(error)).checkpoint
            server.requests.clear()
            server.requests += [(0, {})] * 100
            rest = network(server, state, START + 9 * DAY, page_size=10, concurrency=workers, resume=checkpoint)
            given += uuids(rest)
        assert sorted(given) == sorted(row["uuid"] for row in server.rows)
        state.commit()
        server.requests += [(0, {})] * 100
        assert uuids(network(server, State(store, lag=DAY), START + 9 * DAY)) == []
        store.text = None


def test_a_list_that_gives_empty_pages_for_ever_tells_where_to_go_on() -> None:
    """The error has a checkpoint of its own, which lies behind rows that have come."""
    server, store = ReportServer(make_rows(hours(3))), Memory()
    state = State(store, lag=DAY)
    first = server.page

    def page(query: dict[str, str], body: dict[str, Any]) -> Any:
        number = len(server.requests)
        rows = first(query, body)["data"]["data"] if number == 1 else []
        return {"data": {"data": rows, "pageInfo": {"hasNextPage": True, "endCursor": str(number)}}}

    server.page = page  # type: ignore[method-assign]
    with pytest.raises(PaginationError, match="pages in a row came empty") as caught:
        list(network(server, state, START + DAY))
    assert len(json.loads(caught.value.checkpoint or "")["since"]["seen"]) == 3


def test_async_lists_have_it_too() -> None:
    server, store = ReportServer(make_rows(hours(40))), Memory()

    async def batches(rows: Any) -> list[str]:
        return column([batch async for batch in rows.to_arrow_batches()])

    async def items(rows: Any) -> list[str]:
        return [row.uuid async for row in rows]

    async def pages(rows: Any) -> list[str]:
        return [row.uuid async for page in rows.pages() for row in page.items]

    async def table(rows: Any) -> list[str]:
        return column([await rows.to_arrow()])

    async def main() -> None:
        async with AsyncNetworkClient(**URL, transport=httpx.MockTransport(server.answer)) as client:
            for number, use in enumerate([items, batches, pages, table] * 2):
                with State(store, lag=HOUR) as state:
                    given = await use(
                        client.reports.clicks(
                            integration_id="i",
                            start_time=START,
                            end_time=START + 9 * DAY,
                            since=state,
                            page_size=10,
                            concurrency=1 + 2 * (number // 4),
                        )
                    )
                assert len(given) == (40 if number == 0 else 1)
                moment = (START + (39 + number) * HOUR + MINUTE).isoformat()
                server.rows.append({"request_time": moment, "uuid": f"new{number}", "real_tx_id": f"new{number}"})

    asyncio.run(main())


def test_a_larger_lag_reaches_back_as_far_as_there_are_marks_and_lookback_can_be_added_later() -> None:
    server, store = ReportServer(make_rows(hours(40))), Memory()
    end = START + 9 * DAY
    for options, wanted in (
        ({"lag": HOUR}, 40),
        ({"lag": 20 * HOUR}, 0),
        ({"lag": 20 * HOUR}, 0),
        ({"lookback": 30 * HOUR}, 0),
        ({"lookback": 30 * HOUR, "lag": timedelta.max}, 0),
        ({"lag": HOUR}, 0),
        ({}, 0),
    ):
        with State(store, **options) as state:
            assert len(uuids(network(server, state, end))) == wanted, options


def test_a_call_that_ends_in_the_past_gives_what_came_late_and_keeps_what_is_known() -> None:
    server, store = ReportServer(make_rows(hours(40))), Memory()
    with State(store, lag=10 * HOUR) as state:
        network(server, state, START + 9 * DAY).to_list()
    server.rows.append({"request_time": (START + 33 * HOUR).isoformat(), "uuid": "late", "real_tx_id": "late"})
    for options in ({"lag": 10 * HOUR}, {"lookback": 10 * HOUR}):
        for end in (START + HOUR, START + 20 * HOUR, START + 34 * HOUR):
            with State(store, **options) as state:
                wanted = ["late"] if end == START + 34 * HOUR and "lag" in options else []
                assert uuids(network(server, state, end)) == wanted
    with State(store, lag=10 * HOUR) as state:
        assert uuids(network(server, state, START + 9 * DAY)) == []


def test_a_row_without_a_readable_time_comes_once() -> None:
    server, store = ReportServer(make_rows(hours(20))), Memory()
    answer = server.page

    def page(query: dict[str, str], body: dict[str, Any]) -> Any:
        found = answer(query, body)
        # In every answer that has rows, so also in those of runs that ask for the end alone.
        if found["data"]["data"]:
            found["data"]["data"].insert(0, {"request_time": "", "uuid": "odd", "real_tx_id": "odd"})
        return found

    server.page = page
    for wanted in (21, 0, 0):
        with State(store) as state:
            assert len(uuids(network(server, state, START + 9 * DAY))) == wanted


def test_a_file_holds_the_state_whole_and_no_key(tmp_path: Path) -> None:
    server, path = ReportServer(make_rows(hours(5))), tmp_path / "clicks.json"
    for wanted in (5, 0):
        with State(path, lag=HOUR) as state:
            assert len(network(server, state, START + DAY).to_list()) == wanted
    text = path.read_text(encoding="utf-8")
    assert KEY not in text
    assert "k4" not in text
    assert [entry.name for entry in tmp_path.iterdir()] == ["clicks.json"]
    assert repr(state) == f"State({str(path)!r}, lag=1:00:00, lookback=0:00:00)"
    assert repr(State(Memory())) == "State('Memory', lag=0:00:00, lookback=0:00:00)"


def test_two_runs_at_once_do_not_both_save(tmp_path: Path) -> None:
    server = ReportServer(make_rows(hours(5)))
    one, other = State(tmp_path / "clicks.json"), State(tmp_path / "clicks.json")
    for state in (one, other):
        network(server, state, START + DAY).to_list()
    one.commit()
    saved = (tmp_path / "clicks.json").read_bytes()
    with pytest.raises(PaginationError, match="another run"):
        other.commit()
    assert (tmp_path / "clicks.json").read_bytes() == saved


def other_zone(server: ReportServer, state: State) -> Any:
    return network(server, state, START + DAY, timezone="Europe/Berlin", status="Approved")


def conversions(server: ReportServer, state: State) -> Any:
    client = NetworkClient(**URL, transport=server.transport())
    return client.reports.conversions(integration_id="i", start_time=START, end_time=START + DAY, since=state)


def damaged(change: dict[str, Any]) -> Callable[[ReportServer, State], Any]:
    def call(server: ReportServer, state: State) -> Any:
        store = state._store
        store.save(json.dumps({**json.loads(store.load() or ""), **change}))
        return network(server, state, START + DAY)

    return call


REFUSED: dict[str, tuple[Callable[[ReportServer, State], Any], str]] = {
    "another operation": (conversions, r"since: the state is of network.listClickReport, not of network.listConv"),
    "other arguments": (other_zone, r"since: the state is of other arguments: status, timezone differ"),
    "after": (lambda server, state: network(server, state, START + DAY, after="x"), "after cannot be given"),
    "no state": (lambda server, state: network(server, "clicks.json", START + DAY), "since must be a State, not str"),  # type: ignore[arg-type]
    "spans": (lambda server, state: network(server, state, START + DAY).spans(2), "without since="),
    "another version": (damaged({"v": 2}), "not a state of version 1"),
    "marks of something": (damaged({"marks": {"a": 1}}), "not a state"),
    "no time": (damaged({"complete": "soon"}), "not a state"),
    "no zone": (damaged({"marked_from": "2026-11-01T00:00:00"}), "not a state"),
    "a changed checkpoint": (
        lambda server, state: network(
            server,
            state,
            START + DAY,
            resume=json.dumps(
                {**json.loads(network(server, state, START + DAY).checkpoint()), "since": {"newest": "x"}}
            ),
        ),
        "resume: the checkpoint has been changed",
    ),
    "a checkpoint of another state": (
        lambda server, state: network(
            server, state, START + DAY, resume=network(server, State(Memory()), START + DAY).checkpoint()
        ),
        "since",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_gone_on_with_is_refused_before_anything_is_sent(case: str) -> None:
    server, state = ReportServer(make_rows(hours(5))), State(Memory())
    with state:
        network(server, state, START + DAY).to_list()
    server.requests.clear()
    call, message = REFUSED[case]
    with pytest.raises((ValueError, TypeError), match=message):
        call(server, state)
    assert server.requests == []


def test_a_list_without_a_range_has_no_since() -> None:
    client = NetworkClient(**URL)
    with pytest.raises(TypeError, match="since"):
        client.users.list(since=State(Memory()))  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="hold the rows around"):
        client.with_raw_response.reports.clicks(
            integration_id="i", start_time=START, end_time=START + DAY, since=State(Memory())
        )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"store": 5}, TypeError),
        ({"store": ""}, ValueError),
        ({"store": "s3://bucket/clicks.json"}, ValueError),
        ({"store": "a", "lag": 5}, TypeError),
        ({"store": "a", "lookback": -SECOND}, ValueError),
    ],
)
def test_a_state_that_cannot_work_is_refused(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        State(**arguments)


def test_files_that_cannot_be_read_or_written_are_named(tmp_path: Path) -> None:
    server = ReportServer(make_rows(hours(5)))
    with pytest.raises(AdsecurityError, match="no such folder"):
        network(server, State(tmp_path / "nowhere" / "clicks.json"), START + DAY)
    (tmp_path / "bytes").write_bytes(b"\xff")
    for name in ("bytes", "."):
        with pytest.raises((AdsecurityError, ValueError)):
            network(server, State(tmp_path / name), START + DAY)
    with pytest.raises(TypeError, match="gives text or None"):
        network(server, State(Memory(5)), START + DAY)  # type: ignore[arg-type]
    assert server.requests == []
    state = State(tmp_path / "clicks.json")
    network(server, state, START + DAY).to_list()
    (tmp_path / ".clicks.json.table.part").mkdir()
    with pytest.raises(AdsecurityError, match=r"cannot save the state .*; it is as before"):
        state.commit()
    (tmp_path / ".clicks.json.table.part").rmdir()
    state.commit()
    assert (tmp_path / "clicks.json").exists()


def test_days_are_asked_for_from_the_day_of_the_last_row_on() -> None:
    server, store = ReportServer(make_rows(hours(60))), Memory()
    with State(store) as state:
        assert len(ads(server, state, START + 9 * DAY).to_list()) == 60
    server.requests.clear()
    server.rows.append({"request_time": (START + 60 * HOUR).isoformat(), "uuid": "new", "real_tx_id": "new"})
    with State(store) as state:
        assert uuids(ads(server, state, START + 9 * DAY)) == ["new"]
    assert server.requests[0][1]["start_date"] == str(date(2026, 11, 1))
