"""A tiny spec in which every kind of operation, parameter and extension occurs."""

from __future__ import annotations

from typing import Any

from .tiny_spec import Spec, body, obj, operation, path_id, query, ref, tiny

TEXT = {"type": "string"}
NUMBER = query("page[number]", {"type": "integer"})
SIZE = query("page[size]", {"type": "integer"})
AFTER, BEFORE = query("page[after]"), query("page[before]")
FILTER = query("filter", {"type": "object", "additionalProperties": True}, style="deepObject", explode=True)
SORT = query("sort", {"type": "array", "items": TEXT}, style="form", explode=False)


def day(name: str, edge: str, **more: Any) -> Spec:
    schema = {"type": "string", "format": "date"}
    return query(name, schema, required=True, description="A day.", **{"x-time": {"unit": "day", "edge": edge}}, **more)


def schemas() -> Spec:
    page = obj({"data": {"type": "array", "items": ref("Row")}, "pageInfo": ref("PageInfo")})
    return {
        "Thing": obj(
            {
                "id": TEXT,
                "name": {"type": "string", "description": "What it is called."},
                "owner": ref("Owner"),
                "secret_code": {"type": "string", "x-secret": True},
            }
        ),
        "Owner": obj(
            {
                "name": TEXT,
                "begun": {"type": "string", "format": "date-time"},
                "seen": {"type": "string", "readOnly": True},
                "mode": ref("Mode"),
                "friends": {"type": "array", "items": ref("Owner")},
                "by_name": {"type": "object", "additionalProperties": ref("Owner")},
                "open": {"type": "object"},
                "whatever": {},
                "code": {"type": "string", "deprecated": True, "x-replacement": "use `name`"},
            },
            required=["name"],
        ),
        "Row": obj({"hash": TEXT, "at": {"type": "string", "format": "date-time"}}),
        "PageInfo": obj({"hasNextPage": {"type": "boolean"}}),
        "PageMeta": obj({"total_count": {"type": "integer"}}),
        "ThingList": obj({"data": {"type": "array", "items": ref("Thing")}, "meta": ref("PageMeta")}),
        "ThingEnvelope": obj({"data": ref("Thing")}),
        "RowPage": page,
        "RowEnvelope": obj({"data": ref("RowPage")}),
        "Created": obj({"created_item_id": TEXT}),
        "Written": obj({"success": {"type": "boolean"}}),
        "Export": obj({"id": TEXT}),
        "ExportEnvelope": obj({"data": ref("Export")}),
        "Signed": obj({"url": {"type": "string", "x-secret": True}}),
        "Mode": {"type": "string", "enum": ["fast", "slow"]},
        "ThingRequest": obj(
            {
                "group": {"type": "string", "x-default-from-path": "groupID"},
                "name": {"type": "string", "description": "What to call it."},
                "mode": {"allOf": [ref("Mode")], "default": "fast"},
                "size": {"type": "string", "enum": ["S", "L"]},
                "owner": ref("Owner"),
                "owners": {"type": "array", "items": ref("Owner")},
                "labels": {"type": "object", "additionalProperties": TEXT},
                "password": {"type": "string", "x-secret": True},
                "begun": {"type": "string", "format": "date-time"},
                "anything": {},
                "timeout": {"type": "integer", "x-python-name": "timeout_"},
                "legacy": {"type": "string", "deprecated": True, "x-replacement": "use `name`"},
                "count": {"type": "integer", "readOnly": True},
            },
            required=["name", "group"],
        ),
        "BulkRequest": obj(
            {"ids": {"type": "array", "items": TEXT, "x-positional": True}, "active": {"type": "boolean"}}
        ),
        "ReportRequest": obj(
            {
                "start_date": {"type": "string", "format": "date", "x-mirror": ["query", "body"]},
                "end_date": {"type": "string", "format": "date", "x-mirror": ["query", "body"]},
                "page_number": {"type": "integer"},
                "page_size": {"type": "integer"},
                "fields": {"type": "array", "items": TEXT},
            },
            required=["start_date", "end_date", "page_number", "page_size"],
        ),
    }


def world() -> Spec:
    """All kinds, in one spec."""
    group = path_id("groupID")
    mirror = {"x-mirror": ["query", "body"]}
    reach = {"start": "start_date", "end": "end_date", "unit": "day", "time_field": "at", "key": "hash"}
    lists = [NUMBER, SIZE, FILTER, SORT, query("filter[mode]", ref("Mode"), **{"x-python-name": "mode"})]
    cursor = [day("start_date", "start"), day("end_date", "end"), SIZE, AFTER, BEFORE]
    cursor.append(query("ids", {"type": "array", "items": TEXT}))
    start = [group, query("columns", TEXT, required=True, **{"x-comma-list": True})]
    paths: Spec = {
        "/groups/{groupID}/things": {
            "parameters": [group],
            "get": operation("listThings", "things.list", "pages", ref("ThingList"), parameters=lists),
            "post": operation(
                "createThing", "things.create", "create", ref("Created"), requestBody=body(ref("ThingRequest"))
            ),
            "patch": operation(
                "bulkUpdateThings", "things.bulk_update", "write", ref("Written"), requestBody=body(ref("BulkRequest"))
            ),
        },
        "/groups/{groupID}/things/{thingID}": {
            "get": operation(
                "getThing", "things.get", "one", ref("ThingEnvelope"), parameters=[path_id("thingID"), group]
            ),
            "delete": operation(
                "deleteThing",
                "things.delete",
                "write",
                None,
                parameters=[group, path_id("thingID")],
                deprecated=True,
                **{"x-replacement": "use `bulk_update`"},
            ),
        },
        "/rows": {
            "get": operation(
                "listRows", "rows.list", "cursor", ref("RowEnvelope"), parameters=cursor, **{"x-range": reach}
            ),
            "post": operation(
                "reportRows",
                "rows.report",
                "report-pages",
                ref("RowEnvelope"),
                parameters=[day("start_date", "start", **mirror), day("end_date", "end", **mirror), NUMBER],
                requestBody=body(ref("ReportRequest")),
                **{"x-range": reach, "x-safe": True},
            ),
        },
        "/numbered": {
            "get": operation(
                "numberedRows", "rows.numbered", "report-numbered", ref("RowEnvelope"), parameters=[NUMBER, SIZE]
            )
        },
        "/at-once": {"get": operation("rowsAtOnce", "rows.at_once", "rows", ref("RowEnvelope"))},
        "/groups/{groupID}/exports": {
            "post": operation(
                "startExport",
                "exports.rows",
                "export",
                ref("Export"),
                parameters=start,
                **{"x-export": {"role": "start", "rows": "Row"}},
            ),
            "put": operation(
                "startPlainExport",
                "exports.plain",
                "export",
                ref("Export"),
                parameters=[group],
                **{"x-export": {"role": "start"}},
            ),
        },
        "/exports/{exportID}": {
            "get": operation(
                "getExport",
                "exports.get",
                "one",
                ref("ExportEnvelope"),
                parameters=[path_id("exportID")],
                **{"x-export": {"role": "status"}},
            )
        },
        "/signed": {
            "get": operation(
                "signExport",
                "exports.signed_url",
                "url",
                ref("Signed"),
                parameters=[query("guest_token", **{"x-secret": True})],
                **{"x-export": {"role": "signed-url"}},
            )
        },
        "/view/{orgID}/things/{thingID}": {
            "get": operation(
                "viewThing",
                "view.things.get",
                "one",
                ref("ThingEnvelope"),
                parameters=[path_id("orgID"), path_id("thingID")],
            )
        },
    }
    spaces = {"view": {"bind": "orgID"}}
    return tiny(paths, schemas(), **{"x-namespaces": spaces, "x-default-headers": {"X-Kind": "tiny"}})
