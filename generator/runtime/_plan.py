"""What is worked out once for each model class: the readers of its fields, and what decoders need to fill models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import attrs

from ._values import Reader, Reading, Verdict, list_reader, map_reader, plain_reader

# Sets of keys that one class remembers. A server sends few of them; the limit guards against hostile ones.
_MAX_REMEMBERED = 512


@attrs.frozen(eq=False, repr=False)
class Field:
    """One field of a model: its attribute, its name on the wire and its type."""

    attr: str
    wire: str
    kind: str
    """string, integer, number, boolean, date-time, date, array, object, map or any."""
    items: Field | None = None
    """The type of an array's items or a map's values; None means any."""
    secret: bool = False
    model: str = ""
    """Name of the nested model where the kind is object; importable from the module of the class."""
    read_only: bool = False
    """Only answers have it."""
    required: bool = False
    """A request has to give it. Answers may leave any field out."""


def _object_reader(model: Any) -> Reader:
    def read(value: Any) -> Reading:
        if isinstance(value, dict):
            return model.from_dict(value), Verdict.EXACT
        return None, Verdict.UNFIT

    return read


class Plan:
    """The fields of one model class, by attribute and by name on the wire, and how its instances are filled.

    A decoder makes an instance by ``__new__`` and fills it with ``assign``. Where a page has values of other types,
    it passes them through ``convert`` first; where fields are missing, it names those that came by ``set_present``.
    """

    def __init__(
        self,
        fields: Sequence[Field],
        namespace: Mapping[str, Any],
        *,
        assign: Callable[[Any, Sequence[Any]], None],
        convert: Callable[[Any, str, Any], Any],
        set_present: Callable[[Any, Iterable[str]], None],
        is_exact: Callable[[Any], bool],
    ) -> None:
        self._namespace = namespace
        # Methods of the model which decoders call with an instance.
        self.assign = assign
        self.convert = convert
        self.set_present = set_present
        self.is_exact = is_exact
        self.fields = {field.attr: field for field in fields}
        self.attrs = frozenset(self.fields)
        self.attr_of = {field.wire: field.attr for field in fields}
        self.count = len(fields)
        self.blank: dict[str, Any] = dict.fromkeys(self.attr_of)
        # By attribute: the reader, and the types that need no conversion.
        self.readers = {field.attr: self._reader(field) for field in fields}
        self._attributes_of: dict[tuple[str, ...], frozenset[str]] = {}

    def _reader(self, field: Field) -> tuple[Reader, frozenset[type]]:
        if field.kind == "object":
            return _object_reader(self.nested(field.model)), frozenset()
        if field.items is not None and field.kind == "array":
            return list_reader(*self._reader(field.items)), frozenset()
        if field.items is not None and field.kind == "map":
            return map_reader(*self._reader(field.items)), frozenset()
        return plain_reader(field.kind)

    def attributes_of(self, keys: Iterable[str]) -> frozenset[str]:
        """Return the attributes that these names on the wire belong to; unknown names have none."""
        received = tuple(keys)
        attributes = self._attributes_of.get(received)
        if attributes is None:
            attributes = frozenset([self.attr_of[key] for key in received if key in self.attr_of])
            if len(self._attributes_of) >= _MAX_REMEMBERED:
                self._attributes_of.clear()
            self._attributes_of[received] = attributes
        return attributes

    def nested(self, name: str) -> Any:
        """Return the class of a nested model; the module of a model imports those that it uses."""
        return self._namespace[name]

    def nest(self, model: str, value: Any) -> Any:
        """Turn plain dicts that were passed for a nested model into that model."""
        if isinstance(value, Mapping):
            return self.nested(model).from_dict(value)
        if isinstance(value, (list, tuple)):
            return [self.nest(model, item) for item in cast("Sequence[Any]", value)]
        return value
