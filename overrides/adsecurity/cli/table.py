"""Lists and objects as tables for people, with rich."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from .nearest import printable
from .output import TextFile, is_terminal, note
from .rows import dumps

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


def telling(rows: Sequence[dict[str, Any]], secrets: frozenset[str], most: int = _MOST) -> list[str]:
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


def _full(row: dict[str, Any], name: str) -> bool:
    value = row.get(name)
    return value is not None and value != ""


def cell(name: str, value: Any, secrets: frozenset[str]) -> str:
    if value is None or value == "":
        return ""
    if name in secrets:
        return "***"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(value if isinstance(value, str) else dumps(value)).replace("\n", " ")


def _console(out: Any) -> Any:
    from rich.console import Console

    if out is sys.stdout and is_terminal(sys.stdout):
        # COLUMNS, NO_COLOR and TERM=dumb are rich's to honour.
        return Console(file=out, highlight=False, emoji=False, markup=False)
    return Console(
        file=out, width=int(os.environ.get("COLUMNS", 0)) or 10_000, no_color=True, markup=False, emoji=False
    )


def _grid(header: bool) -> Any:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD if header else None, show_header=header, pad_edge=False, header_style="bold")


def fitting(rows: Sequence[dict[str, Any]], names: Sequence[str], secrets: frozenset[str], width: int) -> list[str]:
    """As many of the columns as have room; two at least, cut if they must be."""
    found: list[str] = []
    left = width
    for name in names:
        left -= max(len(name), *(len(cell(name, row.get(name), secrets)) for row in rows)) + 3
        if left < 0 and len(found) >= 2:
            break
        found.append(name)
    return found


def show_rows(rows: Sequence[Any], columns: Sequence[str], secrets: frozenset[str]) -> None:
    """A table of the rows; without chosen columns, of the most telling ones."""
    from rich.text import Text

    known = list(dict.fromkeys(name for row in rows for name in row))
    console = _console(sys.stdout)
    shown = list(columns) or fitting(rows, telling(rows, secrets), secrets, console.width)
    grid = _grid(header=True)
    for name in shown:
        numbers = all(isinstance(row.get(name), int | float | None) for row in rows)
        grid.add_column(Text(printable(name)), justify="right" if numbers and rows else "left", overflow="ellipsis")
    for row in rows:
        grid.add_row(*(Text(cell(name, row.get(name), secrets)) for name in shown))
    with TextFile(None):
        if rows:
            console.print(grid)
    if not rows:
        note("nothing found")
    elif not columns and len(known) > len(shown):
        note(f"{len(shown)} of {len(known)} columns; --columns chooses, -o json shows all")


def show_object(found: Any, columns: Sequence[str], secrets: frozenset[str]) -> None:
    """An object, a line for each field that holds something."""
    from rich.text import Text

    grid = _grid(header=False)
    grid.add_column(style="bold")
    grid.add_column(overflow="fold")
    for name in columns or found:
        text = cell(name, found.get(name), secrets)
        if text or columns:
            grid.add_row(Text(printable(name)), Text(text))
    with TextFile(None) as out:
        _console(out).print(grid)
