"""The unit that a time range is counted in: seconds of a time zone, or days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Protocol

import attrs

_EPOCH = datetime(1970, 1, 1)
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


class Clock(Protocol):
    """The unit that a range is counted in."""

    def parse(self, text: str) -> int: ...
    def text(self, unit: int) -> str: ...
    def unit(self, time: datetime) -> int: ...
    def shared(self, unit: int) -> tuple[datetime, datetime]: ...
    def cuttable(self, unit: int) -> bool: ...
    @property
    def slack(self) -> int: ...


@attrs.frozen
class Seconds:
    """Wall-clock seconds in one time zone, counted as if the wall clock were UTC."""

    zone: tzinfo
    slack: int = 0

    def parse(self, text: str) -> int:
        return (datetime.fromisoformat(text) - _EPOCH) // _SECOND

    def text(self, unit: int) -> str:
        return (_EPOCH + unit * _SECOND).isoformat(sep=" ")

    def unit(self, time: datetime) -> int:
        return (time.astimezone(self.zone).replace(tzinfo=None) - _EPOCH) // _SECOND

    def shared(self, unit: int) -> tuple[datetime, datetime]:
        first = (_EPOCH + unit * _SECOND).replace(tzinfo=self.zone).astimezone(UTC)
        return first, first + _SECOND

    def cuttable(self, unit: int) -> bool:
        # A wall-clock time that comes twice, or never, in a night of clock changes names no one instant.
        wall = (_EPOCH + unit * _SECOND).replace(tzinfo=self.zone)
        return wall.utcoffset() == wall.replace(fold=1).utcoffset()


@attrs.frozen
class Days:
    """Calendar days of a server whose time zone is unknown: a row's day is known to within one day."""

    slack: int = 1

    def parse(self, text: str) -> int:
        return date.fromisoformat(text).toordinal()

    def text(self, unit: int) -> str:
        return date.fromordinal(unit).isoformat()

    def unit(self, time: datetime) -> int:
        return time.astimezone(UTC).toordinal()

    def shared(self, unit: int) -> tuple[datetime, datetime]:
        day = datetime.combine(date.fromordinal(unit), datetime.min.time(), UTC)
        return day - _DAY, day + 2 * _DAY

    def cuttable(self, unit: int) -> bool:
        return True


Span = tuple[int, int]
