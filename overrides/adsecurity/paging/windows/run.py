"""One range read by several workers, `concurrency=`: what its workers and its reader do, without waiting or I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

import attrs

from ...codec.request import PreparedRequest
from ...flow.steps import Flow
from ..checkpoint import MAX_PAGE, Checkpoint, CheckpointHeader, Position, convert_position
from ..half_open import HalfOpenRange
from ..page import Page, PageResponse
from ..state import PagingState
from ..time_range import TimeRange
from .plan import WindowPlan
from .window import EmittedPage, Window

if TYPE_CHECKING:
    from ..incremental import Progress

T = TypeVar("T")

WAIT = object()
"""Outcome of a step that cannot be done yet."""
AGAIN = object()
"""Outcome of a step that has made room for others and is to be done again."""

Step = PreparedRequest | Callable[[], Any]


@attrs.frozen(eq=False, repr=False)
class WindowPage(Page[T]):
    """A page of one window of the range."""

    _emitted: EmittedPage = attrs.field(alias="emitted", repr=False, kw_only=True)
    _left_out: tuple[bool, bool] = attrs.field(alias="left_out", repr=False, kw_only=True)
    """Whether the row before this page, and the last row of it, lay outside of a half-open range."""

    def checkpoint_at(self, count: int) -> str:
        """The position behind the first `count` items: what is finished, and where the open window stands."""
        done, state = self._emitted.state(count)
        # Between them stands an item, which lies in the range.
        left_out = self._left_out[1] if count >= len(self._rows) else self._left_out[0] and not count
        position: Position = self._emitted.entry.page.position_at(done)
        return self._header.write(
            {"windows": {**state, **({"left_out": True} if left_out else {})}, "spot": position.facts()},
            self._since_at(count),
            concurrent=True,
        )

    def select(self, chosen: Sequence[int], progress: Progress) -> Self:
        emitted = self._emitted.select(chosen)
        rows, places = emitted.rows, range(len(chosen))
        return attrs.evolve(self, items=rows, rows=rows, places=places, emitted=emitted, progress=progress)


class WindowedRead(Generic[T]):
    """One pass over a range: what its workers and its reader do, as steps without waiting or I/O.

    Steps are taken one at a time, under the lock of the driver. A window is read by one worker; what it has read is
    taken in by one step, so that another can take the window up where it was when workers were ended.
    """

    def __init__(
        self,
        prepared: PreparedRequest,
        header: CheckpointHeader,
        *,
        workers: int,
        resume: Checkpoint | None = None,
        half_open: HalfOpenRange | None = None,
    ) -> None:
        self.operation = prepared.op.resource
        self.header = header
        self._times = TimeRange(prepared, "concurrency")
        self._half_open = half_open
        self._states: dict[Window, PagingState[T]] = {}
        self._failure: tuple[Window, Exception] | None = None
        position, state = self._resumed(prepared, resume)
        self._position = position
        self._inside: bool | None = None if position is None else not (state or {}).get("left_out", False)
        """Whether the last row that was emitted lay in the half-open range; None before the first."""
        self.start: str = header.write({}, concurrent=True)
        if resume is not None:
            self.start = header.write(resume.at, concurrent=resume.concurrent)
        try:
            self._plan = WindowPlan(
                self._times.clock,
                self._times.span,
                page_size=min(header.page_size, MAX_PAGE),
                workers=workers,
                narrows=prepared.op.kind == "cursor",
                time_of=self._times.time_of,
                identity=self._times.identity,
                state=state,
            )
        except (KeyError, TypeError, ValueError) as error:
            if state is None:
                raise
            raise ValueError("resume: the checkpoint has been changed; pass the text that checkpoint() gave") from error

    def _resumed(
        self, prepared: PreparedRequest, resume: Checkpoint | None
    ) -> tuple[Position | None, Mapping[str, Any] | None]:
        """Where the first window begins, and the state of the plan."""
        if resume is None or not resume.at:
            return None, None
        if resume.concurrent:
            windows, spot = resume.at.get("windows"), resume.at.get("spot")
            if not isinstance(windows, dict) or not isinstance(spot, dict):
                raise ValueError("resume: the checkpoint has been changed; pass the text that checkpoint() gave")
            state = cast("dict[str, Any]", windows)
            position = Position.of(cast("dict[str, Any]", spot))
        else:
            position = Position.of(resume.at)
            if position.at_start:
                return None, None
            if position.page:
                raise ValueError(
                    f"{self.operation}(): resume: a place among numbered pages, read by one, cannot be divided among"
                    " several; use concurrency=1"
                )
            # A cursor of the whole range is one of its first window. What came before it is not known.
            state = {"span": self._times.span, "asked": self._times.span, "rest": None, "newest_first": None}
            state |= {"density": None, "seen": {}, "tail": [], "unseen": True, "left_out": position.left_out}
        position = convert_position(position, resume, page_size=self.header.page_size, backwards=False)
        return position, state

    def work(self) -> Flow[Step, None]:
        """What one worker does: window after window, page after page."""
        while (window := cast("Window | None", (yield self._take_window))) is not None:
            try:
                yield from self._read_window(window)
            except Exception as error:
                yield partial(self._fail, window, error)
                return

    def restart(self) -> None:
        """Go on after a failure, with new workers."""
        self._failure = None
        self._plan.restart()

    def next_page(self) -> Any:
        """Step of the reader: the next page in the order of the plain call; None at the end."""
        if self._failure is not None:
            window, error = self._failure
            first, last = (self._times.clock.text(unit) for unit in window.span)
            error.add_note(f"in the window from {first} to {last}")
            raise error
        while (current := self._plan.current) is not None:
            while current.buffer:
                emitted, inside = self._selected(self._plan.preview(current.buffer[0]))
                # Made before it counts as emitted: an interrupt meanwhile costs no row.
                page = self._page(emitted, (self._inside is False, inside is False)) if emitted.places else None
                self._inside = inside
                self._plan.emit(emitted)
                if page is not None:
                    return page
            if not current.complete:
                return WAIT
            self._states.pop(current, None)
            self._plan.advance()
            return AGAIN
        return None

    def _selected(self, emitted: EmittedPage) -> tuple[EmittedPage, bool | None]:
        if self._half_open is None:
            return emitted, None
        chosen, inside = self._half_open.select(emitted.rows, self._inside)
        return emitted.select(chosen), inside

    def _take_window(self) -> Any:
        if self._failure is not None or self._plan.current is None:
            return None
        window = self._plan.next_window()
        if window is None:
            return WAIT
        if window not in self._states:
            # Only the window that a resumed run begins with starts inside.
            position, self._position = self._position, None
            self._states[window] = self._new_state(window, position)
        return window

    def _read_window(self, window: Window) -> Flow[Step, None]:
        more = True
        while more:
            state = self._states[window]
            response = None if state.ended else cast("PageResponse[T]", (yield state.request()))
            more = cast("bool", (yield partial(self._deliver, window, response)))

    def _new_state(self, window: Window, position: Position | None = None) -> PagingState[T]:
        return PagingState(self._times.request(window.asked), self.header, resume=position)

    def _deliver(self, window: Window, response: PageResponse[T] | None) -> bool:
        state = self._states[window]
        # Both or neither: what the state has taken, the plan has.
        page = None if response is None else state.accept(response)
        more = self._plan.deliver(window, [] if page is None else page.items, page, more=not state.ended)
        if not window.pages:
            self._states[window] = self._new_state(window)
        else:
            state.narrow(self._times.request(window.asked))
        return more

    def _fail(self, window: Window, error: Exception) -> None:
        # What it has is a place in this window; the reader says where the whole read stands.
        vars(error).pop("checkpoint", None)
        self._failure = self._failure or (window, error)

    def _page(self, emitted: EmittedPage, left_out: tuple[bool, bool]) -> WindowPage[T]:
        page: Page[T] = emitted.entry.page
        rows = emitted.rows
        # Totals are those of a window, not of the range.
        return WindowPage(
            items=rows,
            number=None,
            cursor=page.cursor,
            total_count=None,
            total_pages=None,
            header=self.header,
            key="",
            here=Position(),
            next=Position(),
            rows=rows,
            places=range(len(rows)),
            emitted=emitted,
            left_out=left_out,
        )


def check(prepared: PreparedRequest, concurrency: int, starts: Mapping[str, object], *, raw: bool) -> None:
    """Refuse what cannot be read by several workers; `starts` holds the ways to begin elsewhere than at the start."""
    times = TimeRange(prepared, "concurrency")
    query, body = dict(prepared.query), prepared.body or {}
    if type(concurrency) is not int or concurrency < 1:
        raise times.refused(f"it is a whole number from 1 on, not {concurrency!r}")
    if query.get("sort") or body.get("sort"):
        raise times.refused("it keeps the order of the plain call, so sort cannot be given")
    if given := [name for name, value in starts.items() if value is not None]:
        raise times.refused(f"{', '.join(given)} cannot be given")
    if raw:
        raise times.refused("answers as they came are of one reader alone")
    times.check_fields(times.of.time_field, times.of.key)
