"""Models as Arrow batches: wire names, types from the spec, nothing lost.

What has no column (fields that the model does not know, values that did not fit theirs) goes into one JSON column,
`_extra`, in the shape in which it came; so does what Arrow cannot hold, an integer beyond 64 bits for instance.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from adsecurity_generated._values import encode

from ..errors import ResponseDecodeError
from ..flow.extras import require

if TYPE_CHECKING:
    from adsecurity_generated._model import Field


pa: Any = require("pyarrow", extra="parquet")

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
"""By row number, then by wire name: what does not fit its column."""
Split = Callable[[Any], tuple[Any, Any]]
"""Splits a value into what its column takes and what goes to `_extra` (None: nothing)."""


class Columns:
    """The Arrow columns of a model. A row without a model is in `_extra` as a whole."""

    def __init__(self, model: Any) -> None:
        fields: tuple[Field, ...] = getattr(model, "FIELDS", ())
        self._columns = [(field, *_shape(field, model, ())) for field in fields]
        self.schema = pa.schema([(field.wire, kind) for field, kind, _ in self._columns] + [(EXTRA, pa.string())])

    def batch(self, rows: Sequence[Any]) -> Any:
        """One batch of rows."""
        # `additional_properties` would make a dict for every row.
        extras: list[Any] = [row if isinstance(row, dict) else getattr(row, "_extra", None) for row in rows]
        lost: Lost = {number: dict(extra) for number, extra in enumerate(extras) if extra}
        arrays = [
            column(field.wire, list(map(attrgetter(field.attr), rows)), kind, split, lost, flat=_is_flat(field))
            for field, kind, split in self._columns
        ]
        return pa.record_batch([*arrays, extra_column(lost, len(rows))], schema=self.schema)


def column(wire: str, values: list[Any], kind: Any, split: Split, lost: Lost, *, flat: bool) -> Any:
    """The values as an array; what does not fit goes to `lost`. `flat` says that most fit unsplit."""
    if flat:
        try:
            return pa.array(values, kind)
        except _UNFIT:
            # At least one does not fit: each is looked at.
            pass
    fitting: list[Any] = []
    for number, value in enumerate(values):
        inner, extra = split(value)
        fitting.append(inner)
        if extra is not None:
            lost.setdefault(number, {})[wire] = extra
    return pa.array(fitting, kind)


def extra_column(lost: Lost, count: int) -> Any:
    """The column `_extra`, of so many rows."""
    if not lost:
        return pa.nulls(count, pa.string())
    return pa.array([json_text(lost[number]) if number in lost else None for number in range(count)], pa.string())


def json_text(value: Any) -> str:
    """The value as JSON; a text that is not valid Unicode is escaped."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=_jsonable)
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(value, default=_jsonable)
    except RecursionError:
        raise ResponseDecodeError("a value is nested too deeply to be written as JSON") from None
    return text


def _jsonable(value: Any) -> Any:
    plain = encode(value)
    return str(value) if plain is value else plain


def _is_flat(field: Field | None) -> bool:
    """Whether Arrow takes the values as they are."""
    return field is not None and (field.kind in LEAVES or (field.kind == "array" and _is_flat(field.items)))


def _shape(field: Field, owner: Any, above: tuple[str, ...]) -> tuple[Any, Split]:
    """The type of a field, and how its values are split."""
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
    # A field of any type, or a model that contains itself, is written as JSON.
    return pa.string(), lambda value: (None if value is None else json_text(value), None)


def leaf(kind: Any) -> Split:
    """Splits off the values that Arrow cannot hold in a column of this type."""

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
