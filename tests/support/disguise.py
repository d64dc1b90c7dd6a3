"""One of our specs as somebody else would have written it: Swagger 2.0, other names, other routes, another order.

What stays is what an API cannot change without being another one: wire names, types, bodies, answers. `forms` change
how that is written down; they are applied one after the other, see `forms.py`.
"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Json = dict[str, Any]
Form = Callable[["Disguise"], None]

BASE = "/rest/v3"
METHODS = ("get", "put", "post", "delete", "patch")
MARK = "x-is"
"""Names our operation while forms move theirs about; not in the finished document."""
WORDS = {"integrations": "network", "publisher-view": "affiliate", "download-center": "files", "reports": "statistics"}


class Disguise:
    """`document` is what they would hand out for `spec`; `routes` says which operation went where."""

    def __init__(
        self,
        spec: Json,
        *,
        opaque: bool = False,
        seed: int = 7,
        forms: Sequence[Form] = (),
        words: dict[str, str] = WORDS,
        prefix: str = "",
    ) -> None:
        self._spec = spec
        self.random = random.Random(seed)
        self._opaque = opaque
        self._words = words
        self._prefix = prefix
        self._names = {name: f"Type{n:03}" for n, name in enumerate(sorted(spec["components"]["schemas"]))}
        self._segments: dict[str, str] = {}
        self.document = self._document()
        for form in forms:
            form(self)
        self.routes: dict[str, str] = {}
        for path, method, operation in self.operations():
            if (name := operation.pop(MARK, None)) is not None:
                self.routes[name] = f"{method.upper()} {self.base}{path}"

    @property
    def base(self) -> str:
        if "swagger" in self.document:
            return str(self.document.get("basePath", ""))
        return "/" + str(self.document["servers"][0]["url"]).split("/", 3)[3]

    @staticmethod
    def anonymous(route: str) -> str:
        """A route without the names of its placeholders."""
        return re.sub(r"{.*?}", "{}", route)

    def definition(self, name: str) -> Json:
        """Their schema for a component of ours, to be changed by a test."""
        found: Json = self.document["definitions"][self._names[name]]
        return found

    def operation(self, operation_id: str) -> Json:
        method, path = self.routes[operation_id].split(" ")
        found: Json = self.document["paths"][path.removeprefix(self.base)][method.lower()]
        return found

    def operations(self) -> Iterator[tuple[str, str, Json]]:
        for path, item in list(self.document["paths"].items()):
            for method in METHODS:
                if method in item:
                    yield path, method, item[method]

    def move(self, path: str, method: str, new_path: str, new_method: str) -> None:
        """An operation to another route."""
        paths = self.document["paths"]
        operation = paths[path].pop(method)
        if not paths[path]:
            del paths[path]
        assert new_method not in paths.get(new_path, {})
        paths.setdefault(new_path, {})[new_method] = operation

    def _document(self) -> Json:
        paths: Json = {}
        operations = [
            (path, method, operation)
            for path, item in self._spec["paths"].items()
            for method, operation in item.items()
            if isinstance(operation, dict)
        ]
        self.random.shuffle(operations)
        for number, (path, method, operation) in enumerate(operations):
            route = self._path(path)
            there = self._operation(operation, number, path, route)
            paths.setdefault(route, {})[method] = {**there, MARK: operation["operationId"]}
        return {
            "swagger": "2.0",
            "info": {"title": "Official", "version": "3.4"},
            "host": "api.example.com",
            "basePath": BASE,
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
        parts, holes = [self._prefix] if self._prefix else [], 0
        for part in path.removeprefix("/api/v2").strip("/").split("/"):
            if part.startswith("{"):
                holes += 1
                parts.append(f"{{id{holes}}}")
            elif self._opaque:
                parts.append(self._segments.setdefault(part, f"s{len(self._segments)}"))
            else:
                parts.append(self._words.get(part, re.sub(r"s$", "", part).replace("-", "_")))
        return "/" + "/".join(parts)

    def _operation(self, operation: Json, number: int, path: str, route: str) -> Json:
        renamed = dict(zip(re.findall(r"{(.*?)}", path), re.findall(r"{(.*?)}", route), strict=True))
        parameters = [self._parameter(self._deref(one), renamed) for one in operation.get("parameters", [])]
        body = self._deref(operation.get("requestBody", {}))
        if body:
            schema = body["content"]["application/json"]["schema"]
            parameters.append({"in": "body", "name": "payload", "required": True, "schema": self._schema(schema)})
        self.random.shuffle(parameters)
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
            found: Json = self._spec["components"][kind][name]
            return found
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
        found: Json = self._spec["components"]["schemas"][back[ref.rsplit("/", 1)[1]]]
        return found

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
                self.random.shuffle(items)
                out[key] = {name: self._schema(one) for name, one in items}
            elif key in ("enum", "required", "default"):
                out[key] = copy.deepcopy(value)
            elif key not in ("description", "title", "example", "deprecated") and not key.startswith("x-"):
                out[key] = self._schema(value)
        return out
