"""Validation: a request is held against its operation in the spec, and only a valid one reaches a handler."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ._errors import ErrorDetail, bad_request
from ._schema import as_map
from ._spec import Operation, Parameter
from ._values import is_storable_number, parse_json, pointer_token
from ._where import FilterCondition

DAY_FORMAT = "%Y-%m-%d"
SECOND_FORMAT = "%Y-%m-%d %H:%M:%S"
_BRACKETS = re.compile(r"([^\[\]]+)((?:\[[^\[\]]+\])+)")
_INTEGER = re.compile(r"-?\d+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
# 2^63 has 19 digits; Python refuses to parse an integer of more than 4,300.
_MAX_INTEGER_LENGTH = 20


@dataclass
class ApiRequest:
    """A request that the spec allows, with its values parsed."""

    operation: Operation
    path_params: dict[str, str]
    query: dict[str, Any] = field(default_factory=dict[str, Any])
    conditions: list[FilterCondition] = field(default_factory=list[FilterCondition])
    body: dict[str, Any] = field(default_factory=dict[str, Any])


def parse_request(
    operation: Operation,
    path_params: dict[str, str],
    query: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
    content: bytes,
) -> ApiRequest:
    """The validated request; raises a 400 that names everything that is wrong with it."""
    problems: list[ErrorDetail] = []
    request = ApiRequest(operation, path_params)
    _check_content_type(operation, headers, content, problems)
    _parse_query(request, query, problems)
    _parse_body(request, content, problems)
    _check_repeated_values(request, problems)
    if problems:
        raise bad_request(*problems)
    return request


def split_brackets(name: str) -> tuple[str, list[str]]:
    """`filter[a][gte]` as `("filter", ["a", "gte"])`; a name without brackets has no parts."""
    matched = _BRACKETS.fullmatch(name)
    if matched is None:
        return name, []
    return matched[1], matched[2][1:-1].split("][")


def _check_content_type(
    operation: Operation, headers: Mapping[str, str], content: bytes, problems: list[ErrorDetail]
) -> None:
    required = operation.surface.requires_content_type or bool(content)
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if required and content_type != "application/json":
        problems.append(ErrorDetail("header", "Content-Type", f"must be application/json, not {content_type!r}"))


# Query


def _parse_query(request: ApiRequest, query: Sequence[tuple[str, str]], problems: list[ErrorDetail]) -> None:
    parameters = request.operation.parameters
    values: dict[str, list[str]] = {}
    filters: dict[tuple[str, str], list[str]] = {}
    for name, text in query:
        if name in parameters and parameters[name].style != "deepObject":
            values.setdefault(name, []).append(text)
            continue
        root, parts = split_brackets(name)
        if root in parameters and parameters[root].style == "deepObject" and len(parts) in (1, 2):
            field_name = parts[0]
            operator = parts[1] if len(parts) == 2 else "eq"
            filters.setdefault((field_name, operator), []).append(text)
        else:
            problems.append(ErrorDetail("query", name, "no such parameter"))
    for parameter in parameters.values():
        if parameter.name in values:
            _parse_parameter(request, parameter, values[parameter.name], problems)
        elif parameter.required:
            problems.append(ErrorDetail("query", parameter.name, "required, and missing"))
    for (field_name, operator), texts in filters.items():
        request.conditions.append(FilterCondition(field_name, operator, tuple(texts), f"filter[{field_name}]"))


def _parse_parameter(request: ApiRequest, parameter: Parameter, texts: list[str], problems: list[ErrorDetail]) -> None:
    schemas = request.operation.surface.schemas
    name = parameter.name
    if schemas.kind(parameter.schema) == "array":
        if not parameter.explode:
            if len(texts) > 1:
                problems.append(ErrorDetail("query", name, "given more than once; its values are joined by commas"))
            texts = texts[-1].split(",") if texts[-1] else []
        item_kind = schemas.kind(parameter.schema.get("items"))
        value: Any = [_parse_value(text, item_kind) for text in texts]
    else:
        if len(texts) > 1:
            problems.append(ErrorDetail("query", name, "given more than once"))
        value = _parse_value(texts[-1], schemas.kind(parameter.schema))
    for error in parameter.validator.iter_errors(value):
        problems.append(ErrorDetail("query", name, error.message))
    if parameter.time_unit and isinstance(value, str):
        problem = time_format_problem(value, parameter.time_unit)
        if problem:
            problems.append(ErrorDetail("query", name, problem))
    request.query[parameter.role] = value
    root, parts = split_brackets(name)
    if root == "filter":
        operator = parts[1] if len(parts) == 2 else "eq"
        request.conditions.append(FilterCondition(parts[0], operator, tuple(texts), name))


def _parse_value(text: str, kind: str) -> Any:
    """The text as a value of the JSON type `kind`; where it is none, the text itself, which the validator refuses."""
    if kind == "integer" and _INTEGER.fullmatch(text) and len(text) <= _MAX_INTEGER_LENGTH:
        return int(text) if is_storable_number(int(text)) else text
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text) if is_storable_number(float(text)) else text
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def time_format_problem(text: str, unit: str) -> str:
    """Why a text is not a time of the unit ("second" or "day"); empty when it is one."""
    if unit == "second":
        time_format, example = SECOND_FORMAT, "2006-01-02 15:04:05"
    else:
        time_format, example = DAY_FORMAT, "2006-01-02"
    try:
        # strptime accepts digits without leading zeros, strftime never writes them.
        is_valid = datetime.strptime(text, time_format).strftime(time_format) == text
    except ValueError:
        is_valid = False
    return "" if is_valid else f"{text!r} is not of the form {example}"


# Body


def _parse_body(request: ApiRequest, content: bytes, problems: list[ErrorDetail]) -> None:
    operation = request.operation
    if operation.body_schema is None:
        if content:
            problems.append(ErrorDetail("body", "/", "this operation takes no body"))
        return
    if not content:
        if operation.body_required:
            problems.append(ErrorDetail("body", "/", "required, and missing"))
        return
    value, json_problems = parse_json(content)
    if json_problems:
        problems.extend(json_problems)
        return
    for error in operation.body_validator.iter_errors(value):
        pointer = "".join(pointer_token(key) for key in error.instance_path)
        problems.append(ErrorDetail("body", pointer or "/", error.message, pointer))
    request.body = as_map(value)
    properties = operation.surface.schemas.properties(operation.body_schema)
    _check_body_times(request, properties, problems)
    for name in request.body:
        if name not in properties:
            problems.append(ErrorDetail("body", f"/{name}", "no such field", f"/{name}"))


def _check_body_times(request: ApiRequest, properties: Mapping[str, Any], problems: list[ErrorDetail]) -> None:
    schemas = request.operation.surface.schemas
    for name, schema in properties.items():
        time_options = as_map(schemas.resolve(schema).get("x-time") or as_map(schema).get("x-time"))
        unit = str(time_options.get("unit") or "")
        value = request.body.get(name)
        if unit and isinstance(value, str):
            problem = time_format_problem(value, unit)
            if problem:
                problems.append(ErrorDetail("body", f"/{name}", problem, f"/{name}"))


def _check_repeated_values(request: ApiRequest, problems: list[ErrorDetail]) -> None:
    """A value that is sent twice (in query and body, or in path and body) must be the same both times."""
    schemas = request.operation.surface.schemas
    query_and_body_names = [("page[number]", "page_number")] if "page_number" in request.body else []
    for name, schema in schemas.properties(request.operation.body_schema).items():
        if as_map(schema).get("x-mirror"):
            query_and_body_names.append((name, name))
        path_name = as_map(schema).get("x-default-from-path")
        if path_name not in request.path_params or name not in request.body:
            continue
        if request.body[name] != request.path_params[path_name]:
            problems.append(ErrorDetail("body", f"/{name}", f"differs from {path_name} in the path", f"/{name}"))
    for query_name, body_name in query_and_body_names:
        if query_name not in request.query or body_name not in request.body:
            continue
        if request.query[query_name] != request.body[body_name]:
            message = f"differs from {query_name} in the query"
            problems.append(ErrorDetail("body", f"/{body_name}", message, f"/{body_name}"))
