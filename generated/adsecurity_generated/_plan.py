"""What a model class works out once about its fields: their readers, and which keys rows come with."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from ._values import Reader, Reading, Verdict, list_reader, map_reader, plain_reader

if TYPE_CHECKING:
    from ._model import Field, Model

# Sets of keys that one class remembers. A server answers with few; the bound only guards against hostile ones.
_MAX_REMEMBERED = 512


def _object_reader(model: type[Model]) -> Reader:
    def read(value: Any) -> Reading:
        if isinstance(value, dict):
            return model.from_dict(cast("dict[str, Any]", value)), Verdict.EXACT
        return None, Verdict.UNFIT

    return read


class Plan:
    """The fields of one model class, by attribute and by name on the wire."""

    def __init__(self, cls: type[Model]) -> None:
        self._namespace = vars(sys.modules[cls.__module__])
        self.fields = {field.attr: field for field in cls.FIELDS}
        self.attrs = frozenset(self.fields)
        self.attr_of = {field.wire: field.attr for field in cls.FIELDS}
        self.count = len(cls.FIELDS)
        self.blank: dict[str, Any] = dict.fromkeys(self.attr_of)
        # A reader, and the types that it takes unchanged.
        self.readers = {field.attr: self._reader(field) for field in cls.FIELDS}
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

    def nested(self, name: str) -> type[Model]:
        """Return a model class by its name; models import those that they hold."""
        return cast("type[Model]", self._namespace[name])

    def nest(self, model: str, value: Any) -> Any:
        """Turn plain dicts that a caller gave for a nested model into that model."""
        if isinstance(value, Mapping):
            return self.nested(model).from_dict(cast("Mapping[str, Any]", value))
        if isinstance(value, (list, tuple)):
            return [self.nest(model, item) for item in cast("Sequence[Any]", value)]
        return value
