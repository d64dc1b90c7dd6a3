"""The lint: each test breaks one rule in a sound spec, and reads what the lint says of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generator.__main__ import main
from generator.build import read_specs
from generator.spec.source import SpecError
from tests.support.tiny_spec import Spec, minimal, obj, operation, path_id, query, ref, write
from tests.support.tiny_world import world

Edit = Callable[[Spec], Any]
THING = "/groups/{groupID}/things/{thingID}"
THINGS = "/groups/{groupID}/things"


def schemas(spec: Spec) -> Spec:
    return spec["components"]["schemas"]


def fields(spec: Spec, name: str) -> Spec:
    return schemas(spec)[name]["properties"]


def get(spec: Spec) -> Spec:
    return spec["paths"][THING]["get"]


def listing(spec: Spec) -> Spec:
    return spec["paths"][THINGS]["get"]


def rows(spec: Spec) -> Spec:
    return spec["paths"]["/rows"]["get"]


def report(spec: Spec) -> Spec:
    return spec["paths"]["/rows"]["post"]


def start(spec: Spec) -> Spec:
    return spec["paths"]["/groups/{groupID}/exports"]["post"]


def drop(mapping: Spec, key: str) -> None:
    del mapping[key]


def put(mapping: Any, key: Any, value: Any) -> None:
    mapping[key] = value


def rename(mapping: Spec, old: str, new: str) -> None:
    mapping[new] = mapping.pop(old)


def append(items: list[Any], item: Any) -> None:
    items.append(item)


def _shape(path: str) -> str:
    """Where the answer of an operation is described."""
    return f"/paths/{path.replace('/', '~1')}/"


# rule, where it points, what is done to a sound spec
BROKEN: dict[str, tuple[str, str, Edit]] = {
    "misspelt method": ("path-item", "/paths/~1rows/gett", lambda s: rename(s["paths"]["/rows"], "get", "gett")),
    "method in capitals": ("path-item", "/paths/~1rows/GET", lambda s: rename(s["paths"]["/rows"], "get", "GET")),
    "path that is a list": ("path-item", "/paths/~1rows", lambda s: put(s["paths"], "/rows", [])),
    "operation that is a text": ("path-item", "/paths/~1rows/get", lambda s: put(s["paths"]["/rows"], "get", "rows")),
    "reference that is nothing": (
        "shape",
        "/components/schemas/ThingEnvelope/properties/data/$ref",
        lambda s: put(fields(s, "ThingEnvelope"), "data", {"$ref": None}),
    ),
    "reference to the whole file": (
        "reference",
        "/components/schemas/ThingEnvelope/properties/data/$ref",
        lambda s: put(fields(s, "ThingEnvelope"), "data", {"$ref": "#"}),
    ),
    "reference back into the schema": (
        "reference",
        "/components/schemas/Thing/properties/name/allOf/0/$ref",
        lambda s: put(fields(s, "Thing"), "name", {"allOf": [{"$ref": "#/components/schemas/Thing/properties/name"}]}),
    ),
    "list of itself": (
        "reference",
        "/components/schemas/A",
        lambda s: (put(schemas(s), "A", {"type": "array", "items": ref("A")}), put(fields(s, "Thing"), "a", ref("A"))),
    ),
    "mapping among the required": (
        "shape",
        "/components/schemas/Owner/required",
        lambda s: append(schemas(s)["Owner"]["required"], {"name": True}),
    ),
    "place that is a list": (
        "shape",
        "/paths/~1rows/get/parameters/5/in",
        lambda s: put(rows(s)["parameters"][5], "in", ["path"]),
    ),
    "time field that is a list": (
        "shape",
        "/paths/~1rows/get/x-range/time_field",
        lambda s: put(_range(s), "time_field", ["at"]),
    ),
    "description that is a list": ("shape", "/paths/~1rows/get/desc", lambda s: put(rows(s), "description", [1])),
    "response that is a number": (
        "shape",
        "/paths/~1rows/get/responses/404",
        lambda s: put(rows(s)["responses"], "404", 5),
    ),
    "parameters that are a mapping": (
        "shape",
        "/paths/~1rows/get/parameters",
        lambda s: put(rows(s), "parameters", {"a": query("a")}),
    ),
    "schemas in a list": ("shape", "/components/schemas", lambda s: put(s["components"], "schemas", [])),
    "text among the servers": ("shape", "/servers/0", lambda s: put(s["servers"], 0, "https://tiny.example")),
    "what only the tool refuses": (
        "shape",
        "/components/schemas/Thing/properties/name/maxLength",
        lambda s: put(fields(s, "Thing")["name"], "maxLength", "many"),
    ),
    "self": (
        "python-name",
        "/paths/~1rows/get/parameters/5/x-python-name",
        lambda s: put(rows(s)["parameters"][5], "x-python-name", "self"),
    ),
    "known values of nothing": (
        "known-values",
        "/components/schemas/Thing/properties/name/x-known-values",
        lambda s: put(fields(s, "Thing")["name"], "x-known-values", []),
    ),
    "known values beside an enum": (
        "known-values",
        "/components/schemas/Mode/x-known-values",
        lambda s: put(s["components"]["schemas"]["Mode"], "x-known-values", ["fast"]),
    ),
    "no version": ("root", "/openapi", lambda s: put(s, "openapi", "3.1.0")),
    "no title": ("root", "/info", lambda s: put(s, "info", {"version": "1"})),
    "no host": ("root", "/servers", lambda s: put(s, "servers", [])),
    "no evidence of the host": ("evidence", "/servers/0", lambda s: drop(s["servers"][0], "x-evidence")),
    "no paths": ("root", "/paths", lambda s: put(s, "paths", {})),
    "surface is not the file": ("surface", "/x-surface", lambda s: put(s, "x-surface", "other")),
    "client name": ("surface", "/x-client-name", lambda s: put(s, "x-client-name", "tiny client")),
    "prefix of variables": ("surface", "/x-env-prefix", lambda s: put(s, "x-env-prefix", "tiny")),
    "default headers": ("surface", "/x-default-headers", lambda s: put(s, "x-default-headers", {"A": 1})),
    "shape of a namespace": (
        "surface",
        "/x-namespaces/view",
        lambda s: put(s["x-namespaces"], "view", {"to": "orgID"}),
    ),
    "security for all": ("security", "/security", lambda s: put(s, "security", [{"ApiKey": []}])),
    "reference to nothing": (
        "reference",
        "/components/schemas/ThingEnvelope/properties/data/$ref",
        lambda s: put(fields(s, "ThingEnvelope"), "data", ref("Nothing")),
    ),
    "reference to another file": (
        "reference",
        "/components/schemas/ThingEnvelope/properties/data/$ref",
        lambda s: put(fields(s, "ThingEnvelope"), "data", {"$ref": "other.yaml#/Thing"}),
    ),
    "references in a circle": (
        "reference",
        "/components/schemas/A/$ref",
        lambda s: schemas(s).update({"A": ref("B"), "B": ref("A")}),
    ),
    "a schema made of itself": (
        "reference",
        "/components/schemas/A",
        lambda s: schemas(s).update({"A": {"allOf": [ref("B")]}, "B": {"allOf": [ref("A"), {"type": "object"}]}}),
    ),
    "unknown extension": ("extension", f"{'/paths/~1rows/get/x-saef'}", lambda s: put(rows(s), "x-saef", True)),
    "flag that is not true": (
        "extension",
        "/components/schemas/Thing/properties/secret_code/x-secret",
        lambda s: put(fields(s, "Thing")["secret_code"], "x-secret", "yes"),
    ),
    "nullable": (
        "ignored",
        "/components/schemas/Thing/properties/name/nullable",
        lambda s: put(fields(s, "Thing")["name"], "nullable", True),
    ),
    "evidence of a parameter": (
        "evidence",
        "/paths/~1rows/get/parameters/5/x-evidence",
        lambda s: put(rows(s)["parameters"][5], "x-evidence", "hearsay"),
    ),
    "python name": (
        "python-name",
        "/paths/~1rows/get/parameters/5/x-python-name",
        lambda s: put(rows(s)["parameters"][5], "x-python-name", "class"),
    ),
    "deprecated without replacement": (
        "deprecation",
        "/components/schemas/Thing/properties/name/deprecated",
        lambda s: put(fields(s, "Thing")["name"], "deprecated", True),
    ),
    "replacement without deprecation": (
        "deprecation",
        "/components/schemas/Thing/properties/name/x-replacement",
        lambda s: put(fields(s, "Thing")["name"], "x-replacement", "text"),
    ),
    "name of a schema": ("schema-name", "/components/schemas/my_thing", lambda s: put(schemas(s), "my_thing", obj())),
    "schemas that share a module": (
        "schema-collision",
        "/components/schemas/T_hing",
        lambda s: schemas(s).update({"THing": obj(), "T_hing": obj()}),
    ),
    "title that renames": (
        "title",
        "/components/schemas/Thing/title",
        lambda s: put(schemas(s)["Thing"], "title", "Other"),
    ),
    "title of an inline schema": (
        "title",
        "/components/schemas/Thing/properties/name/title",
        lambda s: put(fields(s, "Thing")["name"], "title", "Name"),
    ),
    "inline object": (
        "inline-object",
        "/components/schemas/Thing/properties/owner",
        lambda s: put(fields(s, "Thing"), "owner", obj({"name": {"type": "string"}})),
    ),
    "unknown type": (
        "type",
        "/components/schemas/Thing/properties/name/type",
        lambda s: put(fields(s, "Thing")["name"], "type", "text"),
    ),
    "array of what": (
        "type",
        "/components/schemas/Thing/properties/name",
        lambda s: put(fields(s, "Thing"), "name", {"type": "array"}),
    ),
    "properties without type": ("type", "/components/schemas/Row", lambda s: drop(schemas(s)["Row"], "type")),
    "required but missing": (
        "required",
        "/components/schemas/Owner/required",
        lambda s: append(schemas(s)["Owner"]["required"], "nme"),
    ),
    "fields with one python name": (
        "field-collision",
        "/components/schemas/Thing/properties/Name",
        lambda s: put(fields(s, "Thing"), "Name", {"type": "string"}),
    ),
    "field that hides a method": (
        "reserved-name",
        "/components/schemas/Thing/properties/to_dict",
        lambda s: put(fields(s, "Thing"), "to_dict", {"type": "string"}),
    ),
    "enum of two kinds": ("enum", "/components/schemas/Mode/enum", lambda s: append(schemas(s)["Mode"]["enum"], 1)),
    "empty enum": ("enum", "/components/schemas/Mode/enum", lambda s: put(schemas(s)["Mode"], "enum", [])),
    "enum values that differ in punctuation": (
        "enum-collision",
        "/components/schemas/Mode/enum",
        lambda s: append(schemas(s)["Mode"]["enum"], "fa-st"),
    ),
    "the same enum twice": (
        "enum-twice",
        "/components/schemas/Mode/enum",
        lambda s: put(fields(s, "Thing")["name"], "enum", ["fast", "slow"]),
    ),
    "no operationId": ("operation-id", "/paths/~1rows/get", lambda s: drop(rows(s), "operationId")),
    "operationId twice": (
        "operation-id",
        "/paths/~1rows/get/operationId",
        lambda s: put(rows(s), "operationId", "getThing"),
    ),
    "operationIds that sanitise to one": (
        "operation-id",
        "/paths/~1rows/get/operationId",
        lambda s: put(rows(s), "operationId", "get_thing"),
    ),
    "two tags": ("tag", "/paths/~1rows/get/tags", lambda s: append(rows(s)["tags"], "Others")),
    "a tag that is not listed": ("tag", "/paths/~1rows/get/tags", lambda s: put(rows(s), "tags", ["Rows"])),
    "tags that share a package": ("tag", "/tags/1", lambda s: append(s["tags"], {"name": "things"})),
    "no summary": ("text", "/paths/~1rows/get", lambda s: drop(rows(s), "summary")),
    "no description": ("text", "/paths/~1rows/get", lambda s: drop(rows(s), "description")),
    "no resource": ("resource", "/paths/~1rows/get", lambda s: drop(rows(s), "x-resource")),
    "resource that clients need": (
        "resource",
        "/paths/~1rows/get/x-resource",
        lambda s: put(rows(s), "x-resource", "close"),
    ),
    "method that is no name": ("resource", "/paths/~1rows/get/x-method", lambda s: put(rows(s), "x-method", "from")),
    "method twice": ("resource", "/paths/~1numbered/get/x-method", lambda s: put(rows(s), "x-method", "numbered")),
    "resources that share a module": (
        "resource",
        "/paths/~1view~1{orgID}~1things~1{thingID}/get/x-resource",
        lambda s: put(rows(s), "x-resource", "view_things"),
    ),
    "resource called like a schema": (
        "resource",
        "/paths/~1rows/get/x-resource",
        lambda s: put(rows(s), "x-resource", "row"),
    ),
    "namespace that is a resource": (
        "namespace",
        "/paths/~1rows/get/x-resource",
        lambda s: put(rows(s), "x-resource", "view"),
    ),
    "unknown namespace": (
        "namespace",
        "/paths/~1rows/get/x-resource",
        lambda s: put(rows(s), "x-resource", "sight.rows"),
    ),
    "namespace whose id the path lacks": (
        "namespace",
        "/paths/~1rows/get/x-resource",
        lambda s: put(rows(s), "x-resource", "view.rows"),
    ),
    "unknown kind": ("kind", "/paths/~1rows/get/x-kind", lambda s: put(rows(s), "x-kind", "lists")),
    "no evidence": ("evidence", "/paths/~1rows/get", lambda s: drop(rows(s), "x-evidence")),
    "safe GET": ("safe", "/paths/~1rows/get/x-safe", lambda s: put(rows(s), "x-safe", True)),
    "no security": ("security", "/paths/~1rows/get", lambda s: drop(rows(s), "security")),
    "unknown security": ("security", "/paths/~1rows/get/security", lambda s: put(rows(s), "security", [{"Other": []}])),
    "no success": (
        "response",
        "/paths/~1rows/get/responses",
        lambda s: put(rows(s), "responses", {"400": {"description": "No."}}),
    ),
    "answer that is no JSON": (
        "media-type",
        "/paths/~1rows/get/responses/200/content",
        lambda s: put(rows(s)["responses"]["200"], "content", {"text/csv": {"schema": {"type": "string"}}}),
    ),
    "header parameter": (
        "parameter",
        "/paths/~1rows/get/parameters/5",
        lambda s: put(rows(s)["parameters"][5], "in", "header"),
    ),
    "parameter without schema": (
        "parameter",
        "/paths/~1rows/get/parameters/5",
        lambda s: drop(rows(s)["parameters"][5], "schema"),
    ),
    "optional path id": (
        "path-id",
        f"/paths/{THING.replace('/', '~1')}/get/parameters/0",
        lambda s: drop(get(s)["parameters"][0], "required"),
    ),
    "path id that is not declared": (
        "path-id",
        f"/paths/{THING.replace('/', '~1')}/get",
        lambda s: get(s)["parameters"].pop(),
    ),
    "path id within a segment": (
        "path-id",
        "/paths/~1a-{thingID}/get",
        lambda s: put(
            s["paths"],
            "/a-{thingID}",
            {"get": operation("a", "a.get", "one", ref("Thing"), parameters=[path_id("thingID")])},
        ),
    ),
    "body that is no object": (
        "body",
        "/components/schemas/Mode",
        lambda s: put(_media(spec=s), "schema", ref("Mode")),
    ),
    "body of a GET": (
        "body",
        "/components/schemas/BulkRequest",
        lambda s: put(get(s), "requestBody", _body("BulkRequest")),
    ),
    "argument that methods need": (
        "reserved-name",
        "/paths/~1rows/get/parameters/6",
        lambda s: append(rows(s)["parameters"], query("timeout")),
    ),
    "argument that paged methods need": (
        "reserved-name",
        "/paths/~1rows/get/parameters/6",
        lambda s: append(rows(s)["parameters"], query("after")),
    ),
    "parameters with one python name": (
        "parameter-collision",
        "/paths/~1rows/get/parameters/6",
        lambda s: append(rows(s)["parameters"], query("ids[]")),
    ),
    "path id and body field with one python name": (
        "parameter-collision",
        "/components/schemas/ThingRequest/properties/groupID",
        lambda s: put(fields(s, "ThingRequest"), "groupID", {"type": "string"}),
    ),
    "query and body that are not marked": (
        "mirror",
        "/components/schemas/ReportRequest/properties/start_date",
        lambda s: (
            drop(fields(s, "ReportRequest")["start_date"], "x-mirror"),
            drop(report(s)["parameters"][0], "x-mirror"),
        ),
    ),
    "mirror on one side": (
        "mirror",
        "/paths/~1rows/post/parameters/0",
        lambda s: drop(fields(s, "ReportRequest")["start_date"], "x-mirror"),
    ),
    "mirror without a twin": (
        "mirror",
        "/components/schemas/ReportRequest/properties/fields",
        lambda s: put(fields(s, "ReportRequest")["fields"], "x-mirror", ["query", "body"]),
    ),
    "mirror of another shape": (
        "mirror",
        "/paths/~1rows/post/parameters/0",
        lambda s: put(report(s)["parameters"][0], "x-mirror", True),
    ),
    "mirror of another type": (
        "mirror",
        "/paths/~1rows/post/parameters/0",
        lambda s: put(fields(s, "ReportRequest")["start_date"], "format", "date-time"),
    ),
    "object in the query": (
        "style",
        "/paths/~1rows/get/parameters/5",
        lambda s: put(rows(s)["parameters"][5], "schema", {"type": "object"}),
    ),
    "deep text": (
        "style",
        "/paths/~1rows/get/parameters/5",
        lambda s: put(rows(s)["parameters"][5], "style", "deepObject"),
    ),
    "unknown style": (
        "style",
        "/paths/~1rows/get/parameters/5",
        lambda s: put(rows(s)["parameters"][5], "style", "pipeDelimited"),
    ),
    "comma list that is an array": (
        "style",
        "/paths/~1rows/get/parameters/5",
        lambda s: put(rows(s)["parameters"][5], "x-comma-list", True),
    ),
    "unit of a time": (
        "time",
        "/paths/~1rows/get/parameters/0/x-time",
        lambda s: put(rows(s)["parameters"][0], "x-time", {"unit": "hour", "edge": "start"}),
    ),
    "time that is no string": (
        "time",
        "/paths/~1rows/get/parameters/0/x-time",
        lambda s: put(rows(s)["parameters"][0], "schema", {"type": "integer"}),
    ),
    "time of a body": (
        "time",
        "/components/schemas/ThingRequest/properties/begun/x-time",
        lambda s: put(fields(s, "ThingRequest")["begun"], "x-time", "day"),
    ),
    "default from a path id that is not there": (
        "default-from-path",
        "/components/schemas/ThingRequest/properties/group/x-default-from-path",
        lambda s: put(fields(s, "ThingRequest")["group"], "x-default-from-path", "orgID"),
    ),
    "positional text": (
        "positional",
        "/components/schemas/BulkRequest/properties/ids/x-positional",
        lambda s: put(fields(s, "BulkRequest"), "ids", {"type": "string", "x-positional": True}),
    ),
    "two positional fields": (
        "positional",
        f"/paths/{THINGS.replace('/', '~1')}/patch",
        lambda s: put(
            fields(s, "BulkRequest"), "more", {"type": "array", "items": {"type": "string"}, "x-positional": True}
        ),
    ),
    "positional query": (
        "extension",
        "/paths/~1rows/get/parameters/5/x-positional",
        lambda s: put(rows(s)["parameters"][5], "x-positional", True),
    ),
    "required and readOnly": (
        "read-only",
        "/components/schemas/ThingRequest/properties/count",
        lambda s: append(schemas(s)["ThingRequest"]["required"], "count"),
    ),
    "paging without its parameters": (
        "kind",
        f"/paths/{THINGS.replace('/', '~1')}/get/x-kind",
        lambda s: listing(s)["parameters"].pop(0),
    ),
    "report without its body": ("kind", "/paths/~1rows/post/x-kind", lambda s: _forget(s, "page_number")),
    "report that is no POST": (
        "kind",
        "/paths/~1rows/put",
        lambda s: put(s["paths"]["/rows"], "put", _unsafe(s["paths"]["/rows"].pop("post"))),
    ),
    "report that is not safe": ("safe", "/paths/~1rows/post", lambda s: drop(report(s), "x-safe")),
    "list that is no GET": (
        "kind",
        "/paths/~1at-once/put",
        lambda s: put(s["paths"]["/at-once"], "put", s["paths"]["/at-once"].pop("get")),
    ),
    "one that is no GET": (
        "kind",
        "/paths/~1signed/put",
        lambda s: put(s["paths"]["/signed"], "put", s["paths"]["/signed"].pop("get")),
    ),
    "write that is a GET": (
        "kind",
        "/paths/~1w/get",
        lambda s: put(s["paths"], "/w", {"get": operation("w", "w.go", "write", ref("Written"))}),
    ),
    "pages without meta": ("kind-shape", _shape(THINGS), lambda s: drop(fields(s, "ThingList"), "meta")),
    "cursor without pageInfo": (
        "kind-shape",
        "/paths/~1rows/get/responses/200",
        lambda s: drop(fields(s, "RowPage"), "pageInfo"),
    ),
    "items that are no objects": (
        "kind-shape",
        _shape(THINGS),
        lambda s: put(fields(s, "ThingList")["data"], "items", {"type": "string"}),
    ),
    "one without an object": (
        "kind-shape",
        "/paths/",
        lambda s: put(s["components"]["schemas"], "ThingEnvelope", {"type": "string"}),
    ),
    "create without an id": (
        "kind-shape",
        _shape(THINGS),
        lambda s: put(fields(s, "Created"), "created_item_id", {"type": "integer"}),
    ),
    "url without a url": (
        "kind-shape",
        "/paths/~1signed/get/responses/200",
        lambda s: fields(s, "Signed").update(link=fields(s, "Signed").pop("url")),
    ),
    "write that answers a list": (
        "kind-shape",
        _shape(THINGS),
        lambda s: put(schemas(s), "Written", {"type": "array", "items": {"type": "string"}}),
    ),
    "one that answers nothing": (
        "kind-shape",
        "/paths/~1rows/get/responses",
        lambda s: drop(rows(s)["responses"]["200"], "content"),
    ),
    "successes that differ": (
        "kind-shape",
        f"/paths/{THINGS.replace('/', '~1')}/post/responses",
        lambda s: put(
            s["paths"][THINGS]["post"]["responses"],
            "201",
            {"description": "", "content": {"application/json": {"schema": ref("Written")}}},
        ),
    ),
    "range that lacks a key": (
        "range",
        "/paths/~1rows/get/x-range",
        lambda s: put(rows(s), "x-range", {"start": "start_date"}),
    ),
    "range of no list": (
        "range",
        f"/paths/{THING.replace('/', '~1')}/get/x-range",
        lambda s: put(get(s), "x-range", rows(s)["x-range"]),
    ),
    "range of another unit": ("range", "/paths/~1rows/get/x-range/start", lambda s: put(_range(s), "unit", "second")),
    "range without its parameter": ("range", "/paths/~1rows/get/x-range/end", lambda s: put(_range(s), "end", "end")),
    "time that the row lacks": (
        "range",
        "/paths/~1rows/get/x-range/time_field",
        lambda s: put(_range(s), "time_field", "on"),
    ),
    "key that the row lacks": ("range", "/paths/~1rows/get/x-range/key", lambda s: put(_range(s), "key", "id")),
    "export without its role": (
        "export",
        "/paths/~1groups~1{groupID}~1exports/post",
        lambda s: drop(start(s), "x-export"),
    ),
    "unknown role": (
        "export",
        "/paths/~1groups~1{groupID}~1exports/post/x-export",
        lambda s: put(start(s), "x-export", {"role": "begin"}),
    ),
    "role of another kind": (
        "export",
        "/paths/~1signed/get/x-export",
        lambda s: put(s["paths"]["/signed"]["get"], "x-export", {"role": "status"}),
    ),
    "rows that are no schema": (
        "export",
        "/paths/~1groups~1{groupID}~1exports/post/x-export/rows",
        lambda s: put(start(s)["x-export"], "rows", "Nothing"),
    ),
    "export that nothing can follow": (
        "export",
        "/paths",
        lambda s: drop(s["paths"]["/exports/{exportID}"]["get"], "x-export"),
    ),
    "resume twice": (
        "export",
        "/paths/~1exports~1{exportID}/get/x-export",
        lambda s: put(s["paths"]["/signed"]["get"], "x-method", "resume"),
    ),
}


def _body(name: str) -> Spec:
    return {"content": {"application/json": {"schema": ref(name)}}}


def _media(spec: Spec) -> Spec:
    return spec["paths"][THINGS]["post"]["requestBody"]["content"]["application/json"]


def _range(spec: Spec) -> Spec:
    rows(spec)["x-range"] = copy.deepcopy(rows(spec)["x-range"])
    return rows(spec)["x-range"]


def _forget(spec: Spec, name: str) -> None:
    drop(fields(spec, "ReportRequest"), name)
    schemas(spec)["ReportRequest"]["required"].remove(name)


def _unsafe(data: Spec) -> Spec:
    return {key: value for key, value in data.items() if key != "x-safe"}


def problems(spec: Spec, folder: Path) -> list[tuple[str, str, int, str]]:
    with pytest.raises(SpecError) as caught:
        read_specs(write(spec, folder))
    return [(item.rule, item.pointer, item.line, item.message) for item in caught.value.problems]


def test_a_sound_spec_breaks_no_rule(tmp_path: Path) -> None:
    assert len(read_specs(write(world(), tmp_path))) == 1


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_named_with_its_place_and_what_to_do(name: str, tmp_path: Path) -> None:
    rule, pointer, edit = BROKEN[name]
    spec = world()
    edit(spec)
    found = problems(spec, tmp_path)
    matching = [item for item in found if item[0] == rule and item[1].startswith(pointer)]
    assert matching, found
    assert all(line > 0 and len(message) > 20 for _, _, line, message in found)


def test_a_key_that_stands_twice_is_found_before_yaml_drops_it(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text("openapi: 3.0.3\npaths:\n  /a: {}\n  /a: {}\n", encoding="utf-8")
    with pytest.raises(SpecError, match=r"tiny.yaml:4: /paths/~1a \[duplicate-key\].*remove one of them"):
        read_specs(tmp_path)


@pytest.mark.parametrize("text", ["a: [", "- a", "", "a: &x {b: *y}", "\x00"])
def test_what_is_no_openapi_file_is_named_with_its_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=r"tiny.yaml:\d+: / \[yaml\]"):
        read_specs(tmp_path)


@pytest.mark.parametrize(
    "text", ["a: &x {b: *x}", "a: &x [1, *x]", "a: " + "[" * 200 + "]" * 200, "[" * 3000 + "]" * 3000, "a: !!int x"]
)
def test_what_yaml_cannot_end_or_read_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=r"tiny.yaml:1: /\S* \[yaml\]"):
        read_specs(tmp_path)


def test_a_spec_that_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").mkdir()
    with pytest.raises(SpecError, match=r"tiny.yaml:1: / \[file\]"):
        read_specs(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(minimal(), tmp_path)
    (tmp_path / "file").touch()
    assert main(["--specs", str(tmp_path), "--out", str(tmp_path / "file" / "out")]) == 1
    assert "--out" in capsys.readouterr().err


def test_a_folder_without_specs_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"no-spec.*--specs"):
        read_specs(tmp_path)


def test_dates_in_a_spec_stay_texts(tmp_path: Path) -> None:
    spec = world()
    fields(spec, "Thing")["name"]["example"] = "DATE"
    write(spec, tmp_path)
    path = tmp_path / "tiny.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("DATE", "2026-11-01"), encoding="utf-8")
    (source,) = read_specs(tmp_path)
    assert fields(source.tree, "Thing")["name"]["example"] == "2026-11-01"


def test_problems_of_all_files_come_together_in_order(tmp_path: Path) -> None:
    for name in ("tiny", "alpha"):
        spec = world()
        spec["x-surface"] = "wrong"
        spec["x-env-prefix"] = ""
        write(spec, tmp_path, name)
    (tmp_path / "beta.yaml").write_text("[", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        read_specs(tmp_path)
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0].rpartition("/")[2] for line in lines] == ["alpha.yaml"] * 2 + ["beta.yaml"] + [
        "tiny.yaml"
    ] * 2
    assert lines == [str(problem) for problem in sorted(caught.value.problems)]


def test_the_line_is_that_of_the_thing_itself(tmp_path: Path) -> None:
    spec = world()
    rows(spec)["x-saef"] = True
    ((_, _, line, _),) = problems(spec, tmp_path)
    assert (tmp_path / "tiny.yaml").read_text(encoding="utf-8").splitlines()[line - 1].strip() == "x-saef: true"
