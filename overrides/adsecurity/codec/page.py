"""One page of a list as the server gave it: its items, its totals, its cursors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import attrs

from .secrets import is_object

T = TypeVar("T")


@attrs.frozen(eq=False, repr=False)
class DecodedPage(Generic[T]):
    """A decoded page of a list, for every kind of paging."""

    items: list[T]
    total_count: int | None = None
    total_page: int | None = None
    has_next: bool | None = None
    has_previous: bool | None = None
    end_cursor: str | None = None
    start_cursor: str | None = None
    repaired: int = 0
    """Number of rows that the fast decoder rejected and that were then read field by field."""


def page_of(items: list[Any], body: Any, holder: Any, repaired: int = 0) -> DecodedPage[Any]:
    """Build a page from its items and the envelope around them.

    `body` is the whole document, which may hold `meta`; `holder` is the object that holds the items and `pageInfo`.
    """
    meta = as_object(as_object(body).get("meta"))
    info = as_object(as_object(holder).get("pageInfo"))
    return DecodedPage(
        items=items,
        total_count=_count(meta.get("total_count")),
        total_page=_count(meta.get("total_page")),
        has_next=_flag(info.get("hasNextPage")),
        has_previous=_flag(info.get("hasPreviousPage")),
        end_cursor=_cursor(info.get("endCursor")),
        start_cursor=_cursor(info.get("startCursor")),
        repaired=repaired,
    )


def as_object(value: Any) -> Mapping[str, Any]:
    """The value if it is a JSON object, otherwise an empty one."""
    return value if is_object(value) else {}


def _count(value: Any) -> int | None:
    try:
        return int(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _cursor(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
