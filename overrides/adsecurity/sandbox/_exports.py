"""The Download Center: exports run as background jobs and end with a CSV file behind a signed, expiring URL."""

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
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from ._call import SECOND_FORMAT, ApiRequest
from ._errors import bad_query, not_found
from ._items import Items, utc_now
from ._reports import Reports, time_zone
from ._rows import ROWS_PER_CLICK
from ._schema import as_list, as_map, select_fields, stable_id
from ._store import Collection, RowQuery, Store
from ._where import QueryCompiler

EXPORTS = Collection("exports")
UNFINISHED = ("PENDING", "IN_PROGRESS")
COMPLETED = "COMPLETED"
LOG_TYPES = {"clicks": "click_logs", "conversions": "conversion_logs", "impressions": "impression_logs"}
# The documentation names no columns for postback logs; these are what such a log is likely to hold.
POSTBACK_COLUMNS = ("id", "time", "tx_id", "offer_id", "publisher_id", "method", "url", "status_code")


class Exports:
    """The handlers of exports, the worker thread that runs the jobs one after the other, and the files they write.

    `job_seconds` is how long a job takes, `url_seconds` how long a signed URL is valid; `row_limit` is the number of
    rows after which a file is truncated, None for no limit.
    """

    def __init__(
        self,
        store: Store,
        items: Items,
        reports: Reports,
        folder: Path,
        *,
        job_seconds: float,
        url_seconds: float,
        row_limit: int | None,
        secret: bytes,
    ) -> None:
        self._store = store
        self._items = items
        self._reports = reports
        self._job_seconds = job_seconds
        self._url_seconds = url_seconds
        self._row_limit = row_limit
        self._secret = secret
        self._jobs: queue.SimpleQueue[tuple[str, ApiRequest] | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._worker = threading.Thread(target=self._run_jobs, name="adsecurity-sandbox-exports", daemon=True)
        self.folder = folder
        self.storage_url = ""
        # The final statuses of the next exports: ERROR, CANCELED, or another status that they then stay in.
        self.injected_statuses: deque[str] = deque()

    def start_worker(self) -> None:
        """Starts the worker; jobs that an earlier run of the sandbox left unfinished have failed."""
        for export in self._store.documents(EXPORTS):
            if export["status"] in UNFINISHED:
                self._update(export["id"], status="ERROR", error="the sandbox was stopped while it worked on this")
        self._worker.start()

    def stop_worker(self) -> None:
        self._stopped.set()
        self._jobs.put(None)
        self._worker.join()

    # Handlers

    def start_export(self, request: ApiRequest) -> dict[str, Any]:
        """Validates the whole request, so that a job does not fail later, and queues the job."""
        integration = self._items.resolve_target(request).collection.integration
        columns = _split(request.query.get("fields", ""))
        if not columns:
            raise bad_query("fields", "names no column")
        # Refuses a time zone that does not exist; the job looks it up again.
        time_zone(request)
        delimiter = request.query.get("delimiter", ",")
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise bad_query("delimiter", f"{delimiter!r} cannot separate columns")
        self._check_rows(request, columns, integration)
        export = self._new_export(request, integration, columns, delimiter)
        self._store.add_documents([(EXPORTS, export)])
        self._jobs.put((export["id"], request))
        return select_fields(export, request.operation.item_template)

    def _check_rows(self, request: ApiRequest, columns: Sequence[str], integration: str) -> None:
        """Refuses columns, filters and time ranges that the rows of the export do not have."""
        if request.operation.name in ROWS_PER_CLICK:
            QueryCompiler(request.operation.surface.schemas, _row_schema(request)).check_fields(columns)
            self._row_query(request, integration)
        else:
            self._reports.time_range(request)
            for name in columns:
                if name not in POSTBACK_COLUMNS:
                    raise bad_query("fields", f"there is no field {name!r}")

    def _new_export(
        self, request: ApiRequest, integration: str, columns: Sequence[str], delimiter: str
    ) -> dict[str, Any]:
        export = self._items.new_document(EXPORTS, {})
        report = request.operation.name
        query = request.query
        filter_values: dict[str, list[str]] = {"integration_id": [integration]}
        for condition in request.conditions:
            filter_values.setdefault(condition.field, []).extend(condition.values)
        return export | {
            "status": "PENDING",
            "integration": integration,
            "type": LOG_TYPES.get(report, f"{report.removesuffix('s')}_logs"),
            "platform": "24metrics",
            "requested_by": export.get("last_updated_by", ""),
            "guest_token": stable_id(export["id"], "guest", length=32),
            "format": {"delimiter": delimiter},
            "reports_query_option": {
                **as_map(export.get("reports_query_option")),
                "start_date": str(query.get("start_time") or query.get("start_date") or ""),
                "end_date": str(query.get("end_time") or query.get("end_date") or ""),
                "include_fields": columns,
                "extra_parameters_as_new_fields": _split(query.get("extra_parameters", "")),
                "filters": {name: {"equal_values": values} for name, values in filter_values.items()},
            },
        }

    def create_signed_url(self, request: ApiRequest) -> dict[str, Any]:
        name = str(request.query["artifact_name"])
        clause = " AND json_extract(doc, '$.artifact.name') = ?"
        if not name or not self._store.count_documents(EXPORTS, clause, [name]):
            raise not_found("artifact", name)
        expires = str(int((time.time() + self._url_seconds) * 1000))
        query = urlencode({"expires": expires, "signature": self._signature(name, expires)})
        return {"url": f"{self.storage_url}/artifacts/{quote(name)}?{query}"}

    def _signature(self, name: str, expires: str) -> str:
        return hmac.new(self._secret, f"{name}\n{expires}".encode(), hashlib.sha256).hexdigest()

    # Files

    def find_artifact(self, name: str, query: Mapping[str, str]) -> tuple[Path | None, str]:
        """The file behind a signed URL, or None and the reason why it is refused."""
        expires = query.get("expires", "")
        signature = query.get("signature", "")
        if not hmac.compare_digest(signature.encode(), self._signature(name, expires).encode()):
            return None, "the signature does not fit"
        if int(expires) < time.time() * 1000:
            return None, "the URL has expired"
        path = self.folder / name
        return (path, "") if path.is_file() else (None, "the file is gone")

    # Jobs

    def _run_jobs(self) -> None:
        while (job := self._jobs.get()) is not None and not self._stopped.wait(self._job_seconds / 2):
            export_id, request = job
            started = time.monotonic()
            self._update(export_id, status="IN_PROGRESS")
            if self._stopped.wait(self._job_seconds / 2):
                return
            status = self.injected_statuses.popleft() if self.injected_statuses else COMPLETED
            if status != COMPLETED:
                error = "the export failed, as it was told to" if status == "ERROR" else ""
                self._update(export_id, status=status, error=error)
                continue
            try:
                self._complete(export_id, request, started)
            except OSError as error:
                self._update(export_id, status="ERROR", error=f"the file could not be written: {error}")

    def _complete(self, export_id: str, request: ApiRequest, started: float) -> None:
        """Writes the file of an export and records it."""
        export = as_map(self._store.get_document(EXPORTS, export_id))
        name = f"{export['type']}-{export_id}.csv"
        path = self.folder / name
        total, is_truncated = self._write_csv(path, request, export)
        artifact = {
            "name": name,
            "size": path.stat().st_size,
            "download_link": f"{self.storage_url}/artifacts/{quote(name)}",
            "meta": {"id": export_id, "organization": export.get("organization", ""), "type": export["type"]},
        }
        results_meta = {
            "total": total,
            "duration_seconds": int(time.monotonic() - started),
            "range_truncated": is_truncated,
        }
        self._update(export_id, status=COMPLETED, artifact=artifact, results_meta=results_meta)

    def _update(self, export_id: str, **changes: Any) -> None:
        export = as_map(self._store.get_document(EXPORTS, export_id))
        self._store.replace_document(EXPORTS.name, {**export, **changes, "updated_at": utc_now()})

    def _write_csv(self, path: Path, request: ApiRequest, export: Mapping[str, Any]) -> tuple[int, bool]:
        """The number of rows written, and whether rows are missing."""
        options = as_map(export.get("reports_query_option"))
        columns = as_list(options.get("include_fields"))
        extra_columns = as_list(options.get("extra_parameters_as_new_fields"))
        zone = time_zone(request)
        written = 0
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=as_map(export["format"])["delimiter"])
            writer.writerow([*columns, *extra_columns])
            for row in self._rows(request, str(export["integration"])):
                if written == self._row_limit or self._stopped.is_set():
                    return written, True
                writer.writerow(_csv_cells(row, columns, extra_columns, zone))
                written += 1
        return written, False

    def _rows(self, request: ApiRequest, integration: str) -> Iterator[Mapping[str, Any]]:
        if request.operation.name in ROWS_PER_CLICK:
            return self._reports.all_documents(self._row_query(request, integration))
        return self._postback_log(request)

    def _row_query(self, request: ApiRequest, integration: str) -> RowQuery:
        return self._reports.row_query(request, request.operation.name, _row_schema(request), integration)

    def _postback_log(self, request: ApiRequest) -> Iterator[Mapping[str, Any]]:
        """One log entry for each conversion, as if each had been posted back to one tracker."""
        self._reports.ensure_rows("conversions")
        start, end = self._reports.time_range(request)
        clause = "report = 'conversions' AND time >= ? AND time < ? ORDER BY time DESC, key DESC"
        for row_number, conversion in self._store.rows(clause, [start, end]):
            yield {
                "id": str(row_number),
                "time": conversion["conversion_time"],
                "tx_id": conversion["tx_id"],
                "offer_id": conversion["offer_id"],
                "publisher_id": conversion["publisher"],
                "method": "GET",
                "url": f"https://tracker.example/conversion?tx={conversion['tx_id']}",
                "status_code": 200,
            }


def _row_schema(request: ApiRequest) -> Any:
    """The schema of the rows that an export writes."""
    name = as_map(request.operation.raw.get("x-export")).get("rows")
    return {"$ref": f"#/components/schemas/{name}"}


def _split(names: str) -> list[str]:
    """The names in a comma-separated text."""
    return [name for name in names.split(",") if name]


def _csv_cells(row: Mapping[str, Any], columns: Sequence[str], extra_columns: Sequence[str], zone: tzinfo) -> list[Any]:
    cells = [_csv_cell(row.get(name, ""), name, zone) for name in columns]
    keys = as_list(row.get("extra_params.keys"))
    values = as_list(row.get("extra_params.values"))
    extra_parameters = dict(zip(keys, values, strict=False))
    return [*cells, *(extra_parameters.get(name, "") for name in extra_columns)]


def _csv_cell(value: Any, name: str, zone: tzinfo) -> Any:
    """A value as a CSV file shows it: lists as JSON, times in the time zone, a missing time as an empty cell."""
    if isinstance(value, list):
        return json.dumps(value)
    if name.endswith("time") and isinstance(value, str) and value.endswith("Z"):
        moment = datetime.fromisoformat(value)
        return "" if moment.year == 1 else moment.astimezone(zone).strftime(SECOND_FORMAT)
    return value
