"""Reading answers, without I/O: what an operation promises comes out, or one of our errors.

Servers grow: unknown fields, unknown success statuses and missing envelopes are read as far as they make sense.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from ._failure import Call, decode_error, request_failed
from ._secrets import is_list, is_object

if TYPE_CHECKING:
    import httpx

    from ._paginator import AsyncRawPaginator as AsyncRawPaginator
    from ._paginator import RawPaginator as RawPaginator

T = TypeVar("T")


@attrs.frozen
class DecodedPage(Generic[T]):
    """A page of a listing, whatever kind of paging it came by."""

    items: list[T]
    total_count: int | None = None
    total_page: int | None = None
    has_next: bool | None = None
    has_previous: bool | None = None
    end_cursor: str | None = None
    start_cursor: str | None = None
    repaired: int = 0
    """Rows that the fast decoder refused and that were read field by field."""


@cache
def _fast_decoder() -> Callable[[Call, httpx.Response], DecodedPage[Any] | None] | None:
    """Reads pages straight from their bytes, where the `[fast]` extra is installed."""
    try:
        from ._fast import read_page
    except ModuleNotFoundError:
        return None
    return read_page


def decode_json(call: Call, response: httpx.Response) -> Any:
    """The body as JSON."""
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        pass
    # Outside the handler: its context would carry the whole body.
    raise decode_error(call, response, "the body is empty" if not response.content else "the body is not JSON")


def decode_one(call: Call, response: httpx.Response) -> Any:
    """The object that the operation reads."""
    body = decode_json(call, response)
    if not _has_field(call, "success"):
        _refuse_failure(call, response, body)
    return _object(call, response, body)


def decode_create(call: Call, response: httpx.Response) -> str:
    """The id of what was created."""
    body = decode_json(call, response)
    _refuse_failure(call, response, body)
    created = _inside(body, "created_item_id")
    if isinstance(created, int) and not isinstance(created, bool):
        created = str(created)
    if isinstance(created, str) and created:
        return created
    raise decode_error(call, response, "the answer names no created_item_id; what was to be created may exist")


def decode_write(call: Call, response: httpx.Response) -> None:
    """Nothing, unless the server says that the write failed. An empty body is a success, so is an unknown one."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        body = None
    _refuse_failure(call, response, body)
    if body is None and "html" in response.headers.get("content-type", ""):
        raise decode_error(call, response, "a web page came back: something between here and the API answered")


def decode_url(call: Call, response: httpx.Response) -> str:
    """The address that the operation signs."""
    url = _inside(decode_json(call, response), "url")
    if isinstance(url, str) and url:
        return url
    raise decode_error(call, response, "the answer has no url")


_AROUND_ROWS = frozenset(("data", "meta", "count", "pageInfo"))


def decode_page(call: Call, response: httpx.Response) -> DecodedPage[Any]:
    """One page: `{data, meta}`, `{data: {data, pageInfo}}`, or a bare list."""
    fast = _fast_decoder()
    if fast is not None and (page := fast(call, response)) is not None:
        return page
    body = decode_json(call, response)
    holder: Any = body["data"] if is_object(body) and is_object(body.get("data")) else body
    _refuse_failure(call, response, body)
    rows = holder.get("data") if is_object(holder) else holder
    # Go leaves an empty list out or writes null; an answer with neither list nor envelope is something else.
    if rows is None and is_object(holder) and (not _AROUND_ROWS.isdisjoint(holder) or holder == {} != body):
        rows = []
    items = _items(call, rows)
    if items is None:
        raise decode_error(call, response, "the answer is no page: it has no list of objects")
    return page_of(items, body, holder, repaired=0 if fast is None else len(items))


def _items(call: Call, rows: Any) -> list[Any] | None:
    if not is_list(rows):
        return None
    from_dict = getattr(call.op.model, "from_dict", dict)
    try:
        return [from_dict(row or {}) for row in rows]
    except (AttributeError, TypeError, KeyError, ValueError):
        return None


def page_of(items: list[Any], body: Any, holder: Any, repaired: int = 0) -> DecodedPage[Any]:
    """The page that these items and the envelope around them make."""
    meta = _dict(_dict(body).get("meta"))
    info = _dict(_dict(holder).get("pageInfo"))
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


_DECODERS: dict[str, Callable[[Call, Any], Any]] = {
    "one": decode_one,
    "export": decode_one,
    "create": decode_create,
    "write": decode_write,
    "url": decode_url,
}


def decode(call: Call, response: httpx.Response) -> Any:
    """The result of the operation, by its kind; a page for what lists."""
    decoder = _DECODERS.get(call.op.kind)
    return decode_page(call, response) if decoder is None else decoder(call, response)


@attrs.frozen(eq=False)
class RawResponse(Generic[T]):
    """An answer as it came, and what it means by `parse()`."""

    status_code: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes = attrs.field(repr=False)
    elapsed: float
    """Seconds that the whole call took, retries included."""
    _parse: Callable[[], T] = attrs.field(repr=False)

    def parse(self) -> T:
        """What the answer means."""
        return self._parse()

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.content)


def _object(call: Call, response: httpx.Response, body: Any) -> Any:
    payload = body
    if is_object(body) and "data" in body and not _has_field(call, "data"):
        payload = body["data"]
    items = _items(call, [payload]) if is_object(payload) else None
    if not items:
        raise decode_error(call, response, "the answer holds no object")
    return items[0]


def _has_field(call: Call, wire: str) -> bool:
    return any(field.wire == wire for field in getattr(call.op.model, "FIELDS", ()))


def _inside(body: Any, name: str) -> Any:
    """A field of the answer, in the `data` envelope or without it."""
    fields = _dict(body)
    return fields.get(name) or _dict(fields.get("data")).get(name)


def _refuse_failure(call: Call, response: httpx.Response, body: Any) -> None:
    if _dict(body).get("success") is False:
        raise request_failed(call, response)


def _dict(value: Any) -> Mapping[str, Any]:
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
