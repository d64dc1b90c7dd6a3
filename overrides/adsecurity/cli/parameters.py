"""The arguments of a method as the parameters of a command, and what was given as the method's arguments again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, NamedTuple

import click

from .base import settings_of
from .description import Argument, Operation
from .failures import Usage
from .nearest import nearest
from .values import conditions, content, metavar, pairs, read_json, reader, refuse

RESERVED = frozenset(
    ("all", "after", "columns", "concurrency", "debug", "dry-run", "help", "json", "limit", "output", "page-number",
     "page-size", "profile", "raw", "resume", "timeout", "yes")
)  # fmt: skip
"""Options of the command itself. An argument of the API by such a name is the same thing, or gets a prefix."""
SAME = frozenset(("columns",))


class Place(NamedTuple):
    """Where the value of a parameter goes: the way to it, by the names of keywords and fields."""

    way: tuple[str, ...]
    argument: Argument


class Parameters(NamedTuple):
    """The parameters of one command."""

    made: list[click.Parameter]
    places: dict[str, Place]
    """By the name that click gives back values under."""


def make(operation: Operation) -> Parameters:
    """All parameters that come from the API."""
    made: list[click.Parameter] = []
    places: dict[str, Place] = {}

    def add(argument: Argument, option: click.Parameter, way: tuple[str, ...]) -> None:
        assert option.name is not None
        made.append(option)
        places[option.name] = Place(way, argument)

    def option(argument: Argument, way: tuple[str, ...], label: str, *, top: bool) -> None:
        name = f"v{len(places)}"
        add(argument, _option(argument, name, label, split=operation.safe or argument.style == "comma", top=top), way)
        for field in argument.value.fields:
            # Fields are sent by their names on the wire.
            option(field, (*way, field.wire), f"{label}.{field.option}", top=False)

    for place, argument in enumerate(operation.ids):
        add(argument, _positional(operation, place), (argument.name,))
    for argument in operation.options:
        label = argument.option
        if label in RESERVED and label not in SAME:
            label = f"api-{label}"
        option(argument, (argument.name,), label, top=True)
    return Parameters(made, places)


def _positional(operation: Operation, place: int) -> click.Argument:
    argument = operation.ids[place]
    several = argument.is_list

    def ask(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        from .live import complete

        given = [ctx.params.get(f"v{number}") for number in range(place)]
        return complete(operation, place, given, incomplete, settings_of(ctx))

    objects = argument.value.items is not None and argument.value.items.kind == "object"

    def read_ids(ctx: click.Context, param: click.Parameter, texts: Sequence[str]) -> list[Any]:
        found: list[Any] = []
        for text in texts:
            try:
                if objects:
                    one = read_json(text)
                    found += one if isinstance(one, list) else [one]
                else:
                    found += content(text).split() if text == "-" or text.startswith("@") else [text]
            except ValueError as error:
                raise refuse(error, ctx, param) from None
        return found

    return click.Argument(
        [f"v{place}"],
        metavar=("JSON..." if objects else "ID...") if several else argument.name.upper(),
        nargs=-1 if several else 1,
        required=True,
        callback=read_ids if several else None,
        shell_complete=ask,
    )


def _option(argument: Argument, name: str, label: str, *, split: bool, top: bool) -> click.Option:
    value = argument.value
    text = f"{argument.doc} [required]" if argument.required and top else argument.doc
    if value.kind == "boolean":
        *outer, last = label.split(".")
        off = ".".join([f"no-{outer[0]}", *outer[1:], last] if outer else [f"no-{last}"])
        return click.Option([f"--{label}/--{off}", name], default=None, help=text)
    shown = metavar(value)
    several = True
    read: Callable[[Any], Any]
    if argument.style == "deep":
        read, shown = conditions, "FIELD=VALUE"
    elif value.kind == "map":
        items = value.items
        read_one = reader(items) if items else str
        read, shown = partial(pairs, read=read_one), f"KEY={metavar(items) if items else 'VALUE'}"
    elif argument.is_list:
        items = value.items
        read = _list_reader(argument, split=split)
        plain = items is None or items.kind not in ("object", "array", "any")
        shown = metavar(items) if items else "TEXT"
        text += f" Several: {'joined by commas, or ' if split and plain else ''}the option again."
    else:
        read, several = reader(value), False

    def callback(ctx: click.Context, param: click.Parameter, given: Any) -> Any:
        if given is None or given == ():
            return None
        try:
            return read(given)
        except ValueError as error:
            raise refuse(error, ctx, param) from None

    known = value.items.values if value.items else value.values

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        return [str(one) for one in known if str(one).startswith(incomplete)]

    return click.Option(
        [f"--{label}", name],
        metavar=shown,
        multiple=several,
        callback=callback,
        shell_complete=complete if known else None,
        help=text,
    )


def _list_reader(argument: Argument, *, split: bool) -> Callable[[Sequence[str]], list[Any]]:
    items = argument.value.items
    read = reader(items) if items else str
    plain = items is None or items.kind not in ("object", "array", "any")

    def read_list(texts: Sequence[str]) -> list[Any]:
        found: list[Any] = []
        for text in texts:
            if not plain:
                one = read_json(text)
                found += one if isinstance(one, list) else [one]
            elif split:
                found += [read(part.strip()) for part in text.split(",") if part.strip()]
            else:
                found.append(read(text))
        return found

    return read_list


class Call(NamedTuple):
    """The arguments of one call of a method."""

    bound: list[str]
    ids: list[Any]
    keywords: dict[str, Any]
    unknown: dict[str, Any]
    """What `--json` has beyond what the method knows."""


def call(operation: Operation, places: dict[str, Place], given: dict[str, Any], whole: dict[str, Any]) -> Call:
    """The method's arguments: those of `--json`, then what single options say of them."""
    by_name = {name: argument for argument in operation.options for name in (argument.wire, argument.name)}
    keywords = {by_name[name].name: value for name, value in whole.items() if name in by_name}
    unknown = {name: value for name, value in whole.items() if name not in by_name}
    positional: dict[str, Any] = {}
    for name, (way, argument) in places.items():
        value = given[name]
        if value is None:
            continue
        if argument.positional:
            positional[argument.name] = value
        else:
            _put(keywords, way, value)
    missing = [argument for argument in operation.options if argument.required and argument.name not in keywords]
    if missing:
        raise Usage(f"missing: {', '.join('--' + argument.option for argument in missing)} (nothing was sent)")
    ids = operation.ids
    return Call(
        [positional[argument.name] for argument in ids if argument.bound],
        [positional[argument.name] for argument in ids if not argument.bound],
        keywords,
        unknown,
    )


def _put(target: dict[str, Any], way: tuple[str, ...], value: Any) -> None:
    *outer, last = way
    for name in outer:
        inner = target.get(name)
        if not isinstance(inner, dict):
            inner = target[name] = {}
        target = inner  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict) and isinstance(target.get(last), dict):
        target[last].update(value)
    else:
        target[last] = value


def check_fields(operation: Operation, places: dict[str, Place], given: dict[str, Any]) -> None:
    """Refuse fields that rows do not have, in the options that choose, sort and compare fields."""
    columns = operation.exported if operation.answer == "export" else operation.columns
    if not columns:
        return
    known = {*columns, *(argument.name for argument in operation.options)}
    for name, (_, argument) in places.items():
        value = given[name]
        if argument.name not in ("fields", "sort", "filter", "columns") or value is None:
            continue
        for field in [value] if isinstance(value, str) else value:
            check_field(f"--{argument.option}", str(field).removeprefix("-").partition(".")[0], known)


def check_field(option: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        near = nearest(name, sorted(known), 5)
        hint = f"; near it: {', '.join(near)}" if near else ""
        raise Usage(f"{option}: there is no field {name!r}{hint} (nothing was sent; --json sends another one)")
