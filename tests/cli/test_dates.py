"""Ranges of time: whole days from midnight in the zone, exact hours, and always half-open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsecurity.cli.dates import Span, span, written
from adsecurity.cli.failures import Usage

NOW = datetime(2026, 11, 15, 13, 45, 10, 500000, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def made(
    since: str = "", until: str = "", *, yesterday: bool = False, month: str = "", zone: str = "", days: bool = False
) -> Span:
    return span(since, until, yesterday=yesterday, month=month, timezone=zone, now=NOW, whole_days=days)


def told(found: Span) -> tuple[str, str]:
    return found.start.isoformat(), found.end.isoformat()


def test_days_begin_at_midnight_of_the_zone() -> None:
    assert told(made("7d", zone=BERLIN)) == ("2026-11-08T00:00:00+01:00", "2026-11-15T13:45:10+00:00")
    assert told(made("1w", "yesterday")) == ("2026-11-08T00:00:00+00:00", "2026-11-14T00:00:00+00:00")
    assert told(made("2026-11-01", "today")) == ("2026-11-01T00:00:00+00:00", "2026-11-15T00:00:00+00:00")
    assert told(made(yesterday=True, zone=BERLIN)) == ("2026-11-14T00:00:00+01:00", "2026-11-15T00:00:00+01:00")


@pytest.mark.usefixtures("_no_zone_data")
@pytest.mark.parametrize("zone", ["", "UTC"])
def test_utc_needs_no_zone_data(zone: str) -> None:
    assert told(made("7d", zone=zone)) == ("2026-11-08T00:00:00+00:00", "2026-11-15T13:45:10+00:00")
    assert written(NOW, unit="second", timezone=zone) == "2026-11-15 13:45:10"


def test_hours_are_exact() -> None:
    assert made("24h").start == NOW - timedelta(hours=24)
    assert told(made("2026-11-15 10:30", "now", zone=BERLIN))[0] == "2026-11-15T10:30:00+01:00"
    assert told(made("2026-11-15T10:30+00:00", zone=BERLIN))[0] == "2026-11-15T10:30:00+00:00"


def test_a_month_ends_where_the_next_begins() -> None:
    assert told(made(month="2026-02")) == ("2026-02-01T00:00:00+00:00", "2026-03-01T00:00:00+00:00")
    assert made(month="2026-12").end.year == 2027
    # Summer time begins and ends within the month: its days are still those of the zone.
    assert told(made(month="2026-03", zone=BERLIN)) == ("2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00")


def test_an_api_of_days_gets_whole_days() -> None:
    assert told(made("3d", days=True)) == ("2026-11-12T00:00:00+00:00", "2026-11-16T00:00:00+00:00")
    with pytest.raises(Usage, match="whole days"):
        made("3h", days=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"since": "soon"},
        {"since": "2026-13-01"},
        {"since": "9999999d"},
        {"since": "7d", "month": "2026-10"},
        {"until": "7d"},
        {"yesterday": True, "until": "now"},
        {"month": "October"},
        {"month": "2026-13"},
        {"since": "1d", "until": "2d"},
        {"since": "1d", "zone": "Nowhere/Else"},
    ],
)
def test_what_is_no_range_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(Usage):
        made(**wrong)  # type: ignore[arg-type]


def test_moments_are_written_as_each_api_takes_them() -> None:
    moment = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert written(moment, unit="second", timezone=BERLIN) == "2026-07-02 00:30:00"
    assert written(moment, unit="second", timezone="") == "2026-07-01 22:30:00"
    assert written(datetime(2026, 7, 1, tzinfo=ZoneInfo(BERLIN)), unit="day", timezone=BERLIN) == "2026-07-01"


@given(st.integers(1, 400), st.integers(0, 399), st.sampled_from(["", BERLIN, "America/New_York", "Asia/Kathmandu"]))
def test_ranges_of_days_that_meet_share_no_moment_and_miss_none(start: int, length: int, zone: str) -> None:
    middle = max(start - length, 0)
    if middle in (0, start):
        return
    first, second = made(f"{start}d", f"{middle}d", zone=zone), made(f"{middle}d", "today", zone=zone)
    assert first.end == second.start
    assert first.in_days
    assert second.in_days
