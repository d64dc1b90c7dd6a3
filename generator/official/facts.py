"""Schemas and parameters of any OpenAPI version as facts by place: `data[].payouts[].amount` is a number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from .references import Json, References, as_list, as_map
from .schemas import Schemas

MOST_FIELDS = 2000
"""Fields of one body or answer that are looked at: models that refer to each other have no end."""


@dataclass(frozen=True)
class Fact:
    """What a document says of one parameter or field."""

    type: str
    required: bool = False
    enum: tuple[str, ...] = ()
    format: str = ""
    description: str = field(default="", compare=False)
    optional: bool = field(default=False, compare=False)
    """Whether it is said that it may be left out; not to be on a list of what is required says nothing."""
    deprecated: str = field(default="", compare=False)
    keyword: str = field(default="", compare=False)
    model: str = field(default="", compare=False)
    """The component behind the reference, of the field or of its items."""
    marks: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)
    """Our extensions that change what a caller writes or sees."""


class Described(References):
    """A document, and what was worked out about its schemas."""

    @cached_property
    def schemas(self) -> Schemas:
        return Schemas(self)

    @cached_property
    def facts(self) -> dict[tuple[int, bool], Fact]:
        """The fact of each schema, by its identity, optional and required."""
        return {}


class Fields(dict[str, Fact]):
    """Facts by place. `levels` says how far down all are known; what is deeper was too much to look at."""

    levels = 1 << 30

    def knows(self, place: str) -> bool:
        """Whether the place would be here if it were there."""
        return self.levels > level(place)


def level(place: str) -> int:
    return place.count(".")


def flatten(document: Described, schema: Json, *, own: bool = False, most: int = MOST_FIELDS) -> Fields:
    """Every field below a schema by its place, level by level.

    A schema that refers to itself is followed once; with `own` no component below the first is followed.
    """
    found = Fields()
    schemas = document.schemas
    waiting: list[tuple[str, Json, frozenset[str]]] = [("", schema, frozenset())]
    depth = 0
    while waiting:
        after: list[tuple[str, Json, frozenset[str]]] = []
        for place, node, refs in waiting:
            merged = schemas.merged(node)
            if merged.refs:
                if merged.refs & refs or (own and depth):
                    continue
                refs |= merged.refs
            for step, child, required in schemas.below(node):
                here = place + step if place or step[0] == "[" else step[1:]
                if step != "[]":
                    found[here] = field_fact(document, child, required)
                after.append((here, child, refs))
            if len(found) > most:
                found.levels = max(1, min(level(place) for place, _, _ in after))
                return found
        waiting, depth = after, depth + 1
    return found


def field_fact(document: Described, schema: Json, required: bool) -> Fact:
    """The fact of a field, made once for each schema: thousands of places lead to it."""
    known = document.facts.get((id(schema), required))
    if known is None:
        known = document.facts[id(schema), required] = fact(document, schema, required)
    return known


def kind(document: Described, schema: Json) -> str:
    return document.schemas.kind(schema)


def fact(document: Described, schema: Json, required: bool, holder: Json | None = None) -> Fact:
    merged = document.schemas.merged(schema)
    said = merged.keywords
    holder = holder or {}
    values = as_list(said.get("enum")) or ([said["const"]] if "const" in said else [])
    inner = ""
    if merged.items:
        inner = f"[{kind(document, merged.items)}]"
        values = values or as_list(document.schemas.merged(merged.items).keywords.get("enum"))
    deprecated = holder.get("deprecated") or said.get("deprecated")
    replacement = str(holder.get("x-replacement") or said.get("x-replacement") or "")
    return Fact(
        type=kind(document, schema) + inner,
        required=required,
        optional=holder.get("required") is False,
        enum=tuple(str(value) for value in values if value is not None),
        format=str(said.get("format") or "") if said.get("format") in ("date", "date-time") else "",
        description=str(holder.get("description") or said.get("description") or ""),
        deprecated=(replacement or "no replacement") if deprecated else "",
        keyword=str(holder.get("x-python-name") or said.get("x-python-name") or ""),
        model=reference(schema) or reference(merged.items),
        marks={key: told(one) for key in MARKS if (one := holder.get(key, said.get(key))) is not None},
    )


MARKS = ("x-positional", "x-comma-list", "x-secret", "x-time", "x-default-from-path", "x-paging", "readOnly")


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
