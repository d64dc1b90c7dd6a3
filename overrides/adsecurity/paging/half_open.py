"""`inclusive="left"`: the rows of a range with start <= t < end, by each row's own time.

Whether the server counts the ends of a range in is not known, so more is asked for and what lies outside is left out
here. Consecutive ranges then share no row and miss none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ..codec.request import PreparedRequest
from ..codec.times import encode_time
from ..errors import PaginationError
from .time_range import TimeRange

INCLUSIVE = ("both", "left")


class HalfOpenRange:
    """One range from its start on, up to before its end."""

    def __init__(self, prepared: PreparedRequest, args: Mapping[str, Any], *, raw: bool, exact: bool) -> None:
        """`exact` says that other ranges meet this one at its ends."""
        self.times = times = TimeRange(prepared, "inclusive='left'")
        if raw:
            raise times.refused("answers as they came hold the rows around the range as well")
        times.check_fields(times.of.time_field)
        for name in (times.of.start, times.of.end) if exact else ():
            _check_whole(times, name, args[name], args.get("timezone"))
        clock, span = times.clock, times.span
        self._start, self._end = clock.start(span[0]), clock.start(span[1])
        if not self._start < self._end:
            raise times.refused(
                f"the range is empty, since {times.of.end} is left out; give {times.of.end} the first moment after it"
            )
        try:
            asked = clock.widened(span)
            self.request = times.request(asked)
            """The request that brings every row of the range, and some around it."""
            self._earliest, self._latest = clock.reach(asked[0])[0], clock.reach(asked[1])[1]
        except (OverflowError, ValueError):
            raise times.refused("the range is out of the years that can be written") from None
        self._time_of = times.time_of
        self._asked = " to ".join(clock.text(unit) for unit in asked)
        self._operation = prepared.op.resource

    def select(self, rows: Sequence[Any], inside: bool | None) -> tuple[list[int], bool | None]:
        """Which of these rows lie in the range, by their index.

        A row without a readable time goes with the row before it: `inside` says whether that one was in the range,
        None when there is none. Returned with the indices is the same for the rows that follow.
        """
        selected: list[int] = []
        undecided: list[int] = []
        for index, row in enumerate(rows):
            time = self._time_of(row)
            if time is not None:
                if not self._earliest <= time < self._latest:
                    raise self._outside(time)
                inside = self._start <= time < self._end
                if inside:
                    # At the top of a list there is no row before, so these go with the one behind them.
                    selected += undecided
                undecided = []
            if inside is None:
                undecided.append(index)
            elif inside:
                selected.append(index)
        return selected + undecided, inside

    def _outside(self, time: datetime) -> PaginationError:
        return PaginationError(
            f"{self._operation}: a row of {time.isoformat()} came where {self._asked} was asked for, so the server's"
            " time field or time zone is another than inclusive='left' relies on; no row was left out because of it:"
            " read this range with inclusive='both'",
            operation=self._operation,
        )


def _check_whole(times: TimeRange, name: str, value: Any, timezone: Any) -> None:
    # A start is rounded down and an end up, so a fraction would belong to two ranges that meet there.
    unit = times.of.unit
    down, up = (encode_time(value, unit=unit, edge=edge, timezone=timezone) for edge in ("start", "end"))
    if down != up:
        raise times.refused(f"{name} must be a whole second")
