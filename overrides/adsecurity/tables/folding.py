"""A batch in another schema: what has no column there goes to `_extra`, beside what is there already."""

from __future__ import annotations

import json
from typing import Any

from .arrow import EXTRA, json_text, pa


def fold(batch: Any, schema: Any) -> Any:
    """The batch with the columns of the schema, in its order; those that it lacks are null, and nothing is lost.

    Raises `pyarrow.ArrowInvalid` where a column is of a type that does not become that of the schema.
    """
    if batch.schema.equals(schema):
        return batch
    found = dict(zip(batch.schema.names, batch.columns, strict=True))
    others = [name for name in found if name not in schema.names]
    if others:
        known = [*others, EXTRA] if EXTRA in found else others
        rows = batch.select(known).to_pylist()
        found[EXTRA] = pa.array([_with(row.pop(EXTRA, None), row) for row in rows], pa.string())
    columns = [found[field.name] if field.name in found else pa.nulls(batch.num_rows, field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _with(extra: str | None, values: dict[str, Any]) -> str | None:
    values = {name: value for name, value in values.items() if value is not None}
    return json_text({**json.loads(extra or "{}"), **values}) if values else extra
