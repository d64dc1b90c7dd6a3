"""Encoding the arguments of a call into a request, without I/O.

Only arguments that cannot be sent, or that would do something other than intended, are rejected, all of them in one
message. Lengths, ranges and enum values are left to the server to check.
"""

from __future__ import annotations

import enum
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast
from urllib.parse import quote, urlencode

import attrs

from adsecurity_generated._operation import UNSET, Operation, Param, Surface
from adsecurity_generated._values import write_time

from ..events import new_call_id
from .kinds import article, fits, id_as, kind_of
from .nested_fields import check_nested
from .secrets import collect_secrets, is_list, is_object
from .times import encode_time

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@attrs.frozen(eq=False, repr=False)
class PreparedRequest:
    """A request that can be sent repeatedly. It does not contain the API key."""

    op: Operation[Any]
    method: str
    url: str
    """Without the query."""
    route: str
    """The path template, which is safe to log."""
    query: tuple[tuple[str, str], ...]
    body: dict[str, Any] | None
    headers: Mapping[str, str]
    secrets: tuple[str, ...] = ()
    """Secret values in this request, to be masked in errors and logs."""
    deprecations: tuple[str, ...] = ()
    call_id: str = attrs.field(factory=new_call_id)
    """The same for all requests of one call of a method."""

    def with_paging(self, query: Mapping[str, str | int] = {}, body: Mapping[str, Any] = {}) -> PreparedRequest:
        """The same request for another page: given parameters replace those of the same name."""
        kept = [pair for pair in self.query if pair[0] not in query]
        return attrs.evolve(
            self,
            query=(*kept, *((name, str(value)) for name, value in query.items())),
            body={**(self.body or {}), **body} if body else self.body,
        )

    @property
    def full_url(self) -> str:
        return f"{self.url}?{urlencode(self.query, quote_via=quote)}" if self.query else self.url

    @property
    def content(self) -> bytes | None:
        if self.body is None:
            return None
        return json.dumps(self.body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


class _Problems:
    """Collects everything that is wrong with the arguments of one call."""

    def __init__(self, op: Operation[Any]) -> None:
        self._op = op
        self._found: list[str] = []
        self._type_error = False

    def add(self, text: str, *, of_type: bool = False) -> None:
        self._found.append(text)
        self._type_error = self._type_error or of_type

    def add_error(self, name: str, error: TypeError | ValueError) -> None:
        self.add(f"{name} {error}", of_type=isinstance(error, TypeError))

    def raise_if_any(self) -> None:
        if not self._found:
            return
        error = TypeError if self._type_error else ValueError
        raise error(f"{self._op.resource}(): {'; '.join(self._found)}")


def prepare(
    op: Operation[Any],
    args: Mapping[str, Any],
    *,
    base_url: str,
    routes: Mapping[str, tuple[str, str]],
    surface: Surface,
    extra_query: Mapping[str, Any] | None = None,
    extra_body: Mapping[str, Any] | None = None,
    call_id: str | None = None,
) -> PreparedRequest:
    """Check the arguments and build the request. `routes` are the caller's corrections, by operationId.

    `extra_query` and `extra_body` are what the caller knows and the operation does not: they win over its own
    parameters and fields. Raises `TypeError` or `ValueError` with everything that is wrong.
    """
    problems = _Problems(op)
    values = {arg: value for arg, value in args.items() if value is not UNSET}
    known = {param.arg for param in op.params}
    for arg in values:
        if arg not in known:
            problems.add(f"unexpected argument {arg!r}", of_type=True)
    for param in op.params:
        if param.from_path and param.arg not in values and param.from_path in values:
            values[param.arg] = id_as(param.kinds, values[param.from_path])

    path: dict[str, str] = {}
    query: list[tuple[str, str]] = []
    body: dict[str, Any] = {}
    origins: dict[str, str] = {}
    edges: dict[str, tuple[str, str]] = {}
    deprecations = [f"{op.resource}() is deprecated: {op.deprecated}"] if op.deprecated else []
    for param in op.params:
        value = values.get(param.arg, UNSET)
        if value is UNSET or (value is None and (param.place != "body" or param.required)):
            if param.required:
                problems.add(f"missing required argument {param.arg!r}", of_type=True)
            continue
        if param.deprecated:
            deprecations.append(f"{param.arg}= of {op.resource}() is deprecated: {param.deprecated}")
        if param.time and value is not None:
            try:
                value = encode_time(value, unit=param.time, edge=param.edge, timezone=values.get("timezone"))
            except (TypeError, ValueError) as error:
                problems.add_error(param.arg, error)
                continue
            if param.edge:
                edges[param.edge] = param.arg, value
        elif not _fits(param, value, problems):
            continue
        elif param.model:
            for problem in check_nested(param.arg, value, surface.model(param.model)):
                problems.add(problem.text, of_type=problem.is_type_error)
        if param.place == "path":
            path[param.name] = quote(_scalar(value), safe="")
        elif param.place == "query":
            for name, text in _query(param, value, problems):
                if origins.setdefault(name, param.arg) != param.arg:
                    problems.add(f"{name} is given twice, by {origins[name]}= and by {param.arg}=")
                query.append((name, text))
        if param.place == "body" or param.mirror:
            try:
                body[param.name] = to_json(value)
            except (TypeError, ValueError) as error:
                problems.add_error(param.arg, error)
            for field_path, replacement in param.deprecated_inside:
                if _has_field(body.get(param.name), field_path):
                    place = ".".join((param.arg, *field_path))
                    deprecations.append(f"{place} of {op.resource}() is deprecated: {replacement}")
    if "start" in edges and "end" in edges and edges["start"][1] > edges["end"][1]:
        problems.add(f"{edges['start'][0]} {edges['start'][1]} is after {edges['end'][0]} {edges['end'][1]}")
    extra_pairs = list(_extra_pairs(extra_query, problems))
    replaced = {name for name, _ in extra_pairs}
    query = [pair for pair in query if pair[0] not in replaced] + extra_pairs
    if extra_body is not None:
        body = _with_extra(body, extra_body, problems)
    problems.raise_if_any()

    method, route = routes.get(op.id, (op.method, op.path))
    names = surface.secrets | {param.name for param in op.params if param.secret}
    secrets = {text for name, text in query if name in names} | set(collect_secrets(body, names))
    return PreparedRequest(
        op=op,
        method=method,
        url=base_url + re.sub(r"\{([^{}]*)\}", lambda found: path[found[1]], route),
        route=route,
        query=tuple(query),
        body=body if op.has_body or body else None,
        headers={
            "Accept": "application/json",
            **surface.default_headers,
            **({"Content-Type": "application/json"} if op.has_body or body else {}),
        },
        secrets=tuple(sorted(secrets)),
        deprecations=tuple(deprecations),
        call_id=call_id or new_call_id(),
    )


def _extra_pairs(extra: Mapping[str, Any] | None, problems: _Problems) -> Iterator[tuple[str, str]]:
    if not is_object(extra or {}):
        problems.add(f"extra_query must be a mapping, not {type(extra).__name__}", of_type=True)
        return
    for name, value in (extra or {}).items():
        if not isinstance(name, str) or not name:  # pyright: ignore[reportUnnecessaryIsInstance]
            problems.add("extra_query must have names that are strings", of_type=True)
        elif value is not None:
            try:
                items = value if kind_of(value) == "array" else [value]
                yield from [(_text(name), _scalar(item)) for item in items]
            except (TypeError, ValueError) as error:
                problems.add_error(f"extra_query[{name!r}]", error)


def _with_extra(body: dict[str, Any], extra: Mapping[str, Any], problems: _Problems) -> dict[str, Any]:
    if not is_object(extra):
        problems.add(f"extra_body must be a mapping, not {type(extra).__name__}", of_type=True)
        return body
    try:
        return _merged(body, to_json(extra))
    except (TypeError, ValueError) as error:
        problems.add_error("extra_body", error)
        return body


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Both objects in one: what is above wins, and objects that both have are merged in turn."""
    merged = dict(below)
    for name, value in above.items():
        known = merged.get(name)
        both = isinstance(known, dict) and isinstance(value, dict)
        merged[name] = _merged(cast("dict[str, Any]", known), cast("dict[str, Any]", value)) if both else value
    return merged


def _has_field(value: Any, field_path: tuple[str, ...]) -> bool:
    """Whether a JSON value, or one of the items of a list, has the field at this path."""
    if is_list(value):
        return any(_has_field(item, field_path) for item in value)
    if not field_path:
        return True
    first, *rest = field_path
    return is_object(value) and first in value and _has_field(value[first], tuple(rest))


def to_json(value: Any) -> Any:
    """Convert a value of a body into what `json.dumps` can write; raises `TypeError` or `ValueError`."""
    if isinstance(value, enum.Enum):
        value = value.value
    match kind_of(value):
        case "null" | "boolean":
            return value
        case "string":
            return _text(value)
        case "integer":
            return int(value)
        case "number":
            return _finite(value)
        case "object":
            fields = cast("Mapping[Any, Any]", value.to_dict() if hasattr(value, "to_dict") else value)
            if not all(isinstance(key, str) for key in fields):
                raise TypeError("has a key that is not a string")
            return {_text(key): to_json(item) for key, item in fields.items() if item is not UNSET}
        case "array":
            return [to_json(item) for item in value]
        case other:
            raise TypeError(f"contains a {other}, which JSON cannot hold")


def _text(value: str | date) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("needs a time zone: a time without one names no moment")
        return write_time(value)
    if isinstance(value, date):
        return value.isoformat()
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("contains half of a surrogate pair, which is no character") from None
    return str(value)


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"must be a finite number, not {number}")
    return number


def _scalar(value: Any) -> str:
    """Write one value as the text of a query parameter."""
    if isinstance(value, enum.Enum):
        value = value.value
    match kind_of(value):
        case "boolean":
            return "true" if value else "false"
        case "string":
            return _text(value)
        case "integer":
            return str(int(value))
        case "number":
            return repr(_finite(value))
        case other:
            raise TypeError(f"must be text, a number, a boolean or a time, not {other}")


def _fits(param: Param, value: Any, problems: _Problems) -> bool:
    """Whether the value has the right JSON type, and ids and lists of ids are not empty; otherwise adds a problem."""
    kind = kind_of(value)
    kinds = param.kinds
    if param.style == "comma":
        kinds = ("string", "array")
    if param.place == "path" and "integer" in kinds:
        # A number by the specification: callers may hold its text, as it came in a response.
        kinds = ("integer", "string")
    if kinds and kind != "null" and not fits(kind, kinds):
        wanted = " or ".join(map(article, kinds))
        problems.add(f"{param.arg} must be {wanted}, not {type(value).__name__}", of_type=True)
        return False
    if param.place == "path":
        return kind == "integer" or _is_id(param.arg, value, problems)
    if kind == "array":
        return _items_fit(param, value, problems)
    return True


def _items_fit(param: Param, items: Sequence[Any], problems: _Problems) -> bool:
    if param.non_empty and not items:
        problems.add(f"{param.arg} must not be empty")
        return False
    for index, item in enumerate(items):
        kind = kind_of(item)
        if param.items and not fits(kind, param.items):
            wanted = " or ".join(map(article, param.items))
            problems.add(f"{param.arg}[{index}] must be {wanted}, not {type(item).__name__}", of_type=True)
            return False
        if param.non_empty and kind == "string" and not _is_id(f"{param.arg}[{index}]", item, problems):
            return False
    return True


def _is_id(name: str, value: Any, problems: _Problems) -> bool:
    if not isinstance(value, str):
        problems.add(f"{name} must be a string, not {type(value).__name__}", of_type=True)
    elif value in ("", ".", ".."):
        # These would address the collection itself, or its parent.
        problems.add(f"{name} must be an id, not {value!r}")
    elif _CONTROL.search(value) or any("\ud800" <= character <= "\udfff" for character in value):
        problems.add(f"{name} must not contain control characters or halves of surrogate pairs")
    else:
        return True
    return False


def _query(param: Param, value: Any, problems: _Problems) -> Iterator[tuple[str, str]]:
    """The name-value pairs that one argument adds to the query."""
    try:
        if is_object(value):
            yield from _conditions(param.name, value)
        elif kind_of(value) != "array":
            yield param.name, _scalar(value)
        elif param.style == "comma":
            yield param.name, ",".join(_scalar(item) for item in value)
        else:
            yield from _repeated(param.name, value)
    except (TypeError, ValueError) as error:
        problems.add_error(param.arg, error)


def _conditions(name: str, filters: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    for field, condition in filters.items():
        key = f"{name}[{_bracket_name(field)}]"
        if not is_object(condition):
            yield from _condition(key, condition)
            continue
        if not condition:
            raise ValueError(f"names no condition for {field!r}; leave it out to select everything")
        for operator, value in condition.items():
            yield from _condition(f"{key}[{_bracket_name(operator)}]", value)


def _condition(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if kind_of(value) == "array":
        yield from _repeated(key, value)
    else:
        yield key, _scalar(value)


def _repeated(key: str, items: Sequence[Any]) -> Iterator[tuple[str, str]]:
    if not items and "[" in key.removesuffix("[]"):
        # Nothing would be sent, and the server would return everything instead of nothing.
        raise ValueError(f"has no value for {key}; leave it out to select everything")
    for item in items:
        yield key, _scalar(item)


def _bracket_name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"must have strings as names, not {type(name).__name__}")
    if not name or "[" in name or "]" in name:
        raise ValueError(f"cannot have {name!r} as a name: brackets separate names")
    return _text(name)
