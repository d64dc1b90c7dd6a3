"""Looking things up in a spec: references, operations, and schemas with their references and `allOf` resolved."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, cast

import attrs

from .naming import class_name
from .source import Json, Pointer, Source

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
SCHEMAS = "#/components/schemas/"


@attrs.frozen
class Kind:
    """The type of a value on the wire, in the terms of the generated ``Field``."""

    name: str
    items: Kind | None = None
    model: str = ""
    enum: str = ""
    """Name of the type alias of the known values."""
    values: tuple[str | int, ...] = ()
    """The known values of an inline enum."""
    known_values: tuple[str, ...] = ()
    """Some of the values of an open list: others are just as good."""


@attrs.frozen
class RawOperation:
    """One operation as written in the spec."""

    path: str
    method: str
    data: dict[str, Json]
    pointer: Pointer
    shared: tuple[Json, ...]
    """Parameters that the path item defines for all its operations."""

    @property
    def id(self) -> str:
        return str(self.data.get("operationId", ""))


def as_map(value: Json) -> dict[str, Json]:
    """Return the value if it is a mapping, otherwise an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_list(value: Json) -> list[Json]:
    """Return the value if it is a list, otherwise an empty one."""
    if value.__class__ is not list:
        return []
    entries: list[Any] = value
    return entries


# Maps whose keys are names chosen by the spec's author, not keywords of OpenAPI.
NAMED = frozenset(
    (
        "properties",
        "schemas",
        "responses",
        "parameters",
        "paths",
        "content",
        "headers",
        "securitySchemes",
        "x-namespaces",
    )
)
# Keywords whose values are data, not parts of the description.
DATA = frozenset(("example", "examples", "default", "enum", "required", "x-default-headers"))


def walk(node: Json, pointer: Pointer = (), *, named: bool = False) -> Iterator[tuple[dict[str, Json], Pointer]]:
    """Yield every mapping of the description with its pointer; of maps with chosen names, only the values."""
    for index, item in enumerate(as_list(node)):
        yield from walk(item, (*pointer, index))
    data = as_map(node)
    if data and not named:
        yield data, pointer
    for key, value in data.items():
        if named or key not in DATA:
            yield from walk(value, (*pointer, key), named=not named and key in NAMED)


class Spec:
    """A spec with its references."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.tree = source.tree

    @property
    def surface(self) -> str:
        return str(self.tree.get("x-surface", ""))

    @cached_property
    def schemas(self) -> dict[str, Json]:
        return as_map(as_map(self.tree.get("components")).get("schemas"))

    def find(self, reference: str) -> Json | None:
        """Return what a reference within this file points to."""
        if not reference.startswith("#/"):
            return None
        node: Json = self.tree
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            node = as_map(node).get(key)
            if node is None:
                return None
        return node

    def follow(self, node: Json, pointer: Pointer = ()) -> tuple[dict[str, Json], Pointer]:
        """Follow references to their end; return the node there and its pointer."""
        seen: set[str] = set()
        data = as_map(node)
        while isinstance(data.get("$ref"), str):
            reference = str(data["$ref"])
            if reference in seen:
                return {}, pointer
            seen.add(reference)
            data = as_map(self.find(reference))
            pointer = tuple(part.replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/"))
        return data, pointer

    @cached_property
    def operations(self) -> list[RawOperation]:
        """All operations, in the order of the file."""
        return list(self._operations())

    def _operations(self) -> Iterator[RawOperation]:
        for path, item in as_map(self.tree.get("paths")).items():
            shared = tuple(as_list(as_map(item).get("parameters")))
            for method, data in as_map(item).items():
                if method in METHODS:
                    yield RawOperation(path, method, as_map(data), ("paths", path, method), shared)

    def parameters(self, operation: RawOperation) -> list[tuple[dict[str, Json], Pointer]]:
        """An operation's parameters, those of its path first, each with the pointer to its definition."""
        own = [
            (node, (*operation.pointer, "parameters", i))
            for i, node in enumerate(as_list(operation.data.get("parameters")))
        ]
        inherited = [(node, (*operation.pointer[:2], "parameters", i)) for i, node in enumerate(operation.shared)]
        found = {
            (data.get("in"), data.get("name")): (data, where)
            for data, where in (self.follow(node, pointer) for node, pointer in (*inherited, *own))
        }
        return list(found.values())

    def body(self, operation: RawOperation) -> tuple[dict[str, Json], Pointer]:
        """The schema of an operation's JSON body, merged, with its pointer; empty when there is none."""
        request, where = self.follow(operation.data.get("requestBody"), (*operation.pointer, "requestBody"))
        media = as_map(as_map(request.get("content")).get("application/json"))
        if "schema" not in media:
            return {}, where
        schema = media["schema"]
        _, defined_at = self.follow(schema, (*where, "content", "application/json", "schema"))
        return self.merged(schema), defined_at

    def success(self, operation: RawOperation) -> tuple[Json | None, Pointer]:
        """The schema of the first 2xx response that has one, with its pointer."""
        responses = as_map(operation.data.get("responses"))
        for status in sorted(responses):
            if status.startswith("2"):
                response, where = self.follow(responses[status], (*operation.pointer, "responses", status))
                media = as_map(as_map(response.get("content")).get("application/json"))
                if "schema" in media:
                    return media["schema"], (*where, "content", "application/json", "schema")
        return None, (*operation.pointer, "responses")

    def reference(self, schema: Json) -> str:
        """Name of the component that a schema refers to, directly or as the only part of an allOf."""
        data = as_map(schema)
        parts = as_list(data.get("allOf"))
        if len(parts) == 1 and "properties" not in data:
            return self.reference(parts[0])
        reference = data.get("$ref")
        if isinstance(reference, str) and reference.startswith(SCHEMAS):
            return reference[len(SCHEMAS) :]
        return ""

    def merged(self, schema: Json) -> dict[str, Json]:
        """A schema with its references followed and its allOf parts merged; its own keywords take precedence."""
        data = as_map(schema)
        own = {key: value for key, value in data.items() if key not in ("$ref", "allOf")}
        result: dict[str, Json] = {}
        parts = [*([self.follow(data)[0]] if "$ref" in data else []), *as_list(data.get("allOf"))]
        for part in (*map(self.merged, parts), own):
            properties = {**as_map(result.get("properties")), **as_map(part.get("properties"))}
            required = [*as_list(result.get("required")), *as_list(part.get("required"))]
            result.update(part)
            if properties:
                result["properties"] = properties
            if required:
                result["required"] = list(dict.fromkeys(required))
        return result

    def kind(self, schema: Json) -> Kind:
        """The type of a value of this schema."""
        data = self.merged(schema)
        name = self.reference(schema)
        if "oneOf" in data or "anyOf" in data:
            return Kind("any")
        values = tuple(as_list(data.get("enum")))
        match data.get("type"):
            case "object" if data.get("properties"):
                return Kind("object", model=class_name(name))
            case "object":
                extra = data.get("additionalProperties")
                items = self.kind(extra) if as_map(extra) else None
                return Kind("map", items if items and items.name != "any" else None)
            case "array":
                items = self.kind(data.get("items"))
                return Kind("array", items if items.name != "any" else None)
            case "string" if not values and data.get("format") in ("date-time", "date"):
                return Kind(str(data["format"]))
            case "string" | "integer" | "number" | "boolean" as plain:
                known = tuple(as_list(data.get("x-known-values")))
                return Kind(plain, enum=class_name(name) if values and name else "", values=values, known_values=known)
            case _:
                return Kind("any")
