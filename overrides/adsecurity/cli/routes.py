"""`adsecurity routes`: every route, and how sure it is."""

from __future__ import annotations

from typing import Any

import click

from .base import CONTEXT, common, settings_of
from .connect import find
from .description import load
from .output import FORMATS, choose
from .rows import write_rows
from .settings import SURFACES
from .shared import SURFACE

_COLUMNS = ("surface", "operation", "command", "method", "path", "evidence")


@click.command("routes", context_settings=CONTEXT)
@SURFACE
@click.option("-o", "--output", default="", metavar="FORMAT|FILE", help="table, csv, json, ...")
@common
def command(surface: str | None, output: str) -> None:
    """List every route with its evidence: documented, prose, inferred, borrowed, or corrected in a profile."""
    settings = settings_of(click.get_current_context())
    to = choose(output, formats=[form for form in FORMATS if form != "parquet"])
    rows: list[dict[str, Any]] = []
    for name in [surface] if surface else SURFACES:
        described = load(name)
        source = find(described, settings)
        corrected = source.entry.routes if source and source.entry else {}
        for resource in described.resources:
            for method in described.methods(resource):
                operation = described.operation(resource, method)
                verb, path = operation.verb, operation.path
                if operation.id in corrected:
                    verb, _, path = corrected[operation.id].partition(" ")
                rows.append(
                    {
                        "surface": name,
                        "operation": operation.id,
                        "command": f"{resource}.{method}".replace(".", " ").replace("_", "-"),
                        "method": verb,
                        "path": path.strip(),
                        "evidence": "corrected" if operation.id in corrected else operation.evidence,
                    }
                )
    if to.form == "table":
        from .table import show_rows

        show_rows(rows, _COLUMNS, frozenset())
    else:
        write_rows(to, rows, _COLUMNS, _COLUMNS)
