"""`adsecurity export`: starts an export, waits for it, downloads it, and says how to go on when it is interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from .. import errors
from ..display.progress import Bar
from .base import CONTEXT, common, settings_of
from .connect import open_client
from .description import Operation
from .failures import Usage
from .output import Output, choose, note
from .rows import plain, write_rows
from .settings import Settings
from .shared import (
    FIELDS,
    INTEGRATION,
    SURFACE,
    Range,
    again,
    check_fields,
    find_operation,
    integration_of,
    names,
    range_keywords,
    range_options,
    unit_of,
)

_GO_ON = (errors.APIConnectionError, errors.ExportTimeout, errors.DownloadError, errors.ServerError)
"""What an export outlives."""
KINDS = ("clicks", "conversions", "impressions", "postbacks")


class _Wishes(NamedTuple):
    output: Output
    wait: float
    allow_truncated: bool
    timezone: str


@click.command("export", context_settings=CONTEXT)
@click.argument("kind", type=click.Choice(KINDS))
@SURFACE
@INTEGRATION
@range_options
@FIELDS
@click.option("-o", "--output", default="", metavar="FILE|FORMAT", help="clicks.parquet, clicks.csv, ...")
@click.option("--resume", default="", metavar="ID", help="Go on with an export that was started before.")
@click.option("--wait", default=3600.0, metavar="SECONDS", help="How long to wait for the server.  [default: 3600]")
@click.option("--allow-truncated", is_flag=True, help="Take a file from which the server left out rows.")
@common
def command(
    kind: str,
    surface: str | None,
    integration: str,
    fields: tuple[str, ...],
    output: str,
    resume: str,
    wait: float,
    allow_truncated: bool,
    **given: Any,
) -> None:
    """Make an export of KIND, wait for it, and download it.

    Without --integration and days there is nothing to export; --resume takes up one that was started before. Ctrl-C
    ends the waiting, not the export: the command that goes on is printed.

    \b
    adsecurity export clicks --integration integration-1 --since 7d -o clicks.parquet
    """
    settings = settings_of(click.get_current_context())
    to = choose(output, formats=("ndjson", "json", "csv", "parquet"))
    if to.form == "parquet" and to.path is None:
        raise Usage("-o: an export becomes a Parquet file: name one, as in -o clicks.parquet")
    if to.on_terminal:
        raise Usage("say where to: -o clicks.csv or -o clicks.parquet (nothing was sent)")
    operation = find_operation("exports", kind, surface or "", settings)
    when = Range(**given)
    wishes = _Wishes(to, wait, allow_truncated, when.timezone)
    if resume:
        _resume(operation, resume, wishes, settings)
    else:
        _start(operation, integration_of(operation, integration), when, names(fields), wishes, settings)


def _start(
    operation: Operation, integration: str, when: Range, fields: list[str], wishes: _Wishes, settings: Settings
) -> None:
    check_fields(operation.exported, fields)
    if not fields and not operation.exported:
        raise Usage(f"say which fields of {operation.name} are wanted, by --fields: there is no list of them here")
    span = when.span(operation)
    if unit_of(operation) == "day":
        # The end of such an export is its last day, so the day that is left out is the one behind it.
        from datetime import timedelta

        span = span._replace(end=span.end - timedelta(days=1))
    keywords = range_keywords(operation, span, when.timezone)
    keywords["fields"] = fields or list(operation.exported)
    if any(argument.name == "extra_parameters" for argument in operation.arguments):
        keywords["extra_parameters"] = []
    with open_client(operation.surface, settings) as client:
        job = getattr(client.exports, operation.name)(integration, **keywords)
        note(f"export {job.id} is started")
        _finish(operation, job, wishes, settings)


def _resume(operation: Operation, export: str, wishes: _Wishes, settings: Settings) -> None:
    with open_client(operation.surface, settings) as client:
        job = client.exports.resume(export, timezone=wishes.timezone or None)
        _finish(operation, job, wishes, settings)


def _finish(operation: Operation, job: Any, wishes: _Wishes, settings: Settings) -> None:
    """Wait and fetch; whatever ends it early leaves the command that goes on."""
    try:
        job.wait(timeout=wishes.wait, allow_truncated=wishes.allow_truncated, progress=True)
        _fetch(operation, job, wishes)
    except (KeyboardInterrupt, *_GO_ON):
        words = ["export", operation.name, "--resume", job.id]
        if wishes.output.path is not None:
            words += ["-o", str(wishes.output.path)]
        if wishes.timezone:
            words += ["--timezone", wishes.timezone]
        line = again(*words, surface=operation.surface, settings=settings)
        note(f"export {job.id} goes on at the server. Go on with it by:\n  {line}")
        raise


def _fetch(operation: Operation, job: Any, wishes: _Wishes) -> None:
    path, form = wishes.output.path, wishes.output.form
    allow = {"allow_truncated": wishes.allow_truncated}
    if path is None or form in ("ndjson", "json"):
        rows = job.rows(**allow)
        with Bar(f"export {job.id}", total=job.total) as bar:
            count = write_rows(wishes.output, _counted(rows, bar), (), list(operation.exported))
        note(f"{count:,} rows")
        return
    (job.to_parquet if form == "parquet" else job.download)(path, progress=True, **allow)
    rows = f"{job.total:,} rows, " if job.total else ""
    note(f"{path}: {rows}{path.stat().st_size:,} bytes")


def _counted(rows: Any, bar: Bar) -> Iterator[Any]:
    for number, row in enumerate(rows, 1):
        yield plain(row)
        if number % 100 == 0:
            bar.at(number)
