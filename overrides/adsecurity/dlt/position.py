"""Up to where a report is loaded: the latest time among its rows, and which rows have that time.

It is kept in dlt's state, which is stored with the rows: a load that breaks off leaves both as they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from ..tables.arrow import pa
from .keys import KEY, compute

Saved = Mapping[str, Any]


class Position:
    """Chooses the rows that are new, and follows how far they reach.

    New is what is later than the latest row so far, or has its time and is another row. With a `lag`, all rows from so
    long before that time on are given again: the destination replaces those that it has.
    """

    def __init__(self, saved: Saved | None, start: datetime, end: datetime, lag: timedelta, time_field: str) -> None:
        self._time_field = time_field
        self._latest = None if saved is None else datetime.fromisoformat(saved["time"])
        self._seen: set[str] = set() if saved is None else set(saved["rows"])
        self._before = (self._latest, frozenset(self._seen)) if not lag else (None, frozenset[str]())
        self.start = start if self._latest is None or self._latest - start < lag else self._latest - lag
        self.end = end

    def select(self, table: Any) -> Any:
        """The rows of a table that are new. A row without a time always is."""
        times = table[self._time_field]
        inside = compute.and_(
            compute.greater_equal(times, pa.scalar(self.start, times.type)),
            compute.less(times, pa.scalar(self.end, times.type)),
        )
        # Most tables are new as a whole, and a filter copies what it keeps.
        chosen = table if compute.all(inside).as_py() else table.filter(compute.fill_null(inside, True))
        latest, seen = self._before
        if seen:
            at_latest = self._at(chosen, latest)
            known = [bool(is_at) and _digest(key) in seen for is_at, key in zip(at_latest, chosen[KEY], strict=True)]
            chosen = chosen.filter(compute.invert(pa.array(known, pa.bool_())))
        self._follow(chosen)
        return chosen

    def _follow(self, table: Any) -> None:
        newest: datetime | None = compute.max(table[self._time_field]).as_py()
        if newest is None or (self._latest is not None and newest < self._latest):
            return
        if newest != self._latest:
            self._latest, self._seen = newest, set()
        self._seen.update(map(_digest, table.filter(pa.array(self._at(table, newest)))[KEY]))

    def _at(self, table: Any, moment: datetime | None) -> Any:
        times = table[self._time_field]
        return compute.fill_null(compute.equal(times, pa.scalar(moment, times.type)), False).to_pylist()

    def saved(self) -> Saved | None:
        """What the next load goes on from; None while there was no row."""
        if self._latest is None:
            return None
        return {"time": self._latest.astimezone(UTC).isoformat(), "rows": sorted(self._seen)}


def _digest(key: Any) -> str:
    return sha256(str(key).encode()).hexdigest()[:16]
