"""A batch that takes the columns of another schema loses nothing."""

from __future__ import annotations

import pyarrow as pa

from adsecurity.tables.folding import fold

SCHEMA = pa.schema([("a", pa.string()), ("c", pa.float64()), ("_extra", pa.string())])


def test_what_has_no_column_joins_what_is_in_extra_and_what_is_lacking_is_null() -> None:
    batch = pa.record_batch({"a": ["1", "2"], "new": ["x", None], "_extra": ['{"b": 1}', None]})
    assert fold(batch, SCHEMA).to_pylist() == [
        {"a": "1", "c": None, "_extra": '{"b": 1, "new": "x"}'},
        {"a": "2", "c": None, "_extra": None},
    ]


def test_extra_begins_where_there_was_none_and_columns_take_the_type_that_is_wanted() -> None:
    batch = pa.record_batch({"new": [1, None], "c": [2, 3], "a": ["x", "y"]})
    folded = fold(batch, SCHEMA)
    assert folded.schema == SCHEMA
    assert folded.to_pylist() == [
        {"a": "x", "c": 2.0, "_extra": '{"new": 1}'},
        {"a": "y", "c": 3.0, "_extra": None},
    ]


def test_a_batch_that_has_the_schema_is_the_batch_itself() -> None:
    batch = pa.record_batch([["1"], [1.0], [None]], schema=SCHEMA)
    assert fold(batch, SCHEMA) is batch
