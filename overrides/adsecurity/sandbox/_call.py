"""A request held against its operation: every deviation from the spec is named, and only a fitting request passes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ._errors import Detail, bad_request
from ._schema import as_map
from ._spec import Operation, Parameter
from ._values import holds, pointer_step, read_json
from ._where import Condition

_BRACKETS = re.compile(r"([^\[\]]+)((?:\[[^\[\]]+\])+)")
_INTEGER = re.compile(r"-?\d+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
SECOND_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass
class Call:
    """A request that the spec allows."""

    operation: Operation
    ids: dict[str, str]
    query: dict[str, Any] = field(default_factory=dict[str, Any])
    conditions: list[Condition] = field(default_factory=list[Condition])
    body: dict[str, Any] = field(default_factory=dict[str, Any])


def read_call(
    operation: Operation,
    ids: dict[str, str],
    query: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
    content: bytes,
) -> Call:
    """The request as a call, or a 400 that names everything that is wrong with it."""
    problems: list[Detail] = []
    call = Call(operation, ids)
    _read_headers(operation, headers, content, problems)
    _read_query(call, query, problems)
    _read_body(call, content, problems)
    _compare_copies(call, problems)
    if problems:
        raise bad_request(*problems)
    return call


def split_name(name: str) -> tuple[str, list[str]]:
    """`filter[a][gte]` as `("filter", ["a", "gte"])`; a name without brackets has no parts."""
    matched = _BRACKETS.fullmatch(name)
    if matched is None:
        return name, []
    return matched[1], matched[2][1:-1].split("][")


def _read_headers(operation: Operation, headers: Mapping[str, str], content: bytes, problems: list[Detail]) -> None:
    wanted = operation.surface.wants_content_type or bool(content)
    sent = headers.get("content-type", "").partition(";")[0].strip().lower()
    if wanted and sent != "application/json":
        problems.append(Detail("header", "Content-Type", f"must be application/json, not {sent!r}"))


def _read_query(call: Call, query: Sequence[tuple[str, str]], problems: list[Detail]) -> None:
    known = call.operation.parameters
    plain: dict[str, list[str]] = {}
    filters: dict[tuple[str, str], list[str]] = {}
    for name, text in query:
        if name in known and known[name].style != "deepObject":
            plain.setdefault(name, []).append(text)
            continue
        root, parts = split_name(name)
        if root in known and known[root].style == "deepObject" and len(parts) in (1, 2):
            filters.setdefault((parts[0], parts[1] if len(parts) == 2 else "eq"), []).append(text)
        else:
            problems.append(Detail("query", name, "no such parameter"))
    for parameter in known.values():
        if parameter.name in plain:
            _read_parameter(call, parameter, plain[parameter.name], problems)
        elif parameter.required:
            problems.append(Detail("query", parameter.name, "required, and missing"))
    for (name, operator), texts in filters.items():
        call.conditions.append(Condition(name, operator, tuple(texts), f"filter[{name}]"))


def _read_parameter(call: Call, parameter: Parameter, texts: list[str], problems: list[Detail]) -> None:
    schemas = call.operation.surface.schemas
    name = parameter.name
    if schemas.kind(parameter.schema) == "array":
        if not parameter.explode:
            if len(texts) > 1:
                problems.append(Detail("query", name, "given more than once; its values are joined by commas"))
            texts = texts[-1].split(",") if texts[-1] else []
        kind = schemas.kind(parameter.schema.get("items"))
        value: Any = [_coerce(text, kind) for text in texts]
    else:
        if len(texts) > 1:
            problems.append(Detail("query", name, "given more than once"))
        value = _coerce(texts[-1], schemas.kind(parameter.schema))
    for error in parameter.validator.iter_errors(value):
        problems.append(Detail("query", name, error.message))
    if parameter.time and isinstance(value, str) and (wrong := wrong_time(value, parameter.time)):
        problems.append(Detail("query", name, wrong))
    call.query[parameter.role] = value
    root, parts = split_name(name)
    if root == "filter":
        operator = parts[1] if len(parts) == 2 else "eq"
        call.conditions.append(Condition(parts[0], operator, tuple(texts), name))


def _coerce(text: str, kind: str) -> Any:
    """The text as the JSON value that it stands for; a text that stands for none is left to the validator."""
    if kind == "integer" and _INTEGER.fullmatch(text):
        # Python reads no integer of thousands of digits.
        return int(text) if len(text) <= 20 and holds(int(text)) else text
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text) if holds(float(text)) else text
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def wrong_time(text: str, unit: str) -> str:
    """Why a text is no time of that unit; empty when it is one."""
    pattern, shown = (SECOND_FORMAT, "2006-01-02 15:04:05") if unit == "second" else ("%Y-%m-%d", "2006-01-02")
    try:
        fits = datetime.strptime(text, pattern).strftime(pattern) == text
    except ValueError:
        fits = False
    return "" if fits else f"{text!r} is not of the form {shown}"


def _read_body(call: Call, content: bytes, problems: list[Detail]) -> None:
    operation = call.operation
    if operation.body_schema is None:
        if content:
            problems.append(Detail("body", "/", "this operation takes no body"))
        return
    if not content:
        if operation.body_required:
            problems.append(Detail("body", "/", "required, and missing"))
        return
    value, unfit = read_json(content)
    if unfit:
        problems.extend(unfit)
        return
    for wrong_value in operation.body_validator.iter_errors(value):
        pointer = "".join(pointer_step(step) for step in wrong_value.instance_path)
        problems.append(Detail("body", pointer or "/", wrong_value.message, pointer))
    call.body = as_map(value)
    properties = operation.surface.schemas.properties(operation.body_schema)
    for name, part in properties.items():
        unit = as_map(operation.surface.schemas.resolve(part).get("x-time") or as_map(part).get("x-time")).get("unit")
        if unit and isinstance(call.body.get(name), str) and (wrong := wrong_time(call.body[name], str(unit))):
            problems.append(Detail("body", f"/{name}", wrong, f"/{name}"))
    for name in call.body:
        if name not in properties:
            problems.append(Detail("body", f"/{name}", "no such field", f"/{name}"))


def _compare_copies(call: Call, problems: list[Detail]) -> None:
    """What is sent twice must be the same both times: a mirrored parameter, a path id that the body repeats."""
    schemas = call.operation.surface.schemas
    pairs = [("page[number]", "page_number")] if "page_number" in call.body else []
    for name, part in schemas.properties(call.operation.body_schema).items():
        if as_map(part).get("x-mirror"):
            pairs.append((name, name))
        source = as_map(part).get("x-default-from-path")
        if source in call.ids and name in call.body and call.body[name] != call.ids[source]:
            problems.append(Detail("body", f"/{name}", f"differs from {source} in the path", f"/{name}"))
    for in_query, in_body in pairs:
        if in_query in call.query and in_body in call.body and call.query[in_query] != call.body[in_body]:
            problems.append(Detail("body", f"/{in_body}", f"differs from {in_query} in the query", f"/{in_body}"))
