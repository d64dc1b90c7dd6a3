"""A report as the API gives it, behind an httpx transport: ranges, cursors or page numbers, and trouble on request."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import httpx

from tests.support.routes import in_our_names

Rows = list[dict[str, Any]]


@attrs.define(slots=False)
class ReportServer:
    """Rows are dicts with `request_time` and perhaps `real_tx_id`; the newest come first."""

    rows: Rows
    inclusive_end: bool = True
    inclusive_start: bool = True
    newest_first: bool = True
    zone: str = "UTC"
    """Whose days a day report counts in; a second report has its own zone in the request."""
    trouble: Callable[[int, dict[str, str]], httpx.Response | None] = lambda number, query: None
    before_answer: Callable[[int], None] = lambda number: None
    requests: list[tuple[float, dict[str, str]]] = attrs.field(factory=list)
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        query = in_our_names(request.url.params.items())
        body = json.loads(request.content) if request.content else {}
        with self._lock:
            self.requests.append((time.monotonic(), query))
            number = len(self.requests)
            refused = self.trouble(number, query)
            if refused is not None:
                return refused
            self.before_answer(number)
            return httpx.Response(200, json=self.page(query, body))

    def page(self, query: dict[str, str], body: dict[str, Any]) -> Any:
        found = self.within(query)
        if "page_size" in body:
            assert body["start_date"] == query["start_date"]
            assert body["end_date"] == query["end_date"]
            size, number = body["page_size"], body["page_number"]
            rows, more = found[(number - 1) * size : number * size], number * size < len(found)
        else:
            size = int(query["page[size]"])
            cursor = query.get("page[after]")
            start = 0 if cursor is None else self.behind(found, int(cursor))
            rows, more = found[start : start + size], start + size < len(found)
        end = str(rows[-1][0]) if rows else ""
        return {"data": {"data": [row for _, row in rows], "pageInfo": {"hasNextPage": more, "endCursor": end}}}

    def within(self, query: dict[str, str]) -> list[tuple[int, dict[str, Any]]]:
        if "start_time" in query:
            zone = named_zone(query.get("timezone", "UTC"))
            low, high = (instant(query[name], zone) for name in ("start_time", "end_time"))
            if self.inclusive_end:
                high += timedelta(seconds=1)
            if not self.inclusive_start:
                low += timedelta(seconds=1)
            # A repeated hour has two readings: the earlier for a start, the later for an end.
            low, high = low.astimezone(UTC), high.replace(fold=1).astimezone(UTC)
        else:
            zone = named_zone(self.zone)
            low, high = (
                datetime.combine(date.fromisoformat(query[name]), datetime.min.time(), zone)
                for name in ("start_date", "end_date")
            )
            if self.inclusive_end:
                high += timedelta(days=1)
            if not self.inclusive_start:
                low += timedelta(days=1)
            low, high = low.astimezone(UTC), high.astimezone(UTC)
        found = [(number, row) for number, row in enumerate(self.rows) if low <= parse(row) < high]
        return sorted(found, key=lambda pair: (parse(pair[1]), pair[0]), reverse=self.newest_first)

    def behind(self, found: list[tuple[int, dict[str, Any]]], cursor: int) -> int:
        """A cursor stays valid in a range that its own row fell out of."""
        at = (parse(self.rows[cursor]), cursor)
        return sum(
            (parse(row), number) >= at if self.newest_first else (parse(row), number) <= at for number, row in found
        )


def parse(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["request_time"])


def named_zone(name: str) -> tzinfo:
    """Also where no zone has data."""
    return UTC if name == "UTC" else ZoneInfo(name)


def instant(text: str, zone: tzinfo) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)


def make_rows(times: list[datetime], keys: list[str | None] | None = None) -> Rows:
    """A row for each time, oldest first; `uuid` tells all of them apart unless the key is given twice."""
    rows: Rows = []
    for number, moment in enumerate(sorted(times)):
        row: dict[str, Any] = {"request_time": moment.isoformat().replace("+00:00", "Z"), "uuid": f"u{number}"}
        key = f"k{number}" if keys is None else keys[number % len(keys)]
        if key is not None:
            row["real_tx_id"] = key
            if key == "twice":
                row["uuid"] = "u"
        rows.append(row)
    return rows
