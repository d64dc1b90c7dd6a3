"""Read, change, write: lays changes over an object that was read, and gives what its update operation takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from adsecurity_generated._model import Field, Model
from adsecurity_generated._operation import UNSET, Operation, Param, Surface

from .kinds import fits, kind_of
from .secrets import is_list, is_object

_BLANK: dict[str, Any] = {"string": "x", "integer": 0, "number": 0, "boolean": False, "object": {}, "array": ["x"]}
_JSON_KINDS = {"date-time": "string", "date": "string", "map": "object"}


def merge_changes(update: Operation[Any], surface: Surface, current: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `update` that leave everything as it is in `current`, but for the changes.

    Nested objects are merged, lists are replaced, None is null. Left out are fields that only answers have, secrets,
    null fields, and values of another kind than the update takes.
    """
    received = current.to_dict() if isinstance(current, Model) else {}
    args: dict[str, Any] = {}
    for param in update.params:
        changed = changes.get(param.arg, UNSET)
        if param.place != "body" or param.secret:
            args[param.arg] = changed
            continue
        base = UNSET if param.from_path else _sendable(param, received.get(param.name), surface)
        args[param.arg] = _laid_over(base, changed)
    return args


def path_ids(op: Operation[Any], args: Mapping[str, Any]) -> dict[str, Any]:
    """The ids of an operation's route."""
    return {param.arg: args[param.arg] for param in op.params if param.place == "path"}


def placeholders(update: Operation[Any], args: Mapping[str, Any]) -> dict[str, Any]:
    """The changes, and something of the right kind for whatever is read before it is sent: to check them early."""
    filled = {param.arg: _BLANK[param.kinds[0]] if param.kinds else "" for param in update.params if param.required}
    return {**filled, **{arg: value for arg, value in args.items() if value is not UNSET}}


def _sendable(param: Param, value: Any, surface: Surface) -> Any:
    """What an update may send of a field that was read; UNSET for nothing."""
    if value is None or (param.kinds and not fits(kind_of(value), param.kinds)):
        return UNSET
    if not param.model:
        return value
    model = surface.model(param.model)
    if is_list(value):
        return [_fields_of(model, item) for item in value]
    return _fields_of(model, value)


def _fields_of(model: Any, value: Any) -> Any:
    if not is_object(value):
        return value
    received = value
    sent: dict[str, Any] = {}
    for field in cast("tuple[Field, ...]", model.FIELDS):
        inner = received.get(field.wire)
        if inner is None or field.read_only or field.secret:
            continue
        if field.kind != "any" and not fits(kind_of(inner), (_JSON_KINDS.get(field.kind, field.kind),)):
            continue
        sent[field.wire] = _nested(field, inner, model)
    return sent


def _nested(field: Field, value: Any, owner: Any) -> Any:
    if field.kind == "object":
        return _fields_of(owner.nested(field.model), value)
    if field.kind == "array" and field.items is not None:
        return [_nested(field.items, item, owner) for item in value]
    if field.kind == "map" and field.items is not None:
        return {key: _nested(field.items, item, owner) for key, item in value.items()}
    return value


def _laid_over(base: Any, change: Any) -> Any:
    if change is UNSET:
        return base
    if hasattr(change, "to_dict"):
        change = change.to_dict()
    if not (isinstance(base, Mapping) and isinstance(change, Mapping)):
        return change
    merged = dict(cast("Mapping[str, Any]", base))
    for name, value in cast("Mapping[str, Any]", change).items():
        merged[name] = _laid_over(merged.get(name, UNSET), value)
    return merged
