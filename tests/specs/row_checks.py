"""Rows of the parameter tables, and the parameters that the prose gives to every list, against a spec."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.specs.spec_reader import ABSENT, MARKS, FactKey, Flat, Problem, Schema, SpecReader

# How a documented facet of a row is called in a schema.
FACETS = {
    "enum": "enum",
    "default": "default",
    "format": "format",
    "max_length": "maxLength",
    "max_items": "maxItems",
    "maximum": "maximum",
    "unique": "uniqueItems",
}
NARROWING = (
    *(name for name in FACETS.values()),
    *("minimum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "pattern", "minItems"),
)
# What the introductions say about the parameters that stand in no table.
PROSE_SHAPES: dict[str, dict[str, Any]] = {
    "page[number]": {"type": "integer"},
    "page[size]": {"type": "integer"},
    "filter": {"type": "object", "style": "deepObject"},
    "sort": {"type": "array", "style": "form", "explode": False},
    "query": {"type": "string"},
    "fields": {"type": "array", "style": "form", "explode": False},
}


def same_members(left: Any, right: Any) -> bool:
    return (
        isinstance(left, list)
        and isinstance(right, list)
        and sorted(map(json.dumps, left)) == sorted(map(json.dumps, right))
    )


def row_keys(operation_id: str, row: Schema) -> Iterator[FactKey]:
    """The name of each fact of a row; its name and its place are lost with it."""
    for aspect in row:
        if aspect != "damage":
            yield (operation_id, "row", row["in"], row["name"], aspect)


class RowChecks(SpecReader):
    api: Schema

    def locate_row(self, fact: Schema, row: Schema) -> tuple[Schema, Schema, bool, str] | None:
        """A row's own node (parameter or property), its schema, whether it is required, its pointer."""
        if row["in"] != "body":
            name = self.wire_name(fact, row["in"], row["name"])
            for node, pointer, _, _ in self.parameters(fact):
                if (node.get("name"), node.get("in")) == (name, row["in"]):
                    return node, node.get("schema", ABSENT), bool(node.get("required", False)), pointer
            return None
        body = self.body(fact)
        if body is None:
            return None
        flat = self.flat(*body)
        if row["name"] not in flat.properties:
            return None
        holder, pointer = flat.properties[row["name"]][-1]
        schema = holder[row["name"]]
        return schema, schema, row["name"] in flat.required, pointer

    def _rows(self, fact: Schema) -> Iterator[Problem]:
        for row in fact["rows"]:
            key = (fact["id"], "row", row["in"], row["name"])
            place = self.locate_row(fact, row)
            if place is None:
                message = f"{fact['id']} has no {row['name']!r} in {row['in']}"
                yield from (Problem(one, self._place_of(fact), message) for one in row_keys(fact["id"], row))
                continue
            node, schema, required, pointer = place
            flat = self.flat(schema, pointer)
            yield from self._row(key, row, node, flat, required, pointer)
        yield from self._extra_inputs(fact)
        for name in fact.get("mirrored", []):
            for row in (one for one in fact["rows"] if one["name"] == name):
                place = self.locate_row(fact, row)
                marked = place and self._extension(place[0], place[1], "x-mirror", place[3])
                if not same_members(marked, ["query", "body"]):
                    message = f"{name!r} stands in query and body but is not marked x-mirror"
                    yield Problem(
                        (fact["id"], "mirror", row["in"], name), place[3] if place else self._place_of(fact), message
                    )

    def _row(
        self, key: FactKey, row: Schema, node: Schema, flat: Flat, required: bool, pointer: str
    ) -> Iterator[Problem]:
        there = flat.facets

        def lost(aspect: str, wanted: Any, found: Any) -> Problem:
            return Problem(
                (*key, aspect), pointer, f"{aspect} of {row['name']!r} is {found!r}, documented is {wanted!r}"
            )

        if there.get("type") != row["type"]:
            yield lost("type", row["type"], there.get("type"))
        if required != row["required"]:
            yield lost("required", row["required"], required)
        if "ref" in row and row["type"] != "array" and row["ref"] not in flat.names:
            yield lost("ref", row["ref"], sorted(flat.names))
        if "items" in row:
            items = self.flat(there.get("items"), f"{flat.pointer}/items")
            if items.facets.get("type") != row["items"]:
                yield lost("items", row["items"], items.facets.get("type"))
            if "ref" in row and row["ref"] not in items.names:
                yield lost("ref", row["ref"], sorted(items.names))
            if "item_enum" in row and not same_members(items.facets.get("enum"), row["item_enum"]):
                yield lost("item_enum", row["item_enum"], items.facets.get("enum"))
            if "item_enum" not in row and "enum" in items.facets and not self._marked(node, items):
                yield Problem(("extra", *key, "item_enum"), pointer, f"items of {row['name']!r} have an invented enum")
        for name, keyword in FACETS.items():
            if name in row:
                same = (
                    same_members(row[name], there.get(keyword)) if name == "enum" else row[name] == there.get(keyword)
                )
                if not same:
                    yield lost(name, row[name], there.get(keyword))
        if "layout" in row:
            time = self._extension(node, flat.facets, "x-time", pointer)
            if not isinstance(time, dict) or time.get("unit") != row["layout"]:
                yield lost("layout", row["layout"], time)
        if "time_field" in row:
            ranged = self._range(key[0])
            if ranged.get("time_field") != row["time_field"]:
                yield lost("time_field", row["time_field"], ranged.get("time_field"))
        documented = {FACETS[name] for name in FACETS if name in row}
        if row["name"] == "page[size]":
            documented.add("maximum")  # the introductions bound a page's size for all lists
        if row.get("layout") == "day":
            documented.add("format")
        for keyword in NARROWING:
            if keyword in there and keyword not in documented and not self._marked(node, flat):
                message = f"{row['name']!r} has an invented {keyword}: {there[keyword]!r}"
                yield Problem(("extra", *key, keyword), pointer, message)

    def _range(self, operation_id: str) -> Schema:
        found = self.find(operation_id)
        ranged = found[2].get("x-range") if found else None
        return ranged if isinstance(ranged, dict) else {}

    def _extra_inputs(self, fact: Schema) -> Iterator[Problem]:
        documented = {(row["in"], self.wire_name(fact, row["in"], row["name"])) for row in fact["rows"]}
        for node, pointer, _, _ in self.parameters(fact):
            known = (node.get("in"), node.get("name")) in documented
            if not known and node.get("x-evidence") not in MARKS:
                message = f"parameter {node.get('name')!r} stands in no table and is not marked x-evidence"
                yield Problem(("extra", fact["id"], "parameter", str(node.get("name"))), pointer, message)
        has_body = any(place == "body" for place, _ in documented)
        body = self.body(fact)
        if body and not has_body:
            message = "no request body is documented and the one here is not needed"
            yield Problem(("extra", fact["id"], "body"), body[1], message)

    # ---- parameters from prose ----

    def _prose(self, fact: Schema) -> Iterator[Problem]:
        limits = {one["name"]: one.get("maximum") for one in self.api["list_parameters"]}
        for name in fact["prose"]:
            key = (fact["id"], "prose", name)
            node, pointer = next(
                (
                    (one, at)
                    for one, at, _, _ in self.parameters(fact)
                    if (one["name"], one["in"]) == (self.wire_name(fact, "query", name), "query")
                ),
                (None, self._place_of(fact)),
            )
            if node is None:
                yield Problem(key, pointer, f"{fact['id']} has no parameter {name!r}, which the prose gives to lists")
                continue
            schema = self.flat(node.get("schema"), f"{pointer}/schema").facets
            shape = {"type": schema.get("type"), "style": node.get("style"), "explode": node.get("explode")}
            wrong = {part: shape[part] for part, wanted in PROSE_SHAPES[name].items() if shape[part] != wanted}
            if wrong:
                yield Problem(key, pointer, f"{name!r} has {wrong}, the prose says {PROSE_SHAPES[name]}")
            elif node.get("x-evidence") not in ("prose", "official"):
                yield Problem(key, pointer, f"{name!r} stands in prose alone but is not marked x-evidence: prose")
            elif node.get("required", False):
                yield Problem(key, pointer, f"{name!r} is required, the prose offers it")
            if limits.get(name) and schema.get("maximum") != limits[name]:
                message = f"maximum of {name!r} is {schema.get('maximum')!r}, documented is {limits[name]}"
                yield Problem((*key, "maximum"), pointer, message)
