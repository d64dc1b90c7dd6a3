"""Reading answers, without I/O: what an operation promises comes out, or one of our errors.

Servers grow: unknown fields, unknown success statuses and missing envelopes are read as far as they make sense.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from .failure import CallContext, decode_error, request_failed
from .page import DecodedPage, as_object, page_of
from .secrets import is_list, is_object

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")


@cache
def _fast_decoder() -> Callable[[CallContext, httpx.Response], DecodedPage[Any] | None] | None:
    """Reads pages straight from their bytes, where the `[fast]` extra is installed."""
    try:
        from .msgspec_decoder import read_page
    except ModuleNotFoundError:
        return None
    return read_page


def decode_json(call: CallContext, response: httpx.Response) -> Any:
    """The body as JSON."""
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        pass
    # Outside the handler: its context would carry the whole body.
    raise decode_error(call, response, "the body is empty" if not response.content else "the body is not JSON")


def decode_one(call: CallContext, response: httpx.Response) -> Any:
    """The object that the operation reads."""
    body = decode_json(call, response)
    if not _has_field(call, "success"):
        _refuse_failure(call, response, body)
    return _object(call, response, body)


def decode_create(call: CallContext, response: httpx.Response) -> str:
    """The id of what was created."""
    body = decode_json(call, response)
    _refuse_failure(call, response, body)
    created = _inside(body, "created_item_id")
    if isinstance(created, int) and not isinstance(created, bool):
        created = str(created)
    if isinstance(created, str) and created:
        return created
    raise decode_error(call, response, "the answer names no created_item_id; what was to be created may exist")


def decode_write(call: CallContext, response: httpx.Response) -> None:
    """Nothing, unless the server says that the write failed. An empty body is a success, so is an unknown one."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        body = None
    _refuse_failure(call, response, body)
    if body is None and "html" in response.headers.get("content-type", ""):
        raise decode_error(call, response, "a web page came back: something between here and the API answered")


def decode_url(call: CallContext, response: httpx.Response) -> str:
    """The address that the operation signs."""
    url = _inside(decode_json(call, response), "url")
    if isinstance(url, str) and url:
        return url
    raise decode_error(call, response, "the answer has no url")


_AROUND_ROWS = frozenset(("data", "meta", "count", "pageInfo"))


def decode_page(call: CallContext, response: httpx.Response) -> DecodedPage[Any]:
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


def _items(call: CallContext, rows: Any) -> list[Any] | None:
    if not is_list(rows):
        return None
    from_dict = getattr(call.op.model, "from_dict", dict)
    try:
        return [from_dict(row or {}) for row in rows]
    except (AttributeError, TypeError, KeyError, ValueError):
        return None


_DECODERS: dict[str, Callable[[CallContext, Any], Any]] = {
    "one": decode_one,
    "export": decode_one,
    "create": decode_create,
    "write": decode_write,
    "url": decode_url,
}


def decode(call: CallContext, response: httpx.Response) -> Any:
    """The result of the operation, by its kind; a page for what lists."""
    decoder = _DECODERS.get(call.op.kind)
    return decode_page(call, response) if decoder is None else decoder(call, response)


def _object(call: CallContext, response: httpx.Response, body: Any) -> Any:
    payload = body
    if is_object(body) and "data" in body and not _has_field(call, "data"):
        payload = body["data"]
    items = _items(call, [payload]) if is_object(payload) else None
    if not items:
        raise decode_error(call, response, "the answer holds no object")
    return items[0]


def _has_field(call: CallContext, wire: str) -> bool:
    return any(field.wire == wire for field in getattr(call.op.model, "FIELDS", ()))


def _inside(body: Any, name: str) -> Any:
    """A field of the answer, in the `data` envelope or without it."""
    fields = as_object(body)
    return fields.get(name) or as_object(fields.get("data")).get(name)


def _refuse_failure(call: CallContext, response: httpx.Response, body: Any) -> None:
    if as_object(body).get("success") is False:
        raise request_failed(call, response)
