"""The base of every generated model: tolerant decoding, exact re-encoding, masked secrets.

Reading never fails: a value that does not fit its field leaves None there and stays in
``additional_properties``; its neighbours are untouched. ``to_dict()`` gives back what was received.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, cast

from ._operation import UNSET
from ._plan import Field, Plan
from ._values import Verdict, encode

__all__ = ["Field", "Model"]

_SECRET = "***"
_PLAIN = frozenset((str, int, float, bool))


class Model:
    """Base of the generated models.

    Attributes that did not come, and attributes that came as null, are None; ``fields_set`` tells them apart.
    Built with keywords for requests: only what is given is sent, and None is sent as null.
    """

    # Left unassigned when all fields came and all of them fitted: most rows need none of the three.
    __slots__ = ("_came", "_extra", "_received")

    FIELDS: ClassVar[tuple[Field, ...]] = ()
    _plan_cache: ClassVar[Plan | None] = None

    _came: frozenset[str]
    """Attributes that came, or were given; while unassigned, all of them."""
    _extra: dict[str, Any]
    """Fields that are unknown, and values that do not fit, by their names on the wire."""
    _received: dict[str, Any]
    """By attribute, what came where writing the attribute's value would give something else."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Build the model from a decoded JSON object; no dict makes this raise."""
        plan = cls._plan()
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
        self._came = plan.came(data)
        if len(data) > len(self._came):
            self._keep_unknown(data, plan)
        return self

    @classmethod
    def from_values(cls, values: Sequence[Any]) -> Self:
        """Build the model from values in the order of ``FIELDS``, all of which are taken as they are."""
        self = cls.__new__(cls)
        self._assign(values)
        return self

    @classmethod
    def nested(cls, name: str) -> type[Model]:
        """Return the model that a field's ``model`` names."""
        return cast("type[Model]", cls._plan().nested(name))

    @classmethod
    def _plan(cls) -> Plan:
        plan = cls.__dict__.get("_plan_cache")
        if plan is None:
            plan = cls._plan_cache = Plan(cls.FIELDS, vars(sys.modules[cls.__module__]))
        return plan

    def _read(self, d: Mapping[str, Any]) -> None:
        """Assign all attributes from a dict that has all keys. Generated for each class, line by line, for speed."""
        raise NotImplementedError

    def _assign(self, values: Sequence[Any]) -> None:
        """Assign all attributes at once, in the order of ``FIELDS``. Generated for each class."""
        raise NotImplementedError

    def _odd(self, attr: str, raw: Any) -> Any:
        """Read a value that is not of its field's own type."""
        plan = self._plan()
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

    def _give(self, values: Sequence[Any]) -> None:
        """Take the arguments of a constructor, in the order of ``FIELDS``; plain dicts become models."""
        plan = self._plan()
        came: list[str] = []
        for field, value in zip(self.FIELDS, values, strict=True):
            if value is UNSET:
                setattr(self, field.attr, None)
                continue
            came.append(field.attr)
            nested = field.items if field.kind == "array" else field
            is_model = nested is not None and nested.kind == "object"
            setattr(self, field.attr, plan.nest(nested.model, value) if nested and is_model else value)
        self._came = frozenset(came)

    @property
    def additional_properties(self) -> dict[str, Any]:
        """Fields that the model does not know, and values that do not fit theirs, by their names on the wire."""
        try:
            return self._extra
        except AttributeError:
            self._extra = {}
            return self._extra

    @property
    def fields_set(self) -> frozenset[str]:
        """Names of the attributes that came, or were given or assigned, also where they are None."""
        try:
            came = self._came
        except AttributeError:
            return self._plan().attrs
        return came.union([field.attr for field in self.FIELDS if getattr(self, field.attr) is not None])

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON object: what was received, or what is to be sent."""
        readers = self._plan().readers
        came = getattr(self, "_came", None)
        extra: dict[str, Any] = getattr(self, "_extra", {})
        received: dict[str, Any] = getattr(self, "_received", {})
        data: dict[str, Any] = {}
        for field in self.FIELDS:
            attr, wire = field.attr, field.wire
            value = getattr(self, attr)
            # What was received is given back as it was, unless the attribute has been changed since.
            if attr in received and readers[attr][0](received[attr])[0] == value:
                data[wire] = received[attr]
            elif value is None:
                if (came is None or attr in came) and wire not in extra:
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

    # Models can be changed, so they cannot be keys.
    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        came = self.fields_set
        parts: list[str] = []
        for field in self.FIELDS:
            if field.attr in came:
                value = getattr(self, field.attr)
                parts.append(f"{field.attr}={_SECRET if field.secret and value else value!r}")
        extra: dict[str, Any] = getattr(self, "_extra", {})
        if extra:
            secrets = {field.wire for field in self.FIELDS if field.secret}
            shown = {wire: _SECRET if wire in secrets else value for wire, value in extra.items()}
            parts.append(f"additional_properties={shown!r}")
        return f"{type(self).__name__}({', '.join(parts)})"
