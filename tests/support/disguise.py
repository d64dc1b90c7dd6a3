"""One of our specs as somebody else would have written it: Swagger 2.0, other names, other routes, another order.

What stays is what an API cannot change without being another one: methods, wire names, types, bodies, answers.
"""

from __future__ import annotations

import copy
import random
import re
from typing import Any

Json = dict[str, Any]

WORDS = {"integrations": "network", "publisher-view": "affiliate", "download-center": "files", "reports": "statistics"}


class Disguise:
    """`document` is the Swagger 2.0 variant of `spec`; `routes` says which operation went where."""

    def __init__(self, spec: Json, *, opaque: bool = False, seed: int = 7) -> None:
        self._spec = spec
        self._random = random.Random(seed)
        self._opaque = opaque
        self._names = {name: f"Type{n:03}" for n, name in enumerate(sorted(spec["components"]["schemas"]))}
        self._segments: dict[str, str] = {}
        self.routes: dict[str, str] = {}
        self.document = self._document()

    @staticmethod
    def anonymous(route: str) -> str:
        """A route without the names of its placeholders."""
        return re.sub(r"{.*?}", "{}", route)

    def definition(self, name: str) -> Json:
        """Their schema for a component of ours, to be changed by a test."""
        return self.document["definitions"][self._names[name]]

    def operation(self, operation_id: str) -> Json:
        method, path = self.routes[operation_id].removesuffix("/").split(" ")
        return self.document["paths"][path.removeprefix("/rest/v3")][method.lower()]

    def _document(self) -> Json:
        paths: Json = {}
        operations = [
            (path, method, operation)
            for path, item in self._spec["paths"].items()
            for method, operation in item.items()
            if isinstance(operation, dict)
        ]
        self._random.shuffle(operations)
        for number, (path, method, operation) in enumerate(operations):
            route = self._path(path)
            paths.setdefault(route, {})[method] = self._operation(operation, number, path, route)
            self.routes[operation["operationId"]] = f"{method.upper()} /rest/v3{route}"
        return {
            "swagger": "2.0",
            "info": {"title": "Official", "version": "3.4"},
            "host": "api.example.com",
            "basePath": "/rest/v3",
            "schemes": ["https"],
            "consumes": ["application/json"],
            "produces": ["application/json"],
            "paths": paths,
            "definitions": {
                self._names[name]: self._schema(schema) for name, schema in self._spec["components"]["schemas"].items()
            },
        }

    def _path(self, path: str) -> str:
        """`/api/v2/integrations/{integrationID}/offers` → `/network/{id1}/offer`; opaque: `/{id1}/s3`."""
        parts, holes = [], 0
        for part in path.removeprefix("/api/v2").strip("/").split("/"):
            if part.startswith("{"):
                holes += 1
                parts.append(f"{{id{holes}}}")
            elif self._opaque:
                parts.append(self._segments.setdefault(part, f"s{len(self._segments)}"))
            else:
                parts.append(WORDS.get(part, re.sub(r"s$", "", part).replace("-", "_")))
        return "/" + "/".join(parts)

    def _operation(self, operation: Json, number: int, path: str, route: str) -> Json:
        renamed = dict(zip(re.findall(r"{(.*?)}", path), re.findall(r"{(.*?)}", route), strict=True))
        parameters = [self._parameter(self._deref(one), renamed) for one in operation.get("parameters", [])]
        body = self._deref(operation.get("requestBody", {}))
        if body:
            schema = body["content"]["application/json"]["schema"]
            parameters.append({"in": "body", "name": "payload", "required": True, "schema": self._schema(schema)})
        self._random.shuffle(parameters)
        responses: Json = {}
        for status, response in operation["responses"].items():
            if status.startswith("2"):
                content = response.get("content", {}).get("application/json")
                responses[status] = {"description": "ok"}
                if content:
                    responses[status]["schema"] = self._schema(content["schema"])
        return {"operationId": f"op{number:03}", "parameters": parameters, "responses": responses}

    def _deref(self, node: Json) -> Json:
        if "$ref" in node:
            _, _, kind, name = node["$ref"].split("/")
            return self._spec["components"][kind][name]
        return node

    def _parameter(self, parameter: Json, renamed: dict[str, str]) -> Json:
        schema = self._schema(parameter.get("schema", {}))
        while "$ref" in schema:
            schema = self._schema(self._real(schema["$ref"]))
        name = parameter["name"]
        out = {"name": renamed.get(name, name), "in": parameter["in"]}
        if parameter.get("required"):
            out["required"] = True
        if schema.get("type") == "object":
            schema = {"type": "string"}
        return {**out, **{key: schema[key] for key in ("type", "format", "enum", "items", "default") if key in schema}}

    def _real(self, ref: str) -> Json:
        back = {new: old for old, new in self._names.items()}
        return self._spec["components"]["schemas"][back[ref.rsplit("/", 1)[1]]]

    def _schema(self, schema: Any) -> Any:
        """Refs renamed, extensions and descriptions gone, properties shuffled."""
        if isinstance(schema, list):
            return [self._schema(one) for one in schema]
        if not isinstance(schema, dict):
            return copy.deepcopy(schema)
        if "$ref" in schema:
            return {"$ref": "#/definitions/" + self._names[schema["$ref"].rsplit("/", 1)[1]]}
        out: Json = {}
        for key, value in schema.items():
            if key == "properties":
                items = list(value.items())
                self._random.shuffle(items)
                out[key] = {name: self._schema(one) for name, one in items}
            elif key in ("enum", "required", "default"):
                out[key] = copy.deepcopy(value)
            elif key not in ("description", "title", "example", "deprecated") and not key.startswith("x-"):
                out[key] = self._schema(value)
        return out
