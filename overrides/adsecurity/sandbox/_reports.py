"""Reports: handlers that list click, impression and conversion rows, by page or by cursor, and their totals."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from ..codec.times import zone as named_zone
from ._call import DAY_FORMAT, SECOND_FORMAT, ApiRequest
from ._errors import bad_body, bad_query
from ._items import MAX_PAGE_SIZE, Items, SeedSettings, page_number_and_size
from ._performance import performance_rows
from ._rows import DAY_SECONDS, ROWS_PER_CLICK, RowGenerator, week_start
from ._schema import as_list, as_map, is_list, select_fields, stable_id
from ._spec import REPORT_KINDS, Operation, Surface
from ._store import Row, RowQuery, Store
from ._where import FilterCondition, QueryCompiler

# How many queries keep their ordered row numbers, for the requests of the next pages.
_ORDER_CACHE_SIZE = 64
# Seeded rows by all that they are made from, so that later sandboxes of a process start faster.
_ROW_CACHE: dict[tuple[object, ...], list[tuple[Any, ...]]] = {}
# A sandbox with more rows than this does not keep them in memory for others.
_MAX_CACHED_ROWS = 10_000
# The operators in the body of a POST report.
_BODY_OPERATORS = {"is": "eq", "is any of": "eq", "is not": "ne", "contains": "like"}
_SAMPLE_ROWS = 10


class Reports:
    """The handlers of all reports, and the rows behind them."""

    def __init__(
        self,
        store: Store,
        items: Items,
        surfaces: Mapping[str, Surface],
        settings: SeedSettings,
        click_count: int,
        *,
        end_inclusive: bool = True,
    ) -> None:
        self._store = store
        self._items = items
        self._surfaces = surfaces
        self._settings = settings
        self._click_count = click_count
        self._end_inclusive = end_inclusive
        self._seed_lock = threading.Lock()
        self._cache_lock = threading.Lock()
        # By query: the version of the rows, the position of each row by its key, and the row numbers in order.
        self._order_cache: dict[RowQuery, tuple[int, dict[str, int], list[int]]] = {}
        # The performance totals as JSON, and what they were computed from: requests for their other pages follow.
        self._totals_key: tuple[object, ...] = ()
        self._totals = "[]"

    # Seeded and added rows

    def ensure_rows(self, report: str) -> None:
        """Generates the rows of a report when it is first asked for, so that a sandbox starts at once."""
        with self._seed_lock:
            if self._store.counter(f"rows {report}"):
                return
            self._store.increment_counter(f"rows {report}")
            cache_key = (self._settings, *self._surfaces.values(), report, self._click_count)
            if cache_key in _ROW_CACHE:
                self._store.add_row_tuples(_ROW_CACHE[cache_key])
                return
            if report not in ROWS_PER_CLICK:
                self._store.add_rows(self._sample_rows(report))
            for index, integration in enumerate(self._settings.integrations):
                count = int(self._click_count * ROWS_PER_CLICK.get(report, 0))
                # The second integration is a small one.
                count //= 1 if index == 0 else 10
                self._store.add_rows(self._row_generator(report, integration).week_of_rows(count))
            if self._click_count <= _MAX_CACHED_ROWS:
                _ROW_CACHE[cache_key] = self._store.row_tuples(report)

    def add_rows(self, report: str, times: Sequence[datetime], integration: str) -> list[dict[str, Any]]:
        """Adds one row for each time to the seeded ones, and returns them."""
        self.ensure_rows(report)
        batch = self._store.increment_counter(f"rows {report}")
        generator = self._row_generator(report, integration, batch)
        rows = [generator.row_at(time) for time in times]
        self._store.add_rows(rows)
        return [row.document for row in rows]

    def _row_generator(self, report: str, integration: str, batch: int = 0) -> RowGenerator:
        template: dict[str, Any] = {}
        for operation in self._operations(report):
            template = {**operation.item_template, **template}
        return RowGenerator(self._store, self._settings, report, integration, template, batch)

    def _operations(self, report: str) -> list[Operation]:
        """The operations that list a report, of both surfaces."""
        operations = [operation for surface in self._surfaces.values() for operation in surface.operations.values()]
        return [operation for operation in operations if operation.kind in REPORT_KINDS and operation.name == report]

    def _sample_rows(self, report: str) -> list[Row]:
        """A few rows for a report that only an edited spec has."""
        rows: list[Row] = []
        for operation in self._operations(report)[:1]:
            key_field = str(operation.range.get("key", ""))
            for index in range(_SAMPLE_ROWS):
                document = as_map(operation.surface.schemas.sample_value(operation.item_schema, report, index))
                time = week_start(self._settings.today) + timedelta(hours=index)
                key = str(document.get(key_field, stable_id(report, index)))
                rows.append(Row(report, self._settings.integrations[0], int(time.timestamp()), key, document))
        return rows

    # The rows that a request selects

    def row_query(self, request: ApiRequest, report: str, schema: Any, integration: str = "") -> RowQuery:
        """The rows of a report within the request's integration, time range and filters, as a SQL query."""
        self.ensure_rows(report)
        query = RowQuery("report = ?", (report,))
        if not integration:
            integration = str(request.query.get("integration_id") or request.body.get("integration_id") or "")
        if integration:
            query = query.narrowed(" AND integration = ?", self._items.check_integration(integration))
        if "organizationID" in request.path_params:
            self._items.check_organization(request.path_params["organizationID"])
            publisher_id = self._items.own_publisher().get("id", "")
            query = query.narrowed(" AND json_extract(doc, '$.publisher_db_id') = ?", publisher_id)
        start, end = self.time_range(request)
        if start is not None:
            query = query.narrowed(" AND time >= ?", start)
        if end is not None:
            query = query.narrowed(" AND time < ?", end)
        statuses = _listed_statuses(request, schema) if report == "conversions" else []
        if statuses:
            query = query.narrowed(
                f" AND json_extract(doc, '$.status') IN ({', '.join('?' * len(statuses))})", *statuses
            )
        compiler = QueryCompiler(request.operation.surface.schemas, schema)
        where, parameters = compiler.where([*request.conditions, *_body_conditions(request)])
        order_by, order_parameters = compiler.order_by(_sort_keys(request))
        query = query.narrowed(where, *parameters)
        return replace(query, order_by=order_by, order_parameters=tuple(order_parameters))

    def time_range(self, request: ApiRequest) -> tuple[int | None, int | None]:
        """The time range of a request in seconds since the epoch: its first second, and the first one after it."""
        values = {**request.body, **request.query}
        has_seconds = "start_time" in values or "end_time" in values
        # Exports and performance reports have no `x-range` in the spec; the names in the request tell the unit.
        default_names = ("start_time", "end_time") if has_seconds else ("start_date", "end_date")
        start_name = str(request.operation.range.get("start", default_names[0]))
        end_name = str(request.operation.range.get("end", default_names[1]))
        unit = str(request.operation.range.get("unit", "second" if has_seconds else "day"))
        zone = time_zone(request)
        start = _parse_time(values[start_name], unit, zone) if start_name in values else None
        end = _parse_time(values[end_name], unit, zone) if end_name in values else None
        if start is not None and end is not None and start > end:
            raise bad_query(start_name, f"is later than {end_name}")
        end_length = 0
        if self._end_inclusive:
            end_length = DAY_SECONDS if unit == "day" else 1
        return (int(start.timestamp()) if start else None, int(end.timestamp()) + end_length if end else None)

    def all_documents(self, query: RowQuery, batch_size: int = 500) -> Iterator[dict[str, Any]]:
        """The documents of all selected rows in their order, read from the store in batches."""
        row_numbers = self._ordered_rows(query)[1]
        for start in range(0, len(row_numbers), batch_size):
            yield from self._documents(row_numbers[start : start + batch_size])

    def _ordered_rows(self, query: RowQuery) -> tuple[dict[str, int], list[int]]:
        """The position of each selected row by its key, and the row numbers in order."""
        with self._cache_lock:
            version = self._store.rows_version
            cached = self._order_cache.get(query)
            if cached is not None and cached[0] == version:
                return cached[1], cached[2]
            order_by = f"{query.order_by}time DESC, key DESC, seq DESC"
            sql = f"SELECT key, seq FROM rows WHERE {query.where} ORDER BY {order_by}"
            found = self._store.query(sql, [*query.parameters, *query.order_parameters])
            positions = {key: position for position, (key, _) in enumerate(found)}
            row_numbers = [row_number for _, row_number in found]
            while len(self._order_cache) >= _ORDER_CACHE_SIZE:
                self._order_cache.pop(next(iter(self._order_cache)))
            self._order_cache[query] = (version, positions, row_numbers)
            return positions, row_numbers

    def _documents(self, row_numbers: Sequence[int]) -> list[dict[str, Any]]:
        documents = dict(self._store.rows(f"seq IN ({', '.join('?' * len(row_numbers))})", row_numbers))
        return [documents[row_number] for row_number in row_numbers]

    # Handlers

    def list_rows(self, request: ApiRequest) -> dict[str, Any]:
        operation = request.operation
        if operation.name == "performance":
            return self._list_performance(request)
        query = self.row_query(request, operation.name, operation.item_schema)
        if operation.kind == "cursor":
            return self._list_by_cursor(request, query)
        if operation.kind == "rows":
            return self._response(request, list(self.all_documents(query)))
        row_numbers = self._ordered_rows(query)[1]
        number, size = page_number_and_size(request)
        if "page_size" in request.body:
            size = _body_page_size(request)
        start = (number - 1) * size
        documents = self._documents(row_numbers[start : start + size])
        has_next = start + size < len(row_numbers)
        return self._response(request, documents, has_next=has_next, has_previous=start > 0)

    def _list_by_cursor(self, request: ApiRequest, query: RowQuery) -> dict[str, Any]:
        _, size = page_number_and_size(request)
        after = request.query.get("page[after]")
        before = request.query.get("page[before]")
        if after and before:
            raise bad_query("page[before]", "excludes page[after]")
        positions, row_numbers = self._ordered_rows(query)
        for name, cursor in (("page[after]", after), ("page[before]", before)):
            if cursor and cursor not in positions:
                raise bad_query(name, f"there is no row {cursor!r} in the range")
        if after:
            start = positions[after] + 1
            stop = start + size
        elif before:
            stop = positions[before]
            start = max(0, stop - size)
        else:
            start, stop = 0, size
        documents = self._documents(row_numbers[start:stop])
        return self._response(request, documents, has_next=stop < len(row_numbers), has_previous=start > 0)

    def _list_performance(self, request: ApiRequest) -> dict[str, Any]:
        operation = request.operation
        for name in ("page[after]", "page[before]"):
            if request.query.get(name):
                raise bad_query(name, "this report has no cursors")
        schema = operation.item_schema
        # The filters and sort keys are about the totals, not about the rows that are added up.
        rows_request = replace(
            request, conditions=[], query={name: value for name, value in request.query.items() if name != "sort"}
        )
        row_queries = {report: self.row_query(rows_request, report, schema) for report in ROWS_PER_CLICK}
        totals_key = (self._store.rows_version, *row_queries.values(), operation)
        if self._totals_key != totals_key:
            self._totals = json.dumps(performance_rows(self._store, row_queries, operation.item_template))
            self._totals_key = totals_key
        compiler = QueryCompiler(operation.surface.schemas, schema)
        where, parameters = compiler.where(request.conditions)
        order_by, order_parameters = compiler.order_by(_sort_keys(request))
        sql = f"SELECT doc FROM (SELECT key, value AS doc FROM json_each(?)) WHERE 1{where} ORDER BY {order_by}key"
        found = self._store.query(sql, [self._totals, *parameters, *order_parameters])
        rows = [as_map(json.loads(document)) for (document,) in found]
        total = len(rows)
        if operation.kind == "report-numbered":
            number, size = page_number_and_size(request)
            rows = rows[(number - 1) * size : number * size]
        response = self._response(request, rows)
        if request.query.get("count"):
            response["data"]["count"] = total
        return response

    def _response(
        self,
        request: ApiRequest,
        documents: list[dict[str, Any]],
        *,
        has_next: bool = False,
        has_previous: bool = False,
    ) -> dict[str, Any]:
        operation = request.operation
        schemas = operation.surface.schemas
        fields: Sequence[str] = as_list(request.body.get("fields")) or request.query.get("columns[]") or ()
        QueryCompiler(schemas, operation.item_schema).check_fields(fields)
        data: dict[str, Any] = {
            "count": len(documents),
            "data": [select_fields(document, operation.item_template, fields) for document in documents],
        }
        envelope = schemas.properties(schemas.properties(operation.success[1]).get("data"))
        if "pageInfo" in envelope:
            key_field = str(operation.range.get("key", "real_tx_id"))
            data["pageInfo"] = {
                "startCursor": str(documents[0].get(key_field, "")) if documents else "",
                "endCursor": str(documents[-1].get(key_field, "")) if documents else "",
                "hasNextPage": has_next,
                "hasPreviousPage": has_previous,
            }
        return {"data": data}


def time_zone(request: ApiRequest) -> tzinfo:
    """The `timezone` of a request, by default UTC; a 400 when it is not an IANA time zone."""
    name = str(request.query.get("timezone") or "UTC")
    try:
        return named_zone(name)
    except ValueError:
        raise bad_query("timezone", f"{name!r} is no IANA time zone") from None


def _parse_time(text: str, unit: str, zone: tzinfo) -> datetime:
    if unit == "day":
        return datetime.strptime(text, DAY_FORMAT).replace(tzinfo=UTC)
    return datetime.strptime(text, SECOND_FORMAT).replace(tzinfo=zone)


def _sort_keys(request: ApiRequest) -> Sequence[str]:
    """The sort keys of a report: its `sort` is a list or a comma-separated text, depending on the operation."""
    sort: str | list[str] = request.query.get("sort") or ""
    if isinstance(sort, str):
        return [key for key in sort.split(",") if key]
    return sort


def _listed_statuses(request: ApiRequest, schema: Any) -> list[str]:
    """The statuses that the spec of a row lists, [] where it allows any.

    The network spec has no word for a conversion that awaits approval, so its reports do not show any.
    """
    schemas = request.operation.surface.schemas
    status_schema = schemas.resolve(schemas.properties(schema).get("status"))
    return [str(status) for status in as_list(status_schema.get("enum"))]


def _body_page_size(request: ApiRequest) -> int:
    size = int(request.body["page_size"])
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise bad_body("/page_size", f"{size} is not between 1 and {MAX_PAGE_SIZE}")
    return size


def _body_conditions(request: ApiRequest) -> list[FilterCondition]:
    """The conditions of the `filters` in the body of a POST report."""
    conditions: list[FilterCondition] = []
    for index, entry in enumerate(as_list(request.body.get("filters"))):
        body_filter = as_map(entry)
        pointer = f"/filters/{index}"
        operator = str(body_filter.get("operator") or "is")
        if operator not in _BODY_OPERATORS:
            known = ", ".join(_BODY_OPERATORS)
            raise bad_body(f"{pointer}/operator", f"there is no operator {operator!r}; there are {known}")
        value = body_filter.get("value")
        texts = tuple(_as_text(item) for item in (value if is_list(value) else [value]))
        field = str(body_filter.get("field", ""))
        conditions.append(FilterCondition(field, _BODY_OPERATORS[operator], texts, f"{pointer}/field"))
    return conditions


def _as_text(value: Any) -> str:
    """A JSON value as a query parameter would spell it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
