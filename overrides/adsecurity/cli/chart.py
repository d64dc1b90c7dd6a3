"""Bars: in the terminal, and as a picture in an HTML file that loads nothing."""

from __future__ import annotations

import html
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from ..display.printable import printable
from .output import note

Row = dict[str, Any]

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def label(row: Row, split: Sequence[str]) -> str:
    return " / ".join(printable(str(row[name])) or "-" for name in split)


def amount(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def bar(share: float, width: int, *, plain: bool) -> str:
    """A bar of this share of the width, in eighths of a cell where the terminal has them."""
    if plain:
        return "#" * round(share * width)
    whole, rest = divmod(round(share * width * 8), 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")


def draw_terminal(rows: Sequence[Row], split: Sequence[str], metric: str) -> None:
    """A line for each row: its label, its bar, its number."""
    if not rows:
        note("nothing found")
        return
    try:
        _EIGHTHS.encode(sys.stdout.encoding or "ascii")
        plain = False
    except (LookupError, UnicodeEncodeError):
        plain = True
    labels = [label(row, split) for row in rows]
    numbers = [amount(row[metric]) for row in rows]
    widest, longest = max(map(len, numbers)), min(40, max(map(len, labels)))
    width = max(10, shutil.get_terminal_size((100, 24)).columns - longest - widest - 4)
    most = max(*(row[metric] for row in rows), 0)
    print(f"{metric} by {', '.join(split)}")
    for row, name, number in zip(rows, labels, numbers, strict=True):
        shown = name if len(name) <= longest else name[: longest - 3] + "..."
        share = row[metric] / most if most > 0 else 0
        print(f"{shown:<{longest}}  {number:>{widest}}  {bar(max(share, 0), width, plain=plain)}".rstrip())


_LINE, _LEFT, _WIDTH = 26, 280, 620

_STYLE = (
    "body{font:14px system-ui,sans-serif;margin:2em;color:#1b1f24;background:#fff}"
    "text{font:13px system-ui,sans-serif;fill:#1b1f24}.n{fill:#57606a}rect{fill:#3572b0}"
    "@media(prefers-color-scheme:dark){body{background:#14171a;color:#e6e8ea}text{fill:#e6e8ea}.n{fill:#a0a8b0}}"
)


def draw_html(rows: Sequence[Row], split: Sequence[str], metric: str) -> str:
    """A page with the bars as SVG; no script, no font, no address in it."""
    title = html.escape(f"{metric} by {', '.join(split)}")
    most = max((row[metric] for row in rows), default=0)
    lines: list[str] = []
    for number, row in enumerate(rows):
        name = label(row, split)
        shown = html.escape(name if len(name) <= 40 else name[:37] + "...")
        share = max(row[metric] / most, 0) if most > 0 else 0
        top, length = number * _LINE, share * _WIDTH
        lines.append(
            f"<g><title>{html.escape(name)}: {amount(row[metric])}</title>"
            f'<text x="{_LEFT - 10}" y="{top + 17}" text-anchor="end">{shown}</text>'
            f'<rect x="{_LEFT}" y="{top + 3}" width="{length:.1f}" height="{_LINE - 6}" rx="2"/>'
            f'<text class="n" x="{_LEFT + length + 8:.1f}" y="{top + 17}">{amount(row[metric])}</text></g>'
        )
    size = f"0 0 {_LEFT + _WIDTH + 120} {max(len(rows), 1) * _LINE}"
    picture = f'<svg viewBox="{size}" role="img" aria-label="{title}" style="max-width:1020px">{"".join(lines)}</svg>'
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"</head><body><h1>{title}</h1>{picture if rows else '<p>nothing found</p>'}</body></html>\n"
    )
