"""One page of a list as users get it, and the position behind each of its items."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import attrs

from ..display.items import as_items
from .checkpoint import CheckpointHeader, Position

if TYPE_CHECKING:
    import httpx

    from ..codec.page import DecodedPage
    from .incremental import Progress

T = TypeVar("T")
MAX_REPR = 1000


@attrs.frozen(eq=False)
class PageResponse(Generic[T]):
    """What came for one request."""

    page: DecodedPage[T]
    response: httpx.Response
    elapsed: float
    """Seconds that it took, retries included."""


@attrs.frozen(eq=False, repr=False)
class Page(Generic[T]):
    """One page of a list."""

    items: list[T] = attrs.field(converter=as_items)
    number: int | None
    """Where pages are numbered."""
    cursor: str | None
    """What to pass as `after=` (`before=` when going backwards) to go on behind this page."""
    total_count: int | None
    """How many items there are in all, when the server says so."""
    total_pages: int | None
    _header: CheckpointHeader = attrs.field(alias="header", repr=False)
    _key: str = attrs.field(alias="key", repr=False)
    _here: Position = attrs.field(alias="here", repr=False)
    _next: Position = attrs.field(alias="next", repr=False)
    _rows: Sequence[T] = attrs.field(alias="rows", repr=False)
    """All that the server gave; `items` leaves out what came before a checkpoint or outside of a half-open range."""
    _places: Sequence[int] = attrs.field(alias="places", repr=False)
    """The index of each item among the rows."""
    response: PageResponse[T] | None = attrs.field(repr=False, default=None)
    """What the page was read from; kept for raw pages only."""
    repaired: int = 0
    """How many rows the fast decoder refused, so that they were read field by field."""
    _progress: Progress | None = attrs.field(alias="progress", repr=False, default=None)
    """What had come behind each item, in a list that is read with `since=`."""

    def first(self, count: int) -> Self:
        """This page with its first items alone, and the positions behind those."""
        # No cursor leads to the middle of a page; its checkpoint does.
        return attrs.evolve(self, items=self.items[:count], cursor=None)

    def select(self, chosen: Sequence[int], progress: Progress) -> Self:
        """This page with some of its items alone, by their index."""
        items, places = [self.items[index] for index in chosen], [self._places[index] for index in chosen]
        return attrs.evolve(self, items=items, places=places, progress=progress)

    def __repr__(self) -> str:
        known = {"number": self.number, "cursor": self.cursor, "total_count": self.total_count}
        told = "".join(f" {name}={value!r}" for name, value in known.items() if value is not None)
        text = f"<{type(self).__name__} of {len(self.items)} items{told}>"
        return text if len(text) <= MAX_REPR else f"{text[: MAX_REPR - 4]}...>"

    def _repr_html_(self) -> str:
        from ..display.tables import as_html

        return as_html(self.items, title=self._title, total=self.total_count)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        from ..display.tables import as_text

        printer.text(as_text(self.items, title=self._title, total=self.total_count))

    @property
    def _title(self) -> str:
        return f"{type(self).__name__} {self.number or ''}".strip() + ":"

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def checkpoint(self) -> str:
        """The position behind the last item of this page; pass it as `resume=`."""
        return self.checkpoint_at(len(self.items))

    def checkpoint_at(self, count: int) -> str:
        """The position behind the first `count` items of this page."""
        return self._header.write_position(self.position_at(count), self._since_at(count))

    def _since_at(self, count: int) -> Mapping[str, Any] | None:
        return None if self._progress is None else self._progress.at(count)

    def position_at(self, count: int) -> Position:
        """The position behind the first `count` items of this page."""
        if count >= len(self._places):
            return self._next
        done = self._places[count - 1] + 1 if count else self._here.skip
        if not self._key or self._here.cursor or not done:
            return attrs.evolve(self._here, skip=done)
        # The first page of a cursor list has no cursor to read it with again, and new rows come in at its top.
        marks = [fingerprint(item, self._key) for item in self._rows[:done]]
        return Position(mark=marks[-1], nth=marks.count(marks[-1]))


def fingerprint(item: object, key: str) -> str:
    """What tells a row from others: its key, or all of it where the key is missing."""
    value = getattr(item, key, None)
    if not value:
        to_dict = getattr(item, "to_dict", None)
        value = item if to_dict is None else to_dict()
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:12]
