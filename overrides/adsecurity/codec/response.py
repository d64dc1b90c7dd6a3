"""Decoding responses, without I/O: into what the operation promises, or into one of our errors.

Servers change: unknown fields, unknown success statuses and missing envelopes are accepted where the meaning is clear.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from .failure import CallContext, decode_error, request_failed
from .page import DecodedPage, as_object, page_of
from .secrets import is_list, is_object

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

_SMALL = 16 * 1024  # bytes
_pages = count()


@cache
def _fast_decoder() -> Callable[[CallContext, httpx.Response], DecodedPage[Any] | None] | None:
    """The decoder that reads pages straight from their bytes; None unless the `[fast]` extra is installed."""
    try:
        from .msgspec_decoder import read_page
    except ModuleNotFoundError:
        return None
    return read_page


def decode_json(call: CallContext, response: httpx.Response) -> Any:
    """Decode the body as JSON."""
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        pass
    # Raised outside the except block: inside, the error's __context__ would hold the whole body.
    raise decode_error(call, response, "the body is empty" if not response.content else "the body is not JSON")


def decode_one(call: CallContext, response: httpx.Response) -> Any:
    """Decode the object that the operation reads."""
    body = decode_json(call, response)
    if not _has_field(call, "success"):
        _raise_if_failed(call, response, body)
    return _object(call, response, body)


def decode_create(call: CallContext, response: httpx.Response) -> str:
    """Decode the id of the created object."""
    body = decode_json(call, response)
    _raise_if_failed(call, response, body)
    created = _field(body, "created_item_id")
    if isinstance(created, int) and not isinstance(created, bool):
        created = str(created)
    if isinstance(created, str) and created:
        return created
    raise decode_error(call, response, "the answer names no created_item_id; what was to be created may exist")


def decode_write(call: CallContext, response: httpx.Response) -> None:
    """Return nothing, or raise if the server reports a failure. An empty or unknown body counts as a success."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        body = None
    _raise_if_failed(call, response, body)
    if body is None and "html" in response.headers.get("content-type", ""):
        raise decode_error(call, response, "a web page came back: something between here and the API answered")


def decode_url(call: CallContext, response: httpx.Response) -> str:
    """Decode the signed URL."""
    url = _field(decode_json(call, response), "url")
    if isinstance(url, str) and url:
        return url
    raise decode_error(call, response, "the answer has no url")


_ENVELOPE_FIELDS = frozenset(("data", "meta", "count", "pageInfo"))


def decode_page(call: CallContext, response: httpx.Response) -> DecodedPage[Any]:
    """Decode one page: `{data, meta}`, `{data: {data, pageInfo}}`, or a bare list."""
    # A program that reads one small page is done before the fast decoder would be imported.
    fast = _fast_decoder() if len(response.content) > _SMALL or next(_pages) else None
    if fast is not None and (page := fast(call, response)) is not None:
        return page
    body = decode_json(call, response)
    holder: Any = body["data"] if is_object(body) and is_object(body.get("data")) else body
    _raise_if_failed(call, response, body)
    rows = holder.get("data") if is_object(holder) else holder
    if rows is None and is_object(holder) and _is_empty_page(holder, body):
        rows = []
    items = _items(call, rows)
    if items is None:
        raise decode_error(call, response, "the answer is no page: it has no list of objects")
    return page_of(items, body, holder, repaired=0 if fast is None else len(items))


def _is_empty_page(holder: Mapping[str, Any], body: Any) -> bool:
    """Whether an object without rows is still a page: Go omits an empty list or writes null."""
    if not _ENVELOPE_FIELDS.isdisjoint(holder):
        return True
    # {"data": {}}
    return not holder and holder != body


def _items(call: CallContext, rows: Any) -> list[Any] | None:
    if not is_list(rows):
        return None
    from_dict = getattr(call.op.model, "from_dict", dict)
    try:
        return [from_dict(row or {}) for row in rows]
    except (AttributeError, TypeError, KeyError, ValueError):
        return None


def decode_any(call: CallContext, response: httpx.Response) -> Any:
    """Decode the JSON of a call of which nothing else is known."""
    body = decode_json(call, response)
    _raise_if_failed(call, response, body)
    return body


_DECODERS: dict[str, Callable[[CallContext, Any], Any]] = {
    "one": decode_one,
    "export": decode_one,
    "create": decode_create,
    "write": decode_write,
    "url": decode_url,
    "json": decode_any,
}


def decode(call: CallContext, response: httpx.Response) -> Any:
    """Decode the result of the operation according to its kind; lists give a page."""
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


def _field(body: Any, name: str) -> Any:
    """A field of the response, at the top level or inside the `data` envelope."""
    fields = as_object(body)
    return fields.get(name) or as_object(fields.get("data")).get(name)


def _raise_if_failed(call: CallContext, response: httpx.Response, body: Any) -> None:
    if as_object(body).get("success") is False:
        raise request_failed(call, response)
