"""Lists of models as small tables, in HTML for notebooks and in text for prompts."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from adsecurity_generated import SECRET_NAMES

from .cells import cell, telling

_ROWS = 20
_WIDTH = 40
"""Characters of a cell."""


class _Table(NamedTuple):
    columns: list[str]
    rows: list[list[str]]
    note: str


def _row(item: Any) -> dict[str, Any]:
    found = item.to_dict() if hasattr(item, "to_dict") else item
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {"": found}


def _table(items: Sequence[Any], total: int | None) -> _Table:
    """The first rows with the columns that say most, and what else there is."""
    rows = [_row(item) for item in items[:_ROWS]]
    known = list(dict.fromkeys(name for row in rows for name in row))
    columns = telling(rows, SECRET_NAMES)
    cells = [[_cut(cell(name, row.get(name), SECRET_NAMES)) for name in columns] for row in rows]
    notes = [f"{len(rows)} of {len(items)} items" if len(rows) < len(items) else f"{len(items)} items"]
    if total is not None and total > len(items):
        notes.append(f"{total} in all")
    if len(columns) < len(known):
        notes.append(f"{len(columns)} of {len(known)} columns")
    return _Table(columns, cells, ", ".join(notes))


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def as_html(items: Sequence[Any], *, title: str = "", total: int | None = None) -> str:
    """A table for a notebook."""
    table = _table(items, total)
    head = "".join(f"<th>{html.escape(name)}</th>" for name in table.columns)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(text)}</td>' for text in row)}</tr>" for row in table.rows)
    drawn = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if table.rows else ""
    shown = f"<b>{html.escape(title)}</b> " if title else ""
    return f"<div>{drawn}<p>{shown}{html.escape(table.note)}</p></div>"


def as_text(items: Sequence[Any], *, title: str = "", total: int | None = None) -> str:
    """A table for a prompt."""
    table = _table(items, total)
    lines = [table.columns, *table.rows] if table.rows else []
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    drawn = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([*drawn, f"{title} {table.note}".strip()])
