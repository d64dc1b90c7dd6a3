"""The windows of a plan, their pages, and what it takes to go on behind any row of them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from ..clock import Span

WINDOW_PAGES = 3
"""A window is shortened after this many full pages."""
PLANNED_PAGES = WINDOW_PAGES - 1
"""Pages that a window is made for, by the density of the rows before it."""


@attrs.frozen
class WindowBoundary:
    """How far a window has been read, at the end that is read last."""

    time: datetime | None = None
    """Of all times so far the one nearest to that end."""
    overlap: tuple[tuple[datetime | None, str], ...] = ()
    """Time and identity of the rows near it: the next window may return them too."""


@attrs.frozen(eq=False)
class BufferedPage:
    """One page of a window, waiting to be handed out."""

    rows: Sequence[Any]
    page: Any
    """Whatever the driver knows the page by."""
    asked: Span
    boundary: WindowBoundary
    """As it was before the page."""


@attrs.frozen(eq=False)
class EmittedPage:
    """A page as it is handed out, and what it takes to go on behind any of its rows."""

    entry: BufferedPage
    places: Sequence[int]
    """The indices of the rows that are handed out."""
    overlap_left: Counter[str]
    """Behind the page: the rows of the window before that may still come again."""
    _overlap: Mapping[str, int]
    _state: Mapping[str, Any]
    """Of the plan, as it was when the page came: it may have moved on when somebody asks."""
    _identity: Callable[[Any], str | None]
    _boundary_behind: Callable[[Span, WindowBoundary, Sequence[Any]], WindowBoundary]

    @property
    def rows(self) -> list[Any]:
        return [self.entry.rows[place] for place in self.places]

    def select(self, chosen: Sequence[int]) -> EmittedPage:
        """The page with some of its rows alone, chosen by their index among `rows`."""
        return attrs.evolve(self, places=[self.places[place] for place in chosen])

    def state(self, count: int) -> tuple[int, dict[str, Any]]:
        """Rows of the page that are done with when `count` rows are handed out, and `state=` for a new plan."""
        places, rows = self.places, self.entry.rows
        done = len(rows) if count >= len(places) else places[count - 1] + 1 if count else 0
        left = Counter(self._overlap)
        for row in rows[:done] if left else ():
            left[self._identity(row) or ""] -= 1
        boundary = self._boundary_behind(self._state["span"], self.entry.boundary, rows[:done])
        state = {
            **self._state,
            "seen": {identity: times for identity, times in left.items() if times > 0},
            "tail": [identity for _, identity in boundary.overlap],
        }
        # Behind the last row of a page the next one is asked for, by the range as it has become meanwhile.
        following = state.pop("following")
        return done, {**state, "asked": following} if done == len(rows) else state


@attrs.define(eq=False)
class Window:
    """A piece of the range. `asked` is the range that its next request names."""

    span: Span
    asked: Span
    limit: int
    """It is shortened after so many pages."""
    rest: Span | None = None
    """What lies between this window and the next one, in no window yet."""
    density: float | None = None
    """Rows in a unit: as expected, then as found."""
    stride: int = 0
    """Length of the windows that cross an empty stretch; 0 outside of one."""
    pages: int = 0
    rows: int = 0
    first: datetime | None = None
    """Time of its first row."""
    boundary: WindowBoundary = WindowBoundary()
    buffer: deque[BufferedPage] = attrs.field(factory=deque[BufferedPage])
    taken: bool = False
    """A worker has begun it."""
    emitted: bool = False
    """Some of its pages have been handed out."""
    shortened: bool = False
    complete: bool = False
    resumed: bool = False
    """Begun by an earlier run, which has handed out some of it."""
    unseen: bool = False
    """What the earlier run handed out is not known, so the window may be cut only where none of it can lie."""

    @property
    def length(self) -> int:
        return self.span[1] - self.span[0]

    @property
    def buffered(self) -> int:
        """Pages that it holds, or will soon."""
        return len(self.buffer) if self.complete else max(len(self.buffer), PLANNED_PAGES)
