"""Requests are sent again when that helps and does no harm, and never past the deadline."""

from __future__ import annotations

import asyncio
import logging
import math
import pickle
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsecurity import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ConfigurationError,
    RateLimitError,
    RetryPolicy,
    ServerError,
)
from adsecurity.codec.failure import CallContext
from adsecurity.events import RequestEvent, ResponseEvent, RetryEvent
from adsecurity.http.retry import Send, Sleep, TurnLost, attempts, retry_after
from adsecurity.http.throttle import Throttle
from tests.support.demo.calls import READ, call_of
from tests.support.demo.drivers import Driver, Server, raw_server
from tests.support.demo.surface import GET, REPORT, UPDATE

AT_ONCE = RetryPolicy(backoff=0)


@attrs.define
class World:
    """A clock that only moves when something waits, and a server that takes its time."""

    answers: list[Any]
    took: float = 0.0
    now: float = 1000.0
    sent: list[float] = attrs.field(factory=list)
    slept: list[float] = attrs.field(factory=list)
    events: list[Any] = attrs.field(factory=list)
    throttle: Throttle = attrs.field(factory=Throttle)

    def run(self, call: CallContext, policy: RetryPolicy, draw: float = 1.0) -> Any:
        flow = attempts(call, policy, self.throttle, clock=lambda: self.now, draw=lambda: draw)
        outcome: Any = None
        while True:
            try:
                step = flow.send(outcome)
            except StopIteration as stop:
                return stop.value
            outcome = None
            if isinstance(step, Send):
                self.sent.append(self.now)
                self.now += self.took
                outcome = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            elif isinstance(step, Sleep):
                self.slept.append(step.seconds)
                self.now += step.seconds
            else:
                self.events.append(step)


def answer(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()}, json={})


WRITE = call_of(UPDATE, thing_id="1", name="n")
POST_READ = call_of(REPORT, integration_id="i")


@given(
    st.lists(st.sampled_from(["429", "500", "503", "slow", "broken", "refused"]), min_size=1, max_size=12),
    st.floats(0, 70),
    st.floats(0, 1),
    st.builds(
        RetryPolicy,
        attempts=st.integers(1, 10),
        backoff=st.floats(0, 10),
        max_backoff=st.floats(0, 60),
        deadline=st.floats(0, 300),
    ),
)
def test_no_attempt_starts_past_the_deadline_and_none_beyond_the_last(
    failures: list[str], took: float, draw: float, policy: RetryPolicy
) -> None:
    outcomes: dict[str, Any] = {
        "429": answer(429),
        "refused": answer(429, retry_after="20"),
        "500": answer(500),
        "503": answer(503, retry_after="7.5"),
        "slow": httpx.ReadTimeout("slow"),
        "broken": httpx.RemoteProtocolError("broken"),
    }
    world = World([outcomes[name] for name in failures], took)
    with pytest.raises((APIStatusError, APIConnectionError)) as caught:
        world.run(READ, policy, draw)
    kinds = (failures + [failures[-1]] * len(world.sent))[: len(world.sent)]
    counted = [kind for kind in kinds if kind != "refused"]
    assert len(counted) <= policy.attempts
    assert policy.attempts > 1 or len(world.sent) == 1
    assert caught.value.attempts == len(world.sent)
    assert all(moment - 1000 <= policy.deadline + 1e-6 for moment in world.sent)
    asked = {"refused": 20, "503": 7.5}
    failed = 0
    for number in range(len(world.sent) - 1):
        kind, wait = kinds[number], world.sent[number + 1] - world.sent[number] - took
        failed += kind != "refused"
        most = min(policy.max_backoff, policy.backoff * 2 ** (failed - 1)) if kind != "refused" else 0
        assert wait >= asked.get(kind, 0) - 1e-6
        # After a 429 a call may have to wait for its turn besides.
        assert wait <= max(asked.get(kind, 0), most) + 1e-6 or world.throttle.limited


def test_waits_double_up_to_the_most_and_are_drawn_from_all_of_it() -> None:
    policy = RetryPolicy()
    assert [policy.delay(n, None, lambda: 1.0) for n in (1, 2, 3, 6, 7, 2000)] == [0.5, 1, 2, 16, 30, 30]
    assert policy.delay(3, None, lambda: 0.0) == 0
    assert policy.delay(1, 9.0, lambda: 1.0) == 9


def test_the_defaults_are_five_attempts_in_three_minutes() -> None:
    world = World([answer(500)])
    with pytest.raises(ServerError):
        world.run(READ, RetryPolicy())
    assert len(world.sent) == 5
    assert RetryPolicy().deadline == 180


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    world = World([answer(429, retry_after="181")])
    with pytest.raises(RateLimitError) as caught:
        world.run(READ, RetryPolicy())
    assert world.slept == []
    assert caught.value.retry_after == 181


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 599])
@pytest.mark.parametrize("call", [READ, POST_READ])
def test_reads_are_tried_again_after_a_failing_server(status: int, call: CallContext) -> None:
    world = World([answer(status), answer(200)])
    assert world.run(call, RetryPolicy()).status_code == 200
    assert len(world.sent) == 2


@pytest.mark.parametrize("status", [300, 304, 400, 401, 402, 403, 404, 405, 409, 418, 600])
def test_answers_that_time_does_not_change_are_final(status: int) -> None:
    world = World([answer(status), answer(200)])
    with pytest.raises(APIStatusError):
        world.run(READ, RetryPolicy())
    assert len(world.sent) == 1


@pytest.mark.parametrize(
    ("outcome", "again"),
    [
        (answer(425), True),
        (answer(429), True),
        (answer(503, retry_after="1"), True),
        (answer(408), False),
        (answer(503), False),
        (answer(500), False),
        (answer(502, retry_after="1"), False),
        (httpx.ConnectError("no"), True),
        (httpx.ConnectTimeout("no"), True),
        (httpx.PoolTimeout("no"), True),
        (httpx.ReadTimeout("no"), False),
        (httpx.WriteError("no"), False),
        (httpx.RemoteProtocolError("no"), False),
    ],
)
def test_a_write_is_repeated_only_if_it_was_surely_not_done(outcome: Any, again: bool) -> None:
    world = World([outcome, answer(200)])
    if again:
        assert world.run(WRITE, RetryPolicy()).status_code == 200
        return
    with pytest.raises((APIStatusError, APIConnectionError), match="look before you do it again"):
        world.run(WRITE, RetryPolicy())
    idempotent = World([outcome, answer(200)])
    assert idempotent.run(WRITE, RetryPolicy(idempotent=True)).status_code == 200


@pytest.mark.parametrize("outcome", [answer(408), answer(425), answer(500), httpx.ReadTimeout("slow")])
def test_an_error_says_after_how_many_attempts(outcome: Any) -> None:
    world = World([outcome])
    with pytest.raises((APIStatusError, APIConnectionError), match="after 3 attempts") as caught:
        world.run(READ, RetryPolicy(attempts=3))
    assert caught.value.attempts == 3
    once = World([outcome])
    with pytest.raises((APIStatusError, APIConnectionError)) as caught:
        once.run(READ, RetryPolicy(attempts=1))
    assert "attempts" not in str(caught.value).partition("RetryPolicy")[0]


def test_a_429_that_says_when_to_come_back_counts_against_the_deadline_alone() -> None:
    world = World([*[answer(429, retry_after="1")] * 20, answer(200)])
    assert world.run(READ, RetryPolicy(attempts=2)).status_code == 200
    assert len(world.sent) == 21
    endless = World([answer(429, retry_after="1")])
    with pytest.raises(RateLimitError) as caught:
        endless.run(READ, RetryPolicy(attempts=2, deadline=30))
    assert caught.value.attempts == len(endless.sent) > 10
    assert 1028 < endless.now <= 1030


def test_a_429_that_does_not_say_when_counts_against_attempts() -> None:
    world = World([answer(429)])
    with pytest.raises(RateLimitError, match="after 2 attempts"):
        world.run(READ, RetryPolicy(attempts=2))
    mixed = World([answer(429, retry_after="1"), answer(429), answer(429, retry_after="1"), answer(429)])
    with pytest.raises(RateLimitError, match="after 4 attempts"):
        mixed.run(READ, RetryPolicy(attempts=2))


def test_one_attempt_waits_for_its_turn_and_is_sent_once() -> None:
    world = World([answer(200)])
    world.throttle.refuse("GET /others", sent=999, now=1000, seconds=20)
    assert world.run(READ, RetryPolicy(attempts=1)).status_code == 200
    assert world.sent == [1020]
    refused = World([answer(429, retry_after="1")])
    with pytest.raises(RateLimitError):
        refused.run(READ, RetryPolicy(attempts=1))
    assert len(refused.sent) == 1


def test_a_certificate_that_is_wrong_stays_wrong() -> None:
    error = httpx.ConnectError("certificate")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed")
    world = World([error])
    with pytest.raises(APIConnectionError):
        world.run(READ, RetryPolicy())
    assert len(world.sent) == 1


def test_retry_after_is_read_as_seconds_or_as_a_date() -> None:
    def read(value: str) -> float | None:
        return retry_after({"retry-after": value}, lambda: 1_800_000_000.0)

    now = datetime.fromtimestamp(1_800_000_000, UTC)
    assert read("12") == 12
    assert read("1.5") == 1.5
    assert read(format_datetime(now + timedelta(seconds=90), usegmt=True)) == 90
    assert read(format_datetime(now - timedelta(seconds=90), usegmt=True)) == 0
    assert read("-3") == 0
    for nonsense in ("", "soon", "inf", "nan", "1e999", "Fri, 99 Foo 2026"):
        assert read(nonsense) is None
    assert retry_after({}) is None


def test_a_policy_is_immutable_and_its_copies_are_checked() -> None:
    policy = RetryPolicy()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        policy.attempts = 1  # type: ignore[misc]
    copy = policy.with_attempts(2).with_backoff(1, 2).with_deadline(3).with_idempotent()
    assert copy == RetryPolicy(2, 1, 2, 3, True)
    assert copy.with_backoff(0.1).max_backoff == 2
    assert policy == RetryPolicy()
    assert pickle.loads(pickle.dumps(copy)) == copy
    for wrong in ({"attempts": 0}, {"backoff": -1}, {"deadline": math.nan}, {"attempts": True}, {"max_backoff": "1"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            RetryPolicy(**wrong)  # type: ignore[arg-type]


def step_to(flow: Any, kind: type, outcome: Any = None) -> Any:
    """The next step of this kind; `outcome` is that of the step before."""
    step = flow.send(outcome)
    while not isinstance(step, kind):
        step = next(flow)
    return step


def test_a_429_holds_all_calls_that_share_the_throttle() -> None:
    now = [1000.0]
    throttle = Throttle()
    first, second = (attempts(READ, RetryPolicy(), throttle, clock=lambda: now[0]) for _ in range(2))
    step_to(first, Send)
    assert step_to(first, Sleep, answer(429, retry_after="20")) == Sleep(20)
    assert next(second) == Sleep(20)
    now[0] += 20
    assert isinstance(first.send(None), RequestEvent)
    # One by one from now on.
    assert 0 < second.send(None).seconds <= 2.5
    first.close()
    second.close()
    assert throttle.waiting == 0


def test_other_calls_are_held_before_a_hook_hears_of_the_429() -> None:
    throttle = Throttle()
    flow = attempts(READ, RetryPolicy(), throttle)
    step_to(flow, Send)
    assert isinstance(flow.send(answer(429, retry_after="20")), ResponseEvent)
    assert throttle.limited
    flow.close()


def test_the_retry_after_of_a_503_holds_its_own_route() -> None:
    throttle = Throttle()
    flow = attempts(READ, RetryPolicy(), throttle, draw=lambda: 1.0)
    step_to(flow, Send)
    assert step_to(flow, Sleep, answer(503, retry_after="20")) == Sleep(20)
    same, other = attempts(READ, RetryPolicy(), throttle), attempts(WRITE, RetryPolicy(), throttle)
    assert next(same).seconds == pytest.approx(20, abs=1)
    assert isinstance(next(other), RequestEvent)
    for each in (flow, same, other):
        each.close()


def test_a_thread_that_wakes_past_the_deadline_sends_nothing_more() -> None:
    now = [0.0]
    flow = attempts(READ, RetryPolicy(deadline=10), Throttle(), clock=lambda: now[0], draw=lambda: 1.0)
    step_to(flow, Send)
    step_to(flow, Sleep, answer(500))
    now[0] = 11
    with pytest.raises(ServerError):
        flow.send(None)


def test_the_pace_counts_every_answer_but_refusals() -> None:
    world = World([answer(429, retry_after="0"), answer(500), httpx.ReadError("broken"), answer(200)])
    world.run(READ, AT_ONCE)
    assert list(world.throttle.let_through._sent) == [world.sent[1], world.sent[3]]


def test_other_failures_make_nobody_else_wait() -> None:
    throttle = Throttle()
    for outcome in (answer(503), answer(500, retry_after="9"), answer(408, retry_after="9"), httpx.ReadError("broken")):
        flow = attempts(READ, RetryPolicy(), throttle, draw=lambda: 1.0)
        step_to(flow, Send)
        step_to(flow, Sleep, outcome)
        flow.close()
    assert not throttle.limited


def test_the_deadline_starts_when_the_call_is_made_and_waits_for_a_turn_count() -> None:
    now = [0.0]
    throttle = Throttle()
    flow = attempts(READ, RetryPolicy(deadline=10), throttle, clock=lambda: now[0], draw=lambda: 0.0)
    throttle.refuse("GET /others", sent=-1, now=0, seconds=8)
    assert next(flow) == Sleep(8)
    now[0] += 8
    send = step_to(flow, Send)
    assert send.remaining == 2
    now[0] += 1
    # The wait that another 429 asks for is over after the deadline, so it is not begun.
    throttle.refuse("GET /others", sent=8.5, now=9, seconds=5)
    step_to(flow, Sleep, answer(500))
    with pytest.raises(ServerError):
        flow.send(None)
    assert throttle.waiting == 0


@pytest.mark.parametrize(("status", "cls"), [(429, RateLimitError), (503, ServerError)])
def test_a_call_that_is_held_past_its_deadline_is_not_sent_and_says_so_at_once(
    status: int, cls: type[APIStatusError]
) -> None:
    world = World([answer(200)])
    world.throttle.hold_route("GET /api/v2/things/{thingID}", 1200.0, 1000.0, status)
    with pytest.raises(
        cls, match=rf"was not sent: the server answered {status} .*asks to wait 200\.0 s more"
    ) as caught:
        world.run(READ, RetryPolicy())
    assert (world.sent, world.slept, world.events) == ([], [], [])
    assert (caught.value.attempts, caught.value.retry_after, caught.value.status_code) == (0, 200, status)
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args


def test_a_call_whose_turn_does_not_come_before_its_deadline_is_not_sent() -> None:
    world = World([answer(200)])
    world.throttle.refuse("GET /others", sent=999, now=1000, seconds=1)
    world.now = 1001
    # Made earlier, so ahead of it.
    ahead = [world.throttle.ticket(900.0 + number, "GET /others") for number in range(50)]
    for ticket in ahead:
        world.throttle.reserve(ticket, 1001)
    with pytest.raises(RateLimitError, match="its turn did not come before the deadline") as caught:
        world.run(READ, RetryPolicy(deadline=3))
    assert (world.sent, caught.value.attempts, world.now) == ([], 0, 1004)
    assert world.throttle.waiting > 0
    assert {ticket.route for _, _, ticket in world.throttle._queue} == {"GET /others"}


def test_a_turn_is_lost_if_the_server_asks_to_wait_before_the_request_is_sent() -> None:
    now = [0.0]
    throttle = Throttle()
    flow = attempts(READ, RetryPolicy(deadline=10), throttle, clock=lambda: now[0])
    assert step_to(flow, Send).holds == throttle.holds == 0
    throttle.refuse("GET /others", sent=-1, now=0, seconds=8)
    assert flow.throw(TurnLost()) == Sleep(8)
    now[0] += 8
    send = step_to(flow, Send)
    assert (send.attempt, send.holds) == (1, 1)
    now[0] += 3
    with pytest.raises(RateLimitError, match="was not sent") as caught:
        flow.throw(TurnLost())
    assert caught.value.__suppress_context__


def test_a_call_that_is_told_to_stop_raises_the_error_that_it_has_or_else_the_reason() -> None:
    throttle = Throttle()
    flow = attempts(READ, RetryPolicy(), throttle, draw=lambda: 1.0)
    step_to(flow, Send)
    step_to(flow, Sleep, answer(500))
    with pytest.raises(ServerError):
        flow.send(ConfigurationError("closed"))
    throttle.refuse("GET /others", sent=0, now=time.monotonic(), seconds=60)
    flow = attempts(READ, RetryPolicy(), throttle)
    step_to(flow, Sleep)
    assert throttle.waiting == 1
    with pytest.raises(ConfigurationError, match="closed"):
        flow.send(ConfigurationError("closed"))
    assert throttle.waiting == 0


def test_a_long_wait_for_calls_ahead_is_slept_in_parts_since_they_may_give_up() -> None:
    now = [1001.0]
    throttle = Throttle()
    throttle.refuse("GET /others", sent=999, now=1000, seconds=1)
    ahead = [throttle.ticket(900.0, "GET /others") for _ in range(20)]
    waits = [throttle.reserve(ticket, 1001) for ticket in ahead]
    last = waits[-1]
    assert last is not None
    flow = attempts(READ, RetryPolicy(), throttle, clock=lambda: now[0])
    step = next(flow)
    assert isinstance(step, Sleep)
    assert 1 < step.seconds < last.seconds
    for ticket in ahead:
        throttle.leave(ticket)
    now[0] += step.seconds
    assert isinstance(flow.send(None), RequestEvent)
    flow.close()


def test_events_and_log_tell_the_story_of_a_call(driver: Driver, caplog: pytest.LogCaptureFixture) -> None:
    answers = iter([answer(503, retry_after="0", x_request_id="r1"), answer(200)])
    events: list[Any] = []
    client = driver.client(
        lambda request: next(answers),
        retry=AT_ONCE,
        on_request=events.append,
        on_response=events.append,
        on_retry=events.append,
    )
    with caplog.at_level(logging.DEBUG, "adsecurity"):
        driver.call(client, "raw", GET, {"thing_id": "some/id"})
    route = "/api/v2/things/{thingID}"
    assert [type(event) for event in events] == [RequestEvent, ResponseEvent, RetryEvent, RequestEvent, ResponseEvent]
    assert {(event.operation, event.method, event.route) for event in events} == {("things.getThing", "GET", route)}
    assert {event.url for event in events} == {"https://api.example/base/api/v2/things/some%2Fid"}
    assert [event.attempt for event in events] == [1, 1, 1, 2, 2]
    assert [event.status_code for event in events if isinstance(event, ResponseEvent)] == [503, 200]
    assert events[1].request_id == "r1"
    assert (events[2].reason, events[2].status_code, events[2].delay) == ("ServerError", 503, 0)
    lines = [record.getMessage() for record in caplog.records if record.name == "adsecurity"]
    assert lines[0] == f"GET {route} attempt 1"
    assert lines[1].startswith(f"GET {route} 503 in 0.0")
    assert lines[2] == f"GET {route} attempt 1: ServerError, again in 0.000 s"
    assert [r.levelname for r in caplog.records if r.name == "adsecurity"] == [
        "DEBUG",
        "DEBUG",
        "INFO",
        "DEBUG",
        "DEBUG",
    ]


def test_async_hooks_are_awaited() -> None:
    driver = Driver("async")
    seen: list[Any] = []

    async def hook(event: Any) -> None:
        seen.append(event)

    client = driver.client(lambda request: answer(200), on_request=hook)
    driver.call(client, "raw", GET, {"thing_id": "1"})
    driver.finish()
    assert len(seen) == 1


def test_a_hook_that_is_awaited_needs_an_async_client() -> None:
    async def hook(event: Any) -> None:
        raise AssertionError

    driver = Driver("sync")
    client = driver.client(lambda request: answer(200), on_request=hook)
    with pytest.raises(TypeError, match="async client"):
        driver.call(client, "raw", GET, {"thing_id": "1"})
    driver.finish()


def test_what_a_hook_raises_reaches_the_caller(driver: Driver) -> None:
    def hook(event: Any) -> None:
        raise LookupError("mine")

    client = driver.client(lambda request: answer(200), on_response=hook)
    with pytest.raises(LookupError, match="mine"):
        driver.call(client, "raw", GET, {"thing_id": "1"})


def test_a_call_can_bring_its_own_policy_and_time_out(driver: Driver) -> None:
    timeouts: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"])
        return answer(500)

    client = driver.client(handler, retry=AT_ONCE)
    with pytest.raises(ServerError):
        driver.call(client, "raw", GET, {"thing_id": "1"}, retry=RetryPolicy(attempts=1), timeout=7)
    assert timeouts == [{"connect": 5.0, "read": 7, "write": 7, "pool": 7}]
    with pytest.raises(ServerError):
        driver.call(client, "raw", GET, {"thing_id": "1"}, retry=AT_ONCE.with_attempts(2), timeout=httpx.Timeout(None))
    assert timeouts[1] == dict.fromkeys(("connect", "read", "write", "pool"))
    # The second attempt has no more than what the first one left.
    assert 0 < timeouts[2]["read"] <= 180
    for wrong in ({"retry": 3}, {"timeout": "1"}):
        with pytest.raises(TypeError):
            driver.call(client, "raw", GET, {"thing_id": "1"}, **wrong)
    for seconds in (0, -1, math.inf, math.nan, True):
        with pytest.raises(ValueError, match="timeout"):
            driver.call(client, "raw", GET, {"thing_id": "1"}, timeout=seconds)


def test_the_time_outs_are_five_seconds_to_connect_and_sixty_to_read(driver: Driver) -> None:
    seen: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return answer(200)

    driver.call(driver.client(handler), "raw", GET, {"thing_id": "1"})
    assert (seen[0]["connect"], seen[0]["read"]) == (5.0, 60.0)


class Dripping(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that keeps coming, a byte at a time, so that no read ever times out."""

    def __iter__(self) -> Any:
        for _ in range(500):
            time.sleep(0.005)
            yield b" "

    async def __aiter__(self) -> Any:
        for _ in range(500):
            await asyncio.sleep(0.005)
            yield b" "


def test_a_body_that_keeps_coming_does_not_hold_a_call_past_its_deadline(driver: Driver) -> None:
    client = driver.client(lambda request: httpx.Response(200, stream=Dripping()))
    began = time.monotonic()
    with pytest.raises(APITimeoutError):
        driver.call(client, "raw", GET, {"thing_id": "1"}, timeout=0.02, retry=RetryPolicy(2, 0, 0, 0.05))
    assert time.monotonic() - began < 1


@pytest.fixture
def dripping_headers() -> Iterator[str]:
    stop = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(500):
            if not stop.wait(0.01):
                connection.sendall(b"a")

    yield from raw_server(drip)
    stop.set()


@pytest.mark.parametrize("proxied", [False, True])
def test_headers_that_keep_coming_do_not_hold_a_call_past_its_deadline(
    driver: Driver, dripping_headers: str, proxied: bool
) -> None:
    options: dict[str, Any] = {"proxy": dripping_headers} if proxied else {"base_url": dripping_headers}
    began = time.monotonic()
    with pytest.raises(APITimeoutError, match=r"no data in time.*ReadTimeout"):
        driver.call(
            driver.client(**options), "raw", GET, {"thing_id": "1"}, timeout=0.4, retry=RetryPolicy(2, 0, 0, 0.5)
        )
    assert time.monotonic() - began < 3


def test_a_server_that_is_not_there_is_a_connection_error(driver: Driver) -> None:
    client = driver.client(base_url="http://127.0.0.1:1", retry=RetryPolicy(2, 0))
    with pytest.raises(APIConnectionError) as caught:
        driver.call(client, "raw", UPDATE, {"thing_id": "1"})
    assert caught.value.attempts == 2
    assert "could not connect" in str(caught.value)


def test_a_truncated_body_is_a_connection_error_and_read_again(driver: Driver, server: Server) -> None:
    whole = server.answers[0]
    server.answers[:] = [(200, {"Content-Length": "999", "Connection": "close"}, b"{"), whole]
    client = driver.client(base_url=server.url, retry=AT_ONCE)
    assert driver.call(client, "raw", GET, {"thing_id": "1"}).content == whole[2]
    assert len(server.seen) == 2


def test_a_body_that_is_not_encoded_as_it_says_is_a_connection_error(driver: Driver) -> None:
    broken = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip"))
    client = driver.client(lambda request: broken, retry=RetryPolicy(1))
    with pytest.raises(APIConnectionError, match="Content-Encoding"):
        driver.call(client, "raw", GET, {"thing_id": "1"})


@pytest.mark.parametrize(("status", "asked", "error"), [(429, "50", RateLimitError), (503, "1e11", ServerError)])
def test_closing_a_client_ends_the_wait_of_a_thread(status: int, asked: str, error: type[APIStatusError]) -> None:
    driver = Driver("sync")
    waiting = threading.Event()
    client = driver.client(
        lambda request: answer(status, retry_after=asked),
        on_retry=lambda event: waiting.set(),
        retry=RetryPolicy(deadline=math.inf),
    )
    raised: list[BaseException] = []

    def work() -> None:
        try:
            driver.call(client, "raw", GET, {"thing_id": "1"})
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert waiting.wait(5)
    client.close()
    thread.join(5)
    assert not thread.is_alive()
    assert isinstance(raised[0], error)


def test_a_stop_ends_the_retries_of_one_call() -> None:
    driver = Driver("sync")
    stop = threading.Event()
    client = driver.client(lambda request: answer(500), on_retry=lambda event: stop.set())
    prepared = client._session.prepare(GET, {"thing_id": "1"})
    with pytest.raises(ServerError) as caught:
        client._session.send(prepared, stop=stop)
    assert caught.value.attempts == 1
    driver.finish()


def test_a_client_closed_in_the_middle_of_a_call_says_so(driver: Driver) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        client._session.pool.closed.set()
        raise RuntimeError("cannot send a request, as the client has been closed")

    client = driver.client(handler)
    with pytest.raises(ConfigurationError, match="closed during a call"):
        driver.call(client, "raw", GET, {"thing_id": "1"})


def test_mistakes_in_a_transport_are_not_taken_for_the_network(driver: Driver) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        driver.call(driver.client(handler), "raw", GET, {"thing_id": "1"})
