"""What tables for people show of rows: the columns that say most, and a short text for each value."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..codec.secrets import MASK, redact
from .printable import printable

_MOST = 8
"""Columns shown unless they are chosen."""
_LONG = 60
_FIRST = ("id", "name", "title", "email", "status", "active", "date")


def _rank(name: str) -> int:
    """What comes first says most: names, then times, then what is no id of something else."""
    if name in _FIRST:
        return _FIRST.index(name)
    if name.endswith(("_time", "_at")):
        return 10
    return 30 if name.endswith("_id") else 20


def telling(rows: Sequence[Mapping[str, Any]], secrets: Collection[str], most: int = _MOST) -> list[str]:
    """The columns that say most: those with short, plain values in them, names and ids first."""
    seen: dict[str, bool] = {}
    for row in rows:
        for name, value in row.items():
            short = isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= _LONG)
            full = value is not None and value != ""
            seen[name] = seen.get(name, True) and (short or not full)
    useful = [
        name for name, short in seen.items() if short and name not in secrets and any(_full(row, name) for row in rows)
    ]
    # What is the same in every row tells none from another.
    same = {name for name in useful if len(rows) > 1 and len({str(row.get(name)) for row in rows}) == 1}
    return sorted(useful, key=lambda name: (name in same, _rank(name)))[:most] or sorted(seen)[:most]


def _full(row: Mapping[str, Any], name: str) -> bool:
    value = row.get(name)
    return value is not None and value != ""


def cell(name: str, value: Any, secrets: Collection[str]) -> str:
    """A value on one line, with secrets masked at every depth."""
    if value is None or value == "":
        return ""
    if name in secrets:
        return MASK
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        value = json.dumps(redact(value, secrets, ()), ensure_ascii=False, default=str)
    return printable(value).replace("\n", " ")
