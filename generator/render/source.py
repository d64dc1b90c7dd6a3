"""Pieces of Python source: annotations, descriptors, docstrings."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

import attrs

from ..runtime._operation import Param, Range
from ..spec.lookup import Kind
from ..spec.naming import module_of

_PLAIN = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "date-time": "dt.datetime",
    "date": "dt.date",
    "any": "Any",
}
_WIDTH = 116


def response_type(kind: Kind) -> str:
    """The type of a model's attribute, None aside."""
    if kind.name == "object":
        return kind.model
    inner = response_type(kind.items) if kind.items is not None else "Any"
    if kind.name == "array":
        return f"list[{inner}]"
    return f"dict[str, {inner}]" if kind.name == "map" else _PLAIN[kind.name]


def request_type(kind: Kind, *, dicts: bool) -> str:
    """The type of an argument; ``dicts`` names the TypedDict of a nested object beside its model."""
    if kind.name == "object":
        return f"{kind.model} | {kind.model}Dict" if dicts else f"{kind.model} | Mapping[str, Any]"
    if kind.enum:
        return kind.enum
    if kind.values:
        return f"Literal[{', '.join(map(repr, kind.values))}]"
    if kind.known_values:
        return f"Literal[{', '.join(map(repr, kind.known_values))}] | str"
    inner = request_type(kind.items, dicts=dicts) if kind.items is not None else "Any"
    if kind.name == "array":
        return f"Sequence[{inner}]"
    if kind.name in ("date-time", "date"):
        return f"{_PLAIN[kind.name]} | str"
    return f"Mapping[str, {inner}]" if kind.name == "map" else _PLAIN[kind.name]


def models_of(kind: Kind | None) -> set[str]:
    """Names of the models in a kind."""
    return {kind.model} - {""} | models_of(kind.items) if kind is not None else set()


def enums_of(kind: Kind | None) -> set[str]:
    """Names of the aliases of known values in a kind."""
    return {kind.enum} - {""} | enums_of(kind.items) if kind is not None else set()


def _call(name: str, value: Param | Range) -> str:
    """Source that constructs a descriptor, without arguments that equal the default."""
    parts: list[str] = []
    for field in attrs.fields(type(value)):
        given = getattr(value, field.name)
        if field.default is attrs.NOTHING or given != field.default:
            parts.append(f"{field.name}={given!r}")
    return f"{name}({', '.join(parts)})"


def param_code(param: Param) -> str:
    return _call("Param", param)


def range_code(value: Range) -> str:
    return _call("Range", value)


def field_code(
    attr: str, wire: str, kind: Kind, *, secret: bool = False, read_only: bool = False, required: bool = False
) -> str:
    """Source that constructs a model's ``Field``."""
    parts = [repr(attr), repr(wire), repr(kind.name)]
    if kind.items is not None:
        parts.append(f"items={field_code('', '', kind.items)}")
    if secret:
        parts.append("secret=True")
    if kind.model:
        parts.append(f"model={kind.model!r}")
    if read_only:
        parts.append("read_only=True")
    if required:
        parts.append("required=True")
    return f"Field({', '.join(parts)})"


def read_code(attr: str, wire: str, kind: Kind) -> str:
    """Source that reads one field of a row: values of the usual type inline, all others by ``_convert``."""
    got = f"d[{wire!r}]"
    convert = f"self._convert({attr!r}, v)"
    exact = {"string": "str", "integer": "int", "boolean": "bool"}.get(kind.name)
    if exact is not None:
        return f"v if type(v := {got}) is {exact} or v is None else {convert}"
    if kind.name == "number":
        # Go writes 0 for 0.0; above 2**53 not every integer can be restored from a float.
        small = f"v * 1.0 if v.__class__ is int and -{2**53} <= v <= {2**53} else {convert}"
        return f"v if (v := {got}).__class__ is float or v is None else {small}"
    if kind.name in ("date-time", "date"):
        exact = "exact_time" if kind.name == "date-time" else "exact_date"
        return f"None if (v := {got}) is None else {exact}(v) or {convert}"
    if kind.name == "any":
        return got
    if kind.name == "object":
        return f"None if (v := {got}) is None else {kind.model}.from_dict(v) if v.__class__ is dict else {convert}"
    plain = kind.items is None
    if plain and kind.name in ("map", "array"):
        return f"v if type(v := {got}) is {'dict' if kind.name == 'map' else 'list'} or v is None else {convert}"
    if kind.name == "array" and kind.items is not None and kind.items.name == "string":
        return f"v if (v := {got}) is None or all_text(v) else {convert}"
    return f"None if (v := {got}) is None else {convert}"


def wrapped(text: str, indent: int, *, first: str = "", hanging: int = 0) -> str:
    """Text broken into lines, indented, safe inside a docstring."""
    safe = "".join(char if char.isprintable() or char == "\n" else " " for char in text)
    safe = safe.replace("\\", "\\\\").replace('"""', "'''")
    pad = " " * indent
    blocks: list[str] = []
    for number, paragraph in enumerate(safe.split("\n\n")):
        blocks.append(
            textwrap.fill(
                paragraph,
                _WIDTH,
                initial_indent=pad + (first if number == 0 else " " * hanging),
                subsequent_indent=pad + " " * hanging,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
    return "\n\n".join(blocks)


def model_imports(names: Iterable[str], prefix: str) -> list[str]:
    """Lines that import classes or aliases from their modules below ``models``."""
    return [f"from {prefix}{module_of(name)} import {name}" for name in sorted(set(names))]
