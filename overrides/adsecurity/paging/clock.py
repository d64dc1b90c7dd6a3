"""The unit that a time range is counted in: seconds of a time zone, or days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Protocol

import attrs

_EPOCH = datetime(1970, 1, 1)
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_CHANGES = 900  # clock changes happen on quarters of an hour

Span = tuple[int, int]
"""Start and end of a range, in units."""


class Clock(Protocol):
    """Counts the units of a range, and says which moments a unit may stand for."""

    def parse(self, text: str) -> int:
        """The unit that a parameter of a request names."""
        ...

    def text(self, unit: int) -> str:
        """The unit as a request names it."""
        ...

    def unit(self, time: datetime) -> int:
        """The unit that a moment lies in."""
        ...

    def start(self, unit: int) -> datetime:
        """The moment at which a unit begins, as far as that is known."""
        ...

    def reach(self, unit: int) -> tuple[datetime, datetime]:
        """The moments that may belong to a unit: from the first on, before the second."""
        ...

    def is_unique(self, unit: int) -> bool:
        """Whether the unit names one moment: not an hour that a night of clock changes repeats or leaves out."""
        ...

    def widened(self, span: Span) -> Span:
        """What to ask for to get every row of the span, whether the server counts the ends of a range in or not."""
        ...


@attrs.frozen
class Seconds:
    """Wall-clock seconds in one time zone, counted as if the wall clock were UTC."""

    zone: tzinfo

    def parse(self, text: str) -> int:
        return (datetime.fromisoformat(text) - _EPOCH) // _SECOND

    def text(self, unit: int) -> str:
        return (_EPOCH + unit * _SECOND).isoformat(sep=" ")

    def unit(self, time: datetime) -> int:
        return (time.astimezone(self.zone).replace(tzinfo=None) - _EPOCH) // _SECOND

    def start(self, unit: int) -> datetime:
        # Of a wall-clock time that comes twice, the first.
        return (_EPOCH + unit * _SECOND).replace(tzinfo=self.zone).astimezone(UTC)

    def reach(self, unit: int) -> tuple[datetime, datetime]:
        start = self.start(unit)
        return start, start + _SECOND

    def is_unique(self, unit: int) -> bool:
        wall = (_EPOCH + unit * _SECOND).replace(tzinfo=self.zone)
        return wall.utcoffset() == wall.replace(fold=1).utcoffset()

    def widened(self, span: Span) -> Span:
        low, high = span[0] - 1, span[1] + 1
        while not self.is_unique(low):
            low = _quarter_before(low)
        while not self.is_unique(high):
            high = _quarter_after(high)
        return low, high


@attrs.frozen
class Days:
    """Calendar days of a server whose time zone is unknown: a row's day is known to within one day."""

    def parse(self, text: str) -> int:
        return date.fromisoformat(text).toordinal()

    def text(self, unit: int) -> str:
        return date.fromordinal(unit).isoformat()

    def unit(self, time: datetime) -> int:
        return time.astimezone(UTC).toordinal()

    def start(self, unit: int) -> datetime:
        return datetime.combine(date.fromordinal(unit), datetime.min.time(), UTC)

    def reach(self, unit: int) -> tuple[datetime, datetime]:
        day = self.start(unit)
        return day - _DAY, day + 2 * _DAY

    def is_unique(self, unit: int) -> bool:
        return True

    def widened(self, span: Span) -> Span:
        # A day of UTC may begin on the server's day before it, and end on the server's day of the same date.
        return span[0] - 2, span[1] + 1


def nearest_unique(clock: Clock, unit: int, within: Span, *, later: bool) -> int | None:
    """The unit itself or, where clocks change, the next unique one in that direction; None if none is within."""
    low, high = within
    while low < unit < high and not clock.is_unique(unit):
        unit = _quarter_after(unit) if later else _quarter_before(unit)
    return unit if low < unit < high else None


def _quarter_before(second: int) -> int:
    return (second - 1) // _CHANGES * _CHANGES


def _quarter_after(second: int) -> int:
    return (second // _CHANGES + 1) * _CHANGES
