"""The columns of a source: from Arrow types to Spark's, and those that are wanted of them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from ..errors import PaginationError
from ..flow.extras import require
from ..paging.clock import Seconds, Span
from ..tables.arrow import EXTRA, pa

pc: Any = require("pyarrow.compute", extra="spark")


def spark_type(kind: Any, quote: str = "`") -> str:
    """An Arrow type as Spark writes it."""
    if pa.types.is_list(kind):
        return f"array<{spark_type(kind.value_type, quote)}>"
    if pa.types.is_map(kind):
        return f"map<{spark_type(kind.key_type, quote)},{spark_type(kind.item_type, quote)}>"
    if pa.types.is_struct(kind):
        inner = (f"{quote}{field.name}{quote}:{spark_type(field.type, quote)}" for field in kind)
        return f"struct<{','.join(inner)}>"
    return _LEAVES[kind]


_LEAVES = {
    pa.string(): "string",
    pa.float64(): "double",
    pa.int64(): "bigint",
    pa.bool_(): "boolean",
    pa.timestamp("us", "UTC"): "timestamp",
    pa.date32(): "date",
}


def ddl(schema: Any) -> str:
    """An Arrow schema as Spark's DDL."""
    return ", ".join(f"`{field.name}` {spark_type(field.type)}" for field in schema)


def of_file(rows: Any, columns: Sequence[str]) -> Any:
    """The schema of an export's file with these columns, whose rows have the schema `rows`. In a CSV file lists of
    strings have a type of their own, other nested values are text, and so is what the rows do not know."""
    kinds = {field.name: field.type for field in rows}
    fields = [(name, _in_a_cell(kinds.get(name, pa.string()))) for name in dict.fromkeys(columns)]
    return pa.schema([*fields, (EXTRA, pa.string())])


def _in_a_cell(kind: Any) -> Any:
    return kind if kind in _LEAVES or kind == pa.list_(pa.string()) else pa.string()


def chosen(schema: Any, fields: Sequence[str] | None) -> Any:
    """The schema with these columns of it alone, and `_extra`. Raises ValueError for one that is not there."""
    if not fields:
        return schema
    for name in fields:
        if name not in schema.names:
            raise ValueError(f"fields: there is no {name!r}{_near(name, schema)}")
    return pa.schema([field for field in schema if field.name in fields or field.name == EXTRA])


def columns_of(wanted: Any, schema: Any) -> list[str]:
    """The columns that a schema given to Spark names. Raises ValueError where they are not those of the source."""
    for field in wanted.fields:
        if field.name not in schema.names:
            raise ValueError(f"schema: there is no {field.name!r}{_near(field.name, schema)}")
        kind = spark_type(schema.field(field.name).type, quote="")
        if field.dataType.simpleString() != kind:
            raise ValueError(f"schema: {field.name} is of type {kind}, not {field.dataType.simpleString()}")
    return [field.name for field in wanted.fields]


def _near(name: str, schema: Any) -> str:
    names: list[str] = schema.names
    near = get_close_matches(name, names, 3)
    return f"; near it: {', '.join(near)}" if near else ""


def within(batch: Any, name: str, clock: Seconds, span: Span) -> Any:
    """The rows of a batch whose time lies in a half-open span, for which a little more was asked for.

    Raises PaginationError for a row without a time and for one from outside of what was asked for: neither can be told
    to belong to this span or to another, and left out it might be lost.
    """
    times, asked = batch.column(name), clock.widened(span)
    start, end = clock.start(span[0]), clock.start(span[1])
    earliest, latest = clock.reach(asked[0])[0], clock.reach(asked[1])[1]
    if times.null_count:
        raise PaginationError(f"{times.null_count} rows have no {name} that can be read, so no span is theirs for sure")
    outside = pc.or_(pc.less(times, earliest), pc.greater_equal(times, latest))
    if pc.any(outside).as_py():
        raise PaginationError(
            f"a row came from outside of {clock.text(asked[0])} to {clock.text(asked[1])}, which was asked for, so the"
            f" server's {name} or time zone is another than spans rely on"
        )
    return batch.filter(pc.and_(pc.greater_equal(times, start), pc.less(times, end)))
