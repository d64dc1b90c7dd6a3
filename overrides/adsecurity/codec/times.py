"""Times on the wire: network takes wall-clock seconds in a zone, adsecurity takes days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from adsecurity_generated._values import read_time

Time = datetime | date | str


def encode_time(value: Any, *, unit: str, edge: str = "", timezone: Any = None) -> str:
    """Write a point in time as the parameter wants it; comparing two such texts compares the times.

    `unit` is `second` or `day`. The end of a range is rounded up to a whole second, anything else down, so that
    rounding never narrows the range. Raises `TypeError` or `ValueError`.
    """
    moment = _read(value)
    if unit == "day":
        if isinstance(moment, datetime):
            if moment.tzinfo is not None:
                raise ValueError("must be a day: which day a time with a zone falls on for the server is unknown")
            return moment.date().isoformat()
        return moment.isoformat()
    if not isinstance(moment, datetime):
        # Midnight for both ends: an end of 8 November leaves that day out.
        return f"{moment.isoformat()} 00:00:00"
    try:
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
        if moment.microsecond and edge == "end":
            moment += timedelta(seconds=1)
        if moment.tzinfo is not None:
            moment = _wall_clock(moment, zone(timezone), timezone)
    except OverflowError:
        raise ValueError("is out of the years that can be written") from None
    return moment.replace(microsecond=0).isoformat(sep=" ")


def _wall_clock(moment: datetime, there: tzinfo, name: Any) -> datetime:
    local = moment.astimezone(there)
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        # Whichever of the two the server took, the range would be longer or shorter than what was asked for.
        raise ValueError(f"falls into the hour that {name} has twice, which cannot be told apart: use timezone='UTC'")
    return local.replace(tzinfo=None)


def zone(name: Any) -> tzinfo:
    """The zone of a `timezone` argument; none means UTC."""
    if not name:
        return UTC
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        raise ValueError(f"cannot be converted: this machine knows no time zone {name!r}") from None


def parse_time(text: Any) -> datetime | None:
    """Read a time of an answer: aware, in UTC; None for what is empty, zero or no time."""
    moment: datetime | None = read_time(text)[0]
    return moment


def _read(value: Any) -> datetime | date:
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise TypeError(f"must be a datetime, a date or a string, not {type(value).__name__}")
    text = value.strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be written like 2026-11-01 or 2026-11-01 13:30:00") from None
