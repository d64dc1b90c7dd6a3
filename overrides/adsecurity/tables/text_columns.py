"""Columns of text read as the types of the spec: a whole column at once where Arrow reads it as the models do.

Arrow accepts texts that the models refuse (`007`, `.5`, `nan`) and reads some differently (the year 1). `cast` gives
None for a column that holds one of them; its values are then read one by one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, tzinfo
from functools import partial, reduce
from math import inf
from typing import Any

from adsecurity_generated._values import all_text

from ..flow.extras import require

pa: Any = require("pyarrow", extra="parquet")
pc: Any = require("pyarrow.compute", extra="parquet")

TIMESTAMP = pa.timestamp("us", "UTC")
TEXTS = pa.list_(pa.string())

NO_TIME = pa.array(
    ["", "0001-01-01T00:00:00Z", "0001-01-01", "0001-01-01 00:00:00", "0000-00-00", "0000-00-00 00:00:00"], pa.string()
)
"""What servers send for a time that there is not."""

# A time of the year 1 is no time, and which year it is depends on its zone; the last days have no UTC in Python.
_FIRST_TIME, _LAST_TIME = datetime(2, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
_FIRST_DATE = date(2, 1, 1)
# Outside of these years the clock changes that Arrow knows may not be those of Python's zone data.
_FIRST_LOCAL, _LAST_LOCAL = datetime(1970, 1, 2), datetime(2037, 1, 1)
_NUMBER = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"
_MAX_DIGITS = 400
_NEGATIVE_ZERO = -(2**63)
"""The bits of -0.0, as an integer: no other number has smaller ones."""


def cast(texts: Any, kind: str, zone: tzinfo | None = UTC) -> Any:
    """The texts as an array of the type of `kind`; None where one of them needs to be read by itself.

    `kind` is a kind of the spec, or `texts` for a list of strings in JSON. A time without a zone is in `zone`.
    """
    try:
        match kind:
            case "string":
                return texts
            case "integer":
                return _integers(without_empty(texts))
            case "number":
                return _numbers(without_empty(texts))
            case "boolean":
                return without_empty(texts).cast(pa.bool_())
            case "date":
                return _without_no_time(texts, _dates)
            case "date-time":
                return _without_no_time(texts, partial(_times, zone=zone))
            case "texts":
                return _lists(without_empty(texts))
            case _:
                raise ValueError(f"no kind of a column: {kind!r}")
    except pa.ArrowInvalid:
        pass
    return None


def without_empty(texts: Any) -> Any:
    """The texts, null where they are empty."""
    return _without(texts, pc.equal(texts, ""))


def _without(texts: Any, nothing: Any) -> Any:
    if not _is_true(nothing):
        return texts
    # Not if_else: that of pyarrow 20 gives other texts where the array is a slice.
    return pc.replace_with_mask(texts, nothing, pa.scalar(None, texts.type))


def _is_true(condition: Any) -> bool:
    """Whether any value of the column fulfils it."""
    return bool(pc.any(condition).as_py())


def _integers(texts: Any) -> Any:
    found = texts.cast(pa.int64())
    # Not 007, +1 or 0x1F: only the one way to write a number.
    return None if _is_true(pc.not_equal(found.cast(pa.string()), texts)) else found


def _numbers(texts: Any) -> Any:
    found = texts.cast(pa.float64())
    odd = (
        pc.invert(pc.match_substring_regex(texts, _NUMBER)),
        pc.greater_equal(pc.binary_length(texts), _MAX_DIGITS),
        pc.invert(pc.is_finite(found)),
    )
    return None if _is_true(reduce(pc.or_, odd)) else found


def numbers_as_sent(found: Any) -> bool:
    """Whether numbers out of JSON are what the models have: none is -0, which Python reads as 0, and none infinite."""
    ends = pc.min_max(found).as_py()
    least_bits = pc.min(found.view(pa.int64())).as_py()
    return least_bits != _NEGATIVE_ZERO and -inf not in ends.values() and inf not in ends.values()


def _without_no_time(texts: Any, read: Callable[[Any], Any]) -> Any:
    # Most columns have a time in every row: those are cast as they are.
    with suppress(pa.ArrowInvalid):
        if (found := read(texts)) is not None:
            return found
    return read(_without(texts, pc.is_in(texts, value_set=NO_TIME)))


def _dates(texts: Any) -> Any:
    found = texts.cast(pa.date32())
    return found if _within(found, _FIRST_DATE, date.max) else None


def _times(texts: Any, zone: tzinfo | None) -> Any:
    local = partial(_local_times, zone=zone)
    # All of them name their zone, or none does. A cast that fails takes as long as fifty that do not, so the one that
    # may work comes first.
    first, second = (_zoned_times, local) if _is_true(pc.ends_with(texts, "Z")) else (local, _zoned_times)
    try:
        found = first(texts)
    except pa.ArrowInvalid:
        found = second(texts)
    return found if found is not None and _within(found, _FIRST_TIME, _LAST_TIME) else None


def _zoned_times(texts: Any) -> Any:
    return texts.cast(TIMESTAMP)


def _local_times(texts: Any, zone: tzinfo | None) -> Any:
    found = texts.cast(pa.timestamp("us"))
    if zone is None:
        return None
    if str(zone) == "UTC":
        return found.cast(TIMESTAMP)
    if not _within(found, _FIRST_LOCAL, _LAST_LOCAL):
        return None
    # Of two hours of one name the later one; an hour that is left out is an error here.
    return pc.assume_timezone(found, str(zone), ambiguous="latest", nonexistent="raise").cast(TIMESTAMP)


def _within(found: Any, first: Any, last: Any) -> bool:
    ends = pc.min_max(found)
    # As numbers: Python has no times after the year 9999.
    least, most = (ends[name].value for name in ("min", "max"))
    return least is None or (least >= pa.scalar(first, found.type).value and most <= pa.scalar(last, found.type).value)


def _lists(texts: Any) -> Any:
    # The same few lists come again and again: each is read once, and all of them together.
    encoded = texts.dictionary_encode()
    distinct: list[str] = encoded.dictionary.to_pylist()
    if not distinct:
        return pa.nulls(len(texts), TEXTS)
    try:
        # No text can lean on its neighbours: each must be one whole value in its own brackets, and no list in a list.
        boxes: list[list[Any]] = json.loads("[[" + "],\n[".join(distinct) + "]]")
        if len(boxes) != len(distinct) or not all(len(box) == 1 and _is_list(box[0]) for box in boxes):
            return None
        lists = pa.array([box[0] for box in boxes], TEXTS)
    except (ValueError, RecursionError):
        return None
    return lists.take(encoded.indices)


def _is_list(value: Any) -> bool:
    return value is None or all_text(value)
