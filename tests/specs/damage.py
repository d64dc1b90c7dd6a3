"""Take each fact away from a loaded spec, and then twist it, so that a test can ask whether the check notices.

    python tests/specs/damage.py

prints for each surface how many facts were damaged, in how many ways, and how many of them the check caught.
An edit changes the spec in memory, is put back at once, and never goes through the code that it is meant to try: it
finds its place by the checker's reader, not by its comparisons.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if not __package__:  # run as a script: the folder of `tests` is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.specs.check_facts import SURFACES, Checker, load
from tests.specs.edits import GONE, Edit, Slot, inline, put, twisted, without
from tests.specs.row_checks import FACETS
from tests.specs.sample_checks import leaf_at
from tests.specs.spec_reader import MAP_KEY, FactKey, Flat, Schema

OTHER_TYPES = {
    "string": ("integer", "object"),
    "integer": ("number", "string"),
    "number": ("integer", "string"),
    "numeric": ("string", "boolean"),
    "boolean": ("string", "integer"),
    "date": ("integer",),
    "date-time": ("integer",),
    "null": ("string",),
    "object": ("array", "string"),
    "array": ("string", "object"),
}


class Damager:
    def __init__(self, checker: Checker) -> None:
        self.checker = checker
        self.schemas: Schema = checker.spec["components"]["schemas"]

    def edits(self, fact: Schema, key: FactKey) -> Iterator[Edit]:
        """The ways to lose one fact of one operation."""
        self.checker.forget()
        kind = key[1]
        if kind == "row":
            row = next(one for one in fact["rows"] if (one["in"], one["name"]) == key[2:4])
            yield from self._row(fact, row, key[4])
        elif kind == "prose":
            yield from self._prose(fact, key)
        elif kind == "mirror":
            yield from self._mirror(fact, key)
        elif kind in ("request", "response"):
            yield from self._leaf(fact, kind, tuple(key[2].split("/")) if key[2] else ())
        else:
            yield from self._operation(fact, key)

    # ---- operations ----

    def _operation(self, fact: Schema, key: FactKey) -> Iterator[Edit]:
        found = self.checker.find(fact["id"])
        assert found is not None
        path, method, operation, item = found
        paths = self.checker.spec["paths"]
        aspect = key[1]
        if aspect == "path":
            yield put(item, method, GONE, "the operation is removed")
            moved = Edit("the path is altered", (paths,), lambda: paths.update({f"{path}/x": paths.pop(path)}))
            yield moved
        elif aspect == "method":
            free = next(one for one in ("put", "options", "head") if one not in item)
            yield Edit("the method is altered", (item,), lambda: item.update({free: item.pop(method)}))
        elif aspect == "status":
            responses = operation["responses"]
            status = next(one for one in responses if str(one) == key[2])
            yield put(responses, status, GONE, "the response is removed")
            yield Edit("the status is altered", (responses,), lambda: responses.update({"418": responses.pop(status)}))
        elif aspect == "security":
            scheme = next(iter(self.checker.spec["components"]["securitySchemes"].values()))
            yield put(operation, "security", GONE, "the security is removed")
            yield put(operation, "security", [{"Other": []}], "the security names another scheme")
            yield put(scheme, "name", "X-KEY", "the key's header is altered")
            yield put(scheme, "in", "query", "the key's place is altered")
        else:
            names = {"kind": ("x-kind",), "evidence": ("x-evidence",), "sdk": ("x-resource", "x-method")}[aspect]
            for name in names:
                yield put(operation, name, GONE, f"{name} is removed")
                yield put(operation, name, f"{operation[name]}x", f"{name} is altered")

    # ---- rows ----

    def _body(self, fact: Schema) -> Slot:
        found = self.checker.find(fact["id"])
        assert found is not None
        body, _ = self.checker.target(found[2]["requestBody"], "")
        return body["content"]["application/json"], "schema"

    def _row(self, fact: Schema, row: Schema, aspect: str) -> Iterator[Edit]:
        in_body = row["in"] == "body"
        place = self.checker.locate_row(fact, row)
        assert place is not None, f"{fact['id']} {row['name']}"
        node, schema, required, pointer = place
        flat = self.checker.flat(schema, pointer)
        if in_body:
            media, key = self._body(fact)
            whole = self.checker.flat(media[key], "")
            slot: Slot = (whole.properties[row["name"]][-1][0], row["name"])
        else:
            slot = (node, "schema")
        if aspect in ("name", "in"):
            yield from self._row_itself(fact, row, aspect, node)
        elif aspect == "required":
            if in_body:
                swapped = inline(whole)
                swapped["required"] = sorted(whole.required ^ {row["name"]})
                yield put(media, key, swapped, "required is flipped")
            else:
                yield put(node, "required", not required, "required is flipped")
                if required:
                    yield put(node, "required", GONE, "required is removed")
        elif aspect == "layout":
            holder = (node, "x-time") if "x-time" in node else (flat.holders["x-time"], "x-time")
            yield put(*holder, GONE, "x-time is removed")
            yield put(*holder, {**holder[0]["x-time"], "unit": "week"}, "the unit is altered")
        elif aspect == "time_field":
            found = self.checker.find(fact["id"])
            assert found is not None
            yield put(found[2], "x-range", GONE, "x-range is removed")
            yield put(found[2], "x-range", {**found[2]["x-range"], "time_field": "other"}, "the time field is altered")
        else:
            yield from self._facet(row, aspect, slot, flat)

    def _row_itself(self, fact: Schema, row: Schema, aspect: str, node: Schema) -> Iterator[Edit]:
        if row["in"] == "body":
            media, key = self._body(fact)
            whole = inline(self.checker.flat(media[key], ""))
            kept = without(whole["properties"], row["name"])
            if aspect == "name":
                yield put(media, key, {**whole, "properties": kept}, "the property is removed")
                renamed = {**kept, f"{row['name']}x": whole["properties"][row["name"]]}
                yield put(media, key, {**whole, "properties": renamed}, "the property is renamed")
            else:
                found = self.checker.find(fact["id"])
                assert found is not None
                operation = found[2]
                moved = [*operation.get("parameters", []), {"name": row["name"], "in": "query", "schema": {}}]

                def act() -> None:
                    media[key] = {**whole, "properties": kept}
                    operation["parameters"] = moved

                yield Edit("the property is moved to the query", (media, operation), act)
        elif aspect == "name":
            for one, _, listed, index in self.checker.parameters(fact):
                if one is node:
                    yield put(listed, index, GONE, "the parameter is removed")
            yield put(node, "name", f"{row['name']}x", "the parameter is renamed")
        else:
            yield put(node, "in", "header", "the parameter is moved to the headers")
            yield put(node, "in", "query" if row["in"] == "path" else "path", "the parameter's place is altered")

    def _facet(self, row: Schema, aspect: str, slot: Slot, flat: Flat) -> Iterator[Edit]:
        own = inline(flat)
        if aspect == "type":
            yield put(*slot, without(own, "type"), "the type is removed")
            for other in OTHER_TYPES[row["type"]]:
                yield put(*slot, {**own, "type": other}, f"the type is {other}")
        elif aspect == "ref":
            stranger = next({"$ref": f"#/components/schemas/{name}"} for name in self.schemas if name != row["ref"])
            if row["type"] == "array":
                items = self.checker.flat(flat.facets["items"], "")
                yield put(*slot, {**own, "items": inline(items)}, "the items' type name is removed")
                yield put(*slot, {**own, "items": stranger}, "the items' type name is altered")
            else:
                yield put(*slot, own, "the type name is removed")
                yield put(*slot, {"allOf": [stranger]}, "the type name is altered")
        elif aspect in ("items", "item_enum"):
            inner = inline(self.checker.flat(flat.facets["items"], ""))
            if aspect == "items":
                yield put(*slot, without(own, "items"), "the items are removed")
                for other in OTHER_TYPES[row["items"]]:
                    yield put(*slot, {**own, "items": {**inner, "type": other}}, f"the items' type is {other}")
            else:
                yield put(*slot, {**own, "items": without(inner, "enum")}, "the items' enum is removed")
                for enum in twisted(row["item_enum"]):
                    yield put(*slot, {**own, "items": {**inner, "enum": enum}}, "the items' enum is altered")
        else:
            keyword = FACETS[aspect]
            yield put(*slot, without(own, keyword), f"{keyword} is removed")
            for value in twisted(row[aspect]):
                yield put(*slot, {**own, keyword: value}, f"{keyword} is altered")

    # ---- prose, mirrors ----

    def _prose(self, fact: Schema, key: FactKey) -> Iterator[Edit]:
        for node, _, listed, index in self.checker.parameters(fact):
            if (node["name"], node["in"]) != (self.checker.wire_name(fact, "query", key[2]), "query"):
                continue
            own = inline(self.checker.flat(node["schema"], ""))
            if key[3:] == ("maximum",):
                yield put(node, "schema", without(own, "maximum"), "the maximum is removed")
                yield put(node, "schema", {**own, "maximum": 1000}, "the maximum is altered")
                continue
            yield put(listed, index, GONE, "the parameter is removed")
            yield put(node, "name", f"{key[2]}x", "the parameter is renamed")
            yield put(node, "x-evidence", GONE, "its evidence is removed")
            yield put(node, "required", True, "it is required")
            yield put(node, "schema", {**own, "type": "boolean"}, "its type is altered")
            if "style" in node:
                yield put(node, "style", "spaceDelimited", "its style is altered")

    def _mirror(self, fact: Schema, key: FactKey) -> Iterator[Edit]:
        row = next(one for one in fact["rows"] if (one["in"], one["name"]) == key[2:4])
        place = self.checker.locate_row(fact, row)
        assert place is not None
        node, schema, _, pointer = place
        holder = node if "x-mirror" in node else self.checker.flat(schema, pointer).holders["x-mirror"]
        yield put(holder, "x-mirror", GONE, "x-mirror is removed")
        yield put(holder, "x-mirror", ["query"], "x-mirror is altered")

    # ---- samples ----

    def _leaf(self, fact: Schema, side: str, path: tuple[str, ...]) -> Iterator[Edit]:
        wanted = leaf_at(fact[side], path).partition("=")
        for media in self._media(fact, side):
            steps: list[list[Slot]] = [[(media, "schema")]]
            for part in path:
                container, key = steps[-1][-1]
                flat = self.checker.flat(container[key], "")
                if part == "[]":
                    steps.append([(flat.holders["items"], "items")])
                elif part == MAP_KEY:
                    steps.append([(flat.holders["additionalProperties"], "additionalProperties")])
                else:
                    steps.append([(holder, part) for holder, _ in flat.properties[part]])
            last = steps[-1]
            containers = tuple(container for container, _ in last)

            def remove(last: list[Slot] = last) -> None:
                for container, key in last:
                    del container[key]

            yield Edit("the field is removed", containers, remove)
            slot = last[-1]
            own = inline(self.checker.flat(slot[0][slot[1]], ""))
            for other in OTHER_TYPES[wanted[0]]:
                yield put(*slot, {**without(own, "format"), "type": other}, f"the field's type is {other}")
            if wanted[0] in ("date", "date-time"):
                yield put(*slot, without(own, "format"), "the field's format is removed")
                yield put(*slot, {**own, "format": "time"}, "the field's format is altered")
            if wanted[2]:
                yield put(*slot, {**own, "enum": ["other"]}, "the field's sample value is forbidden")
            if path:
                yield put(*slot, {"type": "array", "items": own}, "the field is a list of itself")
            hidden = "readOnly" if side == "request" else "writeOnly"
            yield put(*slot, {**own, hidden: True}, f"the field is {hidden}")
            for part, (container, key) in zip(path, (one[-1] for one in steps), strict=False):
                around = inline(self.checker.flat(container[key], ""))
                if part == "[]":
                    yield put(container, key, around["items"], "a list around the field is one item")
                elif part == MAP_KEY:
                    fixed = {"type": "object", "properties": {"one": around["additionalProperties"]}}
                    yield put(container, key, fixed, "a map around the field is an object")
                    mixed = {**around, "properties": fixed["properties"]}
                    yield put(container, key, mixed, "a map around the field has a property of its own")

    def _media(self, fact: Schema, side: str) -> Iterator[Schema]:
        if side == "request":
            yield self._body(fact)[0]
            return
        found = self.checker.find(fact["id"])
        assert found is not None
        for status, response in found[2]["responses"].items():
            node, _ = self.checker.target(response, "")
            if str(status)[0] == "2" and "content" in node:
                yield node["content"]["application/json"]


def narrowed(fact: Schema, key: FactKey) -> Schema:
    """The operation with this one fact, so that a check of it costs what one fact costs."""
    result: Schema = {**fact, "rows": [], "prose": [], "mirrored": []}
    result.pop("request", None)
    if key[1] == "row":
        result["rows"] = [one for one in fact["rows"] if (one["in"], one["name"]) == key[2:4]]
    elif key[1] == "mirror":
        result["rows"] = [one for one in fact["rows"] if one["name"] == key[3]]
        result["mirrored"] = [key[3]]
    elif key[1] == "prose":
        result["prose"] = [key[2]]
    tree: Any = {}
    if key[1] in ("request", "response"):
        path = tuple(key[2].split("/")) if key[2] else ()
        tree = leaf_at(fact[key[1]], path)
        tree = {} if tree == "object" else tree
        for part in reversed(path):
            tree = [tree] if part == "[]" else {part: tree}
    if key[1] == "request":
        result["request"] = tree
    result["response"] = tree if key[1] == "response" else {}
    return result


@dataclass
class Outcome:
    facts: int
    ways: int
    unnoticed: list[str]

    @property
    def line(self) -> str:
        lost = len({one.split(":")[0] for one in self.unnoticed})
        tried = f"{self.ways:,} ways, {self.ways - len(self.unnoticed):,} noticed"
        return f"damaged {self.facts:,} facts, caught {self.facts - lost:,} ({tried})"


def try_all(checker: Checker) -> Outcome:
    """Damage every fact in every way that is known, each alone and put back before the next."""
    damager = Damager(checker)
    outcome = Outcome(0, 0, [])
    for fact in [*checker.operations, *checker.borrowed]:
        for key in checker.keys(fact):
            alone = narrowed(fact, key)
            edits = list(damager.edits(fact, key))
            outcome.facts += 1
            outcome.ways += len(edits)
            if not edits:
                outcome.unnoticed.append(f"{'.'.join(key)}: no way to damage it is known")
            for edit in edits:
                with edit.applied():
                    caught = any(problem.fact == key for problem in checker.check(alone))
                if not caught:
                    outcome.unnoticed.append(f"{'.'.join(key)}: {edit.label}")
    return outcome


def main() -> int:
    missed = 0
    for surface in SURFACES:
        outcome = try_all(load(surface))
        print(f"{surface}: {outcome.line}")
        for one in outcome.unnoticed:
            print(f"  not noticed: {one}")
        missed += len(outcome.unnoticed)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
