"""The core of paging by itself: no client, no server, so that the smallest mistake in it is noticed at once."""

from __future__ import annotations

from itertools import chain, count, cycle
from typing import Any
from unittest.mock import Mock

import attrs
import pytest

from adsecurity.codec.page import DecodedPage
from adsecurity.codec.request import PreparedRequest, prepare
from adsecurity.errors import PaginationError
from adsecurity.paging.checkpoint import Checkpoint, CheckpointHeader, Position, convert_position
from adsecurity.paging.page import Page, PageResponse
from adsecurity.paging.state import RECENT, PagingState, SeenCursors, check_iteration, check_start
from tests.paging.kit import SURFACE, Row, operation


def prepared(kind: str, **args: Any) -> PreparedRequest:
    return prepare(operation(kind), {"org_id": "o1", **args}, base_url="https://api.test", routes={}, surface=SURFACE)


def state(kind: str, size: int = 3, **options: Any) -> PagingState[Row]:
    request = prepared(kind)
    return PagingState(request, CheckpointHeader.of(request, page_size=size), **options)


def page(*keys: str | None, **envelope: Any) -> PageResponse[Row]:
    items = [Row.from_dict({"real_tx_id": key, "value": key}) for key in keys]
    response: Any = None
    return PageResponse(DecodedPage(items, **envelope), response, 0.0)


def behind(read: Page[Row]) -> dict[str, Any]:
    return attrs.asdict(read._next)


# Lists that go round in circles


@pytest.mark.parametrize("before", [0, 1, 700])
@pytest.mark.parametrize("length", [1, 2, RECENT - 1, RECENT, 2 * RECENT + 1, 5 * RECENT])
def test_a_circle_of_any_length_is_noticed_within_three_rounds_in_bounded_memory(before: int, length: int) -> None:
    seen = SeenCursors("start")
    cursors = chain((f"once-{n}" for n in range(before)), cycle(f"round-{n}" for n in range(length)))
    for number, cursor in enumerate(cursors):
        if cursor in seen:
            break
        seen.add(cursor)
        assert len(seen._recent) + len(seen._older) <= 2 * RECENT
        assert number <= 3 * (before + length) + RECENT
    assert number >= before + length


def test_the_cursor_that_a_list_began_with_and_each_of_the_last_thousand_are_known() -> None:
    seen = SeenCursors("start")
    assert "start" in seen
    for number in range(5 * RECENT):
        assert str(number) not in seen
        seen.add(str(number))
        assert all(str(back) in seen for back in (number, max(0, number - RECENT // 2), max(0, number - RECENT + 1)))


# Positions


@pytest.mark.parametrize("old", [1, 7, 40, 100, 250])
@pytest.mark.parametrize("new", [1, 7, 30, 100, 1000])
def test_a_position_in_numbered_pages_is_the_same_row_in_pages_of_another_size(old: int, new: int) -> None:
    made = Checkpoint({}, old, False)
    for number, skip in ((1, 0), (1, min(old, 100) - 1), (5, 0), (12, min(old, 100) // 2)):
        position = Position(page=number, skip=skip, total=77, mark="m")
        found = convert_position(position, made, page_size=new, backwards=False)
        # A server gives a hundred rows at most, however many are asked for.
        before = (number - 1) * min(old, 100) + skip
        assert (found.page - 1) * min(new, 100) + found.skip == before
        assert 0 <= found.skip < min(new, 100) or old == new
        assert (found.total, found.mark) == (77, "m")


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    ("position", "possible"),
    [
        (Position(page=3, skip=1), (True, True)),
        (Position(page=3, skip=1, uneven=True), (False, False)),
        (Position(cursor="c"), (True, True)),
        (Position(cursor="c", skip=2), (True, False)),
        (Position(end=True, uneven=True, page=2), (True, True)),
    ],
)
def test_a_position_that_has_no_place_in_other_pages_says_which_size_to_use(
    position: Position, possible: tuple[bool, bool], backwards: bool
) -> None:
    made = Checkpoint({}, 10, False)
    assert convert_position(position, made, page_size=10, backwards=backwards) == position
    if possible[backwards]:
        converted = convert_position(position, made, page_size=20, backwards=backwards)
        assert (converted.cursor, converted.end) == (position.cursor, position.end)
    else:
        with pytest.raises(ValueError, match=r"cannot go on with page_size=20; use page_size=10$"):
            convert_position(position, made, page_size=20, backwards=backwards)


def test_a_header_hashes_each_argument_under_its_own_name() -> None:
    plain = CheckpointHeader.of(prepared("cursor", role="a"), page_size=10)
    other = CheckpointHeader.of(prepared("cursor", role="b"), page_size=10)
    assert set(plain.hashes) == {"org_id", "role"}
    assert {name for name in plain.hashes if plain.hashes[name] != other.hashes[name]} == {"role"}
    assert set(CheckpointHeader.of(prepared("cursor"), page_size=10, backwards=True).hashes) == {"org_id", "before"}
    assert set(CheckpointHeader.of(prepared("cursor"), page_size=10, inclusive="left").hashes) == {
        "org_id",
        "inclusive",
    }


# Pages


def test_a_numbered_page_says_its_number_and_what_follows() -> None:
    reading = state("pages")
    first = reading.accept(page("a", "b", "c", total_count=5, total_page=2))
    assert (first.number, first.cursor, first.total_count, first.total_pages) == (1, None, 5, 2)
    assert (behind(first)["page"], behind(first)["total"], behind(first)["uneven"]) == (2, 5, False)
    last = reading.accept(page("d", "e", total_count=5, total_page=2))
    assert (last.number, behind(last)["end"], reading.ended) == (2, True, True)


def test_behind_a_short_page_that_is_not_the_last_positions_do_not_convert() -> None:
    reading = state("pages")
    short = reading.accept(page("a", "b", total_count=9, total_page=4))
    assert behind(short)["uneven"]
    full = reading.accept(page("c", "d", "e", total_count=9, total_page=4))
    assert not behind(full)["uneven"] or full._here.uneven
    # Cursors name a row: their pages may be of any length.
    by_cursor = state("cursor").accept(page("a", has_next=True, end_cursor="a"))
    assert not behind(by_cursor)["uneven"]
    assert by_cursor.cursor == "a"


@pytest.mark.parametrize("kind", ["pages", "report-pages", "report-numbered"])
def test_the_same_page_again_and_again_ends_within_five_requests(kind: str) -> None:
    reading = state(kind)

    def read() -> None:
        for total in range(3, 9):
            # With a total that grows by a page each time, as if rows were added in front.
            reading.accept(page("a", "b", "c", total_count=3 * total, total_page=total))

    with pytest.raises(PaginationError, match="same page"):
        read()
    assert reading._pages <= 5


def test_a_list_that_grows_by_a_page_shows_the_page_before_once_more() -> None:
    reading = state("pages")
    reading.accept(page("a", "b", "c", total_count=6, total_page=2))
    again = reading.accept(page("a", "b", "c", total_count=9, total_page=3))
    assert [row.value for row in again.items] == ["a", "b", "c"]
    assert [row.value for row in reading.accept(page("d", "e", "f", total_count=9, total_page=3)).items] == [*"def"]
    with pytest.raises(PaginationError, match="same page twice"):
        reading.accept(page("d", "e", "f", total_count=10, total_page=4))


def test_rows_without_a_key_are_compared_whole() -> None:
    reading = state("report-numbered")
    reading.accept(page(None, "b"))
    reading.accept(page(None, "c"))
    with pytest.raises(PaginationError, match="same page twice"):
        reading.accept(page(None, "c"))


@pytest.mark.parametrize("kind", ["pages", "cursor", "report-numbered"])
def test_a_hundred_empty_pages_are_passed_over_and_no_more(kind: str) -> None:
    reading, numbers = state(kind), count(1)

    def empty() -> PageResponse[Row]:
        return page(total_page=10_000, total_count=30_000, has_next=True, end_cursor=f"c{next(numbers)}")

    if kind == "report-numbered":
        assert reading.accept(empty())._next.end
        return
    for _ in range(100):
        assert not reading.accept(empty())._next.end
    with pytest.raises(PaginationError, match="100 pages in a row") as caught:
        reading.accept(empty())
    place = CheckpointHeader.of(prepared(kind), page_size=3).read(caught.value.checkpoint or "")
    assert place.at["page" if kind == "pages" else "cursor"] == (102 if kind == "pages" else "c101")


def test_a_page_with_rows_forgives_the_empty_ones_before() -> None:
    reading = state("pages")
    for number in range(150):
        rows = (f"r{number}",) if number == 75 else ()
        reading.accept(page(*rows, total_page=1000, total_count=3000))


def test_a_total_that_falls_is_an_error_whose_checkpoint_goes_on_with_the_new_one() -> None:
    reading = state("pages")
    reading.accept(page("a", "b", "c", total_count=9, total_page=3))
    with pytest.raises(PaginationError, match="shrank from 9 to 8") as caught:
        reading.accept(page("d", "e", "f", total_count=8, total_page=3))
    place = CheckpointHeader.of(prepared("pages"), page_size=3).read(caught.value.checkpoint or "")
    assert (place.at["page"], place.at["total"]) == (2, 8)


@pytest.mark.parametrize(
    ("envelope", "ended"),
    [
        ({"has_next": False, "end_cursor": "x"}, True),
        ({"has_next": None, "end_cursor": "x"}, True),
        ({"has_next": True, "end_cursor": "x"}, False),
    ],
)
def test_a_short_page_of_a_cursor_list_ends_it_unless_there_is_more(envelope: dict[str, Any], ended: bool) -> None:
    reading = state("cursor")
    reading.accept(page("a", "b", **envelope))
    assert reading.ended is ended


@pytest.mark.parametrize("kind", ["pages", "cursor", "report-pages", "report-numbered"])
@pytest.mark.parametrize("where", ["Page", "attrs", "SeenCursors.add"])
def test_a_page_whose_taking_is_interrupted_is_asked_for_again(
    kind: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in a notebook, and the next `next()` goes on."""
    interrupted = Mock(side_effect=KeyboardInterrupt, evolve=Mock(side_effect=KeyboardInterrupt))
    reading, envelope = state(kind), {"total_count": 6, "total_page": 2, "has_next": True}
    reading.accept(page("a", "b", "c", end_cursor="c", **envelope))
    asked = reading.request().query
    with monkeypatch.context() as patched:
        patched.setattr(f"adsecurity.paging.state.{where}", interrupted)
        with pytest.raises(KeyboardInterrupt):
            reading.accept(page("d", "e", "f", end_cursor="f", **envelope))
    assert reading.request().query == asked
    again = reading.accept(page("d", "e", "f", end_cursor="f", **envelope))
    assert [row.value for row in again.items] == [*"def"]


def test_cursors_that_lead_nowhere_are_errors() -> None:
    with pytest.raises(PaginationError, match="gives no cursor"):
        state("cursor").accept(page("a", has_next=True))
    reading = state("cursor", after="a")
    with pytest.raises(PaginationError, match="same cursor twice"):
        reading.accept(page("b", has_next=True, end_cursor="a"))
    reading.accept(page("b", has_next=True, end_cursor="b"))
    assert reading.request().query[-1] == ("page[after]", "b")


# What is refused before anything is asked for


@pytest.mark.parametrize("limit", [None, 0, 5])
def test_a_limit_and_a_hook_are_taken(limit: int | None) -> None:
    check_iteration(limit, print)
    check_iteration(limit, None)


@pytest.mark.parametrize("limit", [-1, 1.5, True, "5"])
def test_a_limit_that_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(ValueError, match=r"^limit must be"):
        check_iteration(limit, None)
    with pytest.raises(TypeError, match="not str"):
        check_iteration(None, "hook")


def test_starts_that_no_list_has_are_refused() -> None:
    check_start(page_size=1, page_number=1, after="a")
    check_start(page_size=1, before="b")
    for wrong in ({"page_size": 0}, {"page_size": True}, {"page_size": 1, "page_number": 0}):
        with pytest.raises(ValueError, match="whole number above 0"):
            check_start(**wrong)
    with pytest.raises(ValueError, match="exclude each other"):
        check_start(page_size=1, after="a", before="b")
