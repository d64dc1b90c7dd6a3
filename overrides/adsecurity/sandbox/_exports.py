"""The Download Center: exports as background jobs that end with a CSV file behind a signed, expiring URL."""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from ._call import SECOND_FORMAT, Call
from ._errors import bad_query, not_found
from ._items import Items, now
from ._reports import Reports, Selection, zone_of
from ._rows import SHARES
from ._schema import as_list, as_map, project, stable_id
from ._store import Place, Store
from ._where import Language

PLACE = Place("exports")
UNFINISHED = ("PENDING", "IN_PROGRESS")
FINISHED = "COMPLETED"
TYPES = {"clicks": "click_logs", "conversions": "conversion_logs", "impressions": "impression_logs"}
# The texts name no columns for postback logs; these are what such a log is likely to hold.
POSTBACK_COLUMNS = ("id", "time", "tx_id", "offer_id", "publisher_id", "method", "url", "status_code")


class Exports:
    """Starts exports, works through them one after the other, signs the URLs of their files."""

    def __init__(
        self,
        store: Store,
        items: Items,
        reports: Reports,
        folder: Path,
        *,
        seconds: float,
        url_seconds: float,
        row_limit: int | None,
        secret: bytes,
    ) -> None:
        self._store = store
        self._items = items
        self._reports = reports
        self._folder = folder
        self._seconds = seconds
        self._url_seconds = url_seconds
        self._row_limit = row_limit
        self._secret = secret
        self._jobs: queue.SimpleQueue[tuple[str, Call] | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._worker = threading.Thread(target=self._work, name="adsecurity-sandbox-exports", daemon=True)
        # How the next exports end instead of well, for tests: ERROR, CANCELED, or any other status to stay in.
        self.outcomes: deque[str] = deque()
        self.storage_url = ""

    def start(self) -> None:
        for doc in self._store.documents(PLACE):
            if doc["status"] in UNFINISHED:
                self._update(doc["id"], status="ERROR", error="the sandbox was stopped while it worked on this")
        self._worker.start()

    def stop(self) -> None:
        self._stopped.set()
        self._jobs.put(None)
        self._worker.join()

    # What the API answers

    def begin(self, call: Call) -> dict[str, Any]:
        """Everything is checked here, so that a job fails only when it is told to."""
        integration = self._items.target(call).place.integration
        report = call.operation.name
        columns = [name for name in str(call.query.get("fields", "")).split(",") if name]
        if not columns:
            raise bad_query("fields", "names no column")
        zone_of(call)
        extra = [name for name in str(call.query.get("extra_parameters", "")).split(",") if name]
        delimiter = call.query.get("delimiter", ",")
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise bad_query("delimiter", f"{delimiter!r} cannot separate columns")
        if report in SHARES:
            Language(call.operation.surface.schemas, self._row_schema(call)).check_fields(columns)
            self._select(call, integration)
        else:
            self._reports.bounds(call)
            for name in columns:
                if name not in POSTBACK_COLUMNS:
                    raise bad_query("fields", f"there is no field {name!r}")
        doc = self._items.new(PLACE, {})
        sent = call.query
        equal: dict[str, list[str]] = {"integration_id": [integration]}
        for condition in call.conditions:
            equal.setdefault(condition.field, []).extend(condition.values)
        doc |= {
            "status": "PENDING",
            "integration": integration,
            "type": TYPES.get(report, f"{report.removesuffix('s')}_logs"),
            "platform": "24metrics",
            "requested_by": doc.get("last_updated_by", ""),
            "guest_token": stable_id(doc["id"], "guest", length=32),
            "format": {"delimiter": delimiter},
            "reports_query_option": {
                **as_map(doc.get("reports_query_option")),
                "start_date": str(sent.get("start_time") or sent.get("start_date") or ""),
                "end_date": str(sent.get("end_time") or sent.get("end_date") or ""),
                "include_fields": columns,
                "extra_parameters_as_new_fields": extra,
                "filters": {name: {"equal_values": values} for name, values in equal.items()},
            },
        }
        self._store.add([(PLACE, doc)])
        self._jobs.put((doc["id"], call))
        return project(doc, call.operation.item_template)

    def signed_url(self, call: Call) -> dict[str, Any]:
        name = str(call.query["artifact_name"])
        known = self._store.count(PLACE, " AND json_extract(doc, '$.artifact.name') = ?", [name])
        if not name or not known:
            raise not_found("artifact", name)
        expires = str(int((time.time() + self._url_seconds) * 1000))
        query = urlencode({"expires": expires, "signature": self._signature(name, expires)})
        return {"url": f"{self.storage_url}/artifacts/{quote(name)}?{query}"}

    def _signature(self, name: str, expires: str) -> str:
        return hmac.new(self._secret, f"{name}\n{expires}".encode(), hashlib.sha256).hexdigest()

    # What the storage asks

    def file(self, name: str, query: Mapping[str, str]) -> tuple[Path | None, str]:
        """The file behind a signed URL, or why there is none."""
        expires, signature = query.get("expires", ""), query.get("signature", "")
        if not hmac.compare_digest(signature.encode(), self._signature(name, expires).encode()):
            return None, "the signature does not fit"
        if int(expires) < time.time() * 1000:
            return None, "the URL has expired"
        path = self._folder / name
        return (path, "") if path.is_file() else (None, "the file is gone")

    # The jobs

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None and not self._stopped.wait(self._seconds / 2):
            export_id, call = job
            started = time.monotonic()
            self._update(export_id, status="IN_PROGRESS")
            if self._stopped.wait(self._seconds / 2):
                return
            outcome = self.outcomes.popleft() if self.outcomes else FINISHED
            if outcome != FINISHED:
                error = "the export failed, as it was told to" if outcome == "ERROR" else ""
                self._update(export_id, status=outcome, error=error)
                continue
            try:
                self._finish(export_id, call, started)
            except OSError as error:
                self._update(export_id, status="ERROR", error=f"the file could not be written: {error}")

    def _finish(self, export_id: str, call: Call, started: float) -> None:
        doc = as_map(self._store.get(PLACE, export_id))
        name = f"{doc['type']}-{export_id}.csv"
        path = self._folder / name
        total, truncated = self._write(path, call, doc)
        artifact = {
            "name": name,
            "size": path.stat().st_size,
            "download_link": f"{self.storage_url}/artifacts/{quote(name)}",
            "meta": {"id": export_id, "organization": doc.get("organization", ""), "type": doc["type"]},
        }
        meta = {
            "total": total,
            "duration_seconds": int(time.monotonic() - started),
            "range_truncated": truncated,
        }
        self._update(export_id, status=FINISHED, artifact=artifact, results_meta=meta)

    def _update(self, export_id: str, **changes: Any) -> None:
        doc = as_map(self._store.get(PLACE, export_id))
        self._store.put("exports", {**doc, **changes, "updated_at": now()})

    def _row_schema(self, call: Call) -> Any:
        name = as_map(call.operation.raw.get("x-export")).get("rows")
        return {"$ref": f"#/components/schemas/{name}"}

    def _select(self, call: Call, integration: str) -> Selection:
        return self._reports.select(call, call.operation.name, self._row_schema(call), integration)

    def _write(self, path: Path, call: Call, doc: Mapping[str, Any]) -> tuple[int, bool]:
        options = as_map(doc.get("reports_query_option"))
        columns, extra = as_list(options.get("include_fields")), as_list(options.get("extra_parameters_as_new_fields"))
        zone = zone_of(call)
        written = 0
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=as_map(doc["format"])["delimiter"])
            writer.writerow([*columns, *extra])
            for row in self._rows(call, str(doc["integration"])):
                if written == self._row_limit or self._stopped.is_set():
                    return written, True
                writer.writerow(_cells(row, columns, extra, zone))
                written += 1
        return written, False

    def _rows(self, call: Call, integration: str) -> Iterator[Mapping[str, Any]]:
        if call.operation.name in SHARES:
            return self._reports.documents(self._select(call, integration))
        return self._postbacks(call)

    def _postbacks(self, call: Call) -> Iterator[Mapping[str, Any]]:
        """A log line for each conversion, as if every one had been told to a tracker."""
        self._reports.ensure("conversions")
        start, end = self._reports.bounds(call)
        clause = "report = 'conversions' AND time >= ? AND time < ? ORDER BY time DESC, key DESC"
        for seq, doc in self._store.rows(clause, [start, end]):
            yield {
                "id": str(seq),
                "time": doc["conversion_time"],
                "tx_id": doc["tx_id"],
                "offer_id": doc["offer_id"],
                "publisher_id": doc["publisher"],
                "method": "GET",
                "url": f"https://tracker.example/conversion?tx={doc['tx_id']}",
                "status_code": 200,
            }


def _cells(row: Mapping[str, Any], columns: Sequence[str], extra: Sequence[str], zone: ZoneInfo) -> list[Any]:
    cells = [_cell(row.get(name, ""), name, zone) for name in columns]
    named = dict(zip(as_list(row.get("extra_params.keys")), as_list(row.get("extra_params.values")), strict=False))
    return [*cells, *(named.get(name, "") for name in extra)]


def _cell(value: Any, name: str, zone: ZoneInfo) -> Any:
    if isinstance(value, list):
        return json.dumps(value)
    if name.endswith("time") and isinstance(value, str) and value.endswith("Z"):
        moment = datetime.fromisoformat(value)
        return "" if moment.year == 1 else moment.astimezone(zone).strftime(SECOND_FORMAT)
    return value
