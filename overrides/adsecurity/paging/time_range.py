"""The time range of one call: its ends, the clock they are counted by, and where a row lies in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from functools import cached_property
from operator import attrgetter
from typing import Any

from adsecurity_generated._operation import Param, Range

from ..codec.request import PreparedRequest
from ..codec.times import zone
from .clock import Clock, Days, Seconds, Span


class TimeRange:
    """The range that a request asks for. `purpose` is the keyword that needs it, for errors."""

    def __init__(self, prepared: PreparedRequest, purpose: str) -> None:
        self._prepared = prepared
        self._purpose = purpose
        if prepared.op.range is None:
            raise self.refused("this operation has no time range")
        self.of: Range = prepared.op.range
        params = {param.arg: param for param in prepared.op.params if param.place == "query"}
        self.ends: tuple[Param, Param] = (params[self.of.start], params[self.of.end])
        self._query: Mapping[str, str] = dict(prepared.query)
        if any(param.name not in self._query for param in self.ends):
            raise self.refused("it needs both ends of the time range")
        self.clock: Clock = Days() if self.of.unit == "day" else Seconds(self._zone())

    def refused(self, problem: str) -> ValueError:
        """The error that says why the keyword cannot be used here."""
        return ValueError(f"{self._prepared.op.resource}(): {self._purpose}: {problem}")

    def _zone(self) -> tzinfo:
        name = self._query.get("timezone")
        try:
            return zone(name)
        except ValueError as error:
            raise self.refused(f"timezone: {name!r} is not known on this machine") from error

    @cached_property
    def span(self) -> Span:
        start, end = (self.clock.parse(self._query[param.name]) for param in self.ends)
        return start, end

    def request(self, span: Span) -> PreparedRequest:
        """The same request for another range."""
        texts = {param.name: self.clock.text(unit) for param, unit in zip(self.ends, span, strict=True)}
        mirrored = {param.name: texts[param.name] for param in self.ends if param.mirror}
        return self._prepared.with_paging(texts, mirrored)

    def check_fields(self, *needed: str) -> None:
        """Refuse a choice of fields that leaves out what is needed here."""
        chosen = (self._prepared.body or {}).get("fields") or self._query.get("fields", "").split(",")
        if chosen != [""] and not set(needed) <= set(chosen):
            raise self.refused(f"fields must include {' and '.join(needed)}")

    @cached_property
    def time_of(self) -> Callable[[Any], datetime | None]:
        """The time of a row; None where it has none that can be read."""
        name = self._attribute(self.of.time_field)

        def time_of(row: Any) -> datetime | None:
            time = getattr(row, name)
            return time if isinstance(time, datetime) else None

        return time_of

    @cached_property
    def key_of(self) -> Callable[[Any], Any]:
        """The key of a row; None, or empty, where it has none."""
        return attrgetter(self._attribute(self.of.key))

    @cached_property
    def identity(self) -> Callable[[Any], str | None]:
        """What tells rows apart. One key may stand for several rows (conversions of a click), at different times."""
        time, key = self._attribute(self.of.time_field), self._attribute(self.of.key)

        def identity(row: Any) -> str | None:
            at, name = getattr(row, time), getattr(row, key)
            if name:
                return f"{at}|{name}"
            return None if at is None else repr(sorted(row.to_dict().items()))

        return identity

    def _attribute(self, wire: str) -> str:
        fields = getattr(self._prepared.op.model, "FIELDS", ())
        return next((field.attr for field in fields if field.wire == wire), wire)
