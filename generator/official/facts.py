"""Schemas and parameters of any OpenAPI version as facts by place: `data[].payouts[].amount` is a number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .references import Json, References, as_list, as_map

MAX_DEPTH = 14


@dataclass(frozen=True)
class Fact:
    """What a document says of one parameter or field."""

    type: str
    required: bool = False
    enum: tuple[str, ...] = ()
    format: str = ""
    description: str = field(default="", compare=False)
    deprecated: str = field(default="", compare=False)
    keyword: str = field(default="", compare=False)
    model: str = field(default="", compare=False)
    """The component behind the reference, of the field or of its items."""
    marks: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)
    """Our extensions that change what a caller writes or sees."""


def flatten(document: References, schema: Json, *, own: bool = False) -> dict[str, Fact]:
    """Every field below a schema by its place; a schema that refers to itself is followed once, with `own` none is."""
    return dict(_walk(document, schema, "", (), own, 0))


def _walk(
    document: References, schema: Json, place: str, refs: tuple[str, ...], own: bool, depth: int
) -> Iterator[tuple[str, Fact]]:
    merged, followed = resolve(document, schema, refs)
    if depth > MAX_DEPTH or merged is None or (own and depth and followed != refs):
        return
    refs = followed
    required = set(map(str, as_list(merged.get("required"))))
    for name, child in as_map(merged.get("properties")).items():
        here = f"{place}.{name}" if place else str(name)
        yield here, fact(document, as_map(child), name in required)
        yield from _walk(document, as_map(child), here, refs, own, depth + 1)
    if isinstance(merged.get("items"), dict):
        yield from _walk(document, as_map(merged["items"]), place + "[]", refs, own, depth + 1)
    if values := as_map(merged.get("additionalProperties")):
        yield place + ".*", fact(document, values, False)
        yield from _walk(document, values, place + ".*", refs, own, depth + 1)


def resolve(document: References, schema: Json, refs: tuple[str, ...] = ()) -> tuple[Json | None, tuple[str, ...]]:
    """The schema with `$ref`, `allOf` and null alternatives worked in; None where it runs in a circle."""
    ref = schema.get("$ref")
    if isinstance(ref, str):
        if ref in refs:
            return None, refs
        refs = (*refs, ref)
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**document.lookup(ref), **beside}
        return resolve(document, schema, refs)
    merged = {key: value for key, value in schema.items() if key not in ("allOf", "oneOf", "anyOf")}
    for part in as_list(schema.get("allOf")):
        merged, refs = _merge(document, merged, as_map(part), refs)
    for keyword in ("oneOf", "anyOf"):
        choices = [part for part in map(as_map, as_list(schema.get(keyword))) if part.get("type") != "null"]
        for part in choices:
            merged, refs = _merge(document, merged, part, refs)
        if len({kind(document, part) for part in choices}) > 1:
            merged["type"] = "any"
    return merged, refs


def _merge(document: References, into: Json, part: Json, refs: tuple[str, ...]) -> tuple[Json, tuple[str, ...]]:
    resolved, refs = resolve(document, part, refs)
    if resolved is None:
        return into, refs
    both: Json = {**resolved, **into}
    both["properties"] = {**as_map(resolved.get("properties")), **as_map(into.get("properties"))}
    both["required"] = [*as_list(resolved.get("required")), *as_list(into.get("required"))]
    return both, refs


def kind(document: References, schema: Json) -> str:
    """One word for the JSON type: string, integer, number, boolean, array, object, map, any."""
    merged, _ = resolve(document, schema)
    if merged is None:
        return "object"
    said = merged.get("type")
    if isinstance(said, list):
        said = next((one for one in as_list(merged["type"]) if one != "null"), None)
    if said == "file":
        return "string"
    if said in (None, "object"):
        if as_map(merged.get("properties")):
            return "object"
        if isinstance(merged.get("additionalProperties"), dict) and merged["additionalProperties"]:
            return "map"
        if said is None:
            return "array" if "items" in merged else ("string" if merged.get("enum") else "any")
    return str(said)


def fact(document: References, schema: Json, required: bool, holder: Json | None = None) -> Fact:
    merged, _ = resolve(document, schema)
    merged = merged or {}
    holder = holder or {}
    values = as_list(merged.get("enum")) or ([merged["const"]] if "const" in merged else [])
    items = as_map(merged.get("items"))
    inner = ""
    if items:
        inner = f"[{kind(document, items)}]"
        values = values or as_list((resolve(document, items)[0] or {}).get("enum"))
    deprecated = holder.get("deprecated") or merged.get("deprecated")
    replacement = str(holder.get("x-replacement") or merged.get("x-replacement") or "")
    return Fact(
        type=kind(document, schema) + inner,
        required=required,
        enum=tuple(str(value) for value in values if value is not None),
        format=str(merged.get("format") or "") if merged.get("format") in ("date", "date-time") else "",
        description=str(holder.get("description") or merged.get("description") or ""),
        deprecated=(replacement or "no replacement") if deprecated else "",
        keyword=str(holder.get("x-python-name") or merged.get("x-python-name") or ""),
        model=reference(schema) or reference(as_map(merged.get("items"))),
        marks={key: told(said) for key in MARKS if (said := holder.get(key, merged.get(key))) is not None},
    )


MARKS = ("x-positional", "x-comma-list", "x-secret", "x-time", "x-default-from-path", "readOnly")


def reference(schema: Json) -> str:
    """Name of the component that a schema is, by itself or as the only part of an allOf."""
    parts = as_list(schema.get("allOf"))
    ref = as_map(parts[0]).get("$ref") if len(parts) == 1 and "properties" not in schema else schema.get("$ref")
    return str(ref or "").rpartition("/")[2]


def told(value: object) -> str:
    """What an extension says, on one line."""
    pairs = ", ".join(f"{key}: {one}" for key, one in as_map(value).items())
    return pairs or (
        "none" if value in (None, "", [], {}) else str(value).lower() if value in (True, False) else str(value)
    )


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_EMPTY = frozenset(
    ("a", "an", "all", "api", "by", "for", "from", "get", "list", "of", "on", "or", "post", "the", "to", "v", "with")
)


def words(text: str) -> Iterator[str]:
    """The words of an identifier or phrase, lower case, in the singular, without those that say nothing."""
    for found in _WORD.findall(text):
        word = found.lower()
        if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
            word = word.removesuffix("s")
        if word not in _EMPTY and len(word) > 1:
            yield word
