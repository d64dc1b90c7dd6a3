"""Times reach the server as the moments that were meant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsecurity.codec.times import encode_time, parse_time, zone

MOMENTS = st.datetimes(datetime(1900, 1, 2), datetime(2200, 1, 1))
ZONES = st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York", "Europe/Berlin", "Asia/Kolkata"])


def second(value: Any, edge: str = "start", timezone: Any = None) -> str:
    return encode_time(value, unit="second", edge=edge, timezone=timezone)


def read(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S")


@given(MOMENTS, ZONES)
def test_a_naive_time_is_wall_clock_whatever_the_zone(moment: datetime, zone: str) -> None:
    assert read(second(moment, timezone=zone)) == moment.replace(microsecond=0)


@given(MOMENTS, st.integers(-12, 14), ZONES)
def test_an_aware_time_names_the_same_moment_in_the_zone_of_the_call(moment: datetime, hours: int, zone: str) -> None:
    aware = moment.replace(microsecond=0, tzinfo=timezone(timedelta(hours=hours)))
    local = aware.astimezone(ZoneInfo(zone))
    twice = {local.replace(fold=fold).utcoffset() for fold in (0, 1)}
    if len(twice) == 1:
        assert read(second(aware, timezone=zone)).replace(tzinfo=ZoneInfo(zone)) == aware
    assert read(second(aware)) == aware.astimezone(UTC).replace(tzinfo=None)


@pytest.mark.parametrize("edge", ["start", "end"])
@pytest.mark.parametrize("moment", ["2026-11-01T05:00:00Z", "2026-11-01T06:59:58.5Z"])
def test_an_hour_that_a_zone_has_twice_is_no_wall_clock_for_a_moment(moment: str, edge: str) -> None:
    with pytest.raises(ValueError, match=r"America/New_York has twice.*timezone='UTC'"):
        second(moment, edge, "America/New_York")
    assert second(moment, edge, "UTC") == second(moment, edge)


def test_a_moment_is_rounded_before_it_is_converted() -> None:
    assert second("2026-11-01T06:59:59.5Z", "end", "America/New_York") == "2026-11-01 02:00:00"
    assert second("2026-11-01T04:59:59Z", "start", "America/New_York") == "2026-11-01 00:59:59"


@given(MOMENTS)
def test_rounding_never_narrows_a_range(moment: datetime) -> None:
    start, end = read(second(moment)), read(second(moment, "end"))
    assert start <= moment <= end
    assert end - start == (timedelta(seconds=1) if moment.microsecond else timedelta(0))


@given(st.dates(date(1, 1, 1), date(9999, 12, 31)))
def test_a_date_is_its_midnight_at_both_ends(day: date) -> None:
    midnight = f"{day.isoformat()} 00:00:00"
    assert second(day) == second(day, "end") == second(day.isoformat()) == midnight
    assert encode_time(day, unit="day", edge="end") == encode_time(day.isoformat(), unit="day") == day.isoformat()


@given(MOMENTS, MOMENTS)
def test_texts_compare_as_the_times_do(one: datetime, other: datetime) -> None:
    one, other = one.replace(microsecond=0), other.replace(microsecond=0)
    assert (second(one) < second(other)) == (one < other)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("2026-11-01 13:30:00", "2026-11-01 13:30:00"),
        ("2026-11-01T13:30", "2026-11-01 13:30:00"),
        (" 2026-11-01 ", "2026-11-01 00:00:00"),
        ("2026-11-01T13:30:00Z", "2026-11-01 14:30:00"),
        ("2026-11-01T13:30:00.5+01:00", "2026-11-01 13:30:00"),
    ],
)
def test_texts_are_read_as_iso_times(text: str, sent: str) -> None:
    assert second(text, timezone="Europe/Berlin") == sent


def test_years_have_four_digits() -> None:
    assert second(datetime(987, 6, 5)) == "0987-06-05 00:00:00"


@pytest.mark.parametrize(
    ("value", "error"), [("soon", ValueError), ("", ValueError), ("1.11.2026", ValueError), (5, TypeError)]
)
@pytest.mark.parametrize("unit", ["second", "day"])
def test_what_is_no_time_is_refused(value: Any, error: type[Exception], unit: str) -> None:
    with pytest.raises(error):
        encode_time(value, unit=unit)


def test_a_day_is_never_guessed_from_an_aware_time() -> None:
    with pytest.raises(ValueError, match="which day"):
        encode_time(datetime(2026, 11, 1, tzinfo=UTC), unit="day")
    with pytest.raises(ValueError, match="which day"):
        encode_time("2026-11-01T00:00:00Z", unit="day")
    assert encode_time(datetime(2026, 11, 1, 15), unit="day") == "2026-11-01"


@pytest.mark.parametrize("zone", ["Atlantis/Capital", "../etc/passwd", 5])
def test_an_unknown_zone_matters_only_where_something_is_converted(zone: Any) -> None:
    assert second(datetime(2026, 1, 1), timezone=zone) == "2026-01-01 00:00:00"
    with pytest.raises(ValueError, match="no time zone"):
        second(datetime(2026, 1, 1, tzinfo=UTC), timezone=zone)


@pytest.mark.usefixtures("_no_zone_data")
def test_utc_needs_no_zone_data() -> None:
    assert second(datetime(2026, 11, 1, 10, tzinfo=UTC), timezone="UTC") == "2026-11-01 10:00:00"
    assert zone("UTC") is zone(None) is UTC
    with pytest.raises(ValueError, match="this machine knows no time zone 'Europe/Berlin'"):
        zone("Europe/Berlin")


def test_a_time_at_the_end_of_time_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="years"):
        second(datetime.max, "end")
    with pytest.raises(ValueError, match="years"):
        second(datetime.max.replace(tzinfo=UTC), timezone="Asia/Tokyo")


def test_answers_are_aware_and_in_utc() -> None:
    assert parse_time("2026-11-01T02:00:00+02:00") == datetime(2026, 11, 1, tzinfo=UTC)
    for nothing in ("", "0001-01-01T00:00:00Z", None, 5, "soon"):
        assert parse_time(nothing) is None
