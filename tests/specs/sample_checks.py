"""Request and response samples, leaf by leaf, against a spec's schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.specs.spec_reader import MAP_KEY, MARKS, FactKey, Problem, Schema, SpecReader


def leaves(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """The leaf paths of a sample's tree with their types; an empty object is a leaf of type `object`."""
    if isinstance(tree, dict) and tree:
        for name, inner in tree.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(tree, list):
        for inner in tree:
            yield from leaves(inner, (*path, "[]"))
    else:
        yield path, "object" if isinstance(tree, dict) else tree


def leaf_at(tree: Any, path: tuple[str, ...]) -> str:
    """The type at one leaf path."""
    for part in path:
        tree = tree[0] if part == "[]" else tree[part]
    return "object" if isinstance(tree, dict) else str(tree)


def leaf_problem(wanted: str, facets: Schema) -> str:
    """Why a schema does not fit a sample's leaf; empty where it does."""
    kind, form = facets.get("type"), facets.get("format")
    wanted, _, member = wanted.partition("=")
    if wanted == "null":
        return f"is {kind!r}, the text leaves the type open" if kind else ""
    if wanted in ("date", "date-time"):
        return "" if (kind, form) == ("string", wanted) else f"is {kind!r} {form!r}, the text shows a {wanted}"
    if wanted == "numeric":
        return "" if kind in ("integer", "number") else f"is {kind!r}, the text shows a number"
    if kind != wanted:
        return f"is {kind!r}, documented is {wanted!r}"
    dated = form == "date" and facets.get("x-time", {}).get("unit") == "day"  # its row says so and is held to it
    if wanted == "string" and form and not dated and facets.get("x-evidence") not in MARKS:
        return f"has the format {form!r}, which the text does not show and x-evidence does not mark"
    if member and "enum" in facets and member not in facets["enum"]:
        return f"does not allow {member!r}, which the text shows"
    return ""


class SampleChecks(SpecReader):
    def _samples(self, fact: Schema) -> list[Problem]:
        problems: list[Problem] = []
        if "request" in fact:
            body = self.body(fact)
            key = (fact["id"], "request")
            if body is None:
                self._lose(key, fact["request"], (), self._place_of(fact), "there is no JSON body", problems)
            else:
                tree = {**fact["request"]}
                self._compare(key, tree, *body, (), problems)
                self._request_extras(key, fact, *body, problems)
        key = (fact["id"], "response")
        answers = [(schema, pointer) for status, schema, pointer in self.answers(fact) if status != "204"]
        if not answers:
            self._lose(key, fact["response"], (), self._place_of(fact), "there is no success response", problems)
        for schema, pointer in answers:
            if schema is None:
                self._lose(key, fact["response"], (), pointer, "the response has no JSON body", problems)
            else:
                self._compare(key, fact["response"], schema, pointer, (), problems)
        return problems

    def _lose(
        self, key: FactKey, tree: Any, path: tuple[str, ...], pointer: str, why: str, problems: list[Problem]
    ) -> None:
        for leaf, _ in leaves(tree, path):
            problems.append(Problem((*key, "/".join(leaf)), pointer, f"{key[1]} field {'/'.join(leaf) or '/'}: {why}"))

    def _compare(
        self, key: FactKey, tree: Any, schema: Any, pointer: str, path: tuple[str, ...], problems: list[Problem]
    ) -> None:
        flat = self.flat(schema, pointer)
        kind = flat.facets.get("type")
        hidden = "readOnly" if key[1] == "request" else "writeOnly"
        if flat.facets.get(hidden) is True:
            self._lose(key, tree, path, flat.pointer, f"is {hidden}, though the {key[1]} shows it", problems)
        elif isinstance(tree, list):
            if kind != "array" or "items" not in flat.facets:
                self._lose(key, tree, path, flat.pointer, f"is {kind!r}, the text shows a list", problems)
            else:
                for inner in tree:
                    self._compare(key, inner, flat.facets["items"], f"{flat.pointer}/items", (*path, "[]"), problems)
        elif not isinstance(tree, dict):
            if why := leaf_problem(tree, flat.facets):
                self._lose(key, tree, path, flat.pointer, why, problems)
        elif kind != "object":
            self._lose(key, tree, path, flat.pointer, f"is {kind!r}, the text shows an object", problems)
        elif MAP_KEY in tree:
            values = flat.facets.get("additionalProperties")
            if not isinstance(values, dict) or flat.properties:
                self._lose(key, tree, path, flat.pointer, "is no map, the text shows one", problems)
            else:
                at = f"{flat.pointer}/additionalProperties"
                self._compare(key, tree[MAP_KEY], values, at, (*path, MAP_KEY), problems)
        else:
            for name, inner in tree.items():
                if name not in flat.properties:
                    self._lose(key, inner, (*path, name), flat.pointer, "is not there", problems)
                    continue
                for holder, _ in flat.properties[name]:
                    self.seen[id(holder)].add(name)
                holder, at = flat.properties[name][-1]
                self._compare(key, inner, holder[name], at, (*path, name), problems)

    def _request_extras(
        self, key: FactKey, fact: Schema, schema: Any, pointer: str, problems: list[Problem], tree: Any = None
    ) -> None:
        """What a body offers and neither table nor sample shows must be readOnly or marked."""
        top = tree is None
        tree = fact["request"] if top else tree
        flat = self.flat(schema, pointer)
        if isinstance(tree, list):
            for inner in tree:
                at = f"{flat.pointer}/items"
                self._request_extras(key, fact, flat.facets.get("items"), at, problems, inner)
        elif isinstance(tree, dict) and MAP_KEY not in tree:
            rows = {row["name"] for row in fact["rows"] if row["in"] == "body"} if top else set()
            for name, places in flat.properties.items():
                holder, at = places[-1]
                self.seen[id(holder)] |= rows & {name}
                inner = self.flat(holder[name], at)
                if name in tree:
                    self._request_extras(key, fact, holder[name], at, problems, tree[name])
                elif name not in rows and not inner.facets.get("readOnly") and not self._marked(holder[name], inner):
                    message = f"{name!r} is in no request of {fact['id']} and neither readOnly nor marked x-evidence"
                    problems.append(Problem(("extra", *key, name), at, message))
