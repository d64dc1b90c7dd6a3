"""How a model class is filled from a dict: by bulk access at C speed instead of a Python loop over its fields."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ._values import Reader, Reading, Verdict, list_reader, map_reader, plain_reader

if TYPE_CHECKING:
    from ._model import Field, Model

Fixes: TypeAlias = tuple[tuple[int, Reader], ...]

# Kinds of rows that one class remembers. A server answers with few; the bound only guards against hostile ones.
_MAX_REMEMBERED = 512


def _getter(names: Sequence[Any]) -> Callable[[Any], Sequence[Any]]:
    """Return a function that gets many items at once, as a tuple also where there are fewer than two."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda data: tuple(data[name] for name in names)


def _object_reader(model: type[Model]) -> Reader:
    def read(value: Any) -> Reading:
        return (model.from_dict(value), Verdict.EXACT) if isinstance(value, dict) else (None, Verdict.UNFIT)

    return read


class Plan:
    """The fields of one model class, arranged for speed.

    Numbers are kept apart: they arrive as int or float at random (Go writes 0 for 0.0), which would make the type
    signature of nearly every row a new one. The signature of everything else repeats from row to row, and what has
    to be done about it is remembered.
    """

    def __init__(self, cls: type[Model]) -> None:
        fields = cls.FIELDS
        self._namespace = vars(sys.modules[cls.__module__])
        stable = [field for field in fields if field.kind != "number"]
        numbers = [field for field in fields if field.kind == "number"]
        self.stable_attrs = [field.attr for field in stable]
        self.stable_wires = [field.wire for field in stable]
        self.number_attrs = [field.attr for field in numbers]
        self.number_wires = [field.wire for field in numbers]
        self.get_stable = _getter(self.stable_wires)
        self.get_numbers = _getter(self.number_wires)
        self.wires = frozenset(field.wire for field in fields)
        self.attrs = frozenset(field.attr for field in fields)
        self.readers = {field.attr: self._reader(field) for field in fields}
        self.fixes: dict[tuple[type, ...], Fixes] = {}
        self._presence: dict[tuple[bool, ...], frozenset[str]] = {}
        positions = {field.attr: index for index, field in enumerate(fields)}
        self.pick_stable = _getter([positions[attr] for attr in self.stable_attrs])
        self.pick_numbers = _getter([positions[attr] for attr in self.number_attrs])

    def _reader(self, field: Field) -> tuple[Reader, frozenset[type]]:
        """Return a reader, and the types that it takes unchanged."""
        if field.kind == "object":
            return _object_reader(self._namespace[field.model]), frozenset()
        if field.items is not None and field.kind == "array":
            return list_reader(*self._reader(field.items)), frozenset()
        if field.items is not None and field.kind == "map":
            return map_reader(*self._reader(field.items)), frozenset()
        return plain_reader(field.kind)

    def nest(self, model: str, value: Any) -> Any:
        """Turn plain dicts that a caller gave for a nested model into that model."""
        if isinstance(value, Mapping):
            return self._namespace[model].from_dict(cast("Mapping[str, Any]", value))
        if isinstance(value, (list, tuple)):
            return [self.nest(model, item) for item in cast("Sequence[Any]", value)]
        return value

    def learn(self, signature: tuple[type, ...]) -> Fixes:
        """Work out which positions of a row need a reader, given the types of its values."""
        fixes: list[tuple[int, Reader]] = []
        for index, (attr, kind) in enumerate(zip(self.stable_attrs, signature, strict=True)):
            read, unchanged = self.readers[attr]
            if kind is not type(None) and kind not in unchanged:
                fixes.append((index, read))
        if len(self.fixes) >= _MAX_REMEMBERED:
            self.fixes.clear()
        self.fixes[signature] = tuple(fixes)
        return tuple(fixes)

    def presence(self, given: tuple[bool, ...]) -> frozenset[str]:
        """Return the attributes that came, told by position: first all but the numbers, then the numbers."""
        came = self._presence.get(given)
        if came is None:
            came = frozenset(compress([*self.stable_attrs, *self.number_attrs], given))
            if len(self._presence) >= _MAX_REMEMBERED:
                self._presence.clear()
            self._presence[given] = came
        return came
