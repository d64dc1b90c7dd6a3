"""Transfers of files are told like any request: a beginning and one end each, without the signature."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from adsecurity import DownloadError, ErrorEvent, RequestEvent, ResponseEvent
from tests.exports.kit import Bench, finished, state
from tests.http.test_event_pairs import ENDS, check_pairs

ROUTE = "{signed_url}"
pytestmark = pytest.mark.usefixtures("_fast_polls")


def job_of(bench: Bench, events: list[Any], **more: Any) -> Any:
    bench.api.states = [finished(**more)]
    return bench.start(bench.client(**dict.fromkeys((*ENDS, "on_poll"), events.append)))


def test_a_download_is_told_without_its_query_under_one_call_id(bench: Bench, tmp_path: Path) -> None:
    events: list[Any] = []
    job = job_of(bench, events)
    events.clear()
    bench.result(job.download(tmp_path / "clicks.csv"))
    check_pairs([event for event in events if event.route == ROUTE])
    assert [(type(event), event.operation) for event in events] == [
        (RequestEvent, "exports.signed_url"),
        (ResponseEvent, "exports.signed_url"),
        (RequestEvent, "exports.download"),
        (ResponseEvent, "exports.download"),
    ]
    assert len({event.call_id for event in events}) == 1
    assert events[2].url == events[3].url == f"{bench.store.url}/bucket/clicks.csv"
    assert (events[3].status_code, events[3].method, events[3].route) == (200, "GET", ROUTE)
    bench.result(job.download(tmp_path / "again.csv"))
    assert len({event.call_id for event in events}) == 2


@pytest.mark.parametrize("use", ["download", "rows"])
def test_cut_refused_and_redirected_transfers_have_one_end_each(bench: Bench, tmp_path: Path, use: str) -> None:
    events: list[Any] = []
    job = job_of(bench, events)
    store = bench.store
    elsewhere = f"{store.url}/elsewhere"
    store.plan = [store.say(403), store.say(302, location=elsewhere), store.cut(1000), store.say(503), None]
    if use == "download":
        bench.result(job.download(tmp_path / "clicks.csv"))
    else:
        assert len(list(bench.each(job.rows()))) == 500
    transfers = [event for event in events if event.route == ROUTE]
    check_pairs(transfers)
    ends = [event for event in transfers if type(event) is not RequestEvent]
    assert [getattr(event, "status_code", None) or event.reason for event in ends] == [
        403,
        302,
        "RemoteProtocolError",
        503,
        206,
    ]
    assert [event.attempt for event in ends] == [1, 2, 3, 4, 5]
    assert "signature" not in repr(events)


def test_a_transfer_that_fails_or_is_given_up_has_its_end(bench: Bench, tmp_path: Path) -> None:
    events: list[Any] = []
    job = job_of(bench, events)
    bench.store.plan = [bench.store.say(404)] * 9
    with pytest.raises(DownloadError):
        bench.result(job.download(tmp_path / "clicks.csv"))
    bench.store.plan = []
    if bench.mode == "sync":
        rows = job.rows()
        next(rows)
        rows.close()
    else:

        async def one() -> None:
            rows = job.rows()
            await anext(rows)
            await rows.aclose()

        bench.result(one())
    transfers = [event for event in events if event.route == ROUTE]
    check_pairs(transfers)
    assert len(transfers) > 8


@pytest.mark.parametrize("hook", ["on_request", "on_response", "on_error"])
def test_a_transfer_whose_hook_raises_has_its_end(bench: Bench, tmp_path: Path, hook: str) -> None:
    events: list[Any] = []

    def raises(event: Any) -> None:
        events.append(event)
        if event.route == ROUTE:
            raise LookupError("mine")

    bench.api.states = [finished()]
    bench.store.plan = [bench.store.cut(100)] if hook == "on_error" else []
    hooks = {**dict.fromkeys(ENDS, events.append), hook: raises}
    job = bench.start(bench.client(**hooks))
    with pytest.raises(LookupError, match="mine"):
        bench.result(job.download(tmp_path / "clicks.csv"))
    check_pairs([event for event in events if event.route == ROUTE])


@pytest.mark.parametrize("bench", ["async"], indirect=True)
def test_a_cancelled_transfer_has_its_end(bench: Bench, tmp_path: Path) -> None:
    events: list[Any] = []
    begun = asyncio.Event()

    def hook(event: Any) -> None:
        events.append(event)
        if event.route == ROUTE:
            begun.set()

    bench.api.states = [finished()]
    job = bench.start(bench.client(**dict.fromkeys(ENDS, hook)))

    async def run() -> None:
        task = asyncio.create_task(job.download(tmp_path / "clicks.csv"))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    bench.result(run())
    transfers = [event for event in events if event.route == ROUTE]
    check_pairs(transfers)
    assert isinstance(transfers[-1], ErrorEvent | ResponseEvent)


def test_the_polls_of_one_wait_share_a_call_id(bench: Bench) -> None:
    events: list[Any] = []
    bench.api.states = [state("PENDING"), state("IN_PROGRESS"), state("IN_PROGRESS"), finished()]
    job = bench.start(bench.client(on_request=events.append, on_poll=events.append))
    events.clear()
    bench.result(job.wait())
    assert len(events) == 6
    assert len({event.call_id for event in events}) == 1


def test_the_log_of_a_transfer_has_its_fields_and_no_signature(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "adsecurity"):
        bench.result(bench.done().download(tmp_path / "clicks.csv"))
    records = [vars(record) for record in caplog.records if vars(record).get("route") == ROUTE]
    assert [(record["operation"], record["status"], record["attempt"]) for record in records] == [
        ("exports.download", None, 1),
        ("exports.download", 200, 1),
    ]
    assert "signature=" not in repr(records)
