"""Schemas of the vendor's document, of any version, in the manner of our 3.0 specs: objects as named components."""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import round_trip
from .document import Document
from .facts import kind, resolve
from .match import leaf
from .operations import Operation, operation_schema
from .references import Json, as_list, as_map

_KEPT = ("format", "minimum", "maximum", "minLength", "maxLength", "pattern", "default", "minItems", "maxItems")


class _CircleError(Exception):
    """A schema that leads back to itself."""


def enums(node: round_trip.Tree) -> set[tuple[str, ...]]:
    """Every list of known values in a tree."""
    found: set[tuple[str, ...]] = set()
    for one in as_list(node):
        found |= enums(one)
    for key, value in as_map(node).items():
        if key == "enum" and (values := as_list(value)):
            found.add(tuple(map(str, values)))
        else:
            found |= enums(value)
    return found


class Converter:
    """Adds to the `components.schemas` of `root` what it needs on the way."""

    def __init__(self, theirs: Document, root: round_trip.Tree) -> None:
        self._theirs = theirs
        self._root = root

    def parameter(self, operation: Operation, name: str, where: str, description: str) -> round_trip.Tree | None:
        """Their parameter as one of ours; None where our rules would refuse it, as they do headers."""
        raw = next(one for one in self._parameters(operation) if one.get("name") == name and one.get("in") == where)
        if where != "query" or not self._fits(as_map(raw.get("schema")) or raw):
            return None
        out: Json = {"name": name, "in": where}
        if raw.get("required"):
            out["required"] = True
        out["description"] = description
        out["schema"] = self.schema(as_map(raw.get("schema")) or raw, "")
        return round_trip.new_map(out)

    def _parameters(self, operation: Operation) -> list[Json]:
        item = self._theirs.deref(as_map(self._theirs.root.get("paths")).get(operation.key[0]))
        both = [*as_list(operation.node.get("parameters")), *as_list(item.get("parameters"))]
        return [self._theirs.deref(one) for one in both]

    def field(
        self, operation: Operation, where: str, place: str, name: str, description: str
    ) -> round_trip.Tree | None:
        """The schema at a place of theirs (with or without its envelope), as a property of ours, if rules allow."""
        found = self._at(operation_schema(self._theirs, operation, where), place, "", 0)
        if found is None or not self._fits(found):
            return None
        out = self.schema(found, name)
        if "$ref" not in out:
            out = {"description": description, **out}
        return round_trip.new_map(out)

    def _fits(self, schema: Json) -> bool:
        """A schema that leads back to itself would be unrolled; one list of values has one place."""
        known = enums(self._root)
        try:
            for values in self._lists(schema, ()):
                if values in known:
                    return False
                known.add(values)
        except _CircleError:
            return False
        return True

    def _lists(self, schema: Json, refs: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        merged, refs = resolve(self._theirs, schema, refs)
        if merged is None:
            raise _CircleError
        if values := tuple(str(value) for value in as_list(merged.get("enum")) if value is not None):
            yield values
        below = [*as_map(merged.get("properties")).values(), merged.get("items"), merged.get("additionalProperties")]
        for one in filter(None, map(as_map, below)):
            yield from self._lists(one, refs)

    def _at(self, schema: Json, wanted: str, place: str, depth: int) -> Json | None:
        merged, _ = resolve(self._theirs, schema)
        if merged is None or depth > 10:
            return None
        for name, child in as_map(merged.get("properties")).items():
            here = f"{place}.{name}" if place else str(name)
            if wanted in (here, leaf(here)):
                return as_map(child)
            if found := self._at(as_map(child), wanted, here, depth + 1):
                return found
        if items := as_map(merged.get("items")):
            return self._at(items, wanted, place + "[]", depth + 1)
        return None

    def schema(self, schema: Json, name: str, depth: int = 0) -> Json:
        merged, _ = resolve(self._theirs, schema)
        merged = merged or {}
        shape = kind(self._theirs, schema)
        if shape == "any" or depth > 6:
            return {}
        out: Json = {"type": "object" if shape == "map" else shape}
        out.update({key: merged[key] for key in _KEPT if key in merged})
        if values := [value for value in as_list(merged.get("enum")) if value is not None]:
            out["enum"] = values
        if shape == "array":
            out["items"] = self.schema(as_map(merged.get("items")), _singular(name), depth + 1)
        if shape == "map":
            out["additionalProperties"] = self.schema(as_map(merged.get("additionalProperties")), name, depth + 1)
        if shape == "object":
            return self._component(merged, name, depth)
        return out

    def _component(self, merged: Json, name: str, depth: int) -> Json:
        schemas = self._root["components"]["schemas"]
        title = base = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name)) or "Adopted"
        number = 2
        while title in schemas:
            title, number = f"{base}{number}", number + 1
        schemas[title] = None
        properties = {
            str(key): self.schema(as_map(child), str(key), depth + 1)
            for key, child in as_map(merged.get("properties")).items()
        }
        whole: Json = {"type": "object", "properties": properties}
        schemas[title] = round_trip.new_map(whole)
        return {"$ref": f"#/components/schemas/{title}"}


def _singular(name: str) -> str:
    return name[:-1] if len(name) > 3 and name.endswith("s") and not name.endswith("ss") else name
