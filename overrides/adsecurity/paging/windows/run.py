"""One range read by several workers, `concurrency=`: what its workers and its reader do, without waiting or I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any, Generic, TypeVar, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from adsecurity_generated._operation import Param

from ...codec.request import PreparedRequest
from ...flow.steps import Flow
from ..checkpoint import CheckpointHeader, Position
from ..page import MAX_PAGE, Page
from ..state import PagingState
from .clock import Clock, Days, Seconds, Span
from .plan import EmittedPage, Window, WindowPlan

T = TypeVar("T")

WAIT = object()
"""PageResponse of a step that cannot be done yet."""
AGAIN = object()
"""PageResponse of a step that has made room for others and is to be done again."""
_AHEAD = 1
"""Windows begun or waiting to be handed out, for each worker: enough to keep all busy, few enough to hold."""

Step = PreparedRequest | Callable[[], Any]


@attrs.frozen(eq=False)
class WindowPage(Page[T]):
    """A page of one window of the range."""

    _handed: EmittedPage = attrs.field(alias="handed", repr=False, kw_only=True)

    def checkpoint_at(self, count: int) -> str:
        """The position after the first `count` items: what is finished, and where the open window stands."""
        done, state = self._handed.state(count)
        position = {
            name: value for name, value in attrs.asdict(self._handed.entry.page.position_at(done)).items() if value
        }
        return self._header.write({"windows": state, "spot": position})


class WindowedRead(Generic[T]):
    """One pass over a range: what its workers and its reader do, as steps without waiting or I/O.

    Steps are taken one at a time, under the lock of the driver.
    """

    def __init__(self, prepared: PreparedRequest, *, workers: int, page_size: int, resume: str | None) -> None:
        self.resource = prepared.op.resource
        self._prepared = prepared
        self._size = page_size
        self._start, self._end = _ends(prepared)
        self._clock = _clock(prepared)
        self.header = CheckpointHeader.of(prepared, page_size=page_size, concurrency=True)
        at = {} if resume is None else self.header.read(resume)
        self.start: str = resume or self.header.write({})
        try:
            self._position = self.header.position(at["spot"]) if at else None
            self._plan = WindowPlan(
                self._clock,
                self._span(),
                page_size=min(page_size, MAX_PAGE),
                ahead=workers * _AHEAD,
                narrows=prepared.op.kind == "cursor",
                time_of=_getter(_attribute(prepared, _range(prepared).time_field)),
                identity=_identity(prepared),
                state=at.get("windows"),
            )
        except (KeyError, TypeError, ValueError) as error:
            if not at:
                raise
            raise ValueError("resume: the checkpoint comes from a call with another concurrency") from error
        self._failure: tuple[Window, Exception] | None = None

    def work(self) -> Flow[Step, None]:
        """What one worker does: window after window, page after page."""
        while (taken := cast("tuple[Window, Position | None] | None", (yield self._take))) is not None:
            window, position = taken
            try:
                yield from self._read(window, position)
            except Exception as error:
                yield partial(self._fail, window, error)
                return

    def next_page(self) -> Any:
        """Step of the reader: the next page in the order of the plain call; None at the end."""
        if self._failure is not None:
            window, error = self._failure
            first, last = (self._clock.text(unit) for unit in window.span)
            error.add_note(f"in the window from {first} to {last}")
            raise error
        while (head := self._plan.head) is not None:
            while head.buffer:
                handed = self._plan.hand_out(head.buffer.popleft())
                if handed.rows:
                    return self._page(handed)
            if not head.complete:
                return WAIT
            self._plan.advance()
            return AGAIN
        return None

    def _take(self) -> Any:
        if self._failure is not None or self._plan.head is None:
            return None
        window = self._plan.take()
        if window is None:
            return WAIT
        # Only the window that a resumed run begins with starts inside: settled here, where one worker acts at a time.
        position, self._position = self._position, None
        return window, position

    def _read(self, window: Window, position: Position | None) -> Flow[Step, None]:
        more = True
        state = self._new_state(window, position)
        while more:
            page = yield from state.next_page()
            more = cast("bool", (yield partial(self._deliver, window, page, not state.ended)))
            if window.pages:
                state.narrow(self._request(window.asked))
            else:
                state = self._new_state(window)

    def _new_state(self, window: Window, position: Position | None = None) -> PagingState[T]:
        return PagingState(self._request(window.asked), page_size=self._size, resume=position)

    def _deliver(self, window: Window, page: Page[T] | None, more: bool) -> bool:
        return self._plan.page(window, [] if page is None else page.items, page, more=more and page is not None)

    def _fail(self, window: Window, error: Exception) -> None:
        self._failure = self._failure or (window, error)

    def _span(self) -> Span:
        query = dict(self._prepared.query)
        return self._clock.parse(query[self._start.name]), self._clock.parse(query[self._end.name])

    def _request(self, span: Span) -> PreparedRequest:
        ends = {self._start.name: self._clock.text(span[0]), self._end.name: self._clock.text(span[1])}
        mirrored = {param.name: ends[param.name] for param in (self._start, self._end) if param.mirror}
        return self._prepared.with_paging(ends, mirrored)

    def _page(self, handed: EmittedPage) -> WindowPage[T]:
        page: Page[T] = handed.entry.page
        # Totals are those of a window, not of the range.
        return WindowPage(
            items=handed.rows,
            number=None,
            cursor=page.cursor,
            total_count=None,
            total_pages=None,
            header=self.header,
            key="",
            here=Position(),
            next=Position(),
            read=handed.rows,
            handed=handed,
        )


def check(prepared: PreparedRequest, concurrency: int, starts: Mapping[str, object], *, raw: bool) -> None:
    """Refuse what cannot be read by several workers; `starts` holds the ways to begin elsewhere than at the start."""
    problem = ""
    query, body = dict(prepared.query), prepared.body or {}
    if prepared.op.range is None:
        problem = "this operation has no time range to divide"
    elif type(concurrency) is not int or concurrency < 1:
        problem = f"it is a whole number from 1 on, not {concurrency!r}"
    elif any(param.name not in query for param in _ends(prepared)):
        problem = "it needs both ends of the time range"
    elif query.get("sort") or body.get("sort"):
        problem = "it keeps the order of the plain call, so sort cannot be given"
    elif given := [name for name, value in starts.items() if value is not None]:
        problem = f"{', '.join(given)} cannot be given"
    elif raw:
        problem = "answers as they came are of one reader alone"
    elif body.get("fields") and not {prepared.op.range.time_field, prepared.op.range.key} <= set(body["fields"]):
        problem = f"fields must include {prepared.op.range.time_field} and {prepared.op.range.key}"
    if problem:
        raise ValueError(f"{prepared.op.resource}(): concurrency: {problem}")


def _range(prepared: PreparedRequest) -> Any:
    assert prepared.op.range is not None
    return prepared.op.range


def _ends(prepared: PreparedRequest) -> tuple[Param, Param]:
    params = {param.arg: param for param in prepared.op.params if param.place == "query"}
    return params[_range(prepared).start], params[_range(prepared).end]


def _clock(prepared: PreparedRequest) -> Clock:
    if _range(prepared).unit == "day":
        return Days()
    name = dict(prepared.query).get("timezone") or "UTC"
    zone: tzinfo = UTC
    if name != "UTC":
        try:
            zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"concurrency: timezone: {name!r} is not known on this machine") from error
    return Seconds(zone)


def _attribute(prepared: PreparedRequest, wire: str) -> str:
    fields = getattr(prepared.op.model, "FIELDS", ())
    return next((field.attr for field in fields if field.wire == wire), wire)


def _getter(name: str) -> Callable[[Any], datetime | None]:
    def time_of(row: Any) -> datetime | None:
        time = getattr(row, name)
        return time if isinstance(time, datetime) else None

    return time_of


def _identity(prepared: PreparedRequest) -> Callable[[Any], str | None]:
    """Tells rows apart. One key may stand for several rows (conversions of one click), at different times."""
    time = _attribute(prepared, _range(prepared).time_field)
    key = _attribute(prepared, _range(prepared).key)

    def identity(row: Any) -> str | None:
        at, name = getattr(row, time), getattr(row, key)
        if name:
            return f"{at}|{name}"
        return None if at is None else repr(sorted(row.to_dict().items()))

    return identity
