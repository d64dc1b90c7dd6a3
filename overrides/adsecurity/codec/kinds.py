"""The JSON kinds: which one a Python value is sent as, and whether it fits what is wanted."""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

_KINDS = ("array", "boolean", "integer", "null", "number", "object", "string")
_ARTICLES = {"array": "an array", "integer": "an integer", "object": "an object"}


def article(kind: str) -> str:
    """The kind as a message names it."""
    return _ARTICLES.get(kind, f"a {kind}")


def kind_of(value: Any) -> str:
    """The JSON kind that a Python value is sent as, or the name of its type if it cannot be sent."""
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str | date):
        return "string"
    # Not int and float alone: the numbers of numpy and pandas are neither.
    if isinstance(value, Integral):
        return "integer"
    if isinstance(value, Real | Decimal):
        return "number"
    if isinstance(value, Mapping) or hasattr(value, "to_dict"):
        return "object"
    name = type(value).__name__
    if isinstance(value, Sequence) and name not in ("bytes", "bytearray", "memoryview"):
        return "array"
    if value is None:
        return "null"
    # A class may be called like a JSON kind: `object` is.
    return f"{name} instance" if name in _KINDS else name


def fits(kind: str, wanted: Collection[str]) -> bool:
    """Whether a value of this kind is one of those that are wanted; whole numbers are numbers."""
    return kind in wanted or (kind == "integer" and "number" in wanted)


def id_as(wanted: Collection[str], path_id: Any) -> Any:
    """A path id as the body field that repeats it has it: the one may be a number and the other a text."""
    if tuple(wanted) == ("string",) and kind_of(path_id) == "integer":
        return str(path_id)
    if tuple(wanted) == ("integer",) and isinstance(path_id, str) and re.fullmatch(r"-?[0-9]{1,18}", path_id):
        return int(path_id)
    return path_id
