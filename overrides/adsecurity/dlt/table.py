"""One list or report as a dlt resource: its hints, what it is called with, and its rows as Arrow tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ..client.methods import find_method, taken_by
from ..flow.extras import require
from ..paging.clock import Clock, Days, Seconds, Span
from ..tables.arrow import pa
from .keys import KEY, Shape
from .position import Position
from .reading import Reading

if TYPE_CHECKING:
    from adsecurity_generated._operation import Operation

dlt: Any = require("dlt", extra="dlt")
dlt_arrow: Any = require("dlt.common.libs.pyarrow", extra="dlt")

_ROWS = 20_000
"""Rows in a table that dlt is given, and more: each table costs it some milliseconds, whatever is in it."""


def resource_name(op: Operation[Any]) -> str:
    """`users` for `users.list`, `reports_clicks` for `reports.clicks`."""
    return op.resource.removesuffix(".list").replace(".", "_")


class Table:
    """A list or a report, with the export of the same rows where the first load is to be one."""

    def __init__(
        self,
        op: Operation[Any],
        export: Operation[Any] | None,
        reading: Reading,
        ids: Mapping[str, Any],
        parameters: Mapping[str, Any],
        connect: Callable[[], Any],
    ) -> None:
        self._op, self._export, self._reading, self._connect = op, export, reading, connect
        self.name = resource_name(op)
        # By `start` and `end`. The performance report needs them, and has no range that could be read in parts; where
        # a list can do without, they are filters like others.
        self._ends = {param.edge: param for param in op.params if param.edge and (op.range or param.required)}
        self._clock: Clock = Days() if any(end.time == "day" for end in self._ends.values()) else Seconds(UTC)
        ends = self._ends.values()
        own = {param.arg: param.required or param.place == "path" for param in op.params if param not in ends}
        if self._ends:
            # All times are UTC here.
            own.pop("timezone", None)
        self.needed = [name for name, is_needed in own.items() if is_needed]
        """The arguments that it cannot be called without."""
        self.optional = own.keys() - set(self.needed)
        self._given = {name: ids[name] for name in self.needed if ids.get(name) is not None} | dict(parameters)

    @property
    def _missing(self) -> list[str]:
        missing = [name for name in self.needed if name not in self._given]
        return [*missing, "start_time"] if self._ends and self._reading.start_time is None else missing

    @cached_property
    def _shape(self) -> Shape:
        key: tuple[str, ...] = ()
        if (times := self._op.range) is not None:
            key = (times.key, times.time_field)
        elif any(field.wire == "id" for field in getattr(self._op.model, "FIELDS", ())):
            key = ("id",)
        ids = (param.arg for param in self._op.params if param.place == "path")
        return Shape(self._op.model, {name: self._given.get(name) for name in ids}, key)

    # What dlt sees

    def resource(self) -> Any:
        """The resource. One that lacks an argument is there, but not selected."""
        hints: dict[str, Any] = {"write_disposition": "merge"}
        if self._op.range is not None:
            # Rows with one key are all kept, as the report has them: of a primary key, one would be left.
            hints["merge_key"] = KEY
        elif KEY in self._shape.schema.names:
            # A list that changes while it is paged may give a row twice.
            hints["primary_key"] = KEY
        else:
            hints["write_disposition"] = "replace"

        def rows() -> Iterator[Any]:
            # dlt calls this for all resources that are selected, before it reads the first one.
            self._check()
            return self._tables()

        columns = dlt_arrow.py_arrow_to_table_schema_columns(self._shape.schema)
        return dlt.resource(rows, name=self.name, columns=columns, selected=not self._missing, **hints)

    def _check(self) -> None:
        """Refuse what would fail later, while nothing has been sent."""
        if self._missing:
            names = ", ".join(f"{name}=" for name in self._missing)
            raise ValueError(f"{self.name} cannot be loaded without {names}")
        with self._connect() as client:
            try:
                if not self._ends:
                    self._pages(client)
                    return
                start, end = self._reading.bounds()
                # Where it begins later than now, there is nothing to load yet.
                if start < end:
                    self._pages(client, start, end)
            except TypeError as error:
                # dlt would take it for a wrong call of the resource.
                raise ValueError(f"{self.name}: {error}") from error
        if self._export is not None:
            self._check_export(self._export)

    def _tables(self) -> Iterator[Any]:
        """All rows, or those that are new; at least one table, so that there is one in the destination."""
        count = 0
        with self._connect() as client:
            for table in self._new_rows(client) if self._op.range else self._all_rows(client):
                count += len(table)
                if len(table):
                    yield table
        if not count:
            yield self._shape.schema.empty_table()

    # Rows

    def _all_rows(self, client: Any) -> Iterator[Any]:
        pages = self._pages(client, *self._reading.bounds()) if self._ends else self._pages(client)
        yield from map(self._shape.table, _gathered(pages.to_arrow_batches()))

    def _new_rows(self, client: Any) -> Iterator[Any]:
        """The rows of the range that are new. What is read to an end that was asked for moves no position."""
        times = self._op.range
        assert times is not None
        positions: dict[str, Any] = {}
        if self._reading.end_time is None:
            positions = dlt.current.resource_state().setdefault("positions", positions)
        saved = positions.get(self._call_id)
        start, end = self._reading.bounds()
        position = Position(saved, start, end, self._reading.lag, times.time_field)
        if not position.start < end:
            return
        if self._export is not None and saved is None:
            batches = self._exported(client, self._export, start, end)
        else:
            batches = self._pages(client, position.start, end).to_arrow_batches()
        for batch in _gathered(batches):
            yield position.select(self._shape.table(batch))
        if (reached := position.saved()) is not None:
            positions[self._call_id] = reached

    @property
    def _call_id(self) -> str:
        """Tells calls of one report apart in the state: each integration, each filter has a position of its own."""
        text = json.dumps([self._op.id, self._given], sort_keys=True, default=str)
        return sha256(text.encode()).hexdigest()[:16]

    def _pages(self, client: Any, *bounds: datetime) -> Any:
        """The list, read page by page."""
        method = find_method(client, self._op, self._given)
        reading = {"page_size": self._reading.page_size, "concurrency": self._reading.concurrency}
        keywords = taken_by(method, {**self._given, **reading})
        if bounds:
            keywords |= self._times(self._op, self._units(*bounds))
        return method(**keywords, **({"inclusive": "left"} if self._op.range else {}))

    def _units(self, start: datetime, end: datetime) -> Span:
        """The seconds or days from the first on up to before the second; the end is rounded up."""
        last = self._clock.unit(end)
        return self._clock.unit(start), last if self._clock.start(last) == end else last + 1

    def _times(self, op: Operation[Any], units: Span) -> dict[str, str]:
        texts = {"start": self._clock.text(units[0]), "end": self._clock.text(units[1])}
        return {param.arg: texts[param.edge] for param in op.params if param.edge}

    # Exports

    def _check_export(self, export: Operation[Any]) -> None:
        taken = {param.arg for param in export.params}
        if "timezone" not in taken and self._reading.export_timezone is None:
            raise ValueError(
                f"{self.name}: the files of {export.resource} have times without a zone; say which one is meant by"
                " export_timezone="
            )
        if others := [name for name in self._given if name not in taken]:
            raise ValueError(f"{self.name}: {export.resource} does not take {', '.join(others)}; use backfill='pages'")

    def _exported(self, client: Any, export: Operation[Any], start: datetime, end: datetime) -> Iterator[Any]:
        """The rows of an export, and some around them: nobody knows whether it counts the ends of a range in."""
        asked = self._clock.widened(self._units(start, end))
        method = find_method(client, export, self._given)
        keywords = {"fields": self._shape.fields, "extra_parameters": [], **self._given}
        job = method(**taken_by(method, keywords), **self._times(export, asked))
        if job.timezone is None:
            job.timezone = self._reading.export_timezone
        job.wait()
        yield from pa.RecordBatchReader.from_stream(job)


def _gathered(batches: Iterable[Any]) -> Iterator[Any]:
    """The same rows in fewer batches."""
    kept: list[Any] = []
    count = 0
    for batch in batches:
        kept.append(batch)
        count += len(batch)
        if count >= _ROWS:
            yield pa.concat_batches(kept)
            kept, count = [], 0
    if kept:
        yield pa.concat_batches(kept)
