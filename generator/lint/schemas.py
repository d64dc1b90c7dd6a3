"""Rules about schemas: their names, their types, their fields, their enums."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..spec.lookup import Spec, as_list, as_map, walk
from ..spec.methods import attribute_name
from ..spec.naming import MODEL_NAMES, class_name, module_of
from ..spec.source import Json, Pointer, Problem

_TYPES = ("string", "integer", "number", "boolean", "array", "object")
_SCHEMAS = ("components", "schemas")


def plain_names(spec: Spec) -> Iterator[Problem]:
    """A schema is named like its class, and no two classes share a module."""
    modules: dict[str, str] = {}
    for name, schema in spec.schemas.items():
        where = (*_SCHEMAS, name)
        if class_name(name) != name:
            yield spec.source.problem(
                where, "schema-name", f"the class would be called {class_name(name)!r}: name it so"
            )
        other = modules.setdefault(module_of(class_name(name)), name)
        if other != name:
            message = f"{name!r} and {other!r} would share the module {module_of(name)!r}, and one be lost: rename one"
            yield spec.source.problem(where, "schema-collision", message)
        title = as_map(schema).get("title")
        if title is not None and title != name:
            message = f"the title {title!r} would rename the class: remove it, or make it {name!r}"
            yield spec.source.problem((*where, "title"), "title", message)


def _schema_nodes(spec: Spec) -> Iterator[tuple[dict[str, Json], Pointer]]:
    """Every schema in the file, with its pointer."""
    for data, pointer in walk(spec.tree):
        named = len(pointer) >= 2 and pointer[-2] in ("properties", "schemas")
        inner = pointer and pointer[-1] in ("schema", "items", "additionalProperties")
        part = len(pointer) >= 2 and pointer[-2] in ("allOf", "oneOf", "anyOf")
        if named or inner or part:
            yield data, pointer


def named_objects(spec: Spec) -> Iterator[Problem]:
    """Objects with properties are components: inline ones would get invented names, which may collide."""
    for data, pointer in _schema_nodes(spec):
        is_component = len(pointer) == 3 and pointer[:2] == _SCHEMAS
        is_part = len(pointer) >= 2 and pointer[-2] == "allOf"
        if "properties" in data and not is_component and not is_part:
            message = "an object with properties needs a name: move it to `components/schemas` and refer to it"
            yield spec.source.problem(pointer, "inline-object", message)
        elif "title" in data and not is_component:
            yield spec.source.problem((*pointer, "title"), "title", "a title here would invent a class: remove it")


def types(spec: Spec) -> Iterator[Problem]:
    """Types are those of OpenAPI 3.0, arrays have `items`, and objects with properties say so."""
    for data, pointer in _schema_nodes(spec):
        kind = data.get("type")
        if kind is not None and kind not in _TYPES:
            yield spec.source.problem(
                (*pointer, "type"), "type", f"{kind!r} is none of {', '.join(_TYPES)}: choose one"
            )
        if kind == "array" and "items" not in data:
            yield spec.source.problem(pointer, "type", "an array says what it holds: add `items`")
        if "properties" in data and kind != "object":
            yield spec.source.problem(pointer, "type", "a schema with properties is an object: add `type: object`")
        missing = [name for name in as_list(data.get("required")) if name not in _properties(spec, data)]
        if missing and "type" in data:
            message = f"required, but not among the properties: {', '.join(map(str, missing))}: add or remove them"
            yield spec.source.problem((*pointer, "required"), "required", message)


def _properties(spec: Spec, data: dict[str, Json]) -> dict[str, Json]:
    return as_map(spec.merged(data).get("properties"))


def fields(spec: Spec) -> Iterator[Problem]:
    """Fields have different Python names, and none that models need themselves."""
    for name in spec.schemas:
        names: dict[str, str] = {}
        for wire, schema in _properties(spec, spec.schemas[name]).items():
            where = (*_SCHEMAS, name, "properties", wire)
            attr = attribute_name(wire, schema)
            other = names.setdefault(attr, wire)
            if other != wire:
                message = (
                    f"{wire!r} and {other!r} are both {attr!r} in Python, and one would be lost: add `x-python-name`"
                )
                yield spec.source.problem(where, "field-collision", message)
            if attr in MODEL_NAMES:
                message = f"models need {attr!r} themselves: add `x-python-name: {attr}_`"
                yield spec.source.problem(where, "reserved-name", message)


def enums(spec: Spec) -> Iterator[Problem]:
    """Enum values have one type and differ in more than punctuation; equal enums share a component."""
    lists: dict[tuple[str, ...], Pointer] = {}
    for data, pointer in _schema_nodes(spec):
        if "enum" not in data:
            continue
        values = as_list(data["enum"])
        where = (*pointer, "enum")
        if not values or {type(value) for value in values} not in ({str}, {int}):
            yield spec.source.problem(where, "enum", "list values of one kind, all strings or all integers")
            continue
        plain: dict[str, Json] = {}
        for value in values:
            other = plain.setdefault(re.sub(r"[\W_]+", "", str(value)) or str(value), value)
            if other is not value:
                message = (
                    f"{value!r} and {other!r} differ in punctuation alone, and one would be lost: keep one of them"
                )
                yield spec.source.problem(where, "enum-collision", message)
        first = lists.setdefault(tuple(map(str, values)), pointer)
        if first != pointer:
            message = f"the same values stand in {'/'.join(map(str, first))}: make them one component and refer to it"
            yield spec.source.problem(where, "enum-twice", message)


SCHEMA_RULES = (plain_names, named_objects, types, fields, enums)
