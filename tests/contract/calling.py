"""Calls any operation through the public client, with arguments that are made from its spec alone."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx

import adsecurity
from adsecurity.sandbox import Sandbox
from adsecurity.sandbox._schema import as_list, as_map
from adsecurity.sandbox._spec import Operation, load_surfaces
from adsecurity_generated.adsecurity.surface import SURFACE as ADSECURITY
from adsecurity_generated.network.surface import SURFACE as NETWORK

SPECS = load_surfaces(Path(__file__).parents[2] / "specs")
SURFACES = {"network": NETWORK, "adsecurity": ADSECURITY}
OPERATIONS = [operation for surface in SPECS.values() for operation in surface.operations.values()]
# Paging keeps these to itself, and the two cursors exclude each other.
CURSORS = ("page[after]", "page[before]")

ORGANIZATION = "654321abcd"
# What must exist, or be known, for a call to succeed, by its name on the wire.
KNOWN: dict[str, Any] = {
    "advertiser_id": 42,
    "delimiter": ";",
    "extra_parameters": ["gclid", "campaign"],
    "integration": "integration-1",
    "integrationID": "integration-1",
    "integration_id": "integration-1",
    "organization": ORGANIZATION,
    "organizationID": ORGANIZATION,
    "organization_id": ORGANIZATION,
    "query": "e",
    "timezone": "Europe/Berlin",
}
TIMES = {
    ("second", "start"): "2026-11-02 00:00:00",
    ("second", "end"): "2026-11-05 00:00:00",
    ("day", "start"): "2026-11-02",
    ("day", "end"): "2026-11-04",
}


@dataclass
class Stage:
    """Where an operation is called: a surface, an address, and whether real data is behind it."""

    surface: str
    url: str
    real: bool
    key: str = Sandbox().api_key

    @asynccontextmanager
    async def caller(self, form: str, log: Log) -> AsyncIterator[Caller]:
        """A new public client, sync or async, whose traffic is noted."""
        name = {"network": "NetworkClient", "adsecurity": "AdsecurityClient"}[self.surface]
        made: Callable[..., Any] = getattr(adsecurity, name if form == "sync" else f"Async{name}")
        if form == "sync":
            with Noting(log) as transport, made(api_key=self.key, base_url=self.url, transport=transport) as client:
                yield Caller(self, client)
        else:
            async with AsyncNoting(log) as noting:
                async with made(api_key=self.key, base_url=self.url, transport=noting) as client:
                    yield Caller(self, client)


@dataclass
class Log:
    """Requests and what Prism had to say about each."""

    entries: list[tuple[httpx.Request, int, str]] = field(default_factory=list[tuple[httpx.Request, int, str]])

    def note(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        self.entries.append((request, response.status_code, response.headers.get("sl-violations", "")))
        return response

    def last(self, operation: Operation) -> httpx.Request:
        """The latest request of an operation."""
        route = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(operation.path)))
        for request, _, _ in reversed(self.entries):
            if request.method == operation.method and route.fullmatch(request.url.path):
                return request
        raise AssertionError(f"{operation.id} was never requested")


class Noting(httpx.HTTPTransport):
    def __init__(self, log: Log) -> None:
        super().__init__(verify=False)
        self._log = log

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._log.note(request, super().handle_request(request))


class AsyncNoting(httpx.AsyncHTTPTransport):
    def __init__(self, log: Log) -> None:
        super().__init__(verify=False)
        self._log = log

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self._log.note(request, await super().handle_async_request(request))


class Caller:
    """One client on one stage."""

    def __init__(self, stage: Stage, client: Any) -> None:
        self.stage = stage
        self.spec = SPECS[stage.surface]
        self.descriptors = SURFACES[stage.surface]
        self._client = client

    async def call(
        self, operation: Operation, ids: Mapping[str, Any] = {}, *, everything: bool = False, **more: Any
    ) -> Any:
        """The result of an operation, called with what it requires or with everything that it takes."""
        positional, keywords = await self.arguments(operation, dict(ids), everything)
        owner = self._client
        for name in operation.resource.split("."):
            owner = getattr(owner, name)
            if name == "publisher_view":
                owner = owner(ORGANIZATION)
        method = getattr(owner, operation.name)
        if operation.kind in ("pages", "cursor", "report-pages", "report-numbered"):
            more.setdefault("page_size", 10)
        result = method(*positional, **keywords, **more)
        if operation.kind in ("pages", "cursor", "report-pages", "report-numbered", "rows"):
            # The mock answers every page alike, so that only its first means anything.
            result = result.to_list(limit=25 if self.stage.real else 1)
        return await result if inspect.isawaitable(result) else result

    async def arguments(
        self, operation: Operation, ids: dict[str, Any], everything: bool
    ) -> tuple[list[Any], dict[str, Any]]:
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        body = self.spec.schemas.properties(operation.body_schema)
        for param in self.descriptors.operation(operation.id).params:
            if param.place == "path":
                if param.name not in ids:
                    ids[param.name] = await self._path_id(operation, param.name, ids)
                if not (param.name == "organizationID" and operation.resource.startswith("publisher_view.")):
                    positional.append(ids[param.name])
                continue
            # A change of nothing is refused, although the documentation requires no field of it.
            if not (param.required or everything or param.name == "updates"):
                continue
            schema = operation.parameters[param.name].schema if param.place == "query" else body[param.name]
            if param.time and param.edge:
                value: Any = TIMES[param.time, param.edge]
            else:
                value = await self._value(operation, param.name, schema, ids)
            if self.spec.schemas.resolve(schema).get("x-positional") or as_map(schema).get("x-positional"):
                positional.append(value)
            else:
                keywords[param.arg] = value
        return positional, keywords

    # Values

    async def _value(self, operation: Operation, name: str, schema: Any, ids: dict[str, Any]) -> Any:
        columns = self._columns(operation)
        if name == "data":
            return [await self._listed(operation, schema, ids)]
        if name == "updates":
            rows = await self.call(self.spec.operations["listConversionReport"])
            update = self.build(self.spec.schemas.resolve(schema)["items"])
            return [update | {"action": "Approve", "tx_id": rows[0].tx_id, "hash": rows[0].hash}]
        if name == "artifact_name":
            return (await self._export()).artifact.name
        named = {
            "columns[]": columns,
            "fields": columns,
            "sort": [f"-{columns[0]}"],
            "filter": {columns[0]: {"ne": "nobody"}, columns[1]: ["1", "2"]},
            "filters": [{"field": columns[0], "operator": "is not", "value": "nobody"}],
        }
        if name in named and operation.kind not in ("create", "write"):
            return named[name]
        return KNOWN.get(name, self.build(schema, name))

    def build(self, schema: Any, name: str = "text") -> Any:
        """A value that fits a schema, with every property that it has."""
        resolved = self.spec.schemas.resolve(schema)
        if "enum" in resolved:
            return resolved["enum"][0]
        kind = self.spec.schemas.kind(schema)
        if kind == "object":
            properties = self.spec.schemas.properties(schema)
            values = resolved.get("additionalProperties")
            entries = {key: KNOWN.get(key, self.build(part, key)) for key, part in properties.items()}
            return entries or ({"key": self.build(values)} if isinstance(values, dict) else {})
        if kind == "array":
            return [self.build(resolved["items"], name)]
        if kind == "string":
            formats = {"date": "2026-11-02", "date-time": "2026-11-02T08:00:00Z", "email": "a@example.com"}
            return formats.get(str(resolved.get("format")), resolved.get("example", f"{name} 1"))
        if kind in ("integer", "number"):
            return max(1, resolved.get("minimum", 1))
        return True if kind == "boolean" else "anything"

    def _columns(self, operation: Operation) -> list[str]:
        """Two texts among the fields of the operation's items or rows."""
        schema = operation.item_schema
        if operation.kind == "export":
            rows = as_map(operation.raw["x-export"]).get("rows")
            schema = {"$ref": f"#/components/schemas/{rows}"} if rows else None
        properties = self.spec.schemas.properties(schema)
        texts = [name for name, part in properties.items() if self.spec.schemas.kind(part) == "string"]
        return texts[-2:] if len(texts) > 1 else ["id", "time"]

    # Things that exist

    async def _path_id(self, operation: Operation, name: str, ids: dict[str, Any]) -> Any:
        if name in KNOWN:
            return KNOWN[name]
        if name == "exportID":
            return (await self._export()).id
        if name == "offerID" and operation.resource.endswith("access_requests"):
            # Access can be requested once, and only to an offer that requires approval.
            create = self.spec.operations["createOffer"]
            return str(await self.call(create, visibility="Requires_Approval"))
        return await self._existing(operation.path.partition(f"/{{{name}}}")[0], ids)

    async def _existing(self, path: str, ids: dict[str, Any]) -> str:
        """The id of something in a collection: newly created where that is possible, or else the first listed."""
        here = path.rstrip("/")
        operations = [operation for operation in self.spec.operations.values() if operation.path.rstrip("/") == here]
        found = {operation.kind: operation for operation in operations}
        if "create" in found:
            return str(await self.call(found["create"], ids))
        if "pages" not in found:
            # Nothing lists what this id names, so nothing knows a better one.
            return "1"
        return str((await self.call(found["pages"], ids))[0].id)

    async def _listed(self, operation: Operation, schema: Any, ids: dict[str, Any]) -> Any:
        """What a bulk operation names: an id, or an object with the listed thing's own values."""
        item = self.spec.schemas.resolve(schema)["items"]
        if self.spec.schemas.kind(item) == "string":
            return await self._existing(operation.path, ids)
        listing = next(op for op in OPERATIONS if op.path == operation.path and op.kind == "pages")
        found = (await self.call(listing, ids))[0].to_dict()
        return {name: found[name] for name in self.spec.schemas.properties(item)}

    async def _export(self) -> Any:
        """An export, which has a file where there is real data."""
        job = await self.call(self.spec.operations["exportClicks"])
        reading = self.spec.operations["getExport"]
        with anyio.fail_after(20):
            while True:
                export = await self.call(reading, {"exportID": job.id})
                if export.artifact.name or not self.stage.real:
                    return export
                await anyio.sleep(0.05)


def sent_names(request: httpx.Request) -> tuple[set[str], set[str]]:
    """What a request carried: names in the query (a deep object counts by its own name too), fields of the body."""
    query = set(request.url.params)
    body = as_map(json.loads(request.content)) if request.content else {}
    return query | {name.partition("[")[0] for name in query}, set(body)


def wanted_names(operation: Operation, *, everything: bool) -> tuple[set[str], set[str]]:
    """What the spec has for the query and the body: all of it, or what is required."""
    parts = operation.parameters.items()
    query = {name for name, part in parts if (part.required or everything) and part.role not in CURSORS}
    schemas = operation.surface.schemas
    required = as_list(schemas.resolve(operation.body_schema).get("required"))
    body = {name for name in schemas.properties(operation.body_schema) if everything or name in required}
    return query, body
