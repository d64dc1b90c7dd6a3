"""The call that a source makes, for the whole range or for one span of it; spans, types and rows come from it."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from typing import Any

from ..client.methods import call_method
from ..codec.times import zone
from ..paging.clock import Seconds
from ..tables.arrow import EXTRA, pa
from ..tables.folding import fold
from . import schema as columns
from .connection import Connection, Pace
from .options import read_options


class Query:
    """What the options of a source ask for. Travels between processes as its options."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self._given = dict(options)
        self.source, self.options = read_options(self._given)
        self.range = self.source.range

    def __reduce__(self) -> Any:
        return Query, (self._given,)

    @property
    def surface(self) -> str:
        return self.options.surface

    @property
    def name(self) -> str:
        return f"{self.surface}.{self.options.resource}"

    @property
    def ends(self) -> dict[str, str]:
        """The ends of the range that the options name."""
        names = (self.range.start, self.range.end)
        return {name: self.options.arguments[name] for name in names if name in self.options.arguments}

    def interval(self, partitions: int) -> float:
        """Seconds from request to request in each of so many partitions; 0 where there is no budget."""
        if self.options.requests_per_second is None:
            return 0
        at_once = min(partitions, self.options.concurrent or partitions)
        return at_once / self.options.requests_per_second

    def schema(self, client: Any, ends: Mapping[str, Any]) -> Any:
        """The Arrow schema of the rows. Nothing is sent; the call is checked as far as that goes.

        Raises ValueError, TypeError for arguments that the call cannot be made with.
        """
        rows = self._row_schema(client, ends)
        if self.source.is_export:
            return columns.of_file(rows, [*self._fields, *self._extra_parameters])
        return columns.chosen(rows, self._fields)

    def spans(self, client: Any, ends: Mapping[str, Any], wanted: Sequence[str], count: int) -> list[dict[str, str]]:
        """At most `count` half-open spans that together are the range."""
        spans: list[dict[str, str]] = self._list(client, ends, wanted).spans(count)
        return spans

    def read(
        self, connection: Connection, span: Mapping[str, str], wanted: Sequence[str], interval: float
    ) -> Iterator[Any]:
        """The rows of one span as Arrow batches with the wanted columns. Requests wait for their turn."""
        pace = Pace(interval) if interval else None
        client = connection.open(pace)
        try:
            read = self._exported(client, span) if self.source.is_export else self._listed(client, span, wanted)
            with closing(read) as batches:
                for batch in batches:
                    yield batch.select(list(wanted))
        finally:
            if pace is not None:
                pace.stop()
            client.close()

    def _listed(self, client: Any, span: Mapping[str, str], wanted: Sequence[str]) -> Generator[Any]:
        with closing(self._list(client, span, wanted).to_arrow_batches()) as reader:
            yield from reader

    def _exported(self, client: Any, span: Mapping[str, str]) -> Generator[Any]:
        clock = Seconds(zone(self.options.arguments.get("timezone")))
        ends = (clock.parse(span[self.range.start]), clock.parse(span[self.range.end]))
        # Whether the server counts the ends in is not known: more is asked for, and what lies outside is left out.
        asked = dict(zip((self.range.start, self.range.end), map(clock.text, clock.widened(ends)), strict=True))
        fields = list(dict.fromkeys([*self._fields, self.range.time_field]))
        job = call_method(client, self.source.operation, {**self.options.arguments, **asked, "fields": fields})
        job.wait()
        schema = columns.of_file(self._row_schema(client, span), [*fields, *self._extra_parameters])
        with closing(pa.RecordBatchReader.from_stream(job)) as reader:
            for batch in reader:
                yield columns.within(fold(batch, schema), self.range.time_field, clock, ends)

    def _row_schema(self, client: Any, ends: Mapping[str, Any]) -> Any:
        with closing(self._list(client, ends).to_arrow_batches()) as reader:
            return reader.schema

    @property
    def _fields(self) -> list[str]:
        return list(self.options.arguments.get("fields") or ())

    @property
    def _extra_parameters(self) -> list[str]:
        return list(self.options.arguments.get("extra_parameters") or ())

    @cached_property
    def _list_arguments(self) -> dict[str, Any]:
        """The arguments of the list: of an export, those that its report has as well."""
        known = {param.arg for param in self.source.planner.params}
        found = {name: value for name, value in self.options.arguments.items() if name in known}
        found.pop("fields", None)
        return found

    def _list(self, client: Any, ends: Mapping[str, Any], wanted: Sequence[str] = ()) -> Any:
        keywords = {**self._list_arguments, **ends}
        if fields := self._needed(wanted):
            keywords["fields"] = fields
        return call_method(client, self.source.planner, {**keywords, **self.options.calls, "inclusive": "left"})

    def _needed(self, wanted: Sequence[str]) -> list[str]:
        """The columns that the server is asked for; none for all. Rows are told apart by their times."""
        if self.source.is_export or not any(param.arg == "fields" for param in self.source.planner.params):
            return []
        # What has no column of its own may come with any of them.
        everything = EXTRA in wanted and not self._fields
        fields = [] if everything else [name for name in wanted if name != EXTRA] or self._fields
        return list(dict.fromkeys([*fields, self.range.time_field])) if fields else []
