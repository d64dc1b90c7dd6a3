"""A range cut into half-open spans that other processes read, each on its own, by `inclusive="left"`.

Together the spans are the range: each of its rows lies in exactly one. Read to the end they give each row exactly once:
cursor lists always, numbered pages while the list is unchanged. Reading a span asks for a little more at both ends: one
second, or two days before and one after its end. Where a server counts the end in, a span of a single day so brings
five days, and one of ten days fourteen: make spans of days long.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from ...codec.request import PreparedRequest
from ...flow.steps import Flow
from ..checkpoint import MAX_PAGE, CheckpointHeader
from ..clock import Span, nearest_unique
from ..page import PageResponse
from ..state import PagingState
from ..time_range import TimeRange

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

MOST_PROBES = 32
"""So many places of the range are looked at, one request each, to see how dense the rows lie."""


def plan_spans(times: TimeRange, header: CheckpointHeader, count: int) -> Flow[PreparedRequest, list[dict[str, str]]]:
    """At most `count` spans with about as many rows each, oldest first, as keyword arguments of the call.

    Yields the request of each probe and is sent its `PageResponse`.
    """
    if type(count) is not int or count < 1:
        raise times.refused(f"a number of spans is a whole number from 1 on, not {count!r}")
    pieces = _pieces(times, min(count, MOST_PROBES))
    found: list[float] = []
    for piece in pieces if count > 1 else ():
        state: PagingState[Any] = PagingState(times.request(piece), header)
        response = cast("PageResponse[Any]", (yield state.request()))
        moments = [time for row in response.page.items if (time := times.time_of(row)) is not None]
        is_full = len(response.page.items) >= min(header.page_size, MAX_PAGE)
        found.append(_expected(times, piece, moments) if is_full else len(response.page.items))
    bounds = _bounds(times, pieces, found, count) if found else list(times.span)
    names = (times.of.start, times.of.end)
    return [
        dict(zip(names, (times.clock.text(start), times.clock.text(end)), strict=True))
        for start, end in pairwise(bounds)
    ]


def _pieces(times: TimeRange, count: int) -> list[Span]:
    """The range in so many pieces of about the same length, as far as it has units."""
    low, high = times.span
    bounds = [low]
    for number in range(1, count):
        cut = nearest_unique(times.clock, low + (high - low) * number // count, times.span, later=True)
        if cut is not None and cut > bounds[-1]:
            bounds.append(cut)
    return list(pairwise([*bounds, high]))


def _expected(times: TimeRange, piece: Span, moments: Sequence[datetime]) -> float:
    """How many rows a piece has, by how close together those of a full page lie."""
    length = (times.clock.start(piece[1]) - times.clock.start(piece[0])).total_seconds()
    extent = (max(moments) - min(moments)).total_seconds() if moments else length
    return len(moments) * max(1.0, length / max(extent, 1.0))


def _bounds(times: TimeRange, pieces: list[Span], rows: list[float], count: int) -> list[int]:
    """Where to cut, so that each span has about as many rows; without rows, so that each is as long."""
    weights = rows if any(rows) else [float(end - start) for start, end in pieces]
    bounds = [times.span[0]]
    index, passed = 0, 0.0
    for number in range(1, count):
        wanted = sum(weights) * number / count
        while index < len(pieces) - 1 and passed + weights[index] < wanted:
            passed += weights[index]
            index += 1
        start, end = pieces[index]
        part = min(1.0, (wanted - passed) / weights[index]) if weights[index] else 0.0
        cut = nearest_unique(times.clock, start + int((end - start) * part), times.span, later=True)
        # Shares that end in the same unit, or in the same night of clock changes, are one span.
        if cut is not None and cut > bounds[-1]:
            bounds.append(cut)
    return [*bounds, times.span[1]]
