"""Forms in which the same API is written down, applied to a `Disguise` that is Swagger 2.0."""

from __future__ import annotations

import json
from typing import Any

from tests.support.disguise import BASE, MARK, Disguise, Json

REF = "#/definitions/"


def go_names(disguise: Disguise) -> None:
    """Definitions named as Go's types are: package and type."""
    text = json.dumps(disguise.document)
    back = {new: old for old, new in disguise._names.items()}
    for new, old in back.items():
        text = text.replace(f'"{REF}{new}"', f'"{REF}docs.{old}"')
    disguise.document = json.loads(text)
    definitions = disguise.document["definitions"]
    disguise.document["definitions"] = {f"docs.{back[name]}": one for name, one in definitions.items()}
    disguise._names = {old: f"docs.{old}" for old in disguise._names}


def no_operation_ids(disguise: Disguise) -> None:
    for _, _, operation in disguise.operations():
        operation.pop("operationId", None)


def put_for_patch(disguise: Disguise) -> None:
    for path, method, _ in disguise.operations():
        if method == "patch":
            disguise.move(path, method, path, "put")


def trailing_slashes(disguise: Disguise) -> None:
    for path, method, _ in disguise.operations():
        disguise.move(path, method, path + "/", method)


def allof_envelopes(disguise: Disguise) -> None:
    """Answers as swag writes `Envelope{data=X}`; sometimes the part with the real `data` stands first."""
    definitions = disguise.document["definitions"]
    definitions["Envelope"] = {"type": "object", "properties": {"data": {}, "meta": {"type": "object"}}}
    for number, (_, _, operation) in enumerate(disguise.operations()):
        for response in operation["responses"].values():
            schema = response.get("schema", {})
            real = definitions.get(schema.get("$ref", "").removeprefix(REF), schema)
            if "data" in real.get("properties", {}):
                inner = {"type": "object", "properties": {"data": real["properties"]["data"]}}
                if "meta" in real["properties"]:
                    inner["properties"]["meta"] = real["properties"]["meta"]
                parts = [{"$ref": REF + "Envelope"}, inner]
                response["schema"] = {"allOf": parts[:: 1 if number % 2 else -1]}


def bare_answers(disguise: Disguise) -> None:
    """Answers without our envelope: the object itself, or the list of them."""
    definitions = disguise.document["definitions"]
    for _, _, operation in disguise.operations():
        for response in operation["responses"].values():
            schema = response.get("schema", {})
            real = definitions.get(schema.get("$ref", "").removeprefix(REF), schema)
            if "data" in real.get("properties", {}):
                response["schema"] = real["properties"]["data"]


def lossy(disguise: Disguise) -> None:
    """Neither known values, nor formats, nor what is required."""

    def strip(node: Any) -> None:
        if isinstance(node, list):
            for one in node:
                strip(one)
        elif isinstance(node, dict):
            for key in ("enum", "format", "required"):
                if key in node and not isinstance(node[key], dict) and node.get("in") != "path":
                    del node[key]
            for one in list(node.values()):
                strip(one)

    strip(disguise.document)


def extra_operations(disguise: Disguise) -> None:
    """What we know nothing of, some of it close to what we know."""
    paths = disguise.document["paths"]
    string, number = {"type": "string"}, {"type": "number"}

    def answer(fields: Json) -> Json:
        schema = {"type": "object", "properties": {"data": {"type": "object", "properties": fields}}}
        return {"200": {"description": "ok", "schema": schema}}

    def listed(fields: Json) -> Json:
        items = {"type": "array", "items": {"type": "object", "properties": fields}}
        meta = {"type": "object", "properties": {"total_count": {"type": "integer"}}}
        schema = {"type": "object", "properties": {"data": items, "meta": meta}}
        return {"200": {"description": "ok", "schema": schema}}

    identity = {"name": "id", "in": "path", "required": True, "type": "string"}
    paging = [{"name": "page[number]", "in": "query", "type": "integer"}]
    paging.append({"name": "page[size]", "in": "query", "type": "integer"})
    invoice = {"id": string, "invoice_number": string, "amount": number, "due_on": string}
    coupon = {"id": string, "code": string, "percent_off": number, "redeemed": number, "offer": string}
    paths["/invoice"] = {"get": {"parameters": paging, "responses": listed(invoice)}}
    paths["/invoice/{id}"] = {
        "get": {"parameters": [identity], "responses": answer(invoice)},
        "delete": {"parameters": [identity], "responses": {"204": {"description": "ok"}}},
    }
    body = {"in": "body", "name": "b", "schema": {"type": "object", "properties": coupon}}
    created = {"type": "object", "properties": {"created_item_id": string}}
    paths["/coupon"] = {
        "get": {"parameters": paging, "responses": listed(coupon)},
        "post": {"parameters": [body], "responses": {"200": {"description": "ok", "schema": created}}},
    }
    paths["/health"] = {"get": {"parameters": [], "responses": {"200": {"description": "ok"}}}}
    paths["/user/{id}/avatar"] = {
        "get": {"parameters": [identity], "responses": answer({"url": string, "width": number})}
    }


def form_data(disguise: Disguise) -> None:
    """Flat bodies as form fields."""
    for _, _, operation in disguise.operations():
        for body in [one for one in operation["parameters"] if one["in"] == "body"]:
            schema = body["schema"]
            real = disguise.document["definitions"].get(schema.get("$ref", "").removeprefix(REF), schema)
            fields = real.get("properties", {})
            if all(one.get("type") in ("string", "integer", "number", "boolean") for one in fields.values()):
                operation["parameters"].remove(body)
                needed = real.get("required", [])
                for name, one in fields.items():
                    operation["parameters"].append(
                        {"in": "formData", "name": name, "required": name in needed, "type": one["type"]}
                    )


def bulk_by_post(disguise: Disguise) -> None:
    """Deletes and changes of many at once under routes of their own."""
    for path, method, operation in disguise.operations():
        has_body = any(one["in"] in ("body", "formData") for one in operation["parameters"])
        if method in ("delete", "patch") and has_body and not path.endswith("}"):
            disguise.move(path, method, f"{path}/bulk-{'delete' if method == 'delete' else 'update'}", "post")


def integer_ids(disguise: Disguise) -> None:
    for _, _, operation in disguise.operations():
        for one in operation["parameters"]:
            if one["in"] == "path":
                one["type"] = "integer"


def renamed_paging(disguise: Disguise) -> None:
    names = {"page[number]": "page", "page[size]": "limit", "page[after]": "cursor", "page[before]": "before"}
    for _, _, operation in disguise.operations():
        for one in operation["parameters"]:
            if one["in"] == "query":
                one["name"] = names.get(one["name"], one["name"])


def and_another(other: Disguise) -> Any:
    """A second API in the same file, below a path and names of its own."""

    def form(disguise: Disguise) -> None:
        text = json.dumps(other.document).replace(f'"{REF}', f'"{REF}second.')
        second = json.loads(text)
        disguise.document["definitions"] |= {f"second.{name}": one for name, one in second["definitions"].items()}
        for path, item in second["paths"].items():
            for operation in item.values():
                operation.pop(MARK, None)
            assert path not in disguise.document["paths"]
            disguise.document["paths"][path] = item

    return form


def openapi_3(version: str) -> Any:
    """The finished Swagger 2.0 document as OpenAPI 3.x; the last of all forms."""

    def content(schema: Json) -> Json:
        return {"content": {"application/json": {"schema": schema}}}

    def operation(old: Json) -> Json:
        new = {key: value for key, value in old.items() if key not in ("parameters", "responses")}
        new["parameters"] = []
        fields: Json = {}
        for one in old.get("parameters", []):
            if one["in"] == "body":
                new["requestBody"] = {"required": True, **content(one["schema"])}
            elif one["in"] == "formData":
                fields[one["name"]] = {"type": one["type"]}
            else:
                head = {key: one[key] for key in ("name", "in", "required") if key in one}
                schema = {key: value for key, value in one.items() if key not in head}
                new["parameters"].append({**head, "schema": schema})
        if fields:
            form = {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": fields}}}
            new["requestBody"] = {"content": form}
        new["responses"] = {
            status: {key: value for key, value in (*one.items(), *content(one["schema"]).items()) if key != "schema"}
            if "schema" in one
            else one
            for status, one in old["responses"].items()
        }
        return new

    def nullable(node: Any) -> None:
        """3.1 writes null among the types."""
        if isinstance(node, list):
            for one in node:
                nullable(one)
        elif isinstance(node, dict):
            if node.get("type") == "string" and "in" not in node and "enum" not in node:
                node["type"] = ["string", "null"]
            for one in list(node.values()):
                nullable(one)

    def form(disguise: Disguise) -> None:
        old = disguise.document
        host = f"https://{old['host']}{old.get('basePath', BASE)}"
        new = {
            "openapi": version,
            "info": old["info"],
            "servers": [{"url": host}],
            "paths": {
                path: {method: operation(one) for method, one in item.items()} for path, item in old["paths"].items()
            },
            "components": {"schemas": old["definitions"]},
        }
        disguise.document = json.loads(json.dumps(new).replace(f'"{REF}', '"#/components/schemas/'))
        if version.startswith("3.1"):
            nullable(disguise.document["components"])

    return form
