"""Rules about plain structure, which all other rules rely on: mappings, lists and texts are where they belong."""

from __future__ import annotations

from collections.abc import Iterator

from openapi_python_client.schema import OpenAPI
from pydantic import ValidationError

from ..spec.lookup import METHODS, NAMED, Spec, as_list, as_map, walk
from ..spec.source import Pointer, Problem

_BESIDE_METHODS = ("parameters", "summary", "description", "servers")
# The expected type of each keyword's value, except where a rule of its own checks it (x-time, x-mirror, type).
_TEXTS = (
    "$ref", "summary", "description", "title", "operationId", "in", "name", "style", "url", "x-evidence-note",
    "x-default-from-path", "start", "end", "unit", "time_field", "key", "role", "rows", "bind",
)  # fmt: skip
_MAPPINGS = (
    "info", "paths", "components", "schemas", "properties", "responses", "content", "headers", "securitySchemes",
    "requestBodies", "requestBody", "schema", "items", "x-export", "x-range", "x-namespaces", "x-default-headers",
)  # fmt: skip
_LISTS = ("servers", "tags", "allOf", "oneOf", "anyOf", "security")
_EXPECTED: dict[str, tuple[type, str]] = {
    **dict.fromkeys(_TEXTS, (str, "a text")),
    **dict.fromkeys(_MAPPINGS, (dict, "a mapping")),
    **dict.fromkeys(_LISTS, (list, "a list")),
}


def path_items(spec: Spec) -> Iterator[Problem]:
    """A path holds methods and few other keys: a misspelt method would be silently dropped."""
    for path, item in as_map(spec.tree.get("paths")).items():
        where = ("paths", path)
        if not isinstance(item, dict):
            yield spec.source.problem(where, "path-item", "a path is a mapping of methods: write `get:` below it")
        for key, value in as_map(item).items():
            if key in METHODS and not isinstance(value, dict):
                message = "an operation is a mapping: write its `operationId` and the rest below it"
                yield spec.source.problem((*where, key), "path-item", message)
            elif key not in (*METHODS, *_BESIDE_METHODS) and not key.startswith("x-"):
                message = f"{key!r} is no method, and would be dropped: write one of {', '.join(METHODS)}"
                yield spec.source.problem((*where, key), "path-item", message)


def keywords(spec: Spec) -> Iterator[Problem]:
    """The value of a keyword has the type that OpenAPI requires, and named entries are mappings."""
    for data, pointer in walk(spec.tree):
        for key, value in data.items():
            where = (*pointer, key)
            kind, words = _EXPECTED.get(key, (object, ""))
            if not isinstance(value, kind):
                yield spec.source.problem(where, "shape", f"`{key}` is {words}, not {_describe(value)}: write one")
            elif key == "parameters" and isinstance(value, dict) != (pointer == ("components",)):
                message = "`parameters` is a list, and only below `components` a mapping: write it so"
                yield spec.source.problem(where, "shape", message)
            elif key in NAMED and key != "paths" and isinstance(value, dict):
                for name, inner in as_map(value).items():
                    if not isinstance(inner, dict):
                        message = f"{name!r} is a mapping, not {_describe(inner)}: write below it what it is"
                        yield spec.source.problem((*where, name), "shape", message)
            elif key in ("parameters", *_LISTS):
                for index, inner in enumerate(as_list(value)):
                    if not isinstance(inner, dict) and not (key == "tags" and pointer):
                        message = f"this entry of `{key}` is a mapping, not {_describe(inner)}: write it so"
                        yield spec.source.problem((*where, index), "shape", message)


def _describe(value: object) -> str:
    if value is None:
        return "nothing"
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else repr(value)


def required(spec: Spec) -> Iterator[Problem]:
    """`required` is true of a parameter or body, and a list of names in a schema."""
    for data, pointer in walk(spec.tree):
        if "required" not in data or isinstance(data["required"], bool):
            continue
        given = data["required"]
        if not isinstance(given, list) or not all(isinstance(name, str) for name in as_list(given)):
            message = "`required` is a list of names of properties; of a parameter or a body it is `true`: write it so"
            yield spec.source.problem((*pointer, "required"), "shape", message)


def plain_references(spec: Spec) -> Iterator[Problem]:
    """References point to whole components: one into the middle of a component could contain itself."""
    for data, pointer in walk(spec.tree):
        reference = data.get("$ref")
        parts = reference.split("/") if isinstance(reference, str) else []
        if parts and parts[0] == "#" and (parts[1:2] != ["components"] or len(parts) != 4):
            message = f"{reference!r} is no component: write `#/components/schemas/Name`"
            yield spec.source.problem((*pointer, "$ref"), "reference", message)


def accepted(spec: Spec) -> Iterator[Problem]:
    """openapi-python-client accepts the file; its errors are given line numbers, which it does not know."""
    try:
        OpenAPI.model_validate(spec.tree)
    except ValidationError as error:
        seen: set[Pointer] = set()
        for one in error.errors():
            pointer = _pointer(spec, one["loc"])
            if pointer not in seen:
                seen.add(pointer)
                message = f"openapi-python-client does not take this ({one['msg']}): write what OpenAPI 3.0 has here"
                yield spec.source.problem(pointer, "shape", message)


def _pointer(spec: Spec, location: tuple[str | int, ...]) -> Pointer:
    """The pointer of a pydantic error: the parts of its location that are classes or Python names are left out."""
    found: list[str | int] = []
    node: object = spec.tree
    for part in location:
        if isinstance(part, int) and part < len(as_list(node)):
            node = as_list(node)[part]
        elif part in as_map(node):
            node = as_map(node)[str(part)]
        else:
            continue
        found.append(part)
    return tuple(found)


SHAPE_RULES = (path_items, keywords, required, plain_references)
TOOL_RULES = (accepted,)
