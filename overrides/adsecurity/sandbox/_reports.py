"""Reports: rows of clicks, conversions and impressions by time, in pages or behind cursors, and their totals."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ._call import SECOND_FORMAT, Call
from ._errors import Refusal, bad_body, bad_query, not_found
from ._items import MAX_PAGE_SIZE, Items, World, page_of
from ._performance import performance_rows
from ._rows import SHARES, WEEK_START, RowMaker
from ._schema import as_list, as_map, is_list, project, stable_id
from ._spec import REPORT_KINDS, Operation, Surface
from ._store import Row, Store
from ._where import Condition, Language

_KEPT_SELECTIONS = 64
# Rows made once are copied into the later sandboxes of a process, unless there are too many to keep.
_KEPT_ROWS = 10_000
_MADE: dict[tuple[object, ...], list[tuple[Any, ...]]] = {}
# The words of the POST reports' filters.
_WORDS = {"is": "eq", "is any of": "eq", "is not": "ne", "contains": "like"}


@dataclass(frozen=True)
class Selection:
    """The rows that a call asks for, as SQL."""

    clause: str
    values: tuple[Any, ...]
    order: str = ""
    order_values: tuple[Any, ...] = ()

    def narrowed(self, clause: str, *values: Any) -> Selection:
        return replace(self, clause=self.clause + clause, values=(*self.values, *values))


class Reports:
    def __init__(
        self,
        store: Store,
        items: Items,
        surfaces: Mapping[str, Surface],
        world: World,
        rows: int,
        *,
        end_inclusive: bool = True,
    ) -> None:
        self._store = store
        self._items = items
        self._surfaces = surfaces
        self._world = world
        self._rows = rows
        self._end_inclusive = end_inclusive
        self._seeding = threading.Lock()
        self._keeping = threading.Lock()
        # The totals added up last, and what they are of: their other pages are likely to follow.
        self._totals: tuple[tuple[object, ...], str] = ((), "[]")
        self._kept: dict[Selection, tuple[int, dict[str, int], list[int]]] = {}

    # The rows themselves

    def ensure(self, report: str) -> None:
        """Rows are made when a report is first asked for, so that a sandbox starts at once."""
        with self._seeding:
            if self._store.counter(f"rows {report}"):
                return
            self._store.count_up(f"rows {report}")
            key = (self._world, *self._surfaces.values(), report, self._rows)
            if key in _MADE:
                self._store.add_raw_rows(_MADE[key])
                return
            if report not in SHARES:
                self._store.add_rows(self._sample_rows(report))
            for part, integration in enumerate(self._world.integrations):
                count = int(self._rows * SHARES.get(report, 0)) // (1 if part == 0 else 10)
                maker = RowMaker(self._store, self._world, report, integration, self._template(report))
                self._store.add_rows(maker.week(count))
            if self._rows <= _KEPT_ROWS:
                _MADE[key] = self._store.raw_rows(report)

    def add(self, report: str, moments: Sequence[datetime], integration: str) -> list[dict[str, Any]]:
        """Rows that arrive later than the seeded ones."""
        self.ensure(report)
        salt = self._store.count_up(f"rows {report}")
        maker = RowMaker(self._store, self._world, report, integration, self._template(report), salt)
        made = [maker.at(moment) for moment in moments]
        self._store.add_rows(made)
        return [row.doc for row in made]

    def _operations(self, report: str) -> list[Operation]:
        operations = [op for surface in self._surfaces.values() for op in surface.operations.values()]
        return [op for op in operations if op.kind in REPORT_KINDS and op.name == report]

    def _template(self, report: str) -> dict[str, Any]:
        template: dict[str, Any] = {}
        for operation in self._operations(report):
            template = {**operation.item_template, **template}
        return template

    def _sample_rows(self, report: str) -> list[Row]:
        made: list[Row] = []
        for operation in self._operations(report)[:1]:
            for index in range(10):
                doc = as_map(operation.surface.schemas.sample(operation.item_schema, report, index))
                moment = WEEK_START + timedelta(hours=index)
                key = str(doc.get(str(operation.range.get("key", "")), stable_id(report, index)))
                made.append(Row(report, self._world.integrations[0], int(moment.timestamp()), key, doc))
        return made

    # What a call selects

    def select(self, call: Call, report: str, schema: Any, integration: str = "") -> Selection:
        """The rows of a report within the call's integration, range and filters."""
        self.ensure(report)
        clause, values = "report = ?", [report]
        if not integration:
            integration = str(call.query.get("integration_id") or call.body.get("integration_id") or "")
        selection = Selection(clause, tuple(values))
        if integration:
            selection = selection.narrowed(" AND integration = ?", self._items.check_integration(integration))
        if "organizationID" in call.ids:
            self._items.check_organization(call.ids["organizationID"])
            own = self._items.own_publisher().get("id", "")
            selection = selection.narrowed(" AND json_extract(doc, '$.publisher_db_id') = ?", own)
        start, end = self.bounds(call)
        if start is not None:
            selection = selection.narrowed(" AND time >= ?", start)
        if end is not None:
            selection = selection.narrowed(" AND time < ?", end)
        language = Language(call.operation.surface.schemas, schema)
        where, found = language.where([*call.conditions, *_body_conditions(call)])
        order, order_values = language.order(_sort_keys(call))
        return replace(selection.narrowed(where, *found), order=order, order_values=tuple(order_values))

    def bounds(self, call: Call) -> tuple[int | None, int | None]:
        """The call's range in seconds since the epoch: the first one in it, the first one after it."""
        sent = {**call.body, **call.query}
        second = "start_time" in sent or "end_time" in sent
        names = ("start_time", "end_time") if second else ("start_date", "end_date")
        names = (str(call.operation.range.get("start", names[0])), str(call.operation.range.get("end", names[1])))
        unit = str(call.operation.range.get("unit", "second" if second else "day"))
        zone = zone_of(call)
        moments = [_moment(sent[name], unit, zone) if name in sent else None for name in names]
        start, end = moments
        if start is not None and end is not None and start > end:
            raise bad_query(names[0], f"is later than {names[1]}")
        last = (86_400 if unit == "day" else 1) if self._end_inclusive else 0
        return (int(start.timestamp()) if start else None, int(end.timestamp()) + last if end else None)

    # Answers

    def answer(self, call: Call) -> dict[str, Any]:
        operation = call.operation
        if operation.name == "performance":
            return self._performance(call)
        selection = self.select(call, operation.name, operation.item_schema)
        if operation.kind == "cursor":
            return self._by_cursor(call, selection)
        if operation.kind == "rows":
            return self._page(call, list(self.documents(selection)), has_next=False, has_previous=False)
        numbers = self._listed(selection)[1]
        size = self._size(call)
        start = (page_of(call)[0] - 1) * size
        rows = self._documents(numbers[start : start + size])
        return self._page(call, rows, has_next=start + size < len(numbers), has_previous=start > 0)

    def _size(self, call: Call) -> int:
        if "page_size" in call.body:
            size = int(call.body["page_size"])
            if not 1 <= size <= MAX_PAGE_SIZE:
                raise bad_body("/page_size", f"{size} is not between 1 and {MAX_PAGE_SIZE}")
            return size
        return page_of(call)[1]

    def _by_cursor(self, call: Call, selection: Selection) -> dict[str, Any]:
        size = page_of(call)[1]
        after, before = call.query.get("page[after]"), call.query.get("page[before]")
        if after and before:
            raise bad_query("page[before]", "excludes page[after]")
        keys, numbers = self._listed(selection)
        start, stop = 0, size
        for name, cursor in (("page[after]", after), ("page[before]", before)):
            if cursor:
                if cursor not in keys:
                    raise bad_query(name, f"there is no row {cursor!r} in the range")
                found = keys[cursor]
                start, stop = (found + 1, found + 1 + size) if cursor == after else (max(0, found - size), found)
        rows = self._documents(numbers[start:stop])
        return self._page(call, rows, has_next=stop < len(numbers), has_previous=start > 0)

    def _listed(self, selection: Selection) -> tuple[dict[str, int], list[int]]:
        """The selected rows in their order: positions by key, and row numbers; kept for the pages that follow."""
        with self._keeping:
            version = self._store.version
            if (kept := self._kept.get(selection)) is not None and kept[0] == version:
                return kept[1], kept[2]
            keys, numbers = self._list(selection)
            while len(self._kept) >= _KEPT_SELECTIONS:
                self._kept.pop(next(iter(self._kept)))
            self._kept[selection] = (version, keys, numbers)
            return keys, numbers

    def _list(self, selection: Selection) -> tuple[dict[str, int], list[int]]:
        order = f"{selection.order}time DESC, key DESC, seq DESC"
        sql = f"SELECT key, seq FROM rows WHERE {selection.clause} ORDER BY {order}"
        found = self._store.query(sql, [*selection.values, *selection.order_values])
        keys = {key: position for position, (key, _) in enumerate(found)}
        return keys, [seq for _, seq in found]

    def _documents(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        found = dict(self._store.rows(f"seq IN ({', '.join('?' * len(numbers))})", numbers))
        return [found[number] for number in numbers]

    def documents(self, selection: Selection, batch: int = 500) -> Iterator[dict[str, Any]]:
        """All the selected rows, oldest last."""
        numbers = self._listed(selection)[1]
        for start in range(0, len(numbers), batch):
            yield from self._documents(numbers[start : start + batch])

    def _page(self, call: Call, rows: list[dict[str, Any]], *, has_next: bool, has_previous: bool) -> dict[str, Any]:
        schemas, schema = call.operation.surface.schemas, call.operation.item_schema
        fields: Sequence[str] = as_list(call.body.get("fields")) or call.query.get("columns[]") or ()
        Language(schemas, schema).check_fields(fields)
        answer: dict[str, Any] = {
            "count": len(rows),
            "data": [project(row, call.operation.item_template, fields) for row in rows],
        }
        envelope = schemas.properties(schemas.properties(call.operation.success[1]).get("data"))
        if "pageInfo" in envelope:
            key = str(call.operation.range.get("key", "real_tx_id"))
            answer["pageInfo"] = {
                "startCursor": str(rows[0].get(key, "")) if rows else "",
                "endCursor": str(rows[-1].get(key, "")) if rows else "",
                "hasNextPage": has_next,
                "hasPreviousPage": has_previous,
            }
        return {"data": answer}

    def _performance(self, call: Call) -> dict[str, Any]:
        for name in ("page[after]", "page[before]"):
            if call.query.get(name):
                raise bad_query(name, "this report has no cursors")
        schemas, schema = call.operation.surface.schemas, call.operation.item_schema
        # Filters and sort keys are those of the totals, which rows do not have.
        bare = replace(call, conditions=[], query={k: v for k, v in call.query.items() if k != "sort"})
        selections = {report: self.select(bare, report, schema) for report in SHARES}
        totals = (self._store.version, *selections.values(), call.operation)
        if self._totals[0] != totals:
            added = performance_rows(self._store, selections, call.operation.item_template)
            self._totals = (totals, json.dumps(added))
        language = Language(schemas, schema)
        where, values = language.where(call.conditions)
        order, order_values = language.order(_sort_keys(call))
        sql = f"SELECT doc FROM (SELECT key, value AS doc FROM json_each(?)) WHERE 1{where} ORDER BY {order}key"
        found = self._store.query(sql, [self._totals[1], *values, *order_values])
        rows = [as_map(json.loads(doc)) for (doc,) in found]
        total = len(rows)
        if call.operation.kind == "report-numbered":
            number, size = page_of(call)
            rows = rows[(number - 1) * size : number * size]
        answer = self._page(call, rows, has_next=False, has_previous=False)
        if call.query.get("count"):
            answer["data"]["count"] = total
        return answer

    # Changing conversions

    def update_conversions(self, call: Call) -> dict[str, Any]:
        """All updates or none: each names a conversion by its transaction or its hash."""
        self.ensure("conversions")
        found: list[tuple[int, dict[str, Any]]] = []
        updates = [as_map(update) for update in as_list(call.body.get("updates"))]
        if not updates:
            raise Refusal(402, "body /updates: names no conversion")
        if call.body.get("integration_id"):
            self._items.check_integration(call.body["integration_id"])
        for index, update in enumerate(updates):
            name = str(update.get("tx_id") or update.get("hash") or "")
            clause = "report = 'conversions' AND (key = ? OR json_extract(doc, '$.hash') = ?)"
            rows = list(self._store.rows(clause, [name, name]))
            if not rows:
                raise not_found("conversion", name)
            status = {"Approve": "Approved", "Reject": "Rejected"}.get(str(update.get("action")))
            if status is None:
                raise bad_body(f"/updates/{index}/action", f"{update.get('action')!r} is neither Approve nor Reject")
            reason = str(update.get("new_rejected_advanced_reason") or "") if status == "Rejected" else ""
            changed = {"status": status, "rejected": int(status == "Rejected"), "rejected_advanced_reason": reason}
            found.append((rows[0][0], {**rows[0][1], **changed, **as_map(update.get("update_params"))}))
        for seq, doc in found:
            self._store.put_row(seq, doc)
        return {"success": True}


def _sort_keys(call: Call) -> Sequence[str]:
    """A report's `sort` is a list or a text with commas in it, as the spec has it."""
    sort: str | list[str] = call.query.get("sort") or ""
    return [key for key in sort.split(",") if key] if isinstance(sort, str) else sort


def zone_of(call: Call) -> ZoneInfo:
    name = str(call.query.get("timezone") or "UTC")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise bad_query("timezone", f"{name!r} is no IANA time zone") from None


def _moment(text: str, unit: str, zone: ZoneInfo) -> datetime:
    if unit == "day":
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    return datetime.strptime(text, SECOND_FORMAT).replace(tzinfo=zone)


def _body_conditions(call: Call) -> list[Condition]:
    """The `filters` of a POST report's body."""
    conditions: list[Condition] = []
    for index, entry in enumerate(as_list(call.body.get("filters"))):
        part = as_map(entry)
        pointer = f"/filters/{index}"
        word = str(part.get("operator") or "is")
        if word not in _WORDS:
            raise bad_body(f"{pointer}/operator", f"there is no operator {word!r}; there are {', '.join(_WORDS)}")
        value = part.get("value")
        texts = [_text(item) for item in (value if is_list(value) else [value])]
        conditions.append(Condition(str(part.get("field", "")), _WORDS[word], tuple(texts), f"{pointer}/field"))
    return conditions


def _text(value: Any) -> str:
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
