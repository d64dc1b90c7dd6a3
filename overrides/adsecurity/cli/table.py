"""Lists and objects as tables for people, with rich."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from ..display.cells import cell, telling
from ..display.printable import printable
from .output import TextFile, is_terminal, note


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
