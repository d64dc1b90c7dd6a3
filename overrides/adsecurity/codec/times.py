"""Times in requests: some parameters take wall-clock seconds in a time zone, others take days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from adsecurity_generated._values import read_time

Time = datetime | date | str


def encode_time(value: Any, *, unit: str, edge: str = "", timezone: Any = None) -> str:
    """Write a point in time in the parameter's format; such texts sort in the order of their times.

    `unit` is `second` or `day`; `edge` is `start`, `end` or empty. An aware datetime is converted to `timezone` (an
    IANA name; UTC if there is none), one without a zone is taken as wall clock there. The end of a range is rounded up
    to a whole second, anything else down, so that rounding never narrows the range. Raises `TypeError` or `ValueError`.
    """
    moment = _read(value)
    if unit == "day":
        if isinstance(moment, datetime):
            if moment.tzinfo is not None:
                raise ValueError("must be a day: which day a time with a zone falls on for the server is unknown")
            return moment.date().isoformat()
        return moment.isoformat()
    if not isinstance(moment, datetime):
        # Midnight for both ends: a range that ends on 8 November does not include that day.
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


def _wall_clock(moment: datetime, target: tzinfo, name: Any) -> datetime:
    local = moment.astimezone(target)
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        # The server may take either of the two hours, so the range could become an hour longer or shorter.
        raise ValueError(f"falls into the hour that {name} has twice, which cannot be told apart: use timezone='UTC'")
    return local.replace(tzinfo=None)


def zone(name: Any) -> tzinfo:
    """The time zone that a `timezone` argument names; without one, UTC. Raises `ValueError` for an unknown name."""
    if not name or name == "UTC":
        # Not by its name: Windows, and small images, have no zone data, and UTC needs none.
        return UTC
    import zoneinfo  # not at the top: it takes a while to import

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        raise ValueError(f"cannot be converted: this machine knows no time zone {name!r}") from None


def parse_time(text: Any) -> datetime | None:
    """Read a time from a response: aware, in UTC; None for an empty or zero time, or anything else."""
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
