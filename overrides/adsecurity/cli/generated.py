"""The commands of the operations: groups for APIs and resources, a command for each method, made when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from .base import CONTEXT, Group, common_params, settings_of
from .description import Operation, Surface, load
from .failures import Usage
from .parameters import call, check_fields, make
from .values import read_object


def _dashed(name: str) -> str:
    return name.replace("_", "-")


class SurfaceGroup(Group):
    """The resources of one API."""

    def __init__(self, surface: str, help: str, **attrs: Any) -> None:
        super().__init__(name=surface, help=help, context_settings=CONTEXT, params=common_params(), **attrs)
        self._surface = surface
        self._space = ""
        """Name of the namespace, with a dot behind it, whose resources these are."""

    def _resources(self) -> dict[str, str]:
        """Names below this group, with what each is for; those of a namespace stand below its name."""
        found: dict[str, str] = {}
        for name, doc in load(self._surface).resources.items():
            if name.startswith(self._space):
                own = name.removeprefix(self._space)
                space, dot, _ = own.partition(".")
                found[space if dot else own] = f"What one {space.partition('_')[0]} sees." if dot else doc
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [_dashed(name) for name in self._resources()]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Resources"):
            formatter.write_dl([(_dashed(name), doc) for name, doc in self._resources().items()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = cmd_name.replace("-", "_")
        surface = load(self._surface)
        full = self._space + name
        if full in surface.resources:
            return ResourceGroup(surface, full)
        if name in self._resources():
            group = SurfaceGroup(self._surface, self._resources()[name])
            group._space = full + "."
            return group
        return None


class ResourceGroup(Group):
    """The methods of one resource."""

    def __init__(self, surface: Surface, resource: str) -> None:
        super().__init__(
            name=_dashed(resource.rpartition(".")[2]),
            help=surface.resources[resource],
            context_settings=CONTEXT,
            params=common_params(),
        )
        self._surface = surface
        self._resource = resource

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(map(_dashed, self._surface.methods(self._resource)))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        methods = self._surface.methods(self._resource)
        with formatter.section("Commands"):
            formatter.write_dl([(_dashed(name), f"{methods[name]}.") for name in sorted(methods)])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = cmd_name.replace("-", "_")
        if not self._surface.has(self._resource, name):
            return None
        return OperationCommand(self._surface.operation(self._resource, name))


def _own_params(operation: Operation) -> list[click.Parameter]:
    """What the command itself takes, depending on what the operation answers."""
    made: list[click.Parameter] = []
    own_columns = any(argument.name == "columns" for argument in operation.options)
    if operation.is_list:
        made += [
            click.Option(["--limit", "limit"], type=click.IntRange(0), metavar="ROWS", help="At most so many rows."),
            click.Option(["--all", "everything"], is_flag=True, help="All rows; a pipe or a file gets all anyway."),
        ]
        if operation.answer != "rows":
            made.append(
                click.Option(["--page-size"], type=click.IntRange(1, 100), metavar="ROWS", help="Rows a request, 100.")
            )
        if operation.range_unit:
            made.append(
                click.Option(
                    ["--concurrency"], type=click.IntRange(1), help="Workers that share the range; needs --all."
                )
            )
    if operation.answer not in ("write", "create", "url") and not own_columns:
        made.append(
            click.Option(["--columns"], multiple=True, metavar="NAMES", help="Columns to show, joined by commas.")
        )
    if operation.answer != "write":
        made.append(click.Option(["-o", "--output"], default="", metavar="FORMAT|FILE", help=_output_help(operation)))
    if operation.options:
        made.append(
            click.Option(
                ["--json", "whole"],
                metavar="JSON|@FILE|-",
                callback=_read_whole,
                help="Arguments as a JSON object; also what this command does not know. Options win over it.",
            )
        )
    if operation.deletes or operation.changes_many:
        made.append(click.Option(["--yes", "-y"], is_flag=True, help="Do not ask first."))
    made += [
        click.Option(["--dry-run"], is_flag=True, help="Print the request, with the key hidden, and send nothing."),
        click.Option(["--raw"], is_flag=True, help="Print the answer as it came."),
    ]
    return made


def _output_help(operation: Operation) -> str:
    forms = "table, json, ndjson, csv, parquet" if operation.is_list else "table, json, csv"
    return f"A format ({forms}), or a file whose suffix says the format."


def _read_whole(ctx: click.Context, param: click.Parameter, text: str | None) -> dict[str, Any]:
    try:
        return {} if text is None else read_object(text)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx=ctx, param=param) from None


class OperationCommand(click.Command):
    """The command of one operation."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._api = make(operation)
        self._own = _own_params(operation)
        source = f"{operation.verb} {operation.path} ({operation.evidence})"
        gone = f"Deprecated: {operation.deprecated}" if operation.deprecated else ""
        parts = [f"{operation.summary}.", operation.text, gone, source]
        super().__init__(
            name=_dashed(operation.name),
            context_settings=CONTEXT,
            params=[*self._api.made, *self._own, *common_params()],
            callback=self._run,
            help="\n\n".join(part for part in parts if part),
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if "extra argument" not in error.message or not {"true", "false"} & set(given):
                raise
            hint = "A switch takes no value: say --active or --no-active."
            raise click.UsageError(f"{error.format_message()}. {hint}", ctx) from None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        ids = self._operation.ids
        if ids:
            with formatter.section("Arguments"):
                formatter.write_dl(
                    [
                        (param.make_metavar(ctx), argument.doc)
                        for param, argument in zip(self._api.made, ids, strict=False)
                    ]
                )
        _section(ctx, formatter, "Options", self._api.made)
        _section(ctx, formatter, "Command", [*self._own, *self.get_params(ctx)[len(self._api.made) + len(self._own) :]])

    def _run(self, **given: Any) -> None:
        from .operations import Wishes, run

        ctx = click.get_current_context()
        values = {name: given.pop(name) for name in self._api.places}
        check_fields(self._operation, self._api.places, values)
        made = call(self._operation, self._api.places, values, given.get("whole") or {})
        if given.get("limit") is not None and given.get("everything"):
            raise Usage("--limit and --all exclude each other")
        paging = {name: given[name] for name in ("page_size", "concurrency") if given.get(name)}
        wishes = Wishes(
            output=given.get("output", ""),
            columns=tuple(given.get("columns", ())),
            limit=given.get("limit"),
            everything=given.get("everything", False),
            dry_run=given["dry_run"],
            raw=given["raw"],
            yes=given.get("yes", False),
            paging=paging,
        )
        run(self._operation, made, wishes, settings_of(ctx))


def _section(ctx: click.Context, formatter: click.HelpFormatter, title: str, params: Sequence[click.Parameter]) -> None:
    records = [
        record
        for param in params
        if isinstance(param, click.Option) and (record := param.get_help_record(ctx)) is not None
    ]
    if records:
        with formatter.section(title):
            formatter.write_dl(records)
