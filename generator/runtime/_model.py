"""The base of every generated model: tolerant decoding, exact re-encoding, masked secrets.

Reading never fails: a value that does not fit its field leaves None there and stays in
``additional_properties``; its neighbours are untouched. ``to_dict()`` gives back what was received.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any, ClassVar, TypeVar, cast

import attrs

from ._operation import UNSET
from ._plan import Plan
from ._values import Verdict, encode, read_number

M = TypeVar("M", bound="Model")

_SECRET = "***"


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


def _float(value: Any) -> float:
    """Turn the usual numbers into floats; raise TypeError for whatever needs a closer look."""
    if value.__class__ is int and -(2**53) <= value <= 2**53:
        return float(value)
    raise TypeError


class Model:
    """Base of the generated models.

    Attributes that did not come, and attributes that came as null, are None; ``fields_set`` tells them apart.
    Built with keywords for requests: only what is given is sent, and None is sent as null.
    """

    # Left unassigned when all fields came and all of them fitted: most rows need none of the three.
    __slots__ = ("_came", "_extra", "_received")

    FIELDS: ClassVar[tuple[Field, ...]] = ()
    _plan: ClassVar[Plan | None] = None

    _came: frozenset[str]
    """Attributes that came, or were given; while unassigned, all of them."""
    _extra: dict[str, Any]
    """Fields that are unknown, and values that do not fit, by their names on the wire."""
    _received: dict[str, Any]
    """By attribute, what came where writing the attribute's value would give something else."""

    @classmethod
    def from_dict(cls: type[M], data: Mapping[str, Any]) -> M:
        """Build the model from a decoded JSON object; no dict makes this raise."""
        plan = cls.__dict__.get("_plan") or cls._make_plan()
        came: frozenset[str] | None = None
        stable: Any
        numbers: Any
        try:
            stable = plan.get_stable(data)
            numbers = plan.get_numbers(data)
        except KeyError:
            stable = list(map(data.get, plan.stable_wires, repeat(UNSET)))
            numbers = list(map(data.get, plan.number_wires, repeat(UNSET)))
            came = plan.presence(tuple([value is not UNSET for value in stable + numbers]))
            stable = tuple([None if value is UNSET else value for value in stable])
            numbers = [None if value is UNSET else value for value in numbers]

        received: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        signature = tuple(map(type, stable))
        fixes = plan.fixes.get(signature)
        if fixes is None:
            fixes = plan.learn(signature)
        if fixes:
            stable = list(stable)
            for index, read in fixes:
                raw = stable[index]
                stable[index], verdict = read(raw)
                if verdict is Verdict.KEEP:
                    received[plan.stable_attrs[index]] = raw
                elif verdict is Verdict.UNFIT:
                    extra[plan.stable_wires[index]] = raw
        try:
            numbers = [n if n.__class__ is float or n is None else _float(n) for n in numbers]
        except TypeError:
            numbers = list(numbers)
            for index, raw in enumerate(numbers):
                if raw is None:
                    continue
                numbers[index], verdict = read_number(raw)
                if verdict is Verdict.KEEP:
                    received[plan.number_attrs[index]] = raw
                elif verdict is Verdict.UNFIT:
                    extra[plan.number_wires[index]] = raw

        self = cls.__new__(cls)
        self._assign(stable, numbers)
        if came is not None:
            self._came = came
        if len(data) != len(plan.attrs if came is None else came):
            wires = plan.wires
            extra.update((key, value) for key, value in data.items() if key not in wires)
        if extra:
            self._extra = extra
        if received:
            self._received = received
        return self

    @classmethod
    def from_values(cls: type[M], values: Sequence[Any]) -> M:
        """Build the model from values in the order of ``FIELDS``, all of which are taken as they are."""
        plan = cls.__dict__.get("_plan") or cls._make_plan()
        self = cls.__new__(cls)
        self._assign(plan.pick_stable(values), plan.pick_numbers(values))
        return self

    @classmethod
    def _make_plan(cls) -> Plan:
        cls._plan = plan = Plan(cls)
        return plan

    def _assign(self, stable: Sequence[Any], numbers: Sequence[Any]) -> None:
        """Assign all attributes: everything but the numbers, then the numbers. Generated for each class."""
        raise NotImplementedError

    def _give(self, values: Sequence[Any]) -> None:
        """Take the arguments of a constructor, in the order of ``FIELDS``; plain dicts become models."""
        plan = type(self).__dict__.get("_plan") or self._make_plan()
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
            return frozenset([field.attr for field in self.FIELDS])
        return came.union([field.attr for field in self.FIELDS if getattr(self, field.attr) is not None])

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON object: what was received, or what is to be sent."""
        plan = type(self).__dict__.get("_plan") or self._make_plan()
        came = self.fields_set
        extra = getattr(self, "_extra", {})
        received = getattr(self, "_received", {})
        data: dict[str, Any] = {}
        for field in self.FIELDS:
            attr, wire = field.attr, field.wire
            value = getattr(self, attr)
            if attr in received and plan.readers[attr][0](received[attr])[0] == value:
                data[wire] = received[attr]
            elif value is not None or (attr in came and wire not in extra):
                data[wire] = encode(value)
        for wire, value in extra.items():
            data.setdefault(wire, value)
        return data

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.to_dict() == cast("Model", other).to_dict()

    # Models can be changed, so they cannot be keys.
    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        came = self.fields_set
        parts: list[str] = []
        for field in self.FIELDS:
            if field.attr in came:
                value = getattr(self, field.attr)
                parts.append(f"{field.attr}={_SECRET if field.secret and value else value!r}")
        extra = dict(getattr(self, "_extra", {}))
        if extra:
            secrets = {field.wire for field in self.FIELDS if field.secret}
            shown = {wire: _SECRET if wire in secrets else value for wire, value in extra.items()}
            parts.append(f"additional_properties={shown!r}")
        return f"{type(self).__name__}({', '.join(parts)})"
