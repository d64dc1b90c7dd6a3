"""Pages whose rows stay JSON: only what paging asks of a row is read from it, its key and its time.

`decode_raw_page` takes the place of the session's decoder. A page that msgspec refuses, and everything that is an
error, is left to that decoder.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import attrs

from adsecurity_generated._values import read_time

from ..codec.page import DecodedPage, page_of
from ..codec.response import decode_page
from ..flow.extras import require
from .arrow import Columns
from .json_columns import JsonColumns

if TYPE_CHECKING:
    import httpx

    from adsecurity_generated._model import Field
    from adsecurity_generated._operation import Operation

    from ..codec.failure import CallContext

msgspec: Any = require("msgspec", extra="parquet")

_KEYS: dict[str, Any] = {"string": str | None, "integer": int | None}


class RawPage:
    """The rows of one page as they came."""

    def __init__(self, call: CallContext, response: httpx.Response, rows: bytes, count: int) -> None:
        self.rows = rows
        """A JSON array."""
        self.count = count
        self._call, self._response = call, response
        self._models: list[Any] | None = None

    def models(self) -> list[Any]:
        """The rows as models; raises what decoding the page raises."""
        if self._models is None:
            self._models = decode_page(self._call, self._response).items
        return self._models


class RawRow(msgspec.Struct, eq=False, gc=False):  # type: ignore[misc, call-arg]
    """One row of a raw page. Its key and its time are attributes; anything else is read by its model."""

    raw_page: Any = msgspec.field(name=" page", default=None)
    raw_place: Any = msgspec.field(name=" place", default=None)

    def model(self) -> Any:
        return self.raw_page.models()[self.raw_place]

    def to_dict(self) -> Any:
        """As the model's."""
        return self.model().to_dict()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.model(), name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RawRow) and bool(self.model() == other.model())

    __hash__ = None  # type: ignore[assignment]


@attrs.frozen
class _Decoders:
    envelope: Any
    rows: Any


@lru_cache(256)
def _decoders(op: Operation[Any]) -> _Decoders | None:
    """None for an operation whose rows need models to become columns."""
    if JsonColumns.of(op.model, Columns(op.model)) is None:
        return None
    fields: dict[str, Field] = {field.wire: field for field in getattr(op.model, "FIELDS", ())}
    columns: list[tuple[str, Any, Any]] = []
    namespace: dict[str, Any] = {}
    key = fields.get(op.range.key if op.range else "id")
    if key is not None and key.kind in _KEYS:
        columns.append((key.attr, _KEYS[key.kind], msgspec.field(name=key.wire, default=None)))
    time = fields.get(op.range.time_field) if op.range else None
    if time is not None and time.kind == "date-time":
        columns.append(("raw_time", Any, msgspec.field(name=time.wire, default=None)))
        namespace[time.attr] = property(_time)
    row = msgspec.defstruct("Row", columns, bases=(RawRow,), namespace=namespace, eq=False, gc=False)
    raw = msgspec.Raw
    data = raw if op.kind == "pages" else msgspec.defstruct("Data", [("data", raw, raw()), ("pageInfo", Any, None)])
    page = msgspec.defstruct("Page", [("data", data), ("meta", Any, None), ("success", Any, None)])
    return _Decoders(msgspec.json.Decoder(page), msgspec.json.Decoder(list[row]))  # type: ignore[valid-type]


def _time(row: Any) -> datetime | None:
    time: datetime | None = read_time(row.raw_time)[0]
    return time


def decode_raw_page(call: CallContext, response: httpx.Response) -> DecodedPage[Any]:
    """One page; its items are raw rows that lead to their `RawPage`, or models where only those will do."""
    decoders = _decoders(call.op)
    return (decoders and _raw(decoders, call, response)) or decode_page(call, response)


def _raw(decoders: _Decoders, call: CallContext, response: httpx.Response) -> DecodedPage[Any] | None:
    try:
        page = decoders.envelope.decode(response.content)
        holder = page if call.op.kind == "pages" else page.data
        rows = decoders.rows.decode(holder.data)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    if page.success is False:
        return None
    raw_page = RawPage(call, response, holder.data, len(rows))
    for place, row in enumerate(rows):
        row.raw_page, row.raw_place = raw_page, place
    return page_of(rows, {"meta": page.meta}, {"pageInfo": getattr(holder, "pageInfo", None)})
