"""The base of every generated model: tolerant decoding, exact re-encoding, masked secrets.

Reading never fails: a value that does not fit its field leaves None there and stays in
``additional_properties``; other fields are not affected. ``to_dict()`` gives back what was received.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self, cast

from . import SECRET_NAMES
from ._operation import UNSET
from ._plan import Field, Plan
from ._values import Verdict, encode

__all__ = ["Field", "Model"]

_SECRET = "***"
_MAX_REPR = 1000
_PLAIN = frozenset((str, int, float, bool))
_DEEPEST = 100


def _shown(value: Any, depth: int = 0) -> Any:
    """A value without what has a secret name in it, at any depth, as a repr may show it."""
    kind = value.__class__
    if kind is not dict and kind is not list:
        return value
    if depth > _DEEPEST:
        return _SECRET
    if kind is list:
        return [_shown(item, depth + 1) for item in value]
    return {name: _SECRET if name in SECRET_NAMES and item else _shown(item, depth + 1) for name, item in value.items()}


class _LazyPlan:
    """Stands for the plan of a class until it is first read; then the plan itself takes its place."""

    def __init__(self, make: Callable[[], Plan]) -> None:
        self._make = make

    def __get__(self, instance: object, owner: type[Model]) -> Plan:
        plan = self._make()
        type.__setattr__(owner, "PLAN", plan)
        return plan


class Model:
    """Base of the generated models.

    Attributes that were not received, and attributes received as null, are None; ``fields_set`` tells them apart.
    Built with keywords for requests: only what is given is sent, and None is sent as null.
    """

    # Left unassigned when all fields came and all of them fitted: most rows need none of the three.
    __slots__ = ("_extra", "_present", "_received")

    # In capitals, as the attributes of models never are.
    FIELDS: ClassVar[tuple[Field, ...]] = ()
    PLAN: ClassVar[Plan]
    """How the class reads its fields, for decoders; made when it is first read."""

    _present: frozenset[str]
    """Attributes that were received, or given to the constructor; while unassigned, all of them."""
    _extra: dict[str, Any]
    """Fields that are unknown, and values that do not fit, by their names on the wire."""
    _received: dict[str, Any]
    """By attribute, the received value where writing the attribute's value would give something else."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        # A class never uses the plan of its base: it may have other fields.
        type.__setattr__(cls, "PLAN", _LazyPlan(cls._make_plan))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Build the model from a decoded JSON object; no dict makes this raise."""
        plan = cls.PLAN
        self = cls.__new__(cls)
        if len(data) >= plan.count:
            try:
                self._read(data)
            except KeyError:
                pass
            else:
                if len(data) > plan.count:
                    self._keep_unknown(data, plan)
                return self
            self = cls.__new__(cls)
        self._read({**plan.blank, **data})
        self._present = plan.attributes_of(data)
        if len(data) > len(self._present):
            self._keep_unknown(data, plan)
        return self

    @classmethod
    def from_values(cls, values: Sequence[Any]) -> Self:
        """Build the model from values in the order of ``FIELDS``, without conversion."""
        self = cls.__new__(cls)
        self._assign(values)
        return self

    @classmethod
    def nested(cls, name: str) -> type[Model]:
        """Return the class of the nested model that a field's ``model`` names."""
        return cast("type[Model]", cls.PLAN.nested(name))

    @classmethod
    def _make_plan(cls) -> Plan:
        return Plan(
            cls.FIELDS,
            vars(sys.modules[cls.__module__]),
            assign=cls._assign,
            convert=cls._convert,
            set_present=cls._set_present,
            is_exact=cls._is_exact,
        )

    def _read(self, d: Mapping[str, Any]) -> None:
        """Assign all attributes from a dict that has all keys. Generated for each class, line by line, for speed."""
        raise NotImplementedError

    def _assign(self, values: Sequence[Any]) -> None:
        """Assign all attributes at once, in the order of ``FIELDS``. Generated for each class."""
        raise NotImplementedError

    def _set_present(self, keys: Iterable[str]) -> None:
        """Say which fields were received, by their names on the wire; without this, all were."""
        self._present = self.PLAN.attributes_of(keys)

    def _is_exact(self) -> bool:
        """Tell whether the attributes alone give back what was received."""
        return not (hasattr(self, "_extra") or hasattr(self, "_received"))

    def _convert(self, attr: str, raw: Any) -> Any:
        """Read a value that is not of its field's own type, and keep it as received where it is written differently."""
        plan = self.PLAN
        value, verdict = plan.readers[attr][0](raw)
        if verdict is not Verdict.EXACT:
            if verdict is Verdict.UNFIT:
                self.additional_properties[plan.fields[attr].wire] = raw
            else:
                try:
                    self._received[attr] = raw
                except AttributeError:
                    self._received = {attr: raw}
        return value

    def _keep_unknown(self, data: Mapping[str, Any], plan: Plan) -> None:
        known = plan.attr_of
        self.additional_properties.update((key, value) for key, value in data.items() if key not in known)

    def _set_arguments(self, values: Sequence[Any]) -> None:
        """Assign the arguments of a constructor, in the order of ``FIELDS``; plain dicts become models."""
        plan = self.PLAN
        present: list[str] = []
        for field, value in zip(self.FIELDS, values, strict=True):
            if value is UNSET:
                setattr(self, field.attr, None)
                continue
            present.append(field.attr)
            item = field.items if field.kind == "array" else field
            if item is not None and item.kind == "object":
                value = plan.nest(item.model, value)
            setattr(self, field.attr, value)
        self._present = frozenset(present)

    @property
    def additional_properties(self) -> dict[str, Any]:
        """Unknown fields, and values that do not fit their field, by their names on the wire."""
        try:
            return self._extra
        except AttributeError:
            self._extra = {}
            return self._extra

    @property
    def fields_set(self) -> frozenset[str]:
        """Names of the attributes that were received, given or assigned, also where they are None."""
        try:
            present = self._present
        except AttributeError:
            return self.PLAN.attrs
        return present.union([field.attr for field in self.FIELDS if getattr(self, field.attr) is not None])

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON object: as it was received, or as it is to be sent."""
        readers = self.PLAN.readers
        present = getattr(self, "_present", None)
        extra: dict[str, Any] = getattr(self, "_extra", {})
        received: dict[str, Any] = getattr(self, "_received", {})
        data: dict[str, Any] = {}
        for field in self.FIELDS:
            attr, wire = field.attr, field.wire
            value = getattr(self, attr)
            # A received value is returned unchanged unless the attribute has been changed since.
            if attr in received and readers[attr][0](received[attr])[0] == value:
                data[wire] = received[attr]
            elif value is None:
                if (present is None or attr in present) and wire not in extra:
                    data[wire] = None
            else:
                data[wire] = value if value.__class__ in _PLAIN else encode(value)
        for wire, value in extra.items():
            data.setdefault(wire, value)
        return data

    def __getstate__(self) -> dict[str, Any]:
        names = [*[field.attr for field in self.FIELDS], *Model.__slots__]
        return {name: getattr(self, name) for name in names if hasattr(self, name)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    # Models are mutable, so they are not hashable.
    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        present = self.fields_set
        parts: list[str] = []
        for field in self.FIELDS:
            if field.attr in present:
                value = getattr(self, field.attr)
                parts.append(f"{field.attr}={_SECRET if field.secret and value else _shown(value)!r}")
        extra: dict[str, Any] = getattr(self, "_extra", {})
        if extra:
            parts.append(f"additional_properties={_shown(extra)!r}")
        text = f"{type(self).__name__}({', '.join(parts)})"
        return text if len(text) <= _MAX_REPR else f"{text[: _MAX_REPR - 4]}...)"


# The base class gets a plan as its subclasses do, so that using it by itself says what is missing.
Model.__init_subclass__()
