"""Many calls under one rate limit, in simulated time, whatever the server answers and whoever gives up."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Generator
from typing import Any

import attrs
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsecurity import AdsecurityError, APIConnectionError, APIStatusError, ConfigurationError, RetryPolicy
from adsecurity.events import RequestEvent, ResponseEvent, RetryEvent
from adsecurity.http.retry import Send, Sleep, TurnLost, attempts
from adsecurity.http.throttle import LONGEST_HOLD, Throttle
from tests.support.demo.calls import call_of
from tests.support.demo.surface import GET, UPDATE

ROUTES = {"read": call_of(GET, thing_id="1"), "write": call_of(UPDATE, thing_id="1", name="n")}
TINY = 1e-5


@attrs.frozen
class Answer:
    status: int
    """0: the connection breaks."""
    retry_after: float | None
    took: float
    connecting: float = 0.0
    """Seconds between the turn and the sending."""


@attrs.frozen
class Plan:
    """One call, and what happens to it."""

    start: float
    route: str
    policy: RetryPolicy
    answers: tuple[Answer, ...]
    """Used up in turn; afterwards everything is 200."""
    given_up: float = math.inf
    """When it is cancelled."""
    abandoned: float = math.inf
    """When its event loop is stopped, never to go on."""


@attrs.define(eq=False)
class Running:
    plan: Plan
    flow: Generator[Any, Any, Any]
    left: list[Answer]
    asleep: bool = False
    result: Any = None
    ended: float = math.inf
    sent: list[float] = attrs.field(factory=list)
    attempts: int = 0


class World:
    """Runs all calls to their end, and checks at each step what must always hold."""

    def __init__(self, plans: list[Plan], seed: int, closed: float = math.inf, in_order: bool = False) -> None:
        self.throttle = Throttle()
        self.now = 0.0
        self.closed = closed
        self.in_order = in_order
        self.holds: list[tuple[float, float, str | None]] = []
        self._random = random.Random(seed)
        self._events: list[tuple[float, float, int, Running, Any]] = []
        self.calls = [
            Running(
                plan,
                attempts(ROUTES[plan.route], plan.policy, self.throttle, clock=lambda: self.now, draw=lambda: 1.0),
                list(plan.answers),
            )
            for plan in plans
        ]

    def at(self, time: float, call: Running, what: Any) -> None:
        heapq.heappush(self._events, (time, self._random.random(), len(self._events), call, what))

    def run(self) -> World:
        for call in self.calls:
            self.at(call.plan.start, call, "begin")
            for time, what in ((call.plan.given_up, "give up"), (self.closed, "close")):
                if time < math.inf:
                    self.at(max(time, call.plan.start), call, what)
        steps = 0
        while self._events:
            steps += 1
            assert steps < 20_000, "these calls never end"
            self.now, _, _, call, what = heapq.heappop(self._events)
            if call.ended < math.inf or self.now >= call.plan.abandoned:
                continue
            if what == "give up":
                call.flow.close()
                call.ended = self.now
            elif what == "close":
                if call.asleep:
                    self.go_on(call, ConfigurationError("closed"))
            elif isinstance(what, Send):
                self.send(call, what)
            elif what == "begin":
                self.go_on(call, None)
            elif isinstance(what, tuple):
                # A sleep that was cut short has no end any more.
                if call.asleep and what[1] == call.attempts:
                    self.go_on(call, None)
            else:
                self.hear(call, what)
                self.go_on(call, what)
        return self

    def go_on(self, call: Running, outcome: Any) -> None:
        call.asleep = False
        call.attempts += 1
        try:
            while True:
                step = call.flow.throw(outcome) if isinstance(outcome, TurnLost) else call.flow.send(outcome)
                outcome = None
                if not isinstance(step, RequestEvent | ResponseEvent | RetryEvent):
                    break
        except StopIteration as stop:
            call.result, call.ended = stop.value, self.now
            return
        except AdsecurityError as error:
            call.result, call.ended = error, self.now
            return
        deadline = call.plan.start + call.plan.policy.deadline
        if isinstance(step, Sleep):
            assert step.seconds >= 0
            assert self.now + step.seconds <= deadline + TINY, "a wait beyond the deadline"
            if self.now >= self.closed:
                self.at(self.now, call, ConfigurationError("closed"))
            else:
                call.asleep = True
                self.at(self.now + step.seconds, call, ("slept", call.attempts))
            return
        assert self.now <= deadline + TINY, "an attempt past the deadline"
        if self.in_order:
            ahead = [ticket for started, _, ticket in self.throttle._queue if started < call.plan.start]
            assert not ahead, "sent before a call that was made earlier"
        self.at(self.now + (call.left[0].connecting if call.left else 0.0), call, step)

    def send(self, call: Running, step: Send) -> None:
        if self.now >= self.closed:
            self.go_on(call, ConfigurationError("closed"))
            return
        if self.throttle.holds != step.holds:
            self.go_on(call, TurnLost())
            return
        for begun, until, route in self.holds:
            if route in (None, call.plan.route):
                assert not begun < self.now < until - TINY, "sent while the server asks to wait"
        step.sent = self.now
        call.sent.append(self.now)
        answer = call.left.pop(0) if call.left else Answer(200, None, 0.01)
        arrives = self.now + answer.took
        if answer.status == 0:
            self.at(arrives, call, httpx.ReadError("broken"))
            return
        headers = {} if answer.retry_after is None else {"retry-after": repr(answer.retry_after)}
        self.at(arrives, call, httpx.Response(answer.status, headers=headers, json={}))

    def hear(self, call: Running, outcome: Any) -> None:
        """Write down for how long nothing may be sent, once the client knows."""
        if isinstance(outcome, httpx.Response) and "retry-after" in outcome.headers:
            asked = float(outcome.headers["retry-after"])
            if outcome.status_code == 503 or (outcome.status_code == 429 and asked > LONGEST_HOLD):
                self.holds.append((self.now, self.now + asked, call.plan.route))
            elif outcome.status_code == 429:
                self.holds.append((self.now, self.now + asked, None))


def answers(**more: Any) -> st.SearchStrategy[Answer]:
    return st.builds(
        Answer,
        st.sampled_from([200, 200, 429, 429, 429, 500, 503, 425, 408, 404, 0]),
        st.sampled_from([None, 0.0, 0.5, 1.0, 7.0, 60.0, 61.0, 200.0]),
        st.floats(0, 5),
        st.sampled_from([0.0, 0.0, 0.3, 3.0]),
        **more,
    )


POLICIES = st.builds(
    RetryPolicy,
    attempts=st.integers(1, 6),
    backoff=st.floats(0, 2),
    max_backoff=st.floats(0, 10),
    deadline=st.sampled_from([0.0, 1.0, 10.0, 180.0, 1000.0]),
)
TIMES = st.one_of(st.just(math.inf), st.just(math.inf), st.floats(0, 90))
PLANS = st.builds(
    Plan,
    st.floats(0, 30),
    st.sampled_from([*ROUTES]),
    POLICIES,
    st.lists(answers(), max_size=6).map(tuple),
    TIMES,
    TIMES,
)


@settings(max_examples=300)
@given(st.lists(PLANS, min_size=1, max_size=12), st.integers(0, 1000), TIMES)
def test_every_call_ends_by_its_deadline_whatever_is_answered_closed_cancelled_or_stopped(
    plans: list[Plan], seed: int, closed: float
) -> None:
    world = World(plans, seed, closed).run()
    for call in world.calls:
        plan = call.plan
        if plan.abandoned < math.inf and call.ended == math.inf:
            continue
        assert call.ended < math.inf, "a call that never ends"
        assert len(call.sent) <= len(plan.answers) + 1
        # The last attempt starts by the deadline; what it takes after that is up to its time-outs.
        slowest = max((answer.took + answer.connecting for answer in plan.answers), default=0.0)
        assert call.ended <= max(plan.start + plan.policy.deadline + slowest, plan.start) + 0.1
        if isinstance(call.result, APIStatusError | APIConnectionError):
            assert call.result.attempts == len(call.sent)
        if plan.policy.attempts == 1:
            assert len(call.sent) <= 1
    # What is left belongs to calls whose loop was stopped.
    stopped = sum(call.ended == math.inf for call in world.calls)
    assert world.throttle.waiting <= stopped
    assert len(world.throttle._given_up) == 0


PATIENT = RetryPolicy(attempts=1000, backoff=1, max_backoff=5, deadline=math.inf)
# None that holds a single route: calls behind one that leaves the queue may be asleep when their turn comes earlier.
REFUSALS = st.builds(Answer, st.just(429), st.sampled_from([None, 0.0, 1.0, 7.0, 60.0]), st.floats(0, 3))


@given(
    st.lists(
        st.builds(
            Plan,
            st.integers(0, 20).map(float),
            st.sampled_from([*ROUTES]),
            st.just(PATIENT),
            st.lists(REFUSALS, max_size=5).map(tuple),
        ),
        min_size=1,
        max_size=25,
    ),
    st.integers(0, 1000),
)
def test_calls_with_time_enough_all_get_through_and_in_the_order_in_which_they_were_made(
    plans: list[Plan], seed: int
) -> None:
    # No two at the same time, so that there is one order.
    plans = [attrs.evolve(plan, start=plan.start + number / 1000) for number, plan in enumerate(plans)]
    world = World(plans, seed, in_order=True).run()
    assert [call.result.status_code for call in world.calls] == [200] * len(plans)
    assert world.throttle.waiting == 0


@given(st.lists(PLANS, min_size=1, max_size=8), st.integers(0, 1000), st.integers(1, 5))
def test_calls_that_give_up_or_whose_loop_is_stopped_do_not_starve_the_others(
    plans: list[Plan], seed: int, patient: int
) -> None:
    lasting = [Plan(start=5.0 * number, route="read", policy=PATIENT, answers=()) for number in range(patient)]
    world = World([*plans, *lasting], seed).run()
    for call in world.calls[-patient:]:
        assert call.result.status_code == 200
        # The longest that a server asks in here, and the calls ahead at the slowest pace.
        assert call.ended - call.plan.start < 1000


def test_what_the_simulation_checks_can_fail() -> None:
    plan = Plan(0.0, "read", PATIENT, (Answer(429, 7.0, 0.0),))
    world = World([plan, attrs.evolve(plan, start=1.0, answers=())], 0)
    world.throttle.refuse = lambda *args, **more: None  # type: ignore[method-assign]
    with pytest.raises(AssertionError, match="while the server asks to wait"):
        world.run()
