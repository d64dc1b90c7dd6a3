"""Which page comes next, and when a list has ended: all kinds of paging, without I/O.

A `PagingState` is one pass over a list. Its driver asks it for the next request, sends that, and hands the decoded page
back; everything that can go wrong with a list that changes while it is read is noticed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, cast

import attrs

from adsecurity_generated._operation import Operation

from ..codec.request import PreparedRequest
from ..errors import PaginationError
from ..flow.steps import Flow
from .checkpoint import CheckpointHeader, Position
from .page import MAX_PAGE, Page, PageResponse, fingerprint

if TYPE_CHECKING:
    from ..codec.page import DecodedPage

T = TypeVar("T")
RECENT = 1000
"""A list that gives one of so many latest cursors again is noticed at once."""

_END = Position(end=True)
_NUMBERED = ("pages", "report-pages", "report-numbered")


class SeenCursors:
    """The cursors that a list has given so far: tells a list that goes round in circles, in constant memory."""

    def __init__(self, first: str) -> None:
        self._recent, self._older = {hash(first)}, set[int]()
        self._landmark, self._count = hash(first), 1

    def add(self, cursor: str) -> None:
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


class PagingState(Generic[T]):
    """One pass over a list: gives requests, takes pages."""

    def __init__(
        self,
        prepared: PreparedRequest,
        *,
        page_size: int = MAX_PAGE,
        page_number: int | None = None,
        after: str | None = None,
        before: str | None = None,
        resume: str | Position | None = None,
        keep_response: bool = False,
    ) -> None:
        if type(page_size) is not int or page_size < 1:
            raise ValueError(f"page_size must be a whole number above 0, not {page_size!r}")
        if page_number is not None and (type(page_number) is not int or page_number < 1):
            raise ValueError(f"page_number must be a whole number above 0, not {page_number!r}")
        if after and before:
            raise ValueError("after and before exclude each other")
        self.op: Operation[T] = prepared.op
        self.header = CheckpointHeader.of(prepared, page_size=page_size, backwards=bool(before))
        self._prepared = prepared
        self._names = dict(prepared.op.paging)
        self._size = page_size
        self._full = min(page_size, MAX_PAGE)
        self._backwards = bool(before)
        self._keep_response = keep_response
        self._key = prepared.op.range.key if prepared.op.range else "id"
        self._last: list[T] = []
        self._pages = 0
        first = Position(page=page_number or int(prepared.op.kind in _NUMBERED), cursor=after or before or "")
        if resume is not None and not isinstance(resume, Position):
            resume = self.header.read_position(resume)
        self.start = resume or first
        """Where this pass began."""
        self._position = self.start
        self._seen = SeenCursors(self.start.cursor)
        self._wanted = self.start.nth

    @property
    def ended(self) -> bool:
        return self._position.end

    def next_page(self) -> Flow[PreparedRequest, Page[T] | None]:
        """Read one page: yields requests, is sent a `PageResponse` for each, returns None at the end of the list."""
        while not self._position.end:
            response = cast("PageResponse[T]", (yield self.request()))
            page = self.accept(response)
            # An empty page says no more than that the list has ended; an empty list is worth a page all the same.
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
        here, read = self._position, list(decoded.items)
        grown = False
        if self.op.kind == "pages":
            total = decoded.total_count or here.total
            if total < here.total:
                raise self._error(
                    f"the list shrank from {here.total} to {total} items while it was read, so some may have moved to"
                    " pages already read; resume from the checkpoint to go on all the same",
                    self.header.write_position(attrs.evolve(here, total=total)),
                )
            grown = 0 < here.total < total
            here = attrs.evolve(here, total=total)
        # A list that has grown by a page shows the same one again.
        if read and not grown and self._is_last(read):
            raise self._error("the server gave the same page twice")
        following = self._following(decoded, here)
        skip, wanted = self._behind_mark(read) if self._wanted else (here.skip, 0)
        if wanted and following.end:
            raise self._error("the row that the checkpoint stands behind is not in the list any more")
        self._pages += 1
        self._wanted = wanted
        self._last = read
        self._position = following
        self._seen.add(following.cursor)
        return Page(
            items=read[skip:] if skip else read,
            number=here.page or None,
            cursor=following.cursor or None,
            total_count=decoded.total_count or None,
            total_pages=decoded.total_page or None,
            header=self.header,
            key=self._key if self.op.kind == "cursor" else "",
            here=attrs.evolve(here, mark="", nth=0),
            next=following,
            read=read,
            response=response if self._keep_response else None,
            repaired=decoded.repaired,
        )

    def _following(self, decoded: DecodedPage[T], here: Position) -> Position:
        count = len(decoded.items)
        match self.op.kind:
            case "pages":
                pages = decoded.total_page or 0
                ended = count == 0 or (0 < pages <= here.page and count < self._full)
            case "report-pages":
                # A Go server leaves out what is false, so a missing or false hasNextPage says nothing.
                ended = count == 0 or (count < self._full and not decoded.has_next)
            case "report-numbered":
                ended = count == 0
            case "cursor":
                return self._following_cursor(decoded, count)
            case _:
                ended = True
        return _END if ended else Position(page=here.page + 1, total=here.total)

    def _following_cursor(self, decoded: DecodedPage[T], count: int) -> Position:
        cursor = decoded.start_cursor if self._backwards else decoded.end_cursor
        more = decoded.has_previous if self._backwards else decoded.has_next
        known = not cursor or cursor in self._seen
        if more is False or (count == 0 and known) or (more is None and count < self._full):
            return _END
        if not cursor:
            raise self._error("the server says that there is more, but gives no cursor to read it with")
        if known:
            raise self._error("the server gave the same cursor twice, so the list would never end")
        return Position(cursor=cursor)

    def _behind_mark(self, read: list[T]) -> tuple[int, int]:
        """How many of these rows to leave out, and how many marked ones are still to come."""
        wanted = self._wanted
        for index, item in enumerate(read, 1):
            wanted -= fingerprint(item, self._key) == self.start.mark
            if not wanted:
                return index, 0
        return len(read), wanted

    def _is_last(self, read: list[T]) -> bool:
        last, key = self._last, self._key
        if len(read) != len(last) or getattr(read[0], key, None) != getattr(last[0], key, None):
            return False
        return read == last

    def _error(self, problem: str, checkpoint: str | None = None) -> PaginationError:
        return PaginationError(f"{self.op.resource}: {problem}", operation=self.op.resource, checkpoint=checkpoint)
