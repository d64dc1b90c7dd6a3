"""Models as Arrow batches: wire names, types from the spec, nothing lost.

What has no column (fields that the model does not know, values that did not fit theirs) goes into one JSON column,
`_extra`, in the shape in which it came; so does what Arrow cannot hold, an integer beyond 64 bits for instance.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol

from adsecurity_generated._values import encode

from ..flow.drivers import stream, stream_async
from ..flow.extras import require
from ..flow.steps import BlockingCall, Call, Chunk, Flow, Step

if TYPE_CHECKING:
    from adsecurity_generated._model import Field


pa: Any = require("pyarrow", extra="parquet")

BATCH_ROWS = 8192
"""Rows in a batch: few enough to be held as models, enough to be worth a call."""

EXTRA = "_extra"

LEAVES: Mapping[str, Any] = {
    "string": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "date-time": pa.timestamp("us", "UTC"),
    "date": pa.date32(),
}
_UNFIT = (OverflowError, TypeError, ValueError)
"""What Arrow raises for a value that it cannot hold."""

Lost = dict[int, dict[str, Any]]
"""By row, then by wire name: what has no place in the columns."""
Split = Callable[[Any], tuple[Any, Any]]
"""Takes a value apart: what Arrow takes, and what has no place in it (None: nothing)."""


class PageIterator(Protocol):
    """Pages of a list, each with its `items`, or something else that reads them one after the other."""

    def __next__(self) -> Any: ...
    def close(self) -> None: ...


class AsyncPageIterator(Protocol):
    """As `PageIterator`."""

    async def __anext__(self) -> Any: ...
    async def aclose(self) -> None: ...


class Columns:
    """The Arrow columns of a model; of anything else, all of it is in `_extra`."""

    def __init__(self, model: Any) -> None:
        fields: tuple[Field, ...] = getattr(model, "FIELDS", ())
        self._columns = [(field, *_shape(field, model, ())) for field in fields]
        self.schema = pa.schema([(field.wire, kind) for field, kind, _ in self._columns] + [(EXTRA, pa.string())])

    def batch(self, rows: Sequence[Any]) -> Any:
        """One batch of rows."""
        # Not by `additional_properties`, which makes a dict for each row that has none.
        extras: list[Any] = [row if isinstance(row, dict) else getattr(row, "_extra", None) for row in rows]
        lost: Lost = {place: dict(extra) for place, extra in enumerate(extras) if extra}
        arrays = [
            column(field.wire, list(map(attrgetter(field.attr), rows)), kind, split, lost, flat=_is_flat(field))
            for field, kind, split in self._columns
        ]
        return pa.record_batch([*arrays, extra_column(lost, len(rows))], schema=self.schema)


def column(wire: str, values: list[Any], kind: Any, split: Split, lost: Lost, *, flat: bool) -> Any:
    """The values as an array; what does not fit into it goes to `lost`."""
    if flat:
        try:
            return pa.array(values, kind)
        except _UNFIT:
            # One of them, perhaps: the others stay where they are.
            pass
    taken: list[Any] = []
    for place, value in enumerate(values):
        inner, extra = split(value)
        taken.append(inner)
        if extra is not None:
            lost.setdefault(place, {})[wire] = extra
    return pa.array(taken, kind)


def extra_column(lost: Lost, count: int) -> Any:
    return pa.array([json_text(lost[place]) if place in lost else None for place in range(count)], pa.string())


def json_text(value: Any) -> str:
    data = encode(value)
    text = json.dumps(data, ensure_ascii=False, default=str)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(data, default=str)
    return text


def _is_flat(field: Field | None) -> bool:
    """Arrow takes the values as they are."""
    return field is not None and (field.kind in LEAVES or (field.kind == "array" and _is_flat(field.items)))


def _shape(field: Field, owner: Any, above: tuple[str, ...]) -> tuple[Any, Split]:
    """The type of a field, and how its values are taken apart."""
    if field.kind in LEAVES:
        return LEAVES[field.kind], leaf(LEAVES[field.kind])
    if field.kind in ("array", "map") and field.items is not None:
        kind, split = _shape(field.items, owner, above)
        if field.kind == "array":
            return pa.list_(kind), partial(_list, split)
        return pa.map_(pa.string(), kind), partial(_map, split)
    if field.kind == "object" and field.model not in above:
        nested = owner.nested(field.model)
        inner = [(f.wire, f.attr, *_shape(f, nested, (*above, field.model))) for f in nested.FIELDS]
        if inner:
            parts = [(wire, attr, split) for wire, attr, _, split in inner]
            return pa.struct([(wire, kind) for wire, _, kind, _ in inner]), partial(_struct, parts)
    # Anything goes, or a type that holds itself: as JSON.
    return pa.string(), lambda value: (None if value is None else json_text(value), None)


def leaf(kind: Any) -> Split:
    def split(value: Any) -> tuple[Any, Any]:
        try:
            pa.scalar(value, kind)
        except _UNFIT:
            return None, value
        return value, None

    return split


def _list(split: Split, value: Any) -> tuple[Any, Any]:
    if value is None:
        return None, None
    pairs = [split(item) for item in value]
    extras = [extra for _, extra in pairs]
    return [item for item, _ in pairs], None if all(extra is None for extra in extras) else extras


def _map(split: Split, value: Any) -> tuple[Any, Any]:
    if value is None:
        return None, None
    pairs = {key: split(item) for key, item in value.items()}
    extras = {key: extra for key, (_, extra) in pairs.items() if extra is not None}
    return [(key, item) for key, (item, _) in pairs.items()], extras or None


def _struct(parts: list[tuple[str, str, Split]], value: Any) -> tuple[Any, Any]:
    if value is None:
        return None, None
    extras = dict(getattr(value, "_extra", None) or {})
    data: dict[str, Any] = {}
    for wire, attr, split in parts:
        data[wire], extra = split(getattr(value, attr))
        if extra is not None:
            extras[wire] = extra
    return data, extras or None


def batching(columns: Columns, read: Callable[[], Any], hand: Callable[[Any], Step]) -> Flow[Step, None]:
    """Hand on the rows of a list in batches; `read` gives its next page, or None.

    A batch ends where a page ends, and rows that were read before an error are handed on before it is raised: the
    checkpoint is always that of the last batch.
    """
    rows: list[Any] = []
    while True:
        try:
            page: Any = yield Call(read)
        except Exception:
            if rows:
                yield hand((yield BlockingCall(partial(columns.batch, rows))))
            raise
        if page is not None:
            rows += page.items
        if rows and (page is None or len(rows) >= BATCH_ROWS):
            yield hand((yield BlockingCall(partial(columns.batch, rows))))
            rows = []
        if page is None:
            return


def reading(model: Any, pages: PageIterator) -> Any:
    """The items of a list as a reader of batches."""
    columns = Columns(model)

    def batches() -> Iterator[Any]:
        with closing(pages):
            yield from stream(batching(columns, partial(next, pages, None), Chunk))

    return pa.RecordBatchReader.from_batches(columns.schema, batches())


async def areading(model: Any, pages: AsyncPageIterator) -> AsyncGenerator[Any, None]:
    """As `reading`."""
    async with (
        aclosing(pages),
        aclosing(stream_async(batching(Columns(model), partial(anext, pages, None), Chunk))) as batches,
    ):
        async for batch in batches:
            yield batch


def table(model: Any, batches: Sequence[Any]) -> Any:
    return pa.Table.from_batches(batches, Columns(model).schema)
