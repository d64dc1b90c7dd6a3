"""The schemas of a spec: conversion to JSON Schema, zero values, sample values, the fields of a response."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard, cast

Schema = dict[str, Any]

# Go's zero time, which the API sends where a time is missing.
ZERO_TIME = "0001-01-01T00:00:00Z"
SAMPLE_TIME = "2026-11-02T08:15:30Z"
# A schema may contain itself; a zero value stops at this depth.
_MAX_DEPTH = 8


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def as_map(value: object) -> dict[str, Any]:
    """The value when it is a mapping, otherwise an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """The value when it is a list, otherwise an empty one."""
    return value if is_list(value) else []


def to_json_schema(node: Any) -> Any:
    """An OpenAPI 3.0 schema as JSON Schema: only `nullable` and the boolean exclusive bounds differ."""
    if is_list(node):
        return [to_json_schema(item) for item in node]
    if not as_map(node):
        return node
    result = {key: to_json_schema(value) for key, value in as_map(node).items()}
    if result.pop("nullable", None) is True and isinstance(result.get("type"), str):
        result["type"] = [result["type"], "null"]
        if "enum" in result:
            result["enum"] = [*result["enum"], None]
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(result.get(exclusive), bool):
            is_exclusive = result.pop(exclusive)
            if is_exclusive and bound in result:
                result[exclusive] = result.pop(bound)
    return result


class Schemas:
    """The component schemas of one spec; every method follows references."""

    def __init__(self, components: Mapping[str, Any]) -> None:
        self._components = components

    def resolve(self, schema: Any) -> Schema:
        """The schema with references followed and `allOf` merged."""
        resolved = as_map(schema)
        while "$ref" in resolved:
            target: Any = {"components": self._components}
            for token in str(resolved["$ref"]).removeprefix("#/").split("/"):
                target = as_map(target)[token.replace("~1", "/").replace("~0", "~")]
            resolved = as_map(target)
        parts = as_list(resolved.get("allOf"))
        if not parts:
            return resolved
        return self._merge(resolved, parts)

    def _merge(self, schema: Schema, parts: Sequence[Any]) -> Schema:
        """One object schema from a schema and the parts of its `allOf`."""
        merged: Schema = {key: value for key, value in schema.items() if key != "allOf"}
        properties: Schema = {}
        required: list[Any] = []
        own = {key: value for key, value in schema.items() if key in ("properties", "required")}
        for part in [*parts, own]:
            resolved = self.resolve(part)
            properties.update(as_map(resolved.get("properties")))
            required.extend(as_list(resolved.get("required")))
            for key, value in resolved.items():
                merged.setdefault(key, value)
        return {**merged, "properties": properties, "required": required}

    def properties(self, schema: Any) -> dict[str, Any]:
        return as_map(self.resolve(schema).get("properties"))

    def kind(self, schema: Any) -> str:
        """The JSON type of a schema; an empty string where it accepts anything."""
        resolved = self.resolve(schema)
        json_type = resolved.get("type", "")
        if is_list(json_type):
            json_type = next((item for item in json_type if item != "null"), "")
        if not json_type and "properties" in resolved:
            return "object"
        return str(json_type)

    def zero_value(self, schema: Any, depth: int = 0) -> Any:
        """What a server written in Go sends for a field that was never set."""
        resolved = self.resolve(schema)
        if "default" in resolved:
            return resolved["default"]
        kind = self.kind(schema)
        if kind == "object":
            if depth > _MAX_DEPTH:
                return {}
            properties = as_map(resolved.get("properties"))
            return {name: self.zero_value(part, depth + 1) for name, part in properties.items()}
        if kind == "array":
            return []
        if kind == "string":
            if resolved.get("enum"):
                return resolved["enum"][0]
            zero_times = {"date-time": ZERO_TIME, "date": ZERO_TIME[:10]}
            return zero_times.get(str(resolved.get("format")), "")
        if kind in ("integer", "number"):
            return max(0, resolved.get("minimum", 0))
        return False if kind == "boolean" else None

    def sample_value(self, schema: Any, name: str, index: int = 0) -> Any:
        """A plausible value for a field of which only the schema is known; the same arguments give the same value."""
        resolved = self.resolve(schema)
        kind = self.kind(schema)
        if kind == "object":
            properties = as_map(resolved.get("properties"))
            return {key: self.sample_value(part, key, index) for key, part in properties.items()}
        if kind == "array":
            return [self.sample_value(resolved.get("items"), name, index)]
        if kind == "string":
            if resolved.get("enum"):
                return resolved["enum"][index % len(resolved["enum"])]
            sample_times = {"date-time": SAMPLE_TIME, "date": SAMPLE_TIME[:10]}
            return sample_times.get(str(resolved.get("format")), f"{name}-{index + 1}")
        if kind in ("integer", "number"):
            minimum = resolved.get("minimum", 0)
            maximum = resolved.get("maximum", minimum + 1000)
            return minimum + (index + 1) % (maximum - minimum + 1)
        return index % 2 == 0 if kind == "boolean" else None


def select_fields(
    document: Mapping[str, Any], template: Mapping[str, Any], fields: Sequence[str] = ()
) -> dict[str, Any]:
    """A stored document as one surface shows it: the fields of the template, or only the requested ones of them."""
    shown = {name: document.get(name, zero_value) for name, zero_value in template.items()}
    if not fields:
        return shown
    return {name: value for name, value in shown.items() if name in fields}


def stable_id(*parts: object, length: int = 24) -> str:
    """An id that depends on its parts alone: hexadecimal digits, like the ids of the API."""
    return hashlib.sha256("/".join(str(part) for part in parts).encode()).hexdigest()[:length]
