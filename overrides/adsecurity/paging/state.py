"""Which page comes next, and when a list has ended: all kinds of paging, without I/O.

A `PagingState` is one pass over a list. Its driver asks it for the next request, sends that, and hands the decoded page
back. A list that would never end, or that loses rows while it is read, is noticed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, TypeVar, cast

import attrs

from adsecurity_generated._operation import Operation

from ..codec.request import PreparedRequest
from ..errors import PaginationError
from ..flow.steps import Flow
from .checkpoint import MAX_PAGE, CheckpointHeader, Position
from .half_open import HalfOpenRange
from .page import Page, PageResponse, fingerprint

if TYPE_CHECKING:
    from ..codec.page import DecodedPage

T = TypeVar("T")
RECENT = 1000
"""A list that gives one of so many latest cursors again is noticed at once."""
EMPTY_PAGES = 100
"""So many empty pages in a row end in an error, whose checkpoint stands behind them."""
REPEATS = 3
"""So many pages in a row may begin as the one before them: a list that grows by a page shows the same one again."""

_END = Position(end=True)
_NUMBERED = ("pages", "report-pages", "report-numbered")


class SeenCursors:
    """The cursors that a list has given so far: tells a list that goes round in circles, in constant memory."""

    def __init__(self, first: str) -> None:
        self._recent, self._older = {hash(first)}, set[int]()
        self._landmark, self._count = hash(first), 1

    def add(self, cursor: str) -> None:
        """Remember a cursor."""
        code = hash(cursor)
        self._count += 1
        # A circle too long for the two sets meets a landmark (Brent's algorithm), within three times its length.
        if self._count.bit_count() == 1:
            self._landmark = code
        self._recent.add(code)
        if len(self._recent) >= RECENT:
            self._recent, self._older = set[int](), self._recent

    def __contains__(self, cursor: str) -> bool:
        code = hash(cursor)
        return code in self._recent or code in self._older or code == self._landmark


def check_start(
    *, page_size: int, page_number: int | None = None, after: str | None = None, before: str | None = None
) -> None:
    """Refuse a page size or a start that no list has."""
    if type(page_size) is not int or page_size < 1:
        raise ValueError(f"page_size must be a whole number above 0, not {page_size!r}")
    if page_number is not None and (type(page_number) is not int or page_number < 1):
        raise ValueError(f"page_number must be a whole number above 0, not {page_number!r}")
    if after and before:
        raise ValueError("after and before exclude each other")


def check_iteration(limit: object, on_page: object) -> None:
    """Refuse a limit that is none, and a hook that cannot be called."""
    if limit is not None and (type(limit) is not int or limit < 0):
        raise ValueError(f"limit must be None or a whole number from 0 on, not {limit!r}")
    if on_page is not None and not callable(on_page):
        raise TypeError(f"on_page must be callable, not {type(on_page).__name__}")


class PagingState(Generic[T]):
    """One pass over a list: gives requests, takes pages."""

    def __init__(
        self,
        prepared: PreparedRequest,
        header: CheckpointHeader,
        *,
        page_number: int | None = None,
        after: str | None = None,
        before: str | None = None,
        resume: Position | None = None,
        half_open: HalfOpenRange | None = None,
        keep_response: bool = False,
    ) -> None:
        self.op: Operation[T] = prepared.op
        self.header = header
        self._prepared = prepared
        self._names = dict(prepared.op.paging)
        self._size = header.page_size
        self._full = min(header.page_size, MAX_PAGE)
        self._backwards = bool(before)
        self._keep_response = keep_response
        self._half_open = half_open
        self._key = prepared.op.range.key if prepared.op.range else "id"
        self._resumed = resume is not None
        self.start = resume or Position(
            page=page_number or int(prepared.op.kind in _NUMBERED), cursor=after or before or ""
        )
        """Where this pass began."""
        self._position = self.start
        self._pages = 0
        self._last: Sequence[T] = ()
        self._repeats = 0
        self._empty_pages = 0
        self._total_pages = 0
        self._seen_cursors = SeenCursors(self.start.cursor)
        self._marks_left = self.start.nth

    @property
    def ended(self) -> bool:
        return self._position.end

    def next_page(self) -> Flow[PreparedRequest, Page[T] | None]:
        """Read one page: yields requests, is sent a `PageResponse` for each, returns None at the end of the list."""
        while not self._position.end:
            response = cast("PageResponse[T]", (yield self.request()))
            page = self.accept(response)
            # A page without items is passed over; of an empty list it is the only one, and worth telling.
            if page.items or (self._pages == 1 and self._position.end):
                return page
        return None

    def narrow(self, prepared: PreparedRequest) -> None:
        """Go on within a smaller range: a cursor stays valid in it."""
        self._prepared = prepared

    def request(self) -> PreparedRequest:
        """The request for the page that comes next."""
        position, size = self._position, self._size
        match self.op.kind:
            case "pages" | "report-numbered":
                return self._with({"page[number]": position.page, "page[size]": size})
            case "report-pages":
                return self._with({"page[number]": position.page}, {"page_number": position.page, "page_size": size})
            case "cursor":
                if any("\ud800" <= character <= "\udfff" for character in position.cursor):
                    raise self._error("the server gave a cursor that cannot be sent: it has half of a surrogate pair")
                start = (
                    {"page[before]" if self._backwards else "page[after]": position.cursor} if position.cursor else {}
                )
                return self._with({"page[size]": size, **start})
            case _:
                return self._prepared

    def _with(self, query: dict[str, str | int], body: dict[str, int] | None = None) -> PreparedRequest:
        """The request with its paging parameters, by the names that they have on the wire."""
        return self._prepared.with_paging(
            {self._names.get(name, name): value for name, value in query.items()}, body or {}
        )

    def accept(self, response: PageResponse[T]) -> Page[T]:
        """Take the page that came for the last request; when this raises, the state stands where it stood."""
        decoded = response.page
        rows = list(decoded.items)
        here = self._counted(decoded)
        repeats = self._count_repeats(rows, here)
        following = self._following(decoded, here)
        here, following = self._note_short_page(len(rows), here, following)
        skip, marks_left = self._behind_mark(rows) if self._marks_left else (here.skip, 0)
        if marks_left and following.end:
            raise self._error("the row that the checkpoint stands behind is not in the list any more")
        empty_pages = 0 if rows else self._empty_pages + 1
        if empty_pages > EMPTY_PAGES and not following.end:
            # What was empty is not asked for again.
            raise self._error(
                f"{EMPTY_PAGES} pages in a row came empty, and the server says that there are more;"
                " resume from the checkpoint to ask on",
                self.header.write_position(following),
            )
        places: Sequence[int] = range(skip, len(rows))
        if self._half_open is not None:
            selected, inside = self._half_open.select(rows, self._inside_before(here))
            places = [place for place in selected if place >= skip]
            following = attrs.evolve(following, left_out=inside is False and not following.end)
        page = Page(
            items=[rows[place] for place in places] if len(places) < len(rows) else rows,
            number=here.page or None,
            cursor=following.cursor or None,
            total_count=decoded.total_count or None,
            total_pages=decoded.total_page or None,
            header=self.header,
            key=self._key if self.op.kind == "cursor" else "",
            here=attrs.evolve(here, mark="", nth=0),
            next=following,
            rows=rows,
            places=places,
            response=response if self._keep_response else None,
            repaired=decoded.repaired,
        )
        total_pages = max(self._total_pages, decoded.total_page or 0)
        # Should the page be asked for again, it is no matter that this cursor is known.
        self._seen_cursors.add(here.cursor)
        # From here on nothing is called: an interrupt comes before all of it, and the page is read again, or behind.
        self._pages += 1
        self._repeats, self._empty_pages, self._marks_left = repeats, empty_pages, marks_left
        self._total_pages = total_pages
        self._last = rows or self._last
        self._position = following
        return page

    def _counted(self, decoded: DecodedPage[T]) -> Position:
        """The position of this page with the total that the server counts now."""
        here = self._position
        if self.op.kind != "pages":
            return here
        total = decoded.total_count or here.total
        if total < here.total:
            raise self._error(
                f"the list shrank from {here.total} to {total} items while it was read, so some may have moved to"
                " pages already read; resume from the checkpoint to go on all the same",
                self.header.write_position(attrs.evolve(here, total=total)),
            )
        return attrs.evolve(here, total=total)

    def _count_repeats(self, rows: list[T], here: Position) -> int:
        """How many pages in a row, this one included, show again what the page before them began with."""
        if not rows or not self._last:
            return 0
        if self.op.kind not in _NUMBERED:
            if self._is_last(rows):
                raise self._error("the server gave the same page twice")
            return 0
        if not self._holds_again(rows):
            return 0
        # A list that has grown by a page shows the page before once more. Without a total that is not known.
        grown = here.total - self._position.total if self._position.total else 0
        known = self.op.kind == "pages" and self._position.total > 0
        explained = grown >= len(self._last) if known else not self._is_last(rows)
        if not explained:
            raise self._error("the server gave the same page twice")
        if self._repeats >= REPEATS:
            raise self._error("the server gave the same page over and over; it may ignore the page's number")
        return self._repeats + 1

    def _holds_again(self, rows: list[T]) -> bool:
        """Whether the first row of the page before is among these; a row without a key may have twins."""
        first, key = self._last[0], self._key
        value = getattr(first, key, None)
        if not value:
            return self._is_last(rows)
        return any(getattr(row, key, None) == value and row == first for row in rows)

    def _is_last(self, rows: list[T]) -> bool:
        last, key = self._last, self._key
        if len(rows) != len(last) or getattr(rows[0], key, None) != getattr(last[0], key, None):
            return False
        return rows == last

    def _following(self, decoded: DecodedPage[T], here: Position) -> Position:
        count = len(decoded.items)
        match self.op.kind:
            case "pages":
                pages = decoded.total_page or self._total_pages
                more = here.page < pages
                ended = not more and (count == 0 or (pages > 0 and count < self._full))
            case "report-pages":
                # A Go server leaves out what is false, so a missing or false hasNextPage says nothing.
                ended = count == 0 or (count < self._full and not decoded.has_next)
            case "report-numbered":
                ended = count == 0
            case "cursor":
                return self._following_cursor(decoded, count, here)
            case _:
                ended = True
        return _END if ended else Position(page=here.page + 1, total=here.total)

    def _following_cursor(self, decoded: DecodedPage[T], count: int, here: Position) -> Position:
        cursor = decoded.start_cursor if self._backwards else decoded.end_cursor
        more = decoded.has_previous if self._backwards else decoded.has_next
        known = not cursor or cursor == here.cursor or cursor in self._seen_cursors
        if more is False or (count == 0 and known) or (more is None and count < self._full):
            return _END
        if not cursor:
            raise self._error("the server says that there is more, but gives no cursor to read it with")
        if known:
            raise self._error("the server gave the same cursor twice, so the list would never end")
        # A checkpoint of larger pages may stand behind several of these.
        return Position(cursor=cursor, skip=max(0, here.skip - count))

    def _note_short_page(self, count: int, here: Position, following: Position) -> tuple[Position, Position]:
        """Remember that a numbered page, not the last, was not full."""
        if not here.page or (count == self._full and not here.uneven) or following.end:
            return here, following
        return attrs.evolve(here, uneven=True), attrs.evolve(following, uneven=True)

    def _inside_before(self, here: Position) -> bool | None:
        """Whether the row before this page was in the half-open range; None when there is no such row."""
        first = not here.cursor and here.page <= 1
        if first or not (self._pages or self._resumed):
            return None
        return not here.left_out

    def _behind_mark(self, rows: list[T]) -> tuple[int, int]:
        """How many of these rows to leave out, and how many marked ones are still to come."""
        left = self._marks_left
        for index, row in enumerate(rows, 1):
            left -= fingerprint(row, self._key) == self.start.mark
            if not left:
                return index, 0
        return len(rows), left

    def _error(self, problem: str, checkpoint: str | None = None) -> PaginationError:
        return PaginationError(f"{self.op.resource}: {problem}", operation=self.op.resource, checkpoint=checkpoint)
