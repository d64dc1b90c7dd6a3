"""How one long time range is read by several workers: the plan, without I/O.

A range is cut into windows small enough to buffer. Neighbours share one unit (a second or a day), because whether
the server's end is inclusive is not known; `hand_out` takes out what both of them return. The first window is the
whole range: its first page shows the density, and cutting it short is the same step as cutting any window that
turns out too long.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import index
from typing import Any

import attrs

from .clock import EARLIEST, LATEST, Clock, Span

_STEP = 900  # clock changes happen on quarters of an hour

WINDOW_PAGES = 3
"""A window is cut short after this many full pages."""


@attrs.frozen
class WindowBoundary:
    """How far a window has been read, at the end that is read last."""

    time: datetime | None = None
    """Of all times so far the one nearest to that end."""
    tail: tuple[tuple[datetime | None, str], ...] = ()
    """The rows near it: the next window may return them too."""


@attrs.frozen(eq=False)
class BufferedPage:
    """One page of a window, waiting to be handed out."""

    rows: Sequence[Any]
    page: Any
    """Whatever the driver knows the page by."""
    asked: Span
    edge: WindowBoundary
    """As it was before the page."""


@attrs.frozen(eq=False)
class EmittedPage:
    """A page of the head as it is handed out, and what it takes to go on behind any of its rows."""

    rows: list[Any]
    entry: BufferedPage
    _places: list[int]
    _seen: Mapping[str, int]
    _state: Mapping[str, Any]
    _identity: Callable[[Any], str | None]
    _move: Callable[[WindowBoundary, Sequence[Any]], WindowBoundary]

    def state(self, count: int) -> tuple[int, dict[str, Any]]:
        """Rows of the page that are done with when `count` rows are handed out, and `state=` for a new plan."""
        places = self._places
        done = len(self.entry.rows) if count >= len(places) else places[count - 1] + 1 if count else 0
        rows = self.entry.rows[:done]
        seen = Counter(self._seen)
        for row in rows if seen else ():
            seen[self._identity(row) or ""] -= 1
        left = {identity: times for identity, times in seen.items() if times > 0}
        tail = [identity for _, identity in self._move(self.entry.edge, rows).tail]
        state = {**self._state, "seen": left, "tail": tail}
        following = state.pop("following")
        # Behind its last row the page after it is asked for, and that one names the range as it has become.
        return done, {**state, "asked": following} if done == len(self.entry.rows) else state


@attrs.define(eq=False)
class Window:
    """A piece of the range. `asked` is the range that its next request names."""

    span: Span
    asked: Span
    limit: int
    rest: Span | None = None
    """What lies between this window and the next one, in no window yet."""
    pages: int = 0
    rows: int = 0
    edge: WindowBoundary = WindowBoundary()
    buffer: deque[BufferedPage] = attrs.field(factory=deque[BufferedPage])
    complete: bool = False
    resumed: bool = False
    """Begun by an earlier run, which has handed out some of it."""


def _read_span(ends: Any) -> Span:
    first, last = ends
    return index(first), index(last)


class WindowPlan:
    """The windows of one range in the order of the plain call, cut as their density shows.

    Not thread-safe: a driver holds its lock around every call. `narrows` says that a cursor stays valid when the
    range around it shrinks; page numbers do not, so there a window that is cut begins again.
    """

    def __init__(
        self,
        clock: Clock,
        span: Span,
        *,
        page_size: int,
        ahead: int,
        narrows: bool,
        time_of: Callable[[Any], datetime | None],
        identity: Callable[[Any], str | None],
        state: Mapping[str, Any] | None = None,
    ) -> None:
        if span[1] - span[0] < 2:
            raise ValueError("concurrency needs a range of at least two units between its start and its end")
        self._clock = clock
        self._page_size = page_size
        self._ahead = ahead
        self._narrows = narrows
        self._time_of = time_of
        self._identity = identity
        self._newest_first: bool | None = None
        self._density: float | None = None
        self._first: datetime | None = None
        self._seen: Counter[str] = Counter()
        first = Window(span, span, limit=1)  # the probe
        if state is not None:
            self._restore(first, state)
        self._windows: deque[Window] = deque([first])
        self._fresh: deque[Window] = deque([first])

    @property
    def head(self) -> Window | None:
        """The window whose rows come next; None when all is handed out."""
        return self._windows[0] if self._windows else None

    def take(self) -> Window | None:
        """A window for a worker that is free; None while there is nothing to start."""
        if self._fresh:
            return self._fresh.popleft()
        if len(self._windows) < self._ahead:
            for place, window in enumerate(self._windows, 1):
                if window.rest:
                    new = self._carve(window.rest)
                    window.rest = None
                    self._windows.insert(place, new)
                    return new
        return None

    def page(self, window: Window, rows: Sequence[Any], page: Any, *, more: bool) -> bool:
        """Take in a page that a worker has read. Returns whether the worker is to read on in this window:
        behind the page, or from the beginning where `window.pages` is 0.
        """
        asked, edge = window.asked, window.edge
        self._note_order(rows)
        window.pages += 1
        window.rows += len(rows)
        window.complete = not more
        window.edge = self._move(window.span, edge, rows)
        window.buffer.append(BufferedPage(rows, page, asked, edge))
        if window.complete:
            self._learn(window)
        elif window.pages >= window.limit:
            self._cut(window)
        if self._narrows:
            window.asked = window.span
        return not window.complete

    def hand_out(self, entry: BufferedPage) -> EmittedPage:
        """The rows of the next page of the head, without those that the window before returned."""
        before = dict(self._seen)
        head = self._windows[0]
        # Only rows of the unit that both windows asked for can have been returned by both.
        first, last = self._clock.shared(head.span[0] if self._newest_first is False else head.span[1])
        left_out: set[int] = set()
        for place, row in enumerate(entry.rows if self._seen else ()):
            if (time := self._time_of(row)) is None or first <= time < last:
                identity = self._identity(row)
                if identity is not None and self._seen[identity]:
                    self._seen[identity] -= 1
                    if not self._seen[identity]:
                        del self._seen[identity]
                    left_out.add(place)
        places = [place for place in range(len(entry.rows)) if place not in left_out]
        rows = [entry.rows[place] for place in places]
        return EmittedPage(
            rows, entry, places, before, self._state(entry), self._identity, partial(self._move, head.span)
        )

    def advance(self) -> None:
        """The head is handed out entirely: the next window is the head."""
        done = self._windows.popleft()
        self._seen = Counter(identity for _, identity in done.edge.tail)
        if done.rest:
            new = self._carve(done.rest)
            self._windows.appendleft(new)
            self._fresh.append(new)

    def _state(self, entry: BufferedPage) -> dict[str, Any]:
        window = self._windows[0]
        last = self._windows[-1]
        ends = [*window.span, *last.span, *(last.rest or ())]
        low, high = min(ends), max(ends)
        rest = (low, window.span[0]) if self._newest_first is not False else (window.span[1], high)
        return {
            "span": window.span,
            "asked": entry.asked,
            "following": window.span if self._narrows else entry.asked,
            "rest": rest if rest[0] < rest[1] else None,
            "newest_first": self._newest_first,
            "density": self._density,
        }

    def _restore(self, window: Window, state: Mapping[str, Any]) -> None:
        window.span, window.asked = _read_span(state["span"]), _read_span(state["asked"])
        window.rest = _read_span(state["rest"]) if state["rest"] else None
        window.resumed = True
        # Without a time a row of the tail is kept to the end: it may be taken for near, never for far.
        window.edge = WindowBoundary(None, tuple((None, identity) for identity in state["tail"]))
        self._newest_first = state["newest_first"]
        self._density = state["density"]
        self._seen = Counter(state["seen"])

    def _carve(self, piece: Span, density: float | None = None) -> Window:
        low, high = piece
        size = high - low
        if density is not None:
            self._density = density
        if self._density:
            size = max(1, int(self._page_size * (WINDOW_PAGES - 1) / self._density))
        cut = self._cut_near(low + size if self._newest_first is False else high - size, piece)
        own, rest = self._split(piece, cut)
        return Window(own, own, limit=WINDOW_PAGES, rest=rest)

    def _cut(self, window: Window) -> None:
        """Leave what the window has not reached yet to other workers."""
        if window.edge.time is None or self._newest_first is None:
            return
        edge = self._clock.unit(window.edge.time)
        if self._narrows:
            own, rest = self._split(window.span, self._cut_near(edge, window.span))
            if rest is None:
                return
            window.span = own
            window.limit = window.pages + WINDOW_PAGES
            self._learn(window)
        else:
            # Numbers count from the start of one query: a shorter range is read from its beginning, unless a row of
            # the longer one has been handed out.
            first = self._carve(window.span, window.rows / max(1, abs(window.span[self._newest_first] - edge)))
            if first.rest is None or window.resumed or window.pages > len(window.buffer):
                return
            rest = first.rest
            window.span = window.asked = first.span
            window.pages, window.rows, window.limit = 0, 0, WINDOW_PAGES
            window.edge = WindowBoundary()
            window.buffer.clear()
        window.rest = rest if window.rest is None else (min(rest[0], window.rest[0]), max(rest[1], window.rest[1]))

    def _split(self, piece: Span, cut: int | None) -> tuple[Span, Span | None]:
        if cut is None:
            return piece, None
        older, newer = (piece[0], cut), (cut, piece[1])
        return (older, newer) if self._newest_first is False else (newer, older)

    def _cut_near(self, unit: int, piece: Span) -> int | None:
        """The nearest unit, on the side that is read later, at which the piece may be cut."""
        step = _STEP if self._newest_first is False else -_STEP
        low, high = piece
        while low < unit < high and not self._clock.cuttable(unit):
            unit = (unit + step) // _STEP * _STEP
        return unit if low < unit < high else None

    def _learn(self, window: Window) -> None:
        density = window.rows / max(1, window.span[1] - window.span[0])
        # Halfway to the newest figure: an empty night must not make the window after it span a month.
        self._density = density if self._density is None else (self._density + density) / 2

    def _note_order(self, rows: Sequence[Any]) -> None:
        if self._newest_first is not None:
            return
        times = [time for row in rows if (time := self._time_of(row)) is not None]
        if times:
            self._first = self._first or times[0]
            if self._first != times[-1]:
                self._newest_first = self._first > times[-1]

    def _move(self, span: Span, edge: WindowBoundary, rows: Sequence[Any]) -> WindowBoundary:
        """The edge behind these rows. Its tail is what a neighbour may return too, wherever the window is cut."""
        all_times = [self._time_of(row) for row in rows]
        times = [time for time in all_times if time is not None]
        if edge.time is not None:
            times.append(edge.time)
        if not times:
            return edge
        backwards = self._newest_first is not False
        last = min(times) if backwards else max(times)
        unit = self._clock.unit(last)
        low, high = self._clock.shared(max(unit, span[0]) if backwards else min(unit, span[1]))

        low, high = (EARLIEST, high) if backwards else (low, LATEST)
        tail = [pair for pair in edge.tail if pair[0] is None or low <= pair[0] < high]
        for time, row in zip(all_times, rows, strict=True):
            if (time is None or low <= time < high) and (identity := self._identity(row)) is not None:
                tail.append((time, identity))
        return WindowBoundary(last, tuple(tail))
