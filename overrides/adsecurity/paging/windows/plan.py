"""How one long time range is read by several workers: the plan, without I/O.

A range is cut into windows small enough to buffer. Neighbours share one unit (a second or a day), because whether the
server counts the end of a range in is not known; `preview` leaves out what both of them return, the overlap. A server
that counted in neither end of a range would keep the shared unit from both; that one end counts is relied on. The first
window is the whole range: its first page shows how dense the rows lie, and shortening it is the same step as
shortening any other window that turns out too long.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import index
from typing import Any

from ..clock import EARLIEST, LATEST, Clock, Span, nearest_unique
from .window import PLANNED_PAGES, WINDOW_PAGES, BufferedPage, EmittedPage, Window, WindowBoundary

BUFFERED_PAGES = 4
"""Pages for each worker that wait to be emitted, or soon will: enough to keep all busy, few enough to hold."""
CROSSING_WINDOWS = 2
"""Windows for each worker that what is left is divided into behind an empty stretch."""


def _read_span(ends: Any) -> Span:
    first, last = ends
    return index(first), index(last)


class WindowPlan:
    """The windows of one range in the order of the plain call, cut as their density shows.

    Not thread-safe: a driver holds its lock around every call. `narrows` says that a cursor stays valid when the
    range around it shrinks; page numbers do not, so there a window that is shortened begins again.
    """

    def __init__(
        self,
        clock: Clock,
        span: Span,
        *,
        page_size: int,
        workers: int,
        narrows: bool,
        time_of: Callable[[Any], datetime | None],
        identity: Callable[[Any], str | None],
        state: Mapping[str, Any] | None = None,
    ) -> None:
        if span[1] - span[0] < 2:
            raise ValueError("concurrency needs a range of at least two units between its start and its end")
        self._clock = clock
        self._page_size = page_size
        self._workers = workers
        self._narrows = narrows
        self._time_of = time_of
        self._identity = identity
        self._newest_first: bool | None = None
        self._first_time: datetime | None = None
        self._overlap: Counter[str] = Counter()
        """Rows of the window before that this one may return again."""
        first = Window(span, span, limit=1)  # its first page is the probe
        if state is not None:
            self._restore(first, state)
        self._windows: deque[Window] = deque([first])
        self._waiting: deque[Window] = deque([first])
        self._before = first
        """The window before the current one: what its rows tell of those that come."""

    @property
    def current(self) -> Window | None:
        """The window whose rows come next; None when all is emitted."""
        return self._windows[0] if self._windows else None

    def next_window(self) -> Window | None:
        """A window for a worker that is free; None while there is nothing to begin."""
        if self._waiting:
            window = self._waiting.popleft()
            window.taken = True
            return window
        if sum(window.buffered for window in self._windows) < self._workers * BUFFERED_PAGES:
            for place, window in enumerate(self._windows):
                if window.rest:
                    new = self._split_off(window)
                    new.taken = True
                    self._windows.insert(place + 1, new)
                    return new
        return None

    def restart(self) -> None:
        """Have every window that a worker had begun, and not finished, taken up again."""
        unfinished = [window for window in self._windows if window.taken and not window.complete]
        for window in unfinished:
            # Not twice, should there be another failure before a worker has taken it up.
            window.taken = False
        self._waiting.extendleft(reversed(unfinished))

    def deliver(self, window: Window, rows: Sequence[Any], page: Any, *, more: bool) -> bool:
        """Take in a page that a worker has read. Returns whether the worker is to read on in this window:
        behind the page, or from the beginning where `window.pages` is 0.
        """
        asked, boundary = window.asked, window.boundary
        self._note_order(rows)
        if window.resumed and asked != window.span:
            rows = self._within(window.span, rows)
        if window.first is None:
            window.first = next((time for row in rows if (time := self._time_of(row)) is not None), None)
        window.pages += 1
        window.rows += len(rows)
        window.complete = not more
        window.boundary = self._boundary_behind(window.span, boundary, rows)
        if rows:
            window.buffer.append(BufferedPage(rows, page, asked, boundary))
        if window.complete and not window.shortened:
            window.density = window.rows / max(1, window.length)
        elif not window.complete and window.pages >= window.limit and rows and self._time_of(rows[-1]) is not None:
            # Behind a row without a time it would not be known how far the window has come.
            self._shorten(window)
        if self._narrows:
            window.asked = window.span
        return not window.complete

    def _within(self, span: Span, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows up to the end of a window whose page is read again: with another page size it may hold more."""
        first, last = EARLIEST, LATEST
        if self._newest_first is False:
            last = self._clock.reach(span[1])[1]
        else:
            first = self._clock.reach(span[0])[0]
        for place, row in enumerate(rows):
            if (time := self._time_of(row)) is not None and not first <= time < last:
                return rows[:place]
        return rows

    def preview(self, entry: BufferedPage) -> EmittedPage:
        """The next page of the current window, without the rows that the window before returned."""
        current = self._windows[0]
        overlap = Counter(self._overlap)
        # Only rows of the unit that both windows asked for can have been returned by both.
        first, last = self._clock.reach(current.span[0] if self._newest_first is False else current.span[1])
        places: list[int] = []
        for place, row in enumerate(entry.rows):
            if overlap and ((time := self._time_of(row)) is None or first <= time < last):
                identity = self._identity(row)
                if identity is not None and overlap[identity]:
                    overlap[identity] -= 1
                    if not overlap[identity]:
                        del overlap[identity]
                    continue
            places.append(place)
        return EmittedPage(
            entry,
            places,
            overlap,
            dict(self._overlap),
            self._state(entry),
            self._identity,
            self._boundary_behind,
        )

    def emit(self, emitted: EmittedPage) -> None:
        """The page is emitted."""
        self._windows[0].buffer.popleft()
        self._windows[0].emitted = True
        self._overlap = emitted.overlap_left

    def advance(self) -> None:
        """The current window is emitted entirely: go on to the next."""
        done = self._before = self._windows.popleft()
        self._overlap = Counter(identity for _, identity in done.boundary.overlap)
        if done.rest:
            new = self._split_off(done)
            self._windows.appendleft(new)
            self._waiting.append(new)

    def _state(self, entry: BufferedPage) -> dict[str, Any]:
        window, last = self._windows[0], self._windows[-1]
        ends = [*window.span, *last.span, *(last.rest or ())]
        low, high = min(ends), max(ends)
        rest = (low, window.span[0]) if self._newest_first is not False else (window.span[1], high)
        return {
            "span": window.span,
            "asked": entry.asked,
            "following": window.span if self._narrows else entry.asked,
            "rest": rest if rest[0] < rest[1] else None,
            "newest_first": self._newest_first,
            "density": window.density,
            **({"unseen": True} if window.unseen else {}),
        }

    def _restore(self, window: Window, state: Mapping[str, Any]) -> None:
        window.span, window.asked = _read_span(state["span"]), _read_span(state["asked"])
        window.rest = _read_span(state["rest"]) if state["rest"] else None
        window.density = state["density"]
        window.resumed = True
        window.unseen = state.get("unseen", False)
        # Without a time a row of the overlap is kept to the end: it may be taken for near, never for far.
        window.boundary = WindowBoundary(None, tuple((None, identity) for identity in state["tail"]))
        self._newest_first = state["newest_first"]
        self._overlap = Counter(state["seen"])

    def _split_off(self, before: Window) -> Window:
        """A new window from what lies behind this one and in no window yet."""
        assert before.rest is not None
        low, high = piece = before.rest
        before.rest = None
        known = self._last_known(before)
        planned = self._page_size * PLANNED_PAGES
        stride = 0
        if known.complete and not known.rows:
            # An empty stretch: the workers look at what is left in many places at once.
            part = -(-(high - low) // (self._workers * CROSSING_WINDOWS))
            length = stride = max(before.stride, known.length, part)
        else:
            length = max(1, int(planned / known.density)) if known.density else high - low
        cut = self._cut_point(low + length if self._newest_first is False else high - length, piece)
        own, rest = self._split(piece, cut)
        # Where the next rows begin in a window that is much longer than the last, the density is new as well.
        limit = 1 if stride or length > 4 * known.length else WINDOW_PAGES
        return Window(own, own, limit=limit, rest=rest, density=known.density, stride=stride)

    def _last_known(self, before: Window) -> Window:
        """The nearest window, at this one or before it, of which something has been read."""
        if before.pages:
            return before
        found = self._before
        for window in self._windows:
            if window is before:
                break
            if window.pages:
                found = window
        return found

    def _shorten(self, window: Window) -> None:
        """Leave what the window has not reached yet to other workers."""
        if window.boundary.time is None or window.first is None or self._newest_first is None:
            return
        reached = self._clock.unit(window.boundary.time)
        # Measured where the rows lie: what is empty before the first of them says nothing of those that follow.
        density = window.rows / max(1, abs(self._clock.unit(window.first) - reached))
        if self._narrows:
            cut = self._cut_point(reached, window.span)
            own, rest = self._split(window.span, cut)
            if rest is None or (window.unseen and self._may_hold_unseen(window.first, cut)):
                return
            window.span = own
            window.limit = window.pages + WINDOW_PAGES
        else:
            # Numbers count from the start of one query: a shorter range is read from its beginning, unless a row of
            # the longer one has been emitted.
            low, high = window.span
            empty = abs(window.span[self._newest_first] - self._clock.unit(window.first))
            length = empty + max(1, int(self._page_size * PLANNED_PAGES / density))
            cut = self._cut_point(low + length if self._newest_first is False else high - length, window.span)
            own, rest = self._split(window.span, cut)
            if rest is None or window.resumed or window.emitted:
                return
            window.span = window.asked = own
            window.pages, window.rows, window.limit = 0, 0, WINDOW_PAGES
            window.first, window.boundary = None, WindowBoundary()
            window.buffer.clear()
        window.density, window.shortened = density, True
        window.rest = rest if window.rest is None else (min(rest[0], window.rest[0]), max(rest[1], window.rest[1]))

    def _may_hold_unseen(self, first: datetime, cut: int | None) -> bool:
        """Whether rows before the first one of a resumed window may belong to the unit that it would be cut at."""
        assert cut is not None
        earliest, latest = self._clock.reach(cut)
        return first >= earliest if self._newest_first is False else first < latest

    def _split(self, piece: Span, cut: int | None) -> tuple[Span, Span | None]:
        if cut is None:
            return piece, None
        older, newer = (piece[0], cut), (cut, piece[1])
        return (older, newer) if self._newest_first is False else (newer, older)

    def _cut_point(self, unit: int, piece: Span) -> int | None:
        """The nearest unit, on the side that is read later, at which the piece may be cut."""
        return nearest_unique(self._clock, unit, piece, later=self._newest_first is False)

    def _note_order(self, rows: Sequence[Any]) -> None:
        if self._newest_first is not None:
            return
        times = [time for row in rows if (time := self._time_of(row)) is not None]
        if times:
            self._first_time = self._first_time or times[0]
            if self._first_time != times[-1]:
                self._newest_first = self._first_time > times[-1]

    def _boundary_behind(self, span: Span, boundary: WindowBoundary, rows: Sequence[Any]) -> WindowBoundary:
        """The boundary behind these rows. It has all that a neighbour may return too, wherever the window is cut."""
        all_times = [self._time_of(row) for row in rows]
        times = [time for time in all_times if time is not None]
        if boundary.time is not None:
            times.append(boundary.time)
        backwards = self._newest_first is not False
        last = None
        low, high = EARLIEST, LATEST
        if times:
            last = min(times) if backwards else max(times)
            unit = self._clock.unit(last)
            low, high = self._clock.reach(max(unit, span[0]) if backwards else min(unit, span[1]))
            low, high = (EARLIEST, high) if backwards else (low, LATEST)
        overlap = [pair for pair in boundary.overlap if pair[0] is None or low <= pair[0] < high]
        for time, row in zip(all_times, rows, strict=True):
            if (time is None or low <= time < high) and (identity := self._identity(row)) is not None:
                overlap.append((time, identity))
        return WindowBoundary(last, tuple(overlap))
