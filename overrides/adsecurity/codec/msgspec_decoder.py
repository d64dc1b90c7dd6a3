"""The `[fast]` decoder: pages straight from their bytes into the same models, by msgspec.

msgspec refuses a whole document for one value that does not fit, and says where. The decoder then reads that one
field by the standard rules from there on, so that a dirty field costs its own time and no other's. Whatever it still
refuses is left to the standard decoder. It changes speed, never results.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from threading import Lock, local
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from adsecurity_generated._operation import UNSET
from adsecurity_generated._values import Verdict, read_date, read_time

from .page import DecodedPage, page_of

if TYPE_CHECKING:
    import httpx

    from adsecurity_generated._model import Field, Model

    from .failure import CallContext

_EXACT_FLOAT = 2**53  # beyond it a float no longer says which integer came
_MAX_UNKNOWN = 64
_MAX_KNOWN = 256
_OFTEN = 3
_UNKNOWN = re.compile(r"unknown field `(?P<name>.*)` - at `", re.DOTALL)
_PLACE = re.compile(r" - at `\$(?:\.data)+\[\d+\]\.(?P<name>[^`\[]+?)(?:\[\d+\])*`")


class _AnyInstance(type):
    def __instancecheck__(cls, instance: object) -> bool:
        # A hook's answer is checked against the annotation; an empty time is an answer too.
        return True


class _Time(metaclass=_AnyInstance):
    """Annotates times."""

    known: ClassVar[dict[str, Any]] = {}
    read = staticmethod(read_time)


class _Date(metaclass=_AnyInstance):
    """Annotates dates."""

    known: ClassVar[dict[str, Any]] = {}
    read = staticmethod(read_date)


class _Odd:
    """A value that is not written as it came: the row has to remember what came."""

    __slots__ = ("raw",)

    def __init__(self, raw: Any) -> None:
        self.raw = raw


_NUMBER: Any = Annotated[float, msgspec.Meta(ge=-_EXACT_FLOAT, le=_EXACT_FLOAT)]
_TYPES: dict[str, Any] = {
    "string": str | None,
    "number": _NUMBER | None,
    "integer": int | None,
    "boolean": bool | None,
    "date-time": _Time | None,
    "date": _Date | None,
}


def _annotation(field: Field) -> Any:
    if field.kind == "array" and field.items is not None and field.items.kind == "string":
        return list[str] | None
    return _TYPES.get(field.kind, Any)


class _Notes(local):
    """What a thread notices while it decodes a page."""

    absent = odd = False


_Learned = tuple[msgspec.json.Decoder[Any], tuple[int, ...], tuple[str, ...]]
"""A decoder, the fields that it leaves as they came, and the fields that the model does not know."""


class Decoder:
    """Decodes the pages of one model, in one kind of envelope."""

    def __init__(self, model: type[Model], *, nested: bool) -> None:
        self._model = model
        self._plan = model.PLAN
        self._nested = nested
        self._fields = model.FIELDS
        self._by_wire = {field.wire: index for index, field in enumerate(self._fields)}
        self._loose = {index for index, field in enumerate(self._fields) if _annotation(field) is Any}
        self._unknown: list[str] = []
        self._notes = _Notes()
        self._lock = Lock()
        self._dirty = 0  # pages in a row
        self._strict: _Learned = (self._build(), tuple(sorted(self._loose)), ())
        self._learned: _Learned = self._strict

    def _build(self) -> msgspec.json.Decoder[Any]:
        columns: list[tuple[str, Any, Any]] = []
        for index, field in enumerate(self._fields):
            kind = Any if index in self._loose else _annotation(field)
            columns.append((f"f{index}", kind, msgspec.field(name=field.wire, default_factory=self._note_absent)))
        for index, wire in enumerate(self._unknown):
            columns.append((f"x{index}", Any, msgspec.field(name=wire, default=UNSET)))
        row = msgspec.defstruct("Row", columns, forbid_unknown_fields=True, gc=False)
        rows = list[row] | None  # type: ignore[valid-type]
        data = msgspec.defstruct("Data", [("data", rows), ("pageInfo", Any, None)]) if self._nested else rows
        page = msgspec.defstruct("Page", [("data", data), ("meta", Any, None), ("success", Any, None)])
        return msgspec.json.Decoder(page, dec_hook=self._read_time)

    def _note_absent(self) -> Any:
        self._notes.absent = True
        return UNSET

    def _read_time(self, kind: Any, raw: Any) -> Any:
        if raw.__class__ is str and (known := kind.known.get(raw)) is not None:
            return known
        value, verdict = kind.read(raw)
        if verdict is Verdict.EXACT:
            if len(kind.known) >= _MAX_KNOWN:
                kind.known.clear()
            kind.known[raw] = value
            return value
        self._notes.odd = True
        return _Odd(raw)

    def decode(self, content: bytes) -> tuple[list[Any], Any, Any, int] | None:
        """Items, `meta`, `pageInfo` and how many rows were repaired; None where only the standard decoder will do."""
        # A dirty page now and then must not slow the clean ones down: those that are dirty all the time may.
        decoder, loose, unknown = self._learned if self._dirty >= _OFTEN else self._strict
        notes, refused = self._notes, False
        while True:
            notes.absent = notes.odd = False
            try:
                page = decoder.decode(content)
            except msgspec.ValidationError as error:
                refused = True
                if not self._adapt(str(error), decoder):
                    return None
                decoder, loose, unknown = self._learned
            except (msgspec.DecodeError, RecursionError, UnicodeError):
                return None
            else:
                break
        absent, odd = notes.absent, notes.odd
        holder = page.data if self._nested else page
        rows: Sequence[Any] | None = holder.data
        if rows is None or page.success is False:
            return None
        astuple = msgspec.structs.astuple
        info = holder.pageInfo if self._nested else None
        if not (absent or odd or loose or unknown):
            new, model, assign = object.__new__, self._model, self._plan.assign
            items: list[Any] = []
            for row in rows:
                item = new(model)
                assign(item, astuple(row))
                items.append(item)
            self._dirty = 0
            return items, page.meta, info, 0
        build = self._careful(absent, odd, loose, unknown)
        items = [build(astuple(row)) for row in rows]
        needed = refused or not all(map(self._plan.is_exact, items))
        self._dirty = self._dirty + 1 if needed else 0
        return items, page.meta, info, self._repaired(items)

    def _repaired(self, items: Sequence[Any]) -> int:
        """How many rows hold a value that does not fit its field."""
        known, is_exact = self._by_wire.keys(), self._plan.is_exact
        return sum(not known.isdisjoint(item.additional_properties) for item in items if not is_exact(item))

    def _adapt(self, refusal: str, refuser: msgspec.json.Decoder[Any]) -> bool:
        """Learn from a refusal what the server sends; False when there is nothing to be learnt."""
        with self._lock:
            if refuser is not self._learned[0]:
                return True  # what has been learnt may do
            if unknown := _UNKNOWN.search(refusal):
                name = unknown["name"]
                if name in self._unknown or name in self._by_wire or len(self._unknown) >= _MAX_UNKNOWN:
                    return False
                self._unknown.append(name)
            elif place := _PLACE.search(refusal):
                index = self._by_wire.get(place["name"])
                if index is None or index in self._loose:
                    return False
                self._loose.add(index)
            else:
                return False
            self._learned = (self._build(), tuple(sorted(self._loose)), tuple(self._unknown))
            return True

    def _careful(
        self, absent: bool, odd: bool, loose: Sequence[int], unknown: Sequence[str]
    ) -> Callable[[tuple[Any, ...]], Any]:
        """A constructor for the rows of a page on which not everything is as it should be."""
        plan, fields, count = self._plan, self._fields, len(self._fields)
        readers = [(index, fields[index].attr, plan.readers[fields[index].attr][1]) for index in loose]
        wires = [field.wire for field in fields]

        def build(row: tuple[Any, ...]) -> Any:
            values = list(row[:count])
            item: Any = object.__new__(self._model)
            if absent and UNSET in values:
                plan.set_present(item, [wire for wire, value in zip(wires, values, strict=True) if value is not UNSET])
                values = [None if value is UNSET else value for value in values]
            for index, attr, unchanged in readers:
                value = values[index]
                if value is not None and type(value) not in unchanged:
                    values[index] = plan.convert(item, attr, value)
            if odd:
                for index, value in enumerate(values):
                    if type(value) is _Odd:
                        values[index] = plan.convert(item, fields[index].attr, value.raw)
            for wire, value in zip(unknown, row[count:], strict=True):
                if value is not UNSET:
                    item.additional_properties[wire] = value
            plan.assign(item, values)
            return item

        return build


_decoders: dict[tuple[type, bool], Decoder] = {}


def decoder(model: type[Model], *, nested: bool) -> Decoder:
    """The decoder of a model; what it has learnt stays."""
    found = _decoders.get((model, nested))
    if found is None:
        found = _decoders.setdefault((model, nested), Decoder(model, nested=nested))
    return found


def read_page(call: CallContext, response: httpx.Response) -> DecodedPage[Any] | None:
    """A page, or None where only the standard decoder will do."""
    model = call.op.model
    if model is None:
        return None
    found = decoder(model, nested=call.op.kind != "pages").decode(response.content)
    if found is None:
        return None
    items, meta, info, repaired = found
    return page_of(items, {"meta": meta}, {"pageInfo": info}, repaired)
