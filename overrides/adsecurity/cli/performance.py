"""`adsecurity report performance`: totals by day, offer, publisher or any other column, as a table or as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from .base import CONTEXT, common, settings_of
from .chart import draw_html, draw_terminal
from .connect import open_client
from .description import Operation
from .failures import Usage
from .nearest import nearest
from .output import FORMATS, Output, TextFile, choose
from .rows import plain, write_rows
from .settings import Settings
from .shared import (
    INTEGRATION,
    SURFACE,
    Range,
    find_operation,
    integration_of,
    names,
    range_keywords,
    range_options,
)

Row = dict[str, Any]

_METRICS = ["clicks_total", "conversions_total", "payout", "revenue"]
"""What is shown unless it is chosen."""


@click.command("performance", context_settings=CONTEXT)
@SURFACE
@INTEGRATION
@range_options
@click.option("--by", multiple=True, metavar="COLUMNS", help="What to split by: offer, ...  [default: date]")
@click.option("--metric", "metrics", multiple=True, metavar="COLUMNS", help="Totals to show; the first one is drawn.")
@click.option("--chart", is_flag=True, help="Draw bars instead of a table.")
@click.option("--top", type=click.IntRange(1), default=25, show_default=True, help="Bars to draw, the largest first.")
@click.option("-o", "--output", default="", metavar="FORMAT|FILE", help="table, csv, json, chart.html, ...")
@common
def command(
    surface: str | None,
    integration: str,
    by: tuple[str, ...],
    metrics: tuple[str, ...],
    chart: bool,
    top: int,
    output: str,
    **given: Any,
) -> None:
    """Add up the clicks, conversions and amounts of some days.

    A file chart.html is a picture that needs no network.

    \b
    adsecurity report performance --integration integration-1 --since 7d --by offer --chart
    """
    settings = settings_of(click.get_current_context())
    operation = find_operation("reports", "performance", surface or "", settings)
    html = output.lower().endswith((".html", ".htm"))
    to = choose(output.rpartition(".")[0] + ".csv" if html else output, formats=[f for f in FORMATS if f != "parquet"])
    split, totals = _columns(operation, names(by) or ["date"], names(metrics))
    when = Range(**given)
    rows = _read(operation, integration_of(operation, integration), when, split, totals, settings)
    rows = added_up(rows, split, totals)
    # Days in their order, everything else by size.
    rows.sort(key=lambda row: row[split[0]] if split == ["date"] else -row[totals[0]])
    if html:
        with TextFile(to.path.with_name(output.rpartition("/")[2]) if to.path else None) as out:
            out.write(draw_html(rows[:top], split, totals[0]))
    elif chart:
        draw_terminal(rows[:top], split, totals[0])
    else:
        _write(rows, [*split, *totals], to)


def _columns(operation: Operation, split: list[str], totals: list[str]) -> tuple[list[str], list[str]]:
    """The columns asked for; those to split by are texts and days, those to add up are numbers that can be added."""
    texts = [name for name, kind in operation.columns.items() if kind in ("string", "date")]
    numbers = [
        name
        for name, kind in operation.columns.items()
        if kind in ("integer", "number") and not name.endswith(("_rate", "_risk"))
    ]
    for option, asked, known in (("--by", split, texts), ("--metric", totals, numbers)):
        for name in asked:
            if name not in known:
                near = nearest(name, known, 4) or known[:8]
                raise Usage(f"{option}: there is no {name!r} here; near it: {', '.join(near)} (nothing was sent)")
    return split, totals or [name for name in _METRICS if name in numbers]


def _read(
    operation: Operation, integration: str, when: Range, split: list[str], totals: list[str], settings: Settings
) -> list[Row]:
    from .report import half_open

    keywords = range_keywords(operation, when.span(operation), when.timezone)
    with open_client(operation.surface, settings) as client:
        method = client.reports.performance
        rows = method(integration_id=integration, columns=[*split, *totals], **keywords, **half_open(method))
        return [plain(row) for row in rows]


def added_up(rows: Sequence[Row], split: Sequence[str], totals: Sequence[str]) -> list[Row]:
    """One row for each group: a server may split by more than was asked for."""
    found: dict[tuple[str, ...], Row] = {}
    for row in rows:
        key = tuple(str(row.get(name) or "") for name in split)
        sums = found.setdefault(key, {**dict(zip(split, key, strict=True)), **dict.fromkeys(totals, 0)})
        for name in totals:
            sums[name] += row.get(name) or 0
    for sums in found.values():
        for name in totals:
            # Sums of amounts end in noise behind the tenth place or so.
            sums[name] = round(sums[name], 4)
    return list(found.values())


def _write(rows: list[Row], columns: list[str], to: Output) -> None:
    if to.form == "table":
        from .table import show_rows

        show_rows(rows, columns, frozenset())
    else:
        write_rows(to, rows, columns, columns)
