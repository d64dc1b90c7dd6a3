"""The calculators behind the rate limit, each alone, with time as a plain number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsecurity.http.pace import CubicGrowth, RateMeter, TokenBucket


def test_the_meter_counts_what_was_let_through_in_the_time_before() -> None:
    meter = RateMeter()
    for number in range(40):
        meter.add(100 + number / 20)
    assert meter.rate(102, 1.0) == pytest.approx(20, abs=1)
    assert meter.rate(102, 2.0) == pytest.approx(20, abs=1)
    assert meter.rate(102, 4.0) == pytest.approx(10, abs=1)
    assert meter.rate(100, 1.0) == 1
    assert meter.rate(90, 1.0) == 0


def test_a_meter_that_has_forgotten_the_oldest_requests_divides_by_the_time_of_the_others() -> None:
    meter = RateMeter()
    for number in range(10_000):
        meter.add(number / 100)
    assert meter.rate(100.0, 60.0) == pytest.approx(100, rel=0.01)


def test_the_pace_starts_below_the_peak_stays_near_it_and_then_leaves_it_behind() -> None:
    growth = CubicGrowth(20.0, since=1000.0)
    assert growth.rate(1000.0) == pytest.approx(17)
    assert growth.rate(900.0) == growth.rate(1000.0)
    plateau = 1000.0 + growth.plateau
    assert growth.rate(plateau) == pytest.approx(20)
    assert growth.rate(plateau + 1) < 20.5
    assert growth.rate(plateau + 20) > 1000


@given(st.floats(0.5, 1000), st.floats(0, 60), st.floats(0.01, 60))
def test_the_pace_never_falls(peak: float, after: float, more: float) -> None:
    growth = CubicGrowth(peak, since=5.0)
    assert growth.rate(5 + after + more) >= growth.rate(5 + after) - 1e-9


@given(st.floats(0.5, 100), st.floats(-5, 30), st.integers(1, 300))
def test_the_time_for_so_many_requests_is_when_the_pace_adds_up_to_them(peak: float, start: float, count: int) -> None:
    growth = CubicGrowth(peak, since=0.0)
    end = growth.when(count, start)
    steps = 2000
    step = (end - start) / steps
    sent = sum(growth.rate(start + (number + 0.5) * step) * step for number in range(steps))
    # To a millisecond; the next request alone is taken to go at the pace of the start, which is never too early.
    assert sent >= count - 1e-3 * count
    if count > 1:
        assert sent <= count + growth.rate(end) * 2e-3 + 1e-3 * count
    assert growth.when(0, start) == start


def test_a_bucket_hands_out_tokens_at_the_pace_and_nothing_while_it_is_held() -> None:
    bucket, pace = TokenBucket(), CubicGrowth(10.0, since=50.0)
    bucket.hold(50.0)
    bucket.hold(40.0)
    assert bucket.due(0, pace) == 50
    assert bucket.due(4, pace) == pytest.approx(50.45, abs=0.01)
    taken = []
    for _ in range(9):
        now = bucket.due(0, pace)
        taken.append(now)
        bucket.take(pace, now)
    assert taken[-1] == pytest.approx(50.88, abs=0.04)
    assert taken == sorted(taken)


def test_tokens_that_nobody_takes_are_no_reason_for_a_burst() -> None:
    bucket, pace = TokenBucket(), CubicGrowth(10.0, since=0.0)
    bucket.hold(0.0)
    bucket.discard(1.0)
    bucket.take(pace, 1.0)
    assert bucket.due(0, pace) > 1.0
    # One that comes late keeps what a tenth of a second brings.
    bucket.take(pace, 5.0)
    assert bucket.due(0, pace) == pytest.approx(4.9)
