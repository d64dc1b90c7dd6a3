"""Every request event is followed by exactly one end, an answer or an error, of the same attempt and call."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsecurity import AdsecurityError, APIConnectionError, ErrorEvent, RequestEvent, ResponseEvent, RetryPolicy
from adsecurity.events import OpenRequest
from adsecurity.flow.steps import Sleep
from adsecurity.http.retry import Send, TurnLost, attempts
from adsecurity.http.throttle import Throttle
from tests.support.demo.calls import READ
from tests.support.demo.drivers import Driver
from tests.support.demo.surface import BULK, GET, LIST, UPDATE
from tests.support.every_operation import client as real_client
from tests.support.routes import in_our_names

AT_ONCE = RetryPolicy(backoff=0)
ONE = {"thing_id": "1"}
ENDS = ("on_request", "on_response", "on_error")


def check_pairs(events: list[Any]) -> None:
    """One end for each request, before the next request of that call, and no attempt twice."""
    open_requests: dict[str, int] = {}
    seen: set[tuple[str, int]] = set()
    for event in events:
        if type(event) is RequestEvent:
            assert event.call_id not in open_requests
            assert (event.call_id, event.attempt) not in seen
            seen.add((event.call_id, event.attempt))
            open_requests[event.call_id] = event.attempt
        elif isinstance(event, ResponseEvent | ErrorEvent):
            assert open_requests.pop(event.call_id) == event.attempt
            assert event.elapsed >= 0
    assert open_requests == {}


def response(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={name.replace("_", "-"): text for name, text in headers.items()}, json={})


OUTCOMES: dict[str, Any] = {
    "answered": response(200),
    "refused": response(429),
    "asked to wait": response(429, retry_after="20"),
    "route held": response(503, retry_after="3"),
    "failed": response(500),
    "broken": httpx.RemoteProtocolError("broken"),
    "never sent": httpx.ConnectError("no route"),
    "too large": AdsecurityError("too large"),
    "turn lost": TurnLost(),
}


@given(
    st.lists(st.sampled_from([*OUTCOMES]), min_size=1, max_size=12),
    st.floats(0, 40),
    st.builds(RetryPolicy, attempts=st.integers(1, 6), backoff=st.floats(0, 5), deadline=st.floats(0, 100)),
)
def test_every_request_has_one_end_whatever_the_outcomes(outcomes: list[str], took: float, policy: RetryPolicy) -> None:
    now = 1000.0
    throttle, events, open_request = Throttle(), [], OpenRequest()
    left = list(outcomes)
    flow = attempts(READ, policy, throttle, clock=lambda: now, draw=lambda: 1.0)
    outcome: Any = None
    sent = 0
    try:
        while True:
            lost = isinstance(outcome, TurnLost)
            step = flow.throw(outcome) if lost else flow.send(outcome)
            outcome = None
            if isinstance(step, Send):
                outcome = OUTCOMES[left.pop(0) if len(left) > 1 else "answered"]
                sent += not isinstance(outcome, TurnLost)
                now += took
            elif isinstance(step, Sleep):
                now += step.seconds
            else:
                open_request.note(step)
                events.append(step)
    except StopIteration:
        pass
    except Exception as error:
        if (end := open_request.failed(error)) is not None:
            events.append(end)
    check_pairs(events)
    # Only an attempt that lost its turn, and was given up, was announced and not sent.
    announced = [event for event in events if type(event) is RequestEvent]
    assert sent <= len(announced) <= sent + ("turn lost" in outcomes)


class Interrupted(BaseException):
    """As Ctrl-C."""


RAISED = ["answered", "failed", "broken", "garbled", "hook of request", "hook of end", "interrupted"]


@pytest.mark.parametrize("kind", ["sync", "async"])
@settings(max_examples=40)
@given(outcomes=st.lists(st.sampled_from(RAISED), min_size=1, max_size=6), write=st.booleans())
def test_every_hook_of_a_request_is_followed_by_one_of_its_end(kind: str, outcomes: list[str], write: bool) -> None:
    driver = Driver(kind)
    events: list[Any] = []
    left = list(outcomes)

    def on_request(event: Any) -> None:
        events.append(event)
        if left[:1] == ["hook of request"]:
            raise LookupError("mine")

    def on_end(event: Any) -> None:
        events.append(event)
        if left[:1] == ["hook of end"]:
            raise LookupError("mine")

    def handler(request: httpx.Request) -> httpx.Response:
        outcome = left[0] if left[0] == "hook of end" or len(left) == 1 else left.pop(0)
        if outcome == "broken":
            raise httpx.ReadError("broken")
        if outcome == "interrupted":
            raise Interrupted
        content = b"no gzip" if outcome == "garbled" else b"{}"
        headers = {"content-encoding": "gzip"} if outcome == "garbled" else {}
        # Not a body that is read on the spot: decoding it is up to the client.
        stream = httpx.ByteStream(content)
        return httpx.Response(500 if outcome == "failed" else 200, headers=headers, stream=stream)

    made = driver.client(handler, retry=AT_ONCE, on_request=on_request, on_response=on_end, on_error=on_end)
    try:
        driver.call(made, "raw", UPDATE if write else GET, ONE)
    except (AdsecurityError, LookupError, Interrupted):
        pass
    finally:
        driver.finish()
    assert events
    check_pairs(events)


def test_an_error_event_says_what_happened(driver: Driver) -> None:
    events: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    made = driver.client(handler, retry=RetryPolicy(attempts=2, backoff=0), **dict.fromkeys(ENDS, events.append))
    with pytest.raises(APIConnectionError):
        driver.call(made, "one", GET, ONE)
    assert [type(event) for event in events] == [RequestEvent, ErrorEvent] * 2
    assert [event.attempt for event in events] == [1, 1, 2, 2]
    assert {(event.operation, event.route) for event in events} == {("things.getThing", "/api/v2/things/{thingID}")}
    assert events[1].reason == "APITimeoutError"
    assert str(events[1]).startswith("GET /api/v2/things/{thingID} APITimeoutError after 0.0")


def test_a_cancelled_call_tells_its_hook_and_stays_cancelled() -> None:
    events: list[Any] = []
    begun = asyncio.Event()

    async def hook(event: Any) -> None:
        await asyncio.sleep(0)
        events.append(event)
        if isinstance(event, ErrorEvent):
            raise LookupError("mine")

    async def slow(request: httpx.Request) -> httpx.Response:
        begun.set()
        await asyncio.sleep(60)
        raise AssertionError

    async def run() -> None:
        made = Driver("async").client(slow, **dict.fromkeys(ENDS, hook))
        call = asyncio.create_task(made._api.one(GET, ONE))
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await made.close()

    asyncio.run(run())
    assert [type(event) for event in events] == [RequestEvent, ErrorEvent]
    assert events[1].reason == "CancelledError"
    check_pairs(events)


def test_a_coroutine_that_is_closed_tells_its_hook() -> None:
    events: list[Any] = []

    async def forever(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def run() -> None:
        made = Driver("async").client(forever, **dict.fromkeys(ENDS, events.append))
        call = made._api.one(GET, ONE)
        while not events:
            call.send(None)
        call.close()
        await made.close()

    asyncio.run(run())
    assert [type(event) for event in events] == [RequestEvent, ErrorEvent]
    assert events[1].reason == "GeneratorExit"


def test_calls_in_many_threads_have_ids_of_their_own(driver: Driver) -> None:
    events: list[Any] = []
    made = driver.client(lambda request: response(200), **dict.fromkeys(ENDS, events.append))
    if driver.is_async:
        for _ in range(20):
            driver.call(made, "raw", GET, ONE)
    else:
        threads = [threading.Thread(target=made._api.raw.one, args=(GET, ONE)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    check_pairs(events)
    assert len({event.call_id for event in events}) == 20


@pytest.mark.parametrize("concurrency", [1, 3])
def test_the_pages_of_a_listing_share_its_call_id_with_their_events(driver: Driver, concurrency: int) -> None:
    events: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        query = in_our_names(request.url.params.items())
        number = int(query.get("page[number]", 0)) or int(query.get("page[after]", 1))
        rows = [{"id": f"{number}-{row}", "tx_id": f"{number}-{row}"} for row in range(2)] if number < 4 else []
        info = {"hasNextPage": number < 4, "endCursor": str(number + 1)}
        if "page[number]" in query:
            return httpx.Response(200, json={"data": rows, "meta": {"total_page": 3}})
        return httpx.Response(200, json={"data": {"data": [], "pageInfo": {**info, "hasNextPage": False}}})

    hooks = dict.fromkeys((*ENDS, "on_page"), events.append)
    made = driver.client(handler, **hooks)
    listed = made._api.paginate(LIST, {}, page_size=2)
    driver.run(listed.to_list())
    assert len({event.call_id for event in events}) == 1
    assert len(events) > 6
    driver.run(made._api.paginate(LIST, {}, page_size=2).to_list())
    assert len({event.call_id for event in events}) == 2
    events.clear()
    transport = httpx.MockTransport(handler)
    net = real_client("network", transport, is_async=driver.is_async).with_options(**hooks)
    clicks = net.reports.clicks(
        integration_id="i", start_time="2026-11-01", end_time="2026-11-03", concurrency=concurrency, inclusive="left"
    )
    driver.run(clicks.to_list())
    assert len({event.call_id for event in events}) == 1
    assert events[0].call_id


def test_the_batches_of_a_bulk_write_and_both_requests_of_modify_share_a_call_id(driver: Driver) -> None:
    events: list[Any] = []
    made = driver.client(lambda request: response(200), on_request=events.append)
    driver.call(made, "bulk", BULK, {"ids": ["a", "b", "c"]}, batch_size=1, on_error="raise")
    assert len(events) == 3
    assert len({event.call_id for event in events}) == 1
    made = driver.client(lambda request: httpx.Response(200, json={"data": {"id": "1"}}), on_request=events.append)
    for api in (made._api, made._api.raw):
        events.clear()
        driver.run(api.modify(GET, UPDATE, {**ONE, "name": "n"}))
        assert [event.method for event in events] == ["GET", "PATCH"]
        assert len({event.call_id for event in events}) == 1


def test_log_records_carry_the_fields_of_their_event(driver: Driver, caplog: pytest.LogCaptureFixture) -> None:
    answers = iter([response(503), httpx.ReadError("broken"), response(200)])

    def handler(request: httpx.Request) -> httpx.Response:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    events: list[Any] = []
    made = driver.client(handler, retry=AT_ONCE, on_request=events.append)
    with caplog.at_level(logging.DEBUG, "adsecurity"):
        driver.call(made, "raw", GET, ONE)
        driver.run(
            driver.client(lambda request: httpx.Response(200, json={"data": []}))._api.paginate(LIST, {}).first()
        )
    names = ("operation", "method", "route", "status", "attempt", "elapsed", "call_id")
    records = [record for record in caplog.records if record.name == "adsecurity"]
    for record in records:
        assert all(hasattr(record, name) for name in names)
        assert record.operation  # type: ignore[attr-defined]
        assert record.call_id  # type: ignore[attr-defined]
    mine = [record for record in records if record.call_id == events[0].call_id]  # type: ignore[attr-defined]
    shown = [(vars(record)["status"], vars(record)["attempt"], vars(record)["elapsed"] is None) for record in mine]
    assert shown == [
        (None, 1, True),
        (503, 1, False),
        (503, 1, True),
        (None, 2, True),
        (None, 2, False),
        (None, 2, True),
        (None, 3, True),
        (200, 3, False),
    ]
    assert {(vars(record)["method"], vars(record)["route"]) for record in mine} == {("GET", "/api/v2/things/{thingID}")}
