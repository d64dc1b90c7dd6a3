"""`since=`: the rows that earlier runs have not given, told from the others by a small state.

A state holds the time of the newest row and a mark for each row of the stretch before it that is read again. The
newest row's time, not the end that was asked for, since that may lie in the future. Rows come in any order.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import attrs

from ..codec.request import PreparedRequest
from ..state import State
from .checkpoint import CheckpointHeader
from .clock import EARLIEST
from .page import Page
from .time_range import TimeRange

T = TypeVar("T")

VERSION = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNITS = {"second": timedelta(seconds=1), "day": timedelta(days=1)}
_PRUNED_FROM = 20_000
"""So many marks are kept at least before those are looked for that the stretch has left behind."""


@attrs.frozen(eq=False)
class _Known:
    """What a state says of earlier runs."""

    complete: datetime
    """The time of the newest row: all before it have been given, but for those that are late."""
    marked_from: datetime
    """The rows from here on have marks."""
    by: str
    """What the marks are of: `key` or `row`."""
    marks: Counter[str]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> _Known:
        complete, marked_from = (datetime.fromisoformat(facts[name]) for name in ("complete", "marked_from"))
        by, marks = facts["by"], cast("list[object]", facts["marks"])
        sound = facts["v"] == VERSION and by in ("key", "row") and complete.tzinfo and marked_from.tzinfo
        if not sound or type(marks) is not list or not all(isinstance(mark, str) for mark in marks):
            raise ValueError
        return cls(complete, marked_from, by, Counter(cast("list[str]", marks)))


class Incremental:
    """One call with `since=`: what it asks for, and what it knows of the runs before it."""

    def __init__(self, state: State, prepared: PreparedRequest, starts: Mapping[str, object]) -> None:
        if not isinstance(state, State):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"since must be a State, not {type(state).__name__}")
        self.times = times = TimeRange(prepared, "since")
        if given := [name for name, value in starts.items() if value is not None]:
            raise times.refused(f"{', '.join(given)} cannot be given: rows before that would be missed")
        header = CheckpointHeader.of(prepared, page_size=1)
        self._operation = header.operation
        # The state moves the start, and the end is another one each time.
        self._hashes = {
            name: text for name, text in header.hashes.items() if name not in (times.of.start, times.of.end)
        }
        self.loaded = state.load()
        self.known = None if self.loaded is None else self._read(self.loaded)
        self.stretch = max(state.lag, state.lookback)
        self.by = "row" if state.lookback else "key"
        low, high = times.span
        self.begin = times.clock.start(low)
        """Rows before this moment have been given, or are not wanted."""
        self.request = prepared
        self.is_behind = False
        """The call ends before what is complete already."""
        if (known := self.known) is not None:
            end = times.clock.start(high)
            # The rows before those that have marks cannot be told from late ones.
            self.begin = max(_before(known.complete, self.stretch), known.marked_from)
            self.request = times.request((times.clock.unit(min(self.begin, end - _UNITS[times.of.unit])), high))
            self.is_behind = end <= known.complete
            if self.is_behind:
                self.by = known.by
        self.digest = _mark(f"{self.loaded}|{self.stretch}|{self.by}")
        """What a checkpoint of this call belongs to beside its arguments."""

    def _read(self, text: str) -> _Known:
        try:
            facts = cast("dict[str, Any]", json.loads(text))
            known, operation, hashes = _Known.of(facts), facts["op"], {**facts["args"]}
        except (KeyError, TypeError, ValueError) as error:
            raise self.times.refused(f"not a state of version {VERSION}, or a damaged one") from error
        if operation != self._operation:
            raise self.times.refused(f"the state is of {operation}, not of {self._operation}: use another one")
        names = sorted({*hashes, *self._hashes})
        if different := [name for name in names if hashes.get(name) != self._hashes.get(name)]:
            raise self.times.refused(
                f"the state is of other arguments: {', '.join(different)}"
                f" {'differs' if len(different) == 1 else 'differ'}; use another one"
            )
        return known

    def write(self, complete: datetime, marked_from: datetime, by: str, marks: Iterable[str]) -> str:
        """The text of a state."""
        facts = {"v": VERSION, "op": self._operation, "args": self._hashes, "complete": complete.isoformat()}
        return json.dumps(
            {**facts, "marked_from": marked_from.isoformat(), "by": by, "marks": sorted(marks)}, separators=(",", ":")
        )

    def marking(self, by: str) -> Callable[[Any], str]:
        """What tells a row from others, or from what it was before."""
        time_of, key_of = self.times.time_of, self.times.key_of

        def of_row(row: Any) -> str:
            return _mark(json.dumps(row.to_dict(), sort_keys=True, default=str))

        def of_key(row: Any) -> str:
            # One key may stand for several rows (conversions of a click), at different times.
            return _mark(f"{time_of(row)}|{key}") if (key := key_of(row)) else of_row(row)

        return of_row if by == "row" else of_key


@attrs.frozen(eq=False)
class Progress:
    """What had been seen behind each item of a page; checkpoints hold it, so that another process can go on."""

    _newest: datetime | None
    _seen: list[tuple[datetime | None, str]]
    _passed: list[str]
    _counts: list[tuple[int, int]]
    """How many of both had come: before the page, behind each of its items but the last, behind the page."""

    def at(self, count: int) -> dict[str, Any]:
        """As a checkpoint behind the first `count` items holds it."""
        seen, passed = self._counts[min(count, len(self._counts) - 1)]
        return {
            "newest": _number(self._newest),
            "seen": [(_number(time), mark) for time, mark in self._seen[:seen]],
            "passed": self._passed[:passed],
        }


class Tracker:
    """One pass over a call with `since=`: leaves out what has been given already, and knows what is to be saved."""

    def __init__(self, call: Incremental, resumed: Mapping[str, Any] | None) -> None:
        self._call = call
        self._time_of, known = call.times.time_of, call.known
        self._mark = call.marking(call.by)
        self._known_mark = self._mark if known is None or known.by == call.by else call.marking(known.by)
        self._complete = EARLIEST if known is None else known.complete
        self._left = Counter(() if known is None else known.marks)
        """Of the rows that earlier runs have given: those that have not come in this pass."""
        self._newest: datetime | None = None
        # Both only grow, so that a length tells what was in them before.
        self._seen: list[tuple[datetime | None, str]] = []
        self._passed: list[str] = []
        self._prune_at = _PRUNED_FROM
        if resumed is not None:
            self._newest = _moment(resumed["newest"])
            self._seen = [(_moment(number), str(mark)) for number, mark in resumed["seen"]]
            self._passed = [str(mark) for mark in resumed["passed"]]
            self._left -= Counter(self._passed)

    def select(self, page: Page[T]) -> Page[T]:
        """The page without the rows that earlier runs have given."""
        self._prune()
        chosen: list[int] = []
        counts = [(len(self._seen), len(self._passed))]
        for place, row in enumerate(page.items):
            if self._is_new(row):
                chosen.append(place)
                counts.append((len(self._seen), len(self._passed)))
        # Behind its last item stands the end of the page, whatever was left out after that.
        counts[-1] = (len(self._seen), len(self._passed))
        return page.select(chosen, Progress(self._newest, self._seen, self._passed, counts))

    def _is_new(self, row: Any) -> bool:
        time, call = self._time_of(row), self._call
        if time is not None:
            if time < call.begin:
                return False
            if self._newest is None or time > self._newest:
                self._newest = time
            if time < _before(self._newest, call.stretch) and time > self._complete:
                return True
        mark = self._mark(row)
        self._seen.append((time, mark))
        if time is not None and time > self._complete:
            return True
        known = mark if self._known_mark is self._mark else self._known_mark(row)
        if not self._left[known]:
            return True
        self._left[known] -= 1
        self._passed.append(known)
        return False

    def _prune(self) -> None:
        """Forget what a list that gives the oldest rows first has left behind."""
        if len(self._seen) < self._prune_at or self._newest is None:
            return
        first = _before(self._newest, self._call.stretch)
        # Not in place: pages know the old one.
        self._seen = [(time, mark) for time, mark in self._seen if time is None or time >= first]
        self._prune_at = max(_PRUNED_FROM, 2 * len(self._seen))

    def text(self) -> str:
        """The state to save when all that was read is stored."""
        call, known = self._call, self._call.known
        if known is not None and call.is_behind:
            marks = known.marks | Counter(mark for _, mark in self._seen)
            return call.write(known.complete, known.marked_from, known.by, marks.elements())
        complete = max(self._newest or call.begin, self._complete)
        marked_from = max(_before(complete, call.stretch), call.begin)
        fresh = (mark for time, mark in self._seen if time is None or time >= marked_from)
        return call.write(complete, marked_from, call.by, fresh)

    def add_progress(self, error: Exception) -> None:
        """Complete the checkpoint of an error that arose behind all that has come so far."""
        checkpoint = getattr(error, "checkpoint", None)
        if checkpoint is not None:
            counts = [(len(self._seen), len(self._passed))]
            progress = Progress(self._newest, self._seen, self._passed, counts).at(0)
            facts = {**json.loads(checkpoint), "since": progress}
            vars(error)["checkpoint"] = json.dumps(facts, separators=(",", ":"))


def _mark(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:12]).decode()


def _before(moment: datetime, stretch: timedelta) -> datetime:
    try:
        return moment - stretch
    except OverflowError:
        return EARLIEST


def _number(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // _MICROSECOND


def _moment(number: Any) -> datetime | None:
    return None if number is None else _EPOCH + number * _MICROSECOND
