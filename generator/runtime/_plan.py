"""What a model class works out once about its fields: their readers, and which keys rows come with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import attrs

from ._values import Reader, Reading, Verdict, list_reader, map_reader, plain_reader

# Sets of keys that one class remembers. A server answers with few; the bound only guards against hostile ones.
_MAX_REMEMBERED = 512


@attrs.frozen
class Field:
    """One field of a model: its attribute, its name on the wire and what it holds."""

    attr: str
    wire: str
    kind: str
    """string, integer, number, boolean, date-time, date, array, object, map or any."""
    items: Field | None = None
    """What an array's items or a map's values are; None means anything."""
    secret: bool = False
    model: str = ""
    """Name of the nested model where the kind is object; importable from the module of the class."""
    required: bool = False
    """A request has to give it. Answers may leave any field out."""


def _object_reader(model: Any) -> Reader:
    def read(value: Any) -> Reading:
        if isinstance(value, dict):
            return model.from_dict(value), Verdict.EXACT
        return None, Verdict.UNFIT

    return read


class Plan:
    """The fields of one model class, by attribute and by name on the wire."""

    def __init__(self, fields: Sequence[Field], namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self.fields = {field.attr: field for field in fields}
        self.attrs = frozenset(self.fields)
        self.attr_of = {field.wire: field.attr for field in fields}
        self.count = len(fields)
        self.blank: dict[str, Any] = dict.fromkeys(self.attr_of)
        # A reader, and the types that it takes unchanged.
        self.readers = {field.attr: self._reader(field) for field in fields}
        self._came: dict[tuple[str, ...], frozenset[str]] = {}

    def _reader(self, field: Field) -> tuple[Reader, frozenset[type]]:
        if field.kind == "object":
            return _object_reader(self.nested(field.model)), frozenset()
        if field.items is not None and field.kind == "array":
            return list_reader(*self._reader(field.items)), frozenset()
        if field.items is not None and field.kind == "map":
            return map_reader(*self._reader(field.items)), frozenset()
        return plain_reader(field.kind)

    def came(self, keys: Iterable[str]) -> frozenset[str]:
        """Return the attributes whose keys came."""
        given = tuple(keys)
        came = self._came.get(given)
        if came is None:
            came = frozenset([self.attr_of[key] for key in given if key in self.attr_of])
            if len(self._came) >= _MAX_REMEMBERED:
                self._came.clear()
            self._came[given] = came
        return came

    def nested(self, name: str) -> Any:
        """Return a model class by its name; models import those that they hold."""
        return self._namespace[name]

    def nest(self, model: str, value: Any) -> Any:
        """Turn plain dicts that a caller gave for a nested model into that model."""
        if isinstance(value, Mapping):
            return self.nested(model).from_dict(value)
        if isinstance(value, (list, tuple)):
            return [self.nest(model, item) for item in cast("Sequence[Any]", value)]
        return value
