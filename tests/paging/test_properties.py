"""For any list, size, start and change while it is read: what comes is the plain list, or an error that goes on."""

from __future__ import annotations

import tracemalloc
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adsecurity.errors import PaginationError
from adsecurity.paging.state import RECENT, SeenCursors
from tests.paging.kit import PAGED, Server, Use, rows, values

kinds = st.sampled_from(PAGED)
sizes = st.integers(1, 12)
modes = st.sampled_from(["sync", "async"])
flags = st.sampled_from([0, 1])


def _read(mode: str, server: Server, **options: Any) -> list[int]:
    use = Use(mode)
    try:
        return values(use.each(use.listing(server, **options)))
    finally:
        use.close()


@settings(max_examples=60, deadline=None)
@given(mode=modes, kind=kinds, count=st.integers(0, 60), size=sizes, prefetch=flags)
def test_paging_equals_the_plain_list(mode: str, kind: str, count: int, size: int, prefetch: int) -> None:
    assert _read(mode, Server(kind, rows(count)), page_size=size, prefetch=prefetch) == list(range(count))


@settings(max_examples=60, deadline=None)
@given(mode=modes, kind=kinds, count=st.integers(0, 40), size=sizes, data=st.data())
def test_a_list_read_in_any_number_of_pieces_is_the_plain_list(
    mode: str, kind: str, count: int, size: int, data: st.DataObject
) -> None:
    server = Server(kind, rows(count))
    use = Use(mode)
    got: list[Any] = []
    checkpoint: str | None = None
    try:
        for _ in range(6):
            iterator = use.iterator(use.listing(server, page_size=size, resume=checkpoint))
            for _ in range(data.draw(st.integers(0, 15))):
                try:
                    got.append(use.next(iterator))
                except StopIteration:
                    break
            checkpoint = iterator.checkpoint()
        got += use.each(use.listing(server, page_size=size, resume=checkpoint))
    finally:
        use.close()
    assert values(got) == list(range(count))


@settings(max_examples=60, deadline=None)
@given(
    mode=modes,
    count=st.integers(0, 40),
    size=sizes,
    arrivals=st.dictionaries(st.integers(1, 8), st.integers(1, 15)),
    stops=st.lists(st.integers(0, 12), max_size=4),
)
def test_rows_that_arrive_at_the_top_of_a_cursor_list_never_cost_or_repeat_one(
    mode: str, count: int, size: int, arrivals: dict[int, int], stops: list[int]
) -> None:
    """Newest first, as the API lists: whatever was there at the start comes exactly once, resumed or not."""
    server = Server("cursor", rows(count))
    fresh = iter(range(1000, 10_000))
    started = False

    def before(number: int) -> None:
        # What arrives before the first answer belongs to the list.
        if started and number in arrivals:
            server.data[:0] = [rows(1, next(fresh))[0] for _ in range(arrivals[number])]

    server.before = before
    use = Use(mode)
    got: list[Any] = []
    checkpoint: str | None = None
    try:
        for stop in [*stops, 1000]:
            iterator = use.iterator(use.listing(server, page_size=size, resume=checkpoint))
            for _ in range(stop):
                try:
                    got.append(use.next(iterator))
                except StopIteration:
                    break
                started = True
            checkpoint = iterator.checkpoint()
            started = started or not stop
    finally:
        use.close()
    seen = values(got)
    assert [n for n in seen if n < 1000] == list(range(count))
    assert len(set(seen)) == len(seen)


@settings(max_examples=60, deadline=None)
@given(
    mode=modes,
    count=st.integers(0, 60),
    size=sizes,
    changes=st.dictionaries(st.integers(2, 10), st.tuples(st.sampled_from(["pop", "add"]), st.integers(0, 59))),
)
def test_a_numbered_list_that_changes_loses_no_row_without_saying_so(
    mode: str, count: int, size: int, changes: dict[int, tuple[str, int]]
) -> None:
    server = Server("pages", rows(count))
    removed: set[int] = set()
    fresh = iter(range(1000, 2000))

    def before(number: int) -> None:
        what, where = changes.get(number, ("", 0))
        if what == "pop" and server.data:
            removed.add(int(server.data.pop(where % len(server.data))["value"]))
        elif what == "add":
            server.data.insert(where % (len(server.data) + 1), rows(1, next(fresh))[0])

    server.before = before
    seen: list[int] = []
    try:
        seen = _read(mode, server, page_size=size, prefetch=0)
    except PaginationError:
        shrank = True
    else:
        shrank = False
    assert removed if shrank else set(range(count)) - removed <= set(seen)


@settings(max_examples=60, deadline=None)
@given(tail=st.integers(0, 3 * RECENT), circle=st.integers(1, 5 * RECENT))
def test_a_list_that_goes_round_in_circles_is_noticed_and_a_short_circle_at_once(tail: int, circle: int) -> None:
    cursors = SeenCursors("")
    given_out = 0
    while (cursor := f"c{given_out if given_out < tail else tail + (given_out - tail) % circle}") not in cursors:
        cursors.add(cursor)
        given_out += 1
        assert given_out <= 2 * max(tail, circle) + circle + 2
    assert given_out >= tail + circle
    assert circle > RECENT or given_out == tail + circle


def test_cursors_are_remembered_in_constant_memory() -> None:
    def size(count: int) -> int:
        tracemalloc.start()
        try:
            cursors = SeenCursors("")
            for number in range(count):
                cursors.add(f"c{number}")
            assert f"c{count - 1}" in cursors
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

    assert size(30 * RECENT) < 1.5 * size(2 * RECENT)
