"""The engine: from a request to its response by route, API key, validation and the handler of the operation."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from ._call import ApiRequest, parse_request
from ._conversions import Conversions
from ._errors import HttpError
from ._exports import Exports
from ._items import Items, SeedSettings
from ._publisher_view import PublisherView
from ._reports import Reports
from ._seed import Seeder
from ._spec import REPORT_KINDS, Operation, Surface
from ._store import Store

# Seeded databases by all that they are made from, so that later sandboxes of a process start faster.
_SEEDED_DATABASES: dict[tuple[object, ...], bytes] = {}

Handler = Callable[[ApiRequest], dict[str, Any]]


@dataclass(frozen=True)
class ApiResponse:
    """The status and JSON body of a successful response; a body of None is an empty one."""

    status: int
    body: Any
    operation_id: str = ""


class Engine:
    """Both surfaces over one store."""

    def __init__(
        self,
        surfaces: Mapping[str, Surface],
        settings: SeedSettings,
        *,
        store: Store,
        api_key: str,
        folder: Path,
        click_count: int,
        end_inclusive: bool,
        export_seconds: float,
        url_seconds: float,
        export_row_limit: int | None,
    ) -> None:
        self._surfaces = surfaces
        self._settings = settings
        self._api_key = api_key
        self._store = store
        self._items = Items(store, surfaces, settings)
        self.reports = Reports(store, self._items, surfaces, settings, click_count, end_inclusive=end_inclusive)
        conversions = Conversions(store, self._items, self.reports)
        publisher_view = PublisherView(store, self._items)
        self.exports = Exports(
            store,
            self._items,
            self.reports,
            folder,
            job_seconds=export_seconds,
            url_seconds=url_seconds,
            row_limit=export_row_limit,
            secret=secrets.token_bytes(32),
        )
        # Operations that need more than the handler of their kind.
        self._own_handlers: dict[str, Handler] = {
            "conversions.update": conversions.update,
            "publisher_view.offers.list": publisher_view.list_offers,
            "publisher_view.offers.get": publisher_view.get_offer,
            "publisher_view.offers.list_payouts": publisher_view.list_payouts,
            "publisher_view.access_requests.create": publisher_view.request_access,
            "publisher_view.access_requests.delete": publisher_view.delete_access_requests,
            "publisher_view.access_requests.bulk_delete": publisher_view.delete_access_requests,
            "publisher_view.postbacks.create": publisher_view.create_postback,
            "publisher_view.postbacks.update": publisher_view.write_postbacks,
        }
        self._seed()

    def _seed(self) -> None:
        """Seeds an empty store; a store in memory from the copy that an earlier sandbox of this process left."""
        cache_key = (self._settings, *self._surfaces.values())
        if self._store.in_memory and cache_key in _SEEDED_DATABASES:
            self._store.deserialize(_SEEDED_DATABASES[cache_key])
        elif not self._store.counter("seeded"):
            Seeder(self._store, self._items, self._surfaces, self._settings).run()
            self._store.increment_counter("seeded")
            if self._store.in_memory:
                _SEEDED_DATABASES[cache_key] = self._store.serialize()

    def close(self) -> None:
        self.exports.stop_worker()
        self._store.close()

    def handle(
        self, surface: str, method: str, raw_path: str, raw_query: str, headers: Mapping[str, str], content: bytes
    ) -> ApiResponse:
        """The response to one request; raises HttpError when it is not a successful one."""
        segments = tuple(unquote(segment) for segment in raw_path[1:].split("/"))
        route = self._surfaces[surface].route(method, segments)
        if route is None:
            message = f"the {surface} API has no {method} {raw_path}"
            if allowed := self._surfaces[surface].methods(segments):
                raise HttpError(405, message, headers={"Allow": ", ".join(allowed)})
            raise HttpError(404, message)
        operation, path_params = route
        self._check_api_key(headers.get("api-key", ""))
        query = parse_qsl(raw_query, keep_blank_values=True)
        request = parse_request(operation, path_params, query, headers, content)
        for values in (request.query, request.body):
            for name in ("organization", "organization_id"):
                if name in values:
                    self._items.check_organization(values[name])
        status, schema = operation.success
        body = self._handler(operation)(request)
        return ApiResponse(status, body if schema is not None else None, operation.id)

    def _check_api_key(self, key: str) -> None:
        if not secrets.compare_digest(key.encode(), self._api_key.encode()):
            raise HttpError(401, "this API key is not valid" if key else "the API-KEY header is missing")

    def _handler(self, operation: Operation) -> Handler:
        if operation.kind in REPORT_KINDS:
            return self.reports.list_rows
        if operation.full_name in self._own_handlers:
            return self._own_handlers[operation.full_name]
        if operation.kind == "write" and operation.method == "GET":
            return lambda _: {}
        handlers: dict[str, Handler] = {
            "pages": self._items.list_items,
            "one": self._items.get_item,
            "create": self._items.create_item,
            "write": self._items.write_items,
            "export": self.exports.start_export,
            "url": self.exports.create_signed_url,
        }
        return handlers[operation.kind]
