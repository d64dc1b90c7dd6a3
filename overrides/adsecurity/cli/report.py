"""`adsecurity report`: rows of some days, or totals of them, to a terminal, a pipe or a file."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import click

from .base import CONTEXT, common, settings_of
from .connect import open_client
from .description import Operation
from .failures import Usage
from .output import Output, choose, note
from .settings import Settings
from .shared import (
    FIELDS,
    INTEGRATION,
    SURFACE,
    Range,
    check_fields,
    find_operation,
    integration_of,
    names,
    range_keywords,
    range_options,
)
from .values import conditions

KINDS = ("clicks", "conversions", "impressions")
SHOWN = 100
"""Rows that a terminal gets unless more are asked for."""


@click.group("report", context_settings=CONTEXT)
@common
def command() -> None:
    """Read the rows or the totals of some days."""


def _rows_command(kind: str) -> click.Command:
    @click.command(kind, context_settings=CONTEXT, help=_HELP.format(kind=kind))
    @SURFACE
    @INTEGRATION
    @range_options
    @FIELDS
    @click.option("--filter", "filters", multiple=True, metavar="FIELD=VALUE", help="Only rows of which this is true.")
    @click.option("--concurrency", type=click.IntRange(1, 64), default=1, help="Workers that share the range.")
    @click.option("--limit", type=click.IntRange(0), metavar="ROWS", help="At most so many rows.")
    @click.option("--all", "everything", is_flag=True, help="All rows also to a terminal.")
    @click.option("-o", "--output", default="", metavar="FORMAT|FILE", help="clicks.parquet, clicks.csv, table, ...")
    @click.option("--resume", default="", metavar="FILE", help="Go on from the file that an interrupted report left.")
    @common
    def report(**given: Any) -> None:
        _report(kind, given, settings_of(click.get_current_context()))

    return report


_HELP = """Read {kind} row by row.

The range is half-open: its start belongs to it, its end does not, so ranges that meet share no row and miss none. A
report into a file that breaks off leaves its rows and a file for --resume.

\b
adsecurity report {kind} --integration integration-1 --since 7d --concurrency 8 -o {kind}.parquet
"""


def _report(kind: str, given: dict[str, Any], settings: Settings) -> None:
    if given["resume"]:
        from .reading import resume

        resume(Path(given["resume"]), settings)
        return
    operation = find_operation("reports", kind, given["surface"] or "", settings)
    output = choose(given["output"])
    fields = names(given["fields"])
    check_fields(operation.columns, fields)
    if given["limit"] is not None and given["concurrency"] > 1:
        raise Usage("--limit and --concurrency exclude each other: workers read ahead what a limit leaves out")
    keywords = _keywords(operation, given, fields)
    limit = given["limit"]
    if limit is None and output.on_terminal and not given["everything"] and given["concurrency"] == 1:
        limit = SHOWN
    if output.path is not None and limit is None:
        from .reading import Job, read

        read(Job(operation, keywords, fields, output, given["concurrency"]), settings)
        return
    _show(operation, keywords, fields, output, limit, settings, told=given["limit"] is not None)


def _keywords(operation: Operation, given: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    when = Range(given["since"], given["until"], given["yesterday"], given["month"], given["timezone"])
    known = {argument.name for argument in operation.arguments}
    keywords: dict[str, Any] = {"integration_id": integration_of(operation, given["integration"])}
    keywords.update(range_keywords(operation, when.span(operation), when.timezone))
    if fields and "fields" in known:
        # The end of the range is left out by each row's time, so that has to come along; it is not written.
        keywords["fields"] = list(dict.fromkeys([*fields, operation.range_time]))
    if given["filters"]:
        try:
            compared = conditions(given["filters"])
        except ValueError as error:
            raise Usage(f"--filter: {error}") from None
        keywords.update(_filters(operation, compared, known))
    return keywords


def _filters(operation: Operation, compared: dict[str, Any], known: set[str]) -> dict[str, Any]:
    """Conditions in the way of the API: a map, or a list of objects."""
    if "filter" in known:
        return {"filter": compared}
    listed: list[dict[str, Any]] = []
    for field, value in compared.items():
        if isinstance(value, dict):
            [(operator, inner), *_] = value.items()  # pyright: ignore[reportUnknownVariableType]
            listed.append({"field": field, "operator": operator, "value": inner})
        else:
            listed.append(
                {"field": field, "operator": "is any of" if isinstance(value, list) else "is", "value": value}
            )
    return {"filters": listed}


def half_open(method: Any) -> dict[str, Any]:
    """The keyword that leaves out the end of a range, which the server may or may not include."""
    return {"inclusive": "left"} if "inclusive" in inspect.signature(method).parameters else {}


def _show(
    operation: Operation,
    keywords: dict[str, Any],
    fields: list[str],
    output: Output,
    limit: int | None,
    settings: Settings,
    *,
    told: bool,
) -> None:
    """Rows to a terminal or a pipe, or so many of them to a file."""
    from .operations import Listing, write_listing

    with open_client(operation.surface, settings) as client:
        method = getattr(client.reports, operation.name)
        paginator = method(**keywords, **half_open(method))
        if output.form == "parquet":
            from .rows import write_parquet

            write_parquet(output, paginator.to_arrow_batches(), fields, limit)
            return
        listing = Listing(paginator, limit, 100)
        count = write_listing(operation, listing, tuple(fields), output)
    if listing.more and not told:
        note(f"{count:,} rows; --all gives the rest, as does a pipe or a file (-o rows.csv)")


for _kind in KINDS:
    command.add_command(_rows_command(_kind))


def _add_performance() -> None:
    from . import performance

    command.add_command(performance.command)


_add_performance()
