"""The allowed values of the sandbox's options, the same on the command line and in Python."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TypeVar

Number = TypeVar("Number", int, float)

# Larger numbers are typing errors, and a timer cannot wait longer on every platform.
_MAXIMUM = 1_000_000_000
_RANGES = {"port": (0, 65_535)}
# The seeded data reaches back more than a year before its day, and a test may ask for later rows.
_FIRST_DAY = date(1971, 1, 1)
_LAST_DAY = date(9000, 12, 31)


def check_number(option: str, number: Number) -> Number:
    """The number itself; raises ValueError when it is out of the option's range."""
    minimum, maximum = _RANGES.get(option, (0, _MAXIMUM))
    # Written as one chained comparison because it is also false for NaN.
    if not minimum <= number <= maximum:
        raise ValueError(f"{option.replace('_', ' ')}: {number} is not between {minimum} and {maximum}")
    return number


def check_today(today: date | str | None) -> date:
    """The day that counts as today, by default the current one in UTC; raises ValueError when it is no usable day."""
    if today is None:
        return datetime.now(UTC).date()
    day = _parse_day(today) if isinstance(today, str) else today
    if type(day) is not date:
        raise ValueError(f"today: {today!r} is not a day of the form 2006-01-02")
    if not _FIRST_DAY <= day <= _LAST_DAY:
        raise ValueError(f"today: {day} is not between {_FIRST_DAY} and {_LAST_DAY}")
    return day


def _parse_day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # Other forms of ISO 8601 are accepted by `fromisoformat`, but nowhere else in the sandbox.
    return day if day.isoformat() == text else None


def check_api_key(key: str) -> str:
    """The API key itself; raises ValueError, which does not show it, when no HTTP header can carry it."""
    if not key or not key.isascii() or not key.isprintable() or key != key.strip():
        raise ValueError("api key: must be printable ASCII without spaces around it, and not empty")
    return key
