"""Models as Arrow batches: wire names, types from the spec, nothing lost.

What has no column (fields that the model does not know, values that did not fit theirs) goes into one JSON column,
`_extra`, in the shape in which it came.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._extras import require

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from adsecurity_generated._model import Field, Model
else:
    pa = require("pyarrow", extra="parquet")
    pq = require("pyarrow.parquet", extra="parquet")

BATCH_ROWS = 131_072
"""Rows in a batch, and in a row group of a Parquet file: large enough to compress, small enough to hold."""

EXTRA = "_extra"
_INT64 = 2**63


class Columns:
    """The Arrow columns of a model."""

    def __init__(self, model: type[Model]) -> None:
        self._fields = model.FIELDS
        self._types = [_arrow_type(field, model, ()) for field in self._fields]
        self.schema = pa.schema(
            [pa.field(field.wire, kind) for field, kind in zip(self._fields, self._types, strict=True)]
            + [pa.field(EXTRA, pa.string())]
        )

    def batch(self, rows: Sequence[Model]) -> pa.RecordBatch:
        """One batch of rows."""
        lost: list[dict[str, Any]] = [{} for _ in rows]
        arrays = [
            pa.array(_column(field, kind, rows, lost), kind)
            for field, kind in zip(self._fields, self._types, strict=True)
        ]
        for row, extra in zip(rows, lost, strict=True):
            for wire, value in row.additional_properties.items():
                extra.setdefault(wire, value)
        texts = [json.dumps(extra, ensure_ascii=False, default=str) if extra else None for extra in lost]
        return pa.record_batch([*arrays, pa.array(texts, pa.string())], schema=self.schema)


def _arrow_type(field: Field, owner: type[Model], above: tuple[str, ...]) -> pa.DataType:
    simple = {
        "string": pa.string(),
        "number": pa.float64(),
        "integer": pa.int64(),
        "boolean": pa.bool_(),
        "date-time": pa.timestamp("us", "UTC"),
        "date": pa.date32(),
    }
    if field.kind in simple:
        return simple[field.kind]
    if field.kind == "array" and field.items is not None:
        return pa.list_(_arrow_type(field.items, owner, above))
    if field.kind == "map" and field.items is not None:
        return pa.map_(pa.string(), _arrow_type(field.items, owner, above))
    if field.kind == "object" and field.model not in above:
        nested = owner.nested(field.model)
        inner = [pa.field(f.wire, _arrow_type(f, nested, (*above, field.model))) for f in nested.FIELDS]
        if inner:
            return pa.struct(inner)
    # Anything goes, or a type that holds itself: as the JSON text that came.
    return pa.string()


def _column(field: Field, kind: pa.DataType, rows: Sequence[Model], lost: list[dict[str, Any]]) -> list[Any]:
    values = [getattr(row, field.attr) for row in rows]
    if field.kind == "integer":
        for place, value in enumerate(values):
            if value is not None and not -_INT64 <= value < _INT64:
                lost[place][field.wire], values[place] = value, None
    elif field.kind not in ("string", "number", "boolean", "date-time", "date"):
        for place, value in enumerate(values):
            if value is not None:
                values[place], extra = _nested(value, kind)
                if extra:
                    lost[place][field.wire] = extra
    return values


def _nested(value: Any, kind: pa.DataType) -> tuple[Any, Any]:
    """A nested value as Arrow takes it, and what has no place in its type."""
    if pa.types.is_struct(kind):
        extra: dict[str, Any] = dict(value.additional_properties)
        data: dict[str, Any] = {}
        for field in value.FIELDS:
            data[field.wire], inner = _nested(getattr(value, field.attr), kind.field(field.wire).type)
            if inner:
                extra[field.wire] = inner
        return data, extra
    if value is None:
        return None, None
    if pa.types.is_list(kind):
        pairs = [_nested(item, kind.value_type) for item in value]
        extras = [extra for _, extra in pairs]
        return [item for item, _ in pairs], extras if any(extras) else None
    if pa.types.is_map(kind):
        items = {key: _nested(item, kind.item_type) for key, item in value.items()}
        return [(key, item) for key, (item, _) in items.items()], {k: extra for k, (_, extra) in items.items() if extra}
    if pa.types.is_string(kind) and not isinstance(value, str):
        to_dict = getattr(value, "to_dict", None)
        return json.dumps(to_dict() if to_dict else value, ensure_ascii=False, default=str), None
    if pa.types.is_integer(kind) and not -_INT64 <= value < _INT64:
        return None, value
    return value, None
