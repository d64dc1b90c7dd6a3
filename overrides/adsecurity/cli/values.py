"""Texts of the command line as the values that methods take; a wrong one is refused with what would be right."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

import click

from .description import Value
from .nearest import nearest

Read = Callable[[str], Any]


def reader(value: Value) -> Read:
    """What reads one text of this kind; it raises ValueError with what is wrong."""
    if value.values:
        return lambda text: _known(text, value.values)
    if value.kind in _READERS:
        return _READERS[value.kind]
    return str


def metavar(value: Value) -> str:
    """What stands for a value in --help."""
    if value.values:
        return f"[{'|'.join(map(str, value.values))}]"
    return _METAVARS.get(value.kind, "TEXT")


def _known(text: str, values: Iterable[str | int]) -> str | int:
    listed = {str(one): one for one in values}
    if text not in listed:
        near = nearest(text, listed)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(f"{text!r} is not one of {', '.join(listed)}.{hint} --json sends another value.")
    return listed[text]


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is no whole number") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None


def _boolean(text: str) -> bool:
    low = text.lower()
    if low not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return low == "true"


def content(text: str) -> str:
    """The text itself, that of a file (`@file`), or what comes in (`-`)."""
    if text == "-":
        return sys.stdin.read()
    if not text.startswith("@"):
        return text
    try:
        with open(text[1:], encoding="utf-8-sig") as file:
            return file.read()
    except OSError as error:
        raise ValueError(f"{text[1:]}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{text[1:]} is no text in UTF-8") from None


def read_json(text: str) -> Any:
    """JSON from the command line, a file or stdin."""
    whole = content(text)
    try:
        return json.loads(whole)
    except ValueError as error:
        raise ValueError(f"no valid JSON: {error}") from None


def read_object(text: str) -> dict[str, Any]:
    """A JSON object from the command line, a file or stdin."""
    found = read_json(text)
    if not isinstance(found, dict):
        raise ValueError(f"must be a JSON object, not {type(found).__name__}")
    return found  # pyright: ignore[reportUnknownVariableType]


def _anything(text: str) -> Any:
    """JSON where it is some, otherwise the text."""
    try:
        return read_json(text)
    except ValueError:
        return text


_READERS: dict[str, Read] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "object": read_object,
    "map": read_object,
    "any": _anything,
    "array": read_json,
}
_METAVARS = {
    "integer": "INTEGER",
    "number": "NUMBER",
    "boolean": "true|false",
    "object": "JSON",
    "map": "JSON",
    "array": "JSON",
    "any": "JSON",
    "date": "YYYY-MM-DD",
    "date-time": "TIME",
}


def pairs(texts: Iterable[str], read: Read) -> dict[str, Any]:
    """`KEY=VALUE`, several of them, whose values `read` reads; or a whole JSON object."""
    found: dict[str, Any] = {}
    for text in texts:
        if text.lstrip().startswith(("{", "@")):
            found.update(read_object(text))
            continue
        key, sign, value = text.partition("=")
        if not sign or not key:
            raise ValueError(f"{text!r} must look like KEY=VALUE, or be a JSON object")
        found[key] = read(value)
    return found


def conditions(texts: Iterable[str]) -> dict[str, Any]:
    """`FIELD=VALUE` and `FIELD[OPERATOR]=VALUE`; the same again is another value to compare with."""
    found: dict[str, Any] = {}
    for text in texts:
        left, sign, value = text.partition("=")
        field, bracket, operator = left.partition("[")
        if not sign or not field or (bracket and not operator.endswith("]")):
            raise ValueError(f"{text!r} must look like FIELD=VALUE or FIELD[OPERATOR]=VALUE, such as payout[gte]=5")
        operator = operator.removesuffix("]")
        known = found.setdefault(field, {} if operator else [])
        if isinstance(known, dict) != bool(operator):
            raise ValueError(f"{field} is compared both with and without an operator")
        if operator:
            known.setdefault(operator, []).append(value)
        else:
            known.append(value)
    return {field: _single(known) for field, known in found.items()}


def _single(known: Any) -> Any:
    if isinstance(known, dict):
        return {name: _single(value) for name, value in known.items()}  # pyright: ignore[reportUnknownVariableType]
    return known[0] if len(known) == 1 else known


def refuse(error: ValueError, ctx: click.Context, param: click.Parameter) -> click.BadParameter:
    """The error of an option whose value is wrong."""
    return click.BadParameter(str(error), ctx=ctx, param=param)
