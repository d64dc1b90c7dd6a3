"""An OpenAPI document as the checks see it: references and `allOf` followed, every node with its JSON pointer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MAP_KEY = "{}"
MARKS = ("official", "prose", "inferred", "borrowed")
ABSENT: dict[str, Any] = {}  # one object, because schemas are remembered by identity

Schema = dict[str, Any]
FactKey = tuple[str, ...]


@dataclass(frozen=True)
class Problem:
    """One fact that a spec does not hold, or (with an `extra` key) one thing that no text shows."""

    fact: FactKey
    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.pointer}: {self.message}"


@dataclass
class Flat:
    """A schema with its references and `allOf` followed, and where each part of it stands."""

    pointer: str
    facets: Schema = field(default_factory=dict)
    holders: dict[str, Schema] = field(default_factory=dict)
    properties: dict[str, list[tuple[Schema, str]]] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


def escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def property_holders(schema: Any, pointer: str) -> Iterator[tuple[str, Schema]]:
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield f"{pointer}/properties", schema["properties"]
        for key, value in schema.items():
            if isinstance(value, dict) and "$ref" not in value:
                yield from property_holders(value, f"{pointer}/{escape(key)}")
            elif key == "allOf":
                for index, part in enumerate(value):
                    yield from property_holders(part, f"{pointer}/allOf/{index}")


class SpecReader:
    """Finds the parts of one loaded spec; remembers flattened schemas until `forget`."""

    def __init__(self, spec: Schema, superseded: list[dict[str, str]]) -> None:
        self.spec = spec
        self.superseded = {(one["operation"], one["place"], one["name"], one["aspect"]) for one in superseded}
        """Facts of the text that the vendor's own file contradicts."""
        self._renamed = {
            (one["operation"], one["place"], one["name"]): one["official"]
            for one in superseded
            if one["aspect"] == "name"
        }
        self.seen: dict[int, set[str]] = {}  # documented names by the `properties` object that declares them
        self._flats: dict[int, Flat] = {}

    def wire_name(self, fact: Schema, place: str, name: str) -> str:
        """What a parameter of the text is called now."""
        return self._renamed.get((fact["id"], place, name), name)

    def forget(self) -> None:
        self._flats.clear()

    def target(self, node: Any, pointer: str) -> tuple[Any, str]:
        while isinstance(node, dict) and "$ref" in node:
            pointer = node["$ref"].removeprefix("#")
            node = self.spec
            for part in pointer.split("/")[1:]:
                node = node.get(part.replace("~1", "/").replace("~0", "~"), {})
        return node, pointer

    def flat(self, schema: Any, pointer: str) -> Flat:
        if (known := self._flats.get(id(schema))) is not None:
            return known
        result = Flat(pointer)
        self._gather(schema, pointer, result)
        self._flats[id(schema)] = result
        return result

    def _gather(self, schema: Any, pointer: str, into: Flat) -> None:
        if not isinstance(schema, dict):
            return
        if "$ref" in schema:
            into.names.add(schema["$ref"].rsplit("/", 1)[-1])
            node, pointer = self.target(schema, pointer)
            into.pointer = pointer
            self._gather(node, pointer, into)
            return
        for index, part in enumerate(schema.get("allOf", [])):
            self._gather(part, f"{pointer}/allOf/{index}", into)
        for key, value in schema.items():
            if key == "properties":
                for name in value:
                    into.properties.setdefault(name, []).append((value, f"{pointer}/properties/{escape(name)}"))
                self.seen.setdefault(id(value), set())
            elif key == "required":
                into.required |= set(value)
                into.holders[key] = schema
            elif key != "allOf":
                into.facets[key] = value
                into.holders[key] = schema

    def find(self, operation_id: str) -> tuple[str, str, Schema, Schema] | None:
        """Path, method, operation and path item of an operationId."""
        for path, item in self.spec.get("paths", {}).items():
            for method, operation in item.items():
                if isinstance(operation, dict) and operation.get("operationId") == operation_id:
                    return path, method, operation, item
        return None

    def parameters(self, fact: Schema) -> list[tuple[Schema, str, list[Any], int]]:
        """Each parameter of an operation, resolved, with its pointer and the list and place it is named in."""
        found = self.find(fact["id"])
        if found is None:
            return []
        path, method, operation, item = found
        base = f"/paths/{escape(path)}"
        result = []
        for holder, pointer in ((item, base), (operation, f"{base}/{method}")):
            listed = holder.get("parameters", [])
            for index, one in enumerate(listed):
                node, at = self.target(one, f"{pointer}/parameters/{index}")
                result.append((node, at, listed, index))
        return result

    def body(self, fact: Schema) -> tuple[Any, str] | None:
        found = self.find(fact["id"])
        if found is None:
            return None
        path, method, operation, _ = found
        node, pointer = self.target(operation.get("requestBody"), f"/paths/{escape(path)}/{method}/requestBody")
        return self._json(node, pointer)

    def _json(self, node: Any, pointer: str) -> tuple[Any, str] | None:
        try:
            return node["content"]["application/json"]["schema"], f"{pointer}/content/application~1json/schema"
        except (KeyError, TypeError):
            return None

    def answers(self, fact: Schema) -> list[tuple[str, Any, str]]:
        """Status, schema (None where there is none) and pointer of each 2xx response of an operation."""
        found = self.find(fact["id"])
        if found is None:
            return []
        path, method, operation, _ = found
        result = []
        for status, response in operation.get("responses", {}).items():
            if str(status).startswith("2"):
                node, pointer = self.target(response, f"/paths/{escape(path)}/{method}/responses/{status}")
                schema = self._json(node, pointer)
                result.append((str(status), *(schema or (None, pointer))))
        return result

    def _place_of(self, fact: Schema) -> str:
        found = self.find(fact["id"])
        return f"/paths/{escape(found[0])}/{found[1]}" if found else "/paths"

    def _extension(self, node: Schema, schema: Schema, name: str, pointer: str) -> Any:
        return node[name] if name in node else self.flat(schema, pointer).facets.get(name)

    def _marked(self, node: Any, flat: Flat) -> bool:
        own = node.get("x-evidence") if isinstance(node, dict) else None
        return own in MARKS or flat.facets.get("x-evidence") in MARKS
