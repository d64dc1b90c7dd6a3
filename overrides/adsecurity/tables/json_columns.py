"""JSON rows straight into Arrow batches, by pyarrow's own parser, with the types of the spec.

What the parser refuses, and what it reads differently from the models, is refused here: such a page goes by models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import attrs

from adsecurity_generated._values import Verdict, plain_reader

from ..flow.extras import require
from .arrow import LEAVES, Columns, Lost, column, extra_column, leaf, pa
from .text_columns import cast, numbers_as_sent

if TYPE_CHECKING:
    from adsecurity_generated._model import Field

pa_json: Any = require("pyarrow.json", extra="parquet")

_TIMES = ("date-time", "date")


class Refused(Exception):
    """These rows have to be read by models."""


@attrs.frozen
class Parsed:
    """How a field is parsed, and what makes the column of it."""

    kind: Any
    finish: Callable[[Any], Any]


class JsonColumns:
    """The columns of a model, out of JSON arrays of its rows."""

    def __init__(self, columns: Columns, parsed: Sequence[Parsed], fields: Sequence[Field]) -> None:
        self._schema = columns.schema
        self._fields = fields
        self._finish = [way.finish for way in parsed]
        row = pa.struct([(field.wire, way.kind) for field, way in zip(fields, parsed, strict=True)])
        self._documents = pa.schema([("rows", pa.list_(row))])

    @classmethod
    def of(cls, model: Any, columns: Columns) -> Self | None:
        """None for a model with fields that have no one type: those are JSON text in their column."""
        fields: tuple[Field, ...] = getattr(model, "FIELDS", ())
        parsed = [_parsed(field, model, ()) for field in fields]
        known = [way for way in parsed if way is not None]
        return cls(columns, known, fields) if fields and len(known) == len(parsed) else None

    def batch(self, pages: Sequence[bytes], count: int) -> Any:
        """All rows of these JSON arrays as one batch; raises `Refused`."""
        # In one step: each further one would copy all pages again.
        documents = b"".join([part for page in pages for part in (b'{"rows":', page, b"}\n")])
        try:
            rows = _read(documents, self._documents).column(0).combine_chunks().flatten()
            # Arrow takes bytes that are no text for text.
            rows.validate(full=True)
        except pa.ArrowInvalid as error:
            raise Refused from error
        if len(rows) != count:
            raise Refused
        columns = list(zip(self._fields, rows.flatten(), self._finish, strict=True))
        # All at once: each call that lets other threads run may have to wait for them.
        numbers = [array for field, array, _ in columns if field.kind == "number"]
        if numbers and not numbers_as_sent(pa.concat_arrays(numbers)):
            raise Refused
        lost: Lost = {}
        arrays = [_top_column(field, array, finish, lost) for field, array, finish in columns]
        return pa.record_batch([*arrays, extra_column(lost, count)], schema=self._schema)


def _top_column(field: Field, values: Any, finish: Callable[[Any], Any], lost: Lost) -> Any:
    if field.kind == "number":
        return values
    return _times(field, values, lost) if field.kind in _TIMES else finish(values)


def _times(field: Field, texts: Any, lost: Lost) -> Any:
    """A column of times; where one of them is odd, all of them are read one by one."""
    found = cast(texts, field.kind)
    if found is not None:
        return found
    read, kind = plain_reader(field.kind)[0], LEAVES[field.kind]
    fits = leaf(kind)

    def split(text: str | None) -> tuple[Any, Any]:
        if text is None:
            return None, None
        value, verdict = read(text)
        return (None, text) if verdict is Verdict.UNFIT else fits(value)

    return column(field.wire, texts.to_pylist(), kind, split, lost, flat=False)


def _parsed(field: Field, owner: Any, above: tuple[str, ...]) -> Parsed | None:
    if field.kind in _TIMES:
        return Parsed(pa.string(), lambda texts: _must(cast(texts, field.kind)))
    if field.kind == "number":
        return Parsed(pa.float64(), _numbers)
    if field.kind in LEAVES:
        return Parsed(LEAVES[field.kind], _same)
    if field.kind == "array" and field.items is not None:
        items = _parsed(field.items, owner, above)
        return None if items is None else Parsed(pa.list_(items.kind), lambda lists: _lists(lists, items))
    if field.kind == "object" and field.model not in above:
        nested = owner.nested(field.model)
        inner = {f.wire: _parsed(f, nested, (*above, field.model)) for f in nested.FIELDS}
        parts = {wire: part for wire, part in inner.items() if part is not None}
        if inner and len(parts) == len(inner):
            kind = pa.struct([(wire, part.kind) for wire, part in parts.items()])
            return Parsed(kind, lambda structs: _structs(structs, parts))
    return None


def _must(found: Any) -> Any:
    if found is None:
        raise Refused
    return found


def _same(values: Any) -> Any:
    return values


def _numbers(values: Any) -> Any:
    return _must(values if numbers_as_sent(values) else None)


def _lists(lists: Any, items: Parsed) -> Any:
    # To the models a list that holds null does not fit its field.
    if lists.values.null_count:
        raise Refused
    values = items.finish(lists.values)
    if values is lists.values or values.type == lists.values.type:
        return lists
    return pa.ListArray.from_arrays(lists.offsets, values, mask=lists.is_null())


def _structs(structs: Any, parts: dict[str, Parsed]) -> Any:
    inner = [part.finish(structs.field(place)) for place, part in enumerate(parts.values())]
    kind = pa.struct([(wire, array.type) for wire, array in zip(parts, inner, strict=True)])
    if kind == structs.type:
        return structs
    return pa.StructArray.from_arrays(inner, fields=list(kind), mask=structs.is_null())


def _read(documents: bytes, schema: Any) -> Any:
    """JSON objects, one a line, as a table; ArrowInvalid for anything that is not of the schema."""
    return pa_json.read_json(
        pa.BufferReader(documents),
        read_options=pa_json.ReadOptions(use_threads=False, block_size=len(documents) + 1),
        parse_options=pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
    )
