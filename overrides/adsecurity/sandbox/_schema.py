"""What the schemas of a spec say about values: their JSON Schema form, zero values, samples, projections."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard, cast

Schema = dict[str, Any]

ZERO_TIME = "0001-01-01T00:00:00Z"
SAMPLE_TIME = "2026-11-02T08:15:30Z"


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def as_map(value: object) -> dict[str, Any]:
    """The value as a mapping; anything else counts as an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """The value as a list; anything else counts as an empty one."""
    return value if is_list(value) else []


def to_json_schema(node: Any) -> Any:
    """OpenAPI 3.0's dialect as JSON Schema: only `nullable` and the boolean exclusive bounds differ."""
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
        if isinstance(result.get(exclusive), bool) and result.pop(exclusive) and bound in result:
            result[exclusive] = result.pop(bound)
    return result


class Schemas:
    """The component schemas of one document, with references followed."""

    def __init__(self, components: Mapping[str, Any]) -> None:
        self._components = components

    def resolve(self, schema: Any) -> Schema:
        """The schema itself: references followed, `allOf` merged."""
        found = as_map(schema)
        while "$ref" in found:
            target: Any = {"components": self._components}
            for step in str(found["$ref"]).removeprefix("#/").split("/"):
                target = as_map(target)[step.replace("~1", "/").replace("~0", "~")]
            found = as_map(target)
        parts = as_list(found.get("allOf"))
        if not parts:
            return found
        merged: Schema = {key: value for key, value in found.items() if key != "allOf"}
        properties: Schema = {}
        required: list[Any] = []
        for part in [*parts, {k: v for k, v in found.items() if k in ("properties", "required")}]:
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
        found = resolved.get("type", "")
        if is_list(found):
            found = next((item for item in found if item != "null"), "")
        return str(found) or ("object" if "properties" in resolved else "")

    def zero(self, schema: Any, depth: int = 0) -> Any:
        """What a server written in Go answers for a field that nobody set."""
        resolved = self.resolve(schema)
        if "default" in resolved:
            return resolved["default"]
        kind = self.kind(schema)
        if kind == "object":
            if depth > 8:
                return {}
            return {name: self.zero(part, depth + 1) for name, part in as_map(resolved.get("properties")).items()}
        if kind == "string":
            if resolved.get("enum"):
                return resolved["enum"][0]
            return {"date-time": ZERO_TIME, "date": ZERO_TIME[:10]}.get(str(resolved.get("format")), "")
        lowest = max(0, resolved.get("minimum", 0)) if kind in ("integer", "number") else 0
        zeros: dict[str, Any] = {"array": [], "integer": lowest, "number": lowest, "boolean": False}
        return zeros.get(kind)

    def sample(self, schema: Any, name: str, index: int = 0) -> Any:
        """A plausible value for a field of which nothing but its schema is known: the same one every time."""
        resolved = self.resolve(schema)
        kind = self.kind(schema)
        if kind == "object":
            return {key: self.sample(part, key, index) for key, part in as_map(resolved.get("properties")).items()}
        if kind == "array":
            return [self.sample(resolved.get("items"), name, index)]
        if kind == "string":
            if resolved.get("enum"):
                return resolved["enum"][index % len(resolved["enum"])]
            times = {"date-time": SAMPLE_TIME, "date": SAMPLE_TIME[:10]}
            return times.get(str(resolved.get("format")), f"{name}-{index + 1}")
        if kind in ("integer", "number"):
            lowest = resolved.get("minimum", 0)
            return lowest + (index + 1) % (resolved.get("maximum", lowest + 1000) - lowest + 1)
        return {"boolean": index % 2 == 0}.get(kind)


def project(document: Mapping[str, Any], template: Mapping[str, Any], fields: Sequence[str] = ()) -> dict[str, Any]:
    """What one surface shows of a stored document: the fields of its template and no others, or the asked ones."""
    shown = {name: document.get(name, zero) for name, zero in template.items()}
    return {name: value for name, value in shown.items() if name in fields} if fields else shown


def stable_id(*parts: object, length: int = 24) -> str:
    """An id that depends on its parts alone, in the form of the server's own: hexadecimal digits."""
    return hashlib.sha256("/".join(str(part) for part in parts).encode()).hexdigest()[:length]
