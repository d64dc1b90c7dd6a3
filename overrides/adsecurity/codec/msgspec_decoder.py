"""The `[fast]` decoder: msgspec decodes pages straight from their bytes into the same models.

msgspec rejects a whole document because of one value of the wrong type, and names its field. From then on that field is
decoded as `Any` and converted by the standard rules, so that the other fields stay fast. A document that is still
rejected is left to the standard decoder. The results are always those of the standard decoder.
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

_EXACT_FLOAT = 2**53  # larger integers cannot all be told apart as floats
_MAX_UNKNOWN_FIELDS = 64
_MAX_CACHED_TIMES = 256
# After so many unclean pages in a row the adapted decoder is used from the start.
_ADAPT_AFTER = 3
_UNKNOWN = re.compile(r"unknown field `(?P<name>.*)` - at `", re.DOTALL)
_FIELD = re.compile(r" - at `\$(?:\.data)+\[\d+\]\.(?P<name>[^`\[]+?)(?:\[\d+\])*`")


class _AnyInstance(type):
    def __instancecheck__(cls, instance: object) -> bool:
        # msgspec checks the hook's result against the annotation, but an empty time is decoded as None.
        return True


class _Time(metaclass=_AnyInstance):
    """The annotation of fields that hold a time."""

    known: ClassVar[dict[str, Any]] = {}
    read = staticmethod(read_time)


class _Date(metaclass=_AnyInstance):
    """The annotation of fields that hold a date."""

    known: ClassVar[dict[str, Any]] = {}
    read = staticmethod(read_date)


class _Inexact:
    """A time or date that would be written differently from the received text, so the model must keep that text."""

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


class _PageFlags(local):
    """What was seen while decoding a page; each thread has its own."""

    absent = False
    """A row lacks a field."""
    inexact = False
    """A time or date is not in its usual form."""


_Adapted = tuple[msgspec.json.Decoder[Any], tuple[int, ...], tuple[str, ...]]
"""A decoder, the indexes of fields that it decodes as `Any`, and the names of fields that the model does not know."""


class Decoder:
    """Decodes the pages of one model, with or without the nested `data` envelope."""

    def __init__(self, model: type[Model], *, nested: bool) -> None:
        self._model = model
        self._plan = model.PLAN
        self._nested = nested
        self._fields = model.FIELDS
        self._by_wire = {field.wire: index for index, field in enumerate(self._fields)}
        self._loose = {index for index, field in enumerate(self._fields) if _annotation(field) is Any}
        self._unknown: list[str] = []
        self._flags = _PageFlags()
        self._lock = Lock()
        self._unclean_pages = 0  # in a row
        self._strict: _Adapted = (self._build(), tuple(sorted(self._loose)), ())
        self._learned: _Adapted = self._strict

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
        self._flags.absent = True
        return UNSET

    def _read_time(self, kind: Any, raw: Any) -> Any:
        if raw.__class__ is str and (known := kind.known.get(raw)) is not None:
            return known
        value, verdict = kind.read(raw)
        if verdict is Verdict.EXACT:
            if len(kind.known) >= _MAX_CACHED_TIMES:
                kind.known.clear()
            kind.known[raw] = value
            return value
        self._flags.inexact = True
        return _Inexact(raw)

    def decode(self, content: bytes) -> tuple[list[Any], Any, Any, int] | None:
        """Return items, `meta`, `pageInfo` and the number of repaired rows; None if msgspec cannot decode the page."""
        # One unclean page must not slow down the clean ones after it; only a run of them changes the decoder.
        decoder, loose, unknown = self._learned if self._unclean_pages >= _ADAPT_AFTER else self._strict
        flags, rejected = self._flags, False
        while True:
            flags.absent = flags.inexact = False
            try:
                page = decoder.decode(content)
            except msgspec.ValidationError as error:
                rejected = True
                if not self._adapt(str(error), decoder):
                    return None
                decoder, loose, unknown = self._learned
            except (msgspec.DecodeError, RecursionError, UnicodeError):
                return None
            else:
                break
        absent, inexact = flags.absent, flags.inexact
        holder = page.data if self._nested else page
        rows: Sequence[Any] | None = holder.data
        if rows is None or page.success is False:
            return None
        astuple = msgspec.structs.astuple
        info = holder.pageInfo if self._nested else None
        if not (absent or inexact or loose or unknown):
            new, model, assign = object.__new__, self._model, self._plan.assign
            items: list[Any] = []
            for row in rows:
                item = new(model)
                assign(item, astuple(row))
                items.append(item)
            self._unclean_pages = 0
            return items, page.meta, info, 0
        build = self._row_builder(absent, inexact, loose, unknown)
        items = [build(astuple(row)) for row in rows]
        unclean = rejected or not all(map(self._plan.is_exact, items))
        self._unclean_pages = self._unclean_pages + 1 if unclean else 0
        return items, page.meta, info, self._repaired(items)

    def _repaired(self, items: Sequence[Any]) -> int:
        """How many rows hold a value that does not fit its field."""
        known, is_exact = self._by_wire.keys(), self._plan.is_exact
        return sum(not known.isdisjoint(item.additional_properties) for item in items if not is_exact(item))

    def _adapt(self, message: str, decoder: msgspec.json.Decoder[Any]) -> bool:
        """Build a decoder that accepts what `decoder` has rejected; False when the message names no field to adapt."""
        with self._lock:
            if decoder is not self._learned[0]:
                return True  # another thread has adapted it in the meantime
            if unknown := _UNKNOWN.search(message):
                name = unknown["name"]
                if name in self._unknown or name in self._by_wire or len(self._unknown) >= _MAX_UNKNOWN_FIELDS:
                    return False
                self._unknown.append(name)
            elif field := _FIELD.search(message):
                index = self._by_wire.get(field["name"])
                if index is None or index in self._loose:
                    return False
                self._loose.add(index)
            else:
                return False
            self._learned = (self._build(), tuple(sorted(self._loose)), tuple(self._unknown))
            return True

    def _row_builder(
        self, absent: bool, inexact: bool, loose: Sequence[int], unknown: Sequence[str]
    ) -> Callable[[tuple[Any, ...]], Any]:
        """Return a function that builds a model from a row of a page with missing, unknown or mistyped values."""
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
            if inexact:
                for index, value in enumerate(values):
                    if type(value) is _Inexact:
                        values[index] = plan.convert(item, fields[index].attr, value.raw)
            for wire, value in zip(unknown, row[count:], strict=True):
                if value is not UNSET:
                    item.additional_properties[wire] = value
            plan.assign(item, values)
            return item

        return build


_decoders: dict[tuple[type, bool], Decoder] = {}


def decoder(model: type[Model], *, nested: bool) -> Decoder:
    """The decoder of a model and envelope; it is kept for the whole process, with what it has adapted to."""
    found = _decoders.get((model, nested))
    if found is None:
        found = _decoders.setdefault((model, nested), Decoder(model, nested=nested))
    return found


def read_page(call: CallContext, response: httpx.Response) -> DecodedPage[Any] | None:
    """Decode a page; None where only the standard decoder can."""
    model = call.op.model
    if model is None:
        return None
    found = decoder(model, nested=call.op.kind != "pages").decode(response.content)
    if found is None:
        return None
    items, meta, info, repaired = found
    return page_of(items, {"meta": meta}, {"pageInfo": info}, repaired)
