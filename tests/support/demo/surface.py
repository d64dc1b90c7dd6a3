"""A small surface made by hand, with one operation of each sort that the core tells apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from adsecurity.client.base import AsyncClient, SyncClient
from adsecurity_generated._model import Field
from adsecurity_generated._operation import Operation, Param, Range, Route, Surface
from adsecurity_generated.network.models import User


class Envelope:
    """A model that has a field called data."""

    FIELDS: ClassVar[tuple[Any, ...]] = (Field("data", "data", "any"),)

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.received = dict(data)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Envelope:
        return cls(data)


def text(name: str, place: str = "query", **more: Any) -> Param:
    return Param(name, more.pop("arg", name), place, ("string",), **more)


THING_ID = Param("thingID", "thing_id", "path", ("string",), required=True)


def operation(id: str, method: str, path: str, kind: str, *params: Param, **more: Any) -> Operation[Any]:
    more.setdefault("safe", method == "GET")
    more.setdefault("model", User)
    more.setdefault("evidence", "inferred")
    return Operation(
        id, "demo", method, path, kind, resource=more.pop("resource", f"things.{id}"), params=params, **more
    )


GET = operation("getThing", "GET", "/api/v2/things/{thingID}", "one", THING_ID)
KNOWN = operation("knownThing", "GET", "/api/v2/known/{thingID}", "one", THING_ID, evidence="documented")
CREATE = operation(
    "createThing",
    "POST",
    "/api/v2/parents/{parentID}/things",
    "create",
    Param("parentID", "parent_id", "path", ("string",), required=True),
    Param("name", "name", "body", ("string",), required=True),
    Param("weight", "weight", "body", ("integer",)),
    Param("price", "price", "body", ("number",)),
    Param("active", "active", "body", ("boolean",)),
    Param("tags", "tags", "body", ("array",), items=("string",)),
    Param("scores", "scores", "body", ("array",), items=("number",)),
    Param("config", "config", "body", ("object",)),
    Param("anything", "anything", "body"),
    Param("password", "password", "body", ("string",), secret=True),
    Param("parent", "parent", "body", ("string",), from_path="parent_id"),
    Param("old", "old", "body", ("string",), deprecated="use name="),
    has_body=True,
)
UPDATE = operation(
    "updateThing",
    "PATCH",
    "/api/v2/things/{thingID}",
    "write",
    THING_ID,
    Param("name", "name", "body", ("string",)),
    Param("password", "password", "body", ("string",), secret=True),
    has_body=True,
)
BULK = operation(
    "bulkDeleteThings",
    "DELETE",
    "/api/v2/things",
    "write",
    Param("data", "ids", "body", ("array",), items=("string",), required=True, non_empty=True),
    has_body=True,
)
URL = operation("signThing", "GET", "/api/v2/signed", "url", text("artifact_name", required=True))
LIST = operation(
    "listThings",
    "GET",
    "/api/v2/things",
    "pages",
    Param("filter", "filter", "query", ("object",), style="deep"),
    text("filter[status]", arg="status"),
    Param("filter[id]", "ids", "query", ("array",), items=("string",), style="repeat"),
    Param("columns[]", "columns", "query", ("array",), items=("string",), style="repeat"),
    Param("sort", "sort", "query", ("array",), style="comma"),
    text("fields", style="comma"),
    text("query"),
    Param("limit", "limit", "query", ("integer",)),
    Param("ratio", "ratio", "query", ("number",)),
    Param("archived", "archived", "query", ("boolean",)),
)
REPORT = operation(
    "reportThings",
    "POST",
    "/api/v2/report",
    "report-pages",
    text("integration_id", required=True, mirror=True),
    text("start_date", time="day", edge="start", mirror=True),
    text("end_date", time="day", edge="end", mirror=True),
    Param("filters", "filters", "body", ("array",), items=("object",)),
    safe=True,
    has_body=True,
    range=Range("start_date", "end_date", "day", "time", "id"),
)
SECONDS = operation(
    "clickThings",
    "GET",
    "/api/v2/clicks",
    "cursor",
    text("start_time", time="second", edge="start", required=True),
    text("end_time", time="second", edge="end", required=True),
    text("timezone"),
)
OLD = operation("oldThing", "GET", "/api/v2/old", "one", deprecated="use getThing", resource="things.old")

OPERATIONS = (GET, KNOWN, CREATE, UPDATE, BULK, URL, LIST, REPORT, SECONDS, OLD)

SURFACE = Surface(
    name="demo",
    client_name="Demo",
    env_prefix="ADSECURITY_DEMO",
    default_base_url=None,
    likely_base_url="https://demo.example",
    default_headers={"X-Surface": "demo"},
    routes={op.id: Route("", op.method, op.path, op.evidence, op.resource) for op in OPERATIONS},
    export_status="",
    export_signed_url="",
    secrets=frozenset(("password", "api_key", "guest_token", "download_link")),
    package="demo",
)
DOCUMENTED = attrs.evolve(
    SURFACE, name="other", env_prefix="ADSECURITY_OTHER", default_base_url="https://documented.example"
)


KEY = 'planted-key-7f3a/+=&<e>"q'
"""With characters that every form of quoting changes."""


class Demo(SyncClient):
    _surface = SURFACE


class AsyncDemo(AsyncClient):
    _surface = SURFACE


class Documented(SyncClient):
    _surface = DOCUMENTED
