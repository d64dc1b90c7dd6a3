"""From a request to its answer: route, key, validation, and the handler that the operation's kind names."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from ._call import Call, read_call
from ._errors import Refusal
from ._exports import Exports
from ._items import Items, World
from ._reports import Reports
from ._seed import Seeder
from ._spec import REPORT_KINDS, Operation, Surface
from ._store import Store

_IMAGES: dict[tuple[object, ...], bytes] = {}


@dataclass(frozen=True)
class Answer:
    """A status and a JSON body; None is no body at all."""

    status: int
    body: Any
    operation: str = ""


class Engine:
    """Both surfaces over one store."""

    def __init__(
        self,
        surfaces: Mapping[str, Surface],
        world: World,
        *,
        store: Store,
        api_key: str,
        folder: Path,
        rows: int,
        end_inclusive: bool,
        export_seconds: float,
        url_seconds: float,
        export_row_limit: int | None,
    ) -> None:
        self.surfaces = surfaces
        self.world = world
        self._api_key = api_key
        self.store = store
        self.items = Items(self.store, surfaces, world)
        self.reports = Reports(self.store, self.items, surfaces, world, rows, end_inclusive=end_inclusive)
        self.exports = Exports(
            self.store,
            self.items,
            self.reports,
            folder,
            seconds=export_seconds,
            url_seconds=url_seconds,
            row_limit=export_row_limit,
            secret=secrets.token_bytes(32),
        )
        self._seed()

    def _seed(self) -> None:
        """The seeded data, made once in a process: later sandboxes in memory start from a copy."""
        key = (self.world, *self.surfaces.values())
        if self.store.in_memory and key in _IMAGES:
            self.store.restore(_IMAGES[key])
        elif not self.store.counter("seeded"):
            Seeder(self.store, self.items, self.surfaces, self.world).run()
            self.store.count_up("seeded")
            if self.store.in_memory:
                _IMAGES[key] = self.store.image()

    def close(self) -> None:
        self.exports.stop()
        self.store.close()

    def answer(
        self, surface: str, method: str, raw_path: str, raw_query: str, headers: Mapping[str, str], content: bytes
    ) -> Answer:
        """The answer to one request; raises Refusal, which names the operation where one was found."""
        segments = tuple(unquote(part) for part in raw_path[1:].split("/"))
        found = self.surfaces[surface].route(method, segments)
        if found is None:
            raise Refusal(404, f"the {surface} API has no {method} {raw_path}")
        operation, ids = found
        key = headers.get("api-key", "")
        if not secrets.compare_digest(key.encode(), self._api_key.encode()):
            raise Refusal(401, "the API-KEY header is missing" if not key else "this API key is not valid")
        query = parse_qsl(raw_query, keep_blank_values=True)
        call = read_call(operation, ids, query, headers, content)
        for sent in (call.query, call.body):
            for name in ("organization", "organization_id"):
                if name in sent:
                    self.items.check_organization(sent[name])
        status, schema = operation.success
        body = self._handler(operation)(call)
        return Answer(status, body if schema is not None else None, operation.id)

    def _handler(self, operation: Operation) -> Callable[[Call], dict[str, Any]]:
        if operation.kind in REPORT_KINDS:
            return self.reports.answer
        if operation.kind == "write" and operation.resource == "conversions":
            return self.reports.update_conversions
        if operation.kind == "write" and operation.method == "GET":
            return lambda _: {}
        handlers: dict[str, Callable[[Call], dict[str, Any]]] = {
            "pages": self.items.list,
            "one": self.items.one,
            "create": self.items.create,
            "write": self.items.write,
            "export": self.exports.begin,
            "url": self.exports.signed_url,
        }
        return handlers[operation.kind]
