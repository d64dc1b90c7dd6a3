"""The rate limit of one client, as a state object: no request is sent in here, and time is a plain number."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest

from adsecurity.http.throttle import LONGEST_HOLD, Throttle, Ticket, Wait

ROUTE, OTHER = "GET /things", "GET /others"


def refused_at_20_a_second(asked: float = 1.0) -> Throttle:
    """A throttle that has let through 20 requests in the second before 1000, and then met a 429."""
    throttle = Throttle()
    for number in range(20):
        throttle.let_through.add(999.01 + number / 20)
    throttle.refuse(ROUTE, sent=999.99, now=1000.0, seconds=asked)
    return throttle


def departures(throttle: Throttle, tickets: list[Ticket], now: float) -> Iterator[tuple[float, Ticket]]:
    """Let each call sleep for as long as it is told, and ask again; gives when which one may be sent."""
    asking = [(now, ticket) for ticket in tickets]
    while asking:
        # Of those that ask at the same time, the one that came last asks first.
        now, ticket = min(asking, key=lambda entry: (entry[0], -entry[1].number))
        asking.remove((now, ticket))
        wait = throttle.reserve(ticket, now)
        if wait is None:
            yield now, ticket
        else:
            asking.append((now + wait.seconds, ticket))


def test_a_throttle_that_met_no_limit_is_not_asked() -> None:
    throttle = Throttle()
    assert not throttle.limited
    assert throttle.reserve(throttle.ticket(0.0, ROUTE), 0.0) is None
    assert not throttle.limited


def test_a_429_holds_every_route_for_what_it_asks() -> None:
    throttle = refused_at_20_a_second(asked=20)
    for route in (ROUTE, OTHER):
        assert throttle.reserve(throttle.ticket(1001.0, route), 1001.0) == Wait(19.0, 19.0, 429)


def test_a_shorter_wait_does_not_end_a_longer_one() -> None:
    throttle = refused_at_20_a_second(asked=20)
    throttle.refuse(ROUTE, sent=999.99, now=1002.0, seconds=1)
    assert throttle.reserve(throttle.ticket(1003.0, ROUTE), 1003.0) == Wait(17.0, 17.0, 429)


def test_a_429_that_asks_for_more_than_a_minute_holds_its_own_route_only() -> None:
    throttle = Throttle()
    throttle.refuse(ROUTE, sent=9.0, now=10.0, seconds=LONGEST_HOLD + 1)
    assert throttle.reserve(throttle.ticket(11.0, ROUTE), 11.0) == Wait(60.0, 60.0, 429)
    assert throttle.reserve(throttle.ticket(11.0, OTHER), 11.0) is None
    throttle.refuse(ROUTE, sent=9.0, now=10.0, seconds=LONGEST_HOLD)
    assert throttle.reserve(throttle.ticket(11.0, OTHER), 11.0) == Wait(59.0, 59.0, 429)


def test_a_route_that_is_held_keeps_no_other_waiting_and_is_forgotten_afterwards() -> None:
    throttle = Throttle()
    throttle.hold_route(ROUTE, 110.0, 100.0, 503)
    throttle.hold_route(ROUTE, 105.0, 100.0, 503)
    held = throttle.ticket(100.0, ROUTE)
    assert throttle.reserve(held, 101.0) == Wait(9.0, 9.0, 503)
    assert throttle.waiting == 0
    assert throttle.reserve(throttle.ticket(101.0, OTHER), 101.0) is None
    assert throttle.limited
    assert throttle.reserve(held, 110.0) is None
    assert not throttle.limited


def test_a_waiting_call_whose_route_is_held_leaves_the_queue() -> None:
    throttle = refused_at_20_a_second()
    ticket = throttle.ticket(1000.0, ROUTE)
    assert throttle.reserve(ticket, 1000.5) is not None
    assert throttle.waiting == 1
    throttle.hold_route(ROUTE, 1100.0, 1000.6, 503)
    assert throttle.reserve(ticket, 1001.0) == Wait(99.0, 99.0, 503)
    assert throttle.waiting == 0


def test_a_wait_says_what_the_server_answered_and_a_wait_for_others_is_none_of_the_servers() -> None:
    throttle = refused_at_20_a_second()
    assert (throttle.holds, throttle.last_status, throttle.limited) == (1, 429, True)
    first, second = throttle.ticket(1000.0, ROUTE), throttle.ticket(1000.1, ROUTE)
    assert throttle.reserve(first, 1000.5) == Wait(0.5, 0.5, 429)
    assert throttle.reserve(second, 1000.5) == Wait(0.5, 0.5, 429)
    assert throttle.reserve(first, 1001.0) is None
    wait = throttle.reserve(second, 1001.0)
    assert wait is not None
    assert (wait.held, wait.status) == (0.0, 429)
    assert 0 < wait.seconds < 0.1
    throttle.hold_route(OTHER, 1100.0, 1001.0, 503)
    assert (throttle.holds, throttle.last_status) == (2, 503)
    throttle.refuse(OTHER, sent=1000.0, now=1001.0, seconds=LONGEST_HOLD + 1)
    assert (throttle.holds, throttle.last_status) == (3, 429)


def test_a_route_that_is_held_longer_already_is_held_no_shorter() -> None:
    throttle = Throttle()
    throttle.hold_route(ROUTE, 110.0, 100.0, 503)
    throttle.refuse(ROUTE, sent=99.0, now=101.0, seconds=LONGEST_HOLD + 1)
    throttle.hold_route(ROUTE, 120.0, 102.0, 503)
    assert throttle.reserve(throttle.ticket(102.0, ROUTE), 102.0) == Wait(60.0, 60.0, 429)


def test_routes_whose_wait_is_over_are_forgotten() -> None:
    throttle = Throttle()
    for number in range(100):
        throttle.hold_route(f"GET /{number}", number + 0.5, number, 503)
    assert len(throttle._routes) == 1


def test_after_the_wait_calls_leave_at_the_pace_that_was_let_through_and_not_in_a_burst() -> None:
    throttle = refused_at_20_a_second()
    tickets = [throttle.ticket(1000 + number / 1000, ROUTE) for number in range(100)]
    left = [now for now, _ in departures(throttle, tickets, 1000.5)]
    assert left[0] == pytest.approx(1001)
    assert sum(now < 1002 for now in left) in (17, 18, 19)
    assert sum(1002 <= now < 1003 for now in left) in (18, 19, 20)
    assert max(after - before for before, after in pairwise(left)) < 0.08
    assert throttle.waiting == 0


def test_what_was_let_through_is_counted_when_the_wait_is_over_since_refusals_come_back_first() -> None:
    throttle = Throttle()
    throttle.refuse(ROUTE, sent=0.1, now=0.2, seconds=1)
    throttle.refuse(ROUTE, sent=0.1, now=0.21, seconds=1)
    for _ in range(20):
        throttle.let_through.add(0.1)
    left = [now for now, _ in departures(throttle, [throttle.ticket(0.3, ROUTE) for _ in range(30)], 0.3)]
    assert sum(now < 2.2 for now in left) in (17, 18, 19)


def test_the_pace_grows_while_no_429_comes_until_there_is_no_limit_any_more() -> None:
    throttle = refused_at_20_a_second()
    left = [now for now, _ in departures(throttle, [throttle.ticket(1000.0, ROUTE) for _ in range(1000)], 1000.0)]
    counts = [sum(1001 + second <= now < 1002 + second for now in left) for second in range(0, 11, 2)]
    assert counts == sorted(counts)
    assert counts[-1] > 3 * counts[0]
    assert throttle.reserve(throttle.ticket(1040.0, ROUTE), 1040.0) is None
    assert not throttle.limited


def test_a_second_429_lowers_the_pace_and_those_of_the_same_burst_lower_it_once() -> None:
    throttle = refused_at_20_a_second()
    for _ in range(30):
        throttle.refuse(ROUTE, sent=999.995, now=1000.8, seconds=1)
    assert throttle.reserve(throttle.ticket(1002.0, ROUTE), 1002.0) is None
    assert throttle._pace is not None
    assert throttle._pace.peak == 20
    # Far less was let through since: the limit is lower than it was.
    for number in range(5):
        throttle.let_through.add(1002.1 + number / 10)
    throttle.refuse(ROUTE, sent=1002.9, now=1003.0, seconds=1)
    assert throttle.reserve(throttle.ticket(1004.0, ROUTE), 1004.0) is None
    assert throttle._pace.peak == 5


def test_the_pace_does_not_grow_while_the_server_asks_to_wait_nor_while_nothing_is_sent() -> None:
    throttle = refused_at_20_a_second()
    assert throttle.reserve(throttle.ticket(1001.0, ROUTE), 1001.0) is None
    # A refusal of the same burst, which comes late and asks for more.
    throttle.refuse(ROUTE, sent=999.99, now=1001.0, seconds=50)
    left = [now for now, _ in departures(throttle, [throttle.ticket(1002.0, ROUTE) for _ in range(60)], 1002.0)]
    assert left[0] == pytest.approx(1051)
    assert sum(now < 1052 for now in left) in (17, 18, 19)
    throttle.refuse(ROUTE, sent=1054.9, now=1055.0, seconds=1)
    left = [now for now, _ in departures(throttle, [throttle.ticket(1200.0, ROUTE) for _ in range(60)], 1200.0)]
    assert left[-1] > 1202


def test_no_client_gets_slower_than_one_call_in_two_seconds() -> None:
    throttle = Throttle()
    for number in range(50):
        throttle.refuse(ROUTE, sent=number, now=number, seconds=0)
        throttle.reserve(throttle.ticket(number, ROUTE), number)
    left = [now for now, _ in departures(throttle, [throttle.ticket(50, ROUTE) for _ in range(3)], 50)]
    assert left[-1] - 50 < 6


def test_calls_leave_in_the_order_in_which_they_were_made_also_if_they_were_refused() -> None:
    throttle = refused_at_20_a_second()
    late = [throttle.ticket(1000.1 + number, ROUTE) for number in range(20)]
    refused = [throttle.ticket(990.0 + number, OTHER) for number in range(5)]
    order = [ticket for _, ticket in departures(throttle, [*reversed(late), *refused], 1000.5)]
    assert order == [*refused, *late]


def test_a_call_that_gives_up_gives_its_turn_to_those_behind() -> None:
    throttle = refused_at_20_a_second()
    tickets = [throttle.ticket(1000.0, ROUTE) for _ in range(100)]
    waits = [throttle.reserve(ticket, 1001.0) for ticket in tickets]
    last = waits[-1]
    assert waits[0] is None
    assert last is not None
    for ticket in tickets[1:99]:
        throttle.leave(ticket)
    assert throttle.waiting == 1
    sooner = throttle.reserve(tickets[-1], 1001.0)
    assert sooner is not None
    assert sooner.seconds < 0.1 < last.seconds
    throttle.leave(tickets[-1])
    throttle.leave(tickets[-1])
    assert throttle.waiting == 0


def test_calls_of_an_event_loop_that_was_stopped_keep_nobody_waiting() -> None:
    throttle = refused_at_20_a_second()
    for _ in range(1000):
        throttle.reserve(throttle.ticket(999.0, ROUTE), 1000.5)
    left = [now for now, _ in departures(throttle, [throttle.ticket(1003.0, ROUTE) for _ in range(10)], 1003.0)]
    assert left[-1] < 1004
    assert throttle.waiting == 0


def test_one_that_comes_back_late_is_in_front_again() -> None:
    throttle = refused_at_20_a_second()
    slow, others = throttle.ticket(999.0, ROUTE), [throttle.ticket(1000.0, ROUTE) for _ in range(50)]
    throttle.reserve(slow, 1000.5)
    waits = [throttle.reserve(ticket, 1003.0) for ticket in others]
    assert throttle.waiting == sum(wait is not None for wait in waits)
    assert throttle.reserve(slow, 1003.01) is not None
    assert throttle._queue[0][2] is slow


def test_giving_up_takes_no_lock() -> None:
    throttle = refused_at_20_a_second()
    ticket = throttle.ticket(1000.0, ROUTE)
    throttle.reserve(ticket, 1000.0)
    with throttle._lock:
        leaving = threading.Thread(target=throttle.leave, args=(ticket,), daemon=True)
        leaving.start()
        leaving.join(5)
        assert not leaving.is_alive()
    assert throttle.waiting == 0


def test_an_interrupt_while_asking_leaves_the_lock_free(monkeypatch: pytest.MonkeyPatch) -> None:
    throttle = refused_at_20_a_second()

    def interrupt(now: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(throttle, "_clean_up", interrupt)
        with pytest.raises(KeyboardInterrupt):
            throttle.reserve(throttle.ticket(1000.0, ROUTE), 1000.0)
    counts: list[int] = []
    asking = threading.Thread(target=lambda: counts.append(throttle.waiting), daemon=True)
    asking.start()
    asking.join(5)
    assert counts == [0]


def test_a_signal_handler_may_ask_for_a_turn_while_its_thread_is_asking() -> None:
    throttle = refused_at_20_a_second()
    with throttle._lock:
        assert throttle.reserve(throttle.ticket(1000.0, ROUTE), 1000.0) is not None


def test_a_forked_child_has_neither_the_lock_nor_the_waiting_calls_of_its_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    throttle = refused_at_20_a_second()
    throttle.reserve(throttle.ticket(1000.0, ROUTE), 1000.0)
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with throttle._lock:
            held.set()
            release.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(5)
    child = os.getpid() + 1
    monkeypatch.setattr(os, "getpid", lambda: child)
    counts: list[int] = []
    asking = threading.Thread(target=lambda: counts.append(throttle.waiting), daemon=True)
    asking.start()
    asking.join(5)
    release.set()
    holder.join()
    assert counts == [0]
    assert throttle.limited
