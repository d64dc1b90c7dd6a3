"""A document's schemas with `$ref`, `allOf` and alternatives worked in, each worked out once.

Models of Go programs refer to each other freely, so the number of ways through a file grows without bound while the
file does not. All that is kept here is kept by schema, never by the way to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .references import DocumentError, Json, References, as_list, as_map

_OBJECT = 5
"""How sharp a schema is that names fields; from 0 for one that says nothing."""
_STRUCTURE = frozenset(("$ref", "allOf", "oneOf", "anyOf", "properties", "required"))


@dataclass(frozen=True, slots=True)
class Merged:
    """What a schema says in the end."""

    keywords: Json = field(default_factory=dict[str, object])
    """Everything but structure: type, format, enum, items and so on."""
    properties: Json = field(default_factory=dict[str, object])
    required: frozenset[str] = frozenset()
    refs: frozenset[str] = frozenset()
    """The components that it is made of."""

    @property
    def items(self) -> Json:
        return as_map(self.keywords.get("items"))

    @property
    def values(self) -> Json:
        """The schema of a map's values."""
        return as_map(self.keywords.get("additionalProperties"))


class Schemas:
    """Answers about the schemas of one document; a schema is known by its identity in the document's tree."""

    def __init__(self, document: References) -> None:
        self._document = document
        self._merged: dict[int, Merged] = {}
        self._kinds: dict[int, str] = {}
        self._kept: list[Json] = []
        """Schemas that were made here: their identity must not be given to another."""

    def merged(self, schema: Json) -> Merged:
        """The schema with everything worked in; a part that leads back to it adds nothing."""
        known = self._merged.get(id(schema))
        if known is not None:
            return known
        try:
            return self._merge(schema, set())
        except RecursionError:
            raise DocumentError(f"{self._document.source}: its schemas are nested too deeply to be read") from None

    def kind(self, schema: Json) -> str:
        """One word for the JSON type: string, integer, number, boolean, array, object, map, any."""
        known = self._kinds.get(id(schema))
        if known is None:
            known = self._kinds[id(schema)] = self._kind_of(self.merged(schema))
            self._kept.append(schema)
        return known

    def _merge(self, schema: Json, open_: set[int]) -> Merged:
        key = id(schema)
        if key in self._merged:
            return self._merged[key]
        if key in open_:
            return Merged()
        open_.add(key)
        parts = [self._merge(part, open_) for part in map(as_map, as_list(schema.get("allOf")))]
        refs: set[str] = set()
        ref = schema.get("$ref")
        if isinstance(ref, str):
            refs.add(ref)
            parts.insert(0, self._merge(self._document.lookup(ref), open_))
        own: Json = {name: value for name, value in schema.items() if name not in _STRUCTURE}
        mixed = False
        for keyword in ("oneOf", "anyOf"):
            listed = [part for part in map(as_map, as_list(schema.get(keyword))) if part.get("type") != "null"]
            choices = [self._merge(part, open_) for part in listed]
            parts += choices
            mixed = mixed or len({self._kind_of(choice) for choice in choices}) > 1
        if mixed:
            own["type"] = "any"
        parts.append(
            Merged(own, as_map(schema.get("properties")), frozenset(map(str, as_list(schema.get("required")))))
        )
        result = parts[0] if len(parts) == 1 else self._joined(parts)
        if refs:
            result = Merged(result.keywords, result.properties, result.required, result.refs | refs)
        open_.discard(key)
        self._merged[key] = result
        self._kept.append(schema)
        return result

    def _joined(self, parts: list[Merged]) -> Merged:
        keywords: Json = {}
        properties: Json = {}
        required: frozenset[str] = frozenset()
        refs: frozenset[str] = frozenset()
        for part in parts:
            for name, value in part.keywords.items():
                # `type: object` without fields says less than what another part says.
                if name == "type" and value in (None, "object") and keywords.get("type"):
                    continue
                if name in ("items", "additionalProperties") and isinstance(keywords.get(name), dict):
                    value = self._sharper(as_map(keywords[name]), as_map(value))
                keywords[name] = value
            for name, schema in part.properties.items():
                here = properties.get(name)
                properties[name] = schema if here is None else self._sharper(as_map(here), as_map(schema))
            required |= part.required
            refs |= part.refs
        return Merged(keywords, properties, required, refs)

    def _sharper(self, left: Json, right: Json) -> Json:
        """Of two schemas for one field the one that says more, wherever it stands; of two objects both."""
        if left is right or left == right:
            return right
        mine, other = self._sharpness(left), self._sharpness(right)
        if mine == other == _OBJECT:
            both: Json = {"allOf": [left, right]}
            self._kept.append(both)
            return both
        return left if mine > other else right

    def _sharpness(self, schema: Json) -> int:
        keywords = schema
        if "$ref" in schema or "allOf" in schema or "oneOf" in schema or "anyOf" in schema:
            # What a reference leads to may still be open: that it leads somewhere is enough.
            target = self._document.deref(schema) if "$ref" in schema else schema
            if target.get("properties") or "allOf" in target or "oneOf" in target or "anyOf" in target:
                return _OBJECT
            keywords = target
        if as_map(keywords.get("properties")) or as_map(keywords.get("additionalProperties")):
            return _OBJECT
        said = keywords.get("type")
        if as_map(keywords.get("items")):
            return 4
        if said in (None, "object", "array"):
            return 1 if said else 0
        return 3 if keywords.get("enum") or keywords.get("format") else 2

    @staticmethod
    def _kind_of(merged: Merged) -> str:
        said: object = merged.keywords.get("type")
        if listed := as_list(said):
            said = next((one for one in listed if one != "null"), None)
        if said == "file":
            return "string"
        if said in (None, "object"):
            if merged.properties:
                return "object"
            if merged.values:
                return "map"
            if said is None:
                if "items" in merged.keywords:
                    return "array"
                return "string" if merged.keywords.get("enum") else "any"
        return str(said)

    def below(self, schema: Json) -> Iterator[tuple[str, Json, bool]]:
        """What stands directly inside: the step to it, its schema, whether it is required."""
        merged = self.merged(schema)
        for name, child in merged.properties.items():
            yield f".{name}", as_map(child), name in merged.required
        if merged.items:
            yield "[]", merged.items, False
        if merged.values:
            yield ".*", merged.values, False
