"""Checks plain dicts inside a request body, at any depth, as keywords are checked at the top.

A model passes unchecked: its constructor has refused what it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from adsecurity_generated._model import Field
from adsecurity_generated._operation import UNSET

from .kinds import article, fits, kind_of
from .secrets import is_object

_JSON_KINDS = {"date-time": "string", "date": "string", "map": "object"}


class NestedProblem(NamedTuple):
    """Something wrong with a value inside an argument."""

    text: str
    is_type_error: bool


def check_nested(path: str, value: Any, model: Any) -> Iterator[NestedProblem]:
    """Everything wrong with an object, or with the objects of a list, that a model describes."""
    if kind_of(value) == "array":
        for index, item in enumerate(cast("Sequence[Any]", value)):
            yield from _check_object(f"{path}[{index}]", item, model)
    else:
        yield from _check_object(path, value, model)


def _check_object(path: str, value: Any, model: Any) -> Iterator[NestedProblem]:
    if not is_object(value):
        return
    fields: dict[str, Field] = {field.wire: field for field in model.FIELDS}
    given = {key: item for key, item in value.items() if item is not UNSET}
    for key, item in given.items():
        field = fields.get(key)
        if field is None:
            yield NestedProblem(f"{path} has no field {key!r}{_nearest(key, fields)}", True)
        else:
            yield from _check_value(f"{path}.{key}", item, field, model)
    for wire, field in fields.items():
        if field.required and wire not in given:
            yield NestedProblem(f"{path} lacks the required field {wire!r}", True)


def _check_value(path: str, value: Any, field: Field, owner: Any) -> Iterator[NestedProblem]:
    kind = _JSON_KINDS.get(field.kind, field.kind)
    if value is None or kind == "any":
        return
    if not fits(kind_of(value), (kind,)):
        yield NestedProblem(f"{path} must be {article(kind)}, not {type(value).__name__}", True)
    elif field.kind == "object":
        yield from _check_object(path, value, owner.nested(field.model))
    elif field.kind == "array" and field.items is not None:
        for index, item in enumerate(value):
            yield from _check_value(f"{path}[{index}]", item, field.items, owner)
    elif field.kind == "map" and field.items is not None and is_object(value):
        for key, item in value.items():
            yield from _check_value(f"{path}.{key}", item, field.items, owner)


def _nearest(name: object, known: Mapping[str, Field]) -> str:
    import difflib  # not at the top: it takes a while to import

    near = difflib.get_close_matches(str(name), known, 1)
    return f"; {near[0]}?" if near else f"; it has {', '.join(sorted(known))}" if known else ""
