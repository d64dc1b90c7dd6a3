"""Filter conditions, sort keys and text search as SQL over the stored JSON documents."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ._errors import bad_query
from ._schema import Schemas, as_map
from ._values import is_storable_number

_COMPARISONS = {"gte": ">=", "lte": "<=", "gt": ">", "lt": "<"}
OPERATORS = ("eq", "ne", "in", "like", *_COMPARISONS)
_TIME_FORMATS = ("date", "date-time")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_DAY_LENGTH = len("2006-01-02")


@dataclass(frozen=True)
class FilterCondition:
    """One condition of a filter.

    `field` names a field, with dots between the levels of nested objects; `source` is the parameter or JSON pointer of
    the request that the condition came from, for error messages.
    """

    field: str
    operator: str
    values: tuple[str, ...]
    source: str


class QueryCompiler:
    """Translates filter conditions and sort keys on the fields of one schema to SQL.

    An unknown field or operator, or a value of the wrong type, is a 400 response.
    """

    def __init__(self, schemas: Schemas, schema: Any) -> None:
        self._schemas = schemas
        self._schema = schema

    def where(self, conditions: Iterable[FilterCondition]) -> tuple[str, list[Any]]:
        """The conditions as SQL that starts with AND, and its parameters."""
        clauses: list[str] = []
        parameters: list[Any] = []
        for condition in conditions:
            json_path, value_type = self._locate(condition.field, condition.source)
            clause, values = _compile_condition(condition, value_type.removeprefix("array "))
            if value_type.startswith("array "):
                clauses.append(f" AND EXISTS (SELECT 1 FROM json_each(doc, ?) WHERE {clause.format('value')})")
            else:
                clauses.append(f" AND {clause.format('json_extract(doc, ?)')}")
            parameters.extend([json_path, *values])
        return "".join(clauses), parameters

    def order_by(self, sort_keys: Sequence[str]) -> tuple[str, list[Any]]:
        """The sort keys as the beginning of an ORDER BY list, and its parameters."""
        terms: list[str] = []
        parameters: list[Any] = []
        for key in sort_keys:
            json_path, _ = self._locate(key.removeprefix("-"), "sort")
            direction = "DESC" if key.startswith("-") else "ASC"
            terms.append(f"json_extract(doc, ?) {direction}, ")
            parameters.append(json_path)
        return "".join(terms), parameters

    def check_fields(self, fields: Sequence[str]) -> None:
        """Refuses a request for fields that the schema does not have."""
        properties = self._schemas.properties(self._schema)
        for name in fields:
            if name not in properties:
                raise bad_query("fields", f"there is no field {name!r}")

    def _locate(self, field: str, source: str) -> tuple[str, str]:
        """The SQLite JSON path of a field and the type of its values."""
        # The name of a field may itself contain a dot: `extra_params.keys`.
        top_level = self._schemas.properties(self._schema)
        if field in top_level:
            return _json_path([field]), self._value_type(top_level[field])
        keys: list[str] = []
        schema = self._schema
        for name in field.split("."):
            resolved = self._schemas.resolve(schema)
            key = _property_named(name, as_map(resolved.get("properties")))
            if key is not None:
                keys.append(key)
                schema = resolved["properties"][key]
            elif isinstance(resolved.get("additionalProperties"), dict) and '"' not in name:
                keys.append(name)
                schema = resolved["additionalProperties"]
            else:
                raise bad_query(source, f"there is no field {field!r} to use here")
        return _json_path(keys), self._value_type(schema)

    def _value_type(self, schema: Any) -> str:
        """The JSON type of a field; the format of a time instead of "string"; "array " and the type of its items."""
        kind = self._schemas.kind(schema)
        if kind == "array":
            return "array " + self._value_type(self._schemas.resolve(schema).get("items"))
        format = str(self._schemas.resolve(schema).get("format"))
        return format if kind == "string" and format in _TIME_FORMATS else kind


def text_search_clause(text: str) -> tuple[str, list[Any]]:
    """The documents that contain the text in any of their strings, as SQL that starts with AND, and its parameters."""
    pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return (
        " AND EXISTS (SELECT 1 FROM json_tree(doc) AS t WHERE t.type = 'text' AND t.value LIKE ? ESCAPE '\\')",
        [pattern],
    )


def _property_named(name: str, properties: dict[str, Any]) -> str | None:
    """The property of that name; underscores do not count: the documentation filters by `equalvalues`."""
    for key in properties:
        if key.replace("_", "") == name.replace("_", ""):
            return key
    return None


def _json_path(keys: Sequence[str]) -> str:
    return "$" + "".join(f'."{key}"' for key in keys)


def _compile_condition(condition: FilterCondition, value_type: str) -> tuple[str, list[Any]]:
    """A condition as SQL with `{}` in place of the document's value, and the parameters that follow it."""
    operator = condition.operator
    texts = condition.values
    if operator == "in":
        texts = tuple(part for text in texts for part in text.split(","))
    # A time is compared as text for equality or a part of it; only "earlier" and "later" need it to be a valid time.
    if value_type in _TIME_FORMATS and operator not in _COMPARISONS:
        value_type = "string"
    values = [_parse_value(text, value_type, condition.source) for text in texts]
    if operator in ("eq", "in"):
        return f"{{}} IN ({', '.join('?' * len(values))})", values
    if operator not in OPERATORS:
        raise bad_query(condition.source, f"there is no operator {operator!r}; there are {', '.join(OPERATORS)}")
    if len(values) > 1:
        raise bad_query(condition.source, f"given more than once, which {operator!r} cannot mean")
    if operator == "ne":
        return "{} IS NOT ?", values
    if operator == "like":
        return "{} LIKE '%' || ? || '%'", values
    return f"{{}} {_COMPARISONS[operator]} ?", values


def _parse_value(text: str, value_type: str, source: str) -> Any:
    if value_type in ("integer", "number"):
        return _parse_number(text, source)
    if value_type == "boolean":
        if text not in ("true", "false"):
            raise bad_query(source, f"{text!r} is neither true nor false")
        return int(text == "true")
    return _parse_time(text, source) if value_type in _TIME_FORMATS else text


def _parse_number(text: str, source: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not is_storable_number(number):
        raise bad_query(source, f"{text!r} is not a number")
    return number


def _parse_time(text: str, source: str) -> str:
    """A day unchanged, a time in the form in which documents hold it: whole seconds in UTC."""
    try:
        time = datetime.fromisoformat(text) if _TIME.fullmatch(text) else None
        if time is not None and len(text) > _DAY_LENGTH:
            time = (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
            return time.replace(tzinfo=None, microsecond=0).isoformat() + "Z"
    except (ValueError, OverflowError):
        time = None
    if time is None:
        raise bad_query(source, f"{text!r} is neither a day nor a time")
    return text
