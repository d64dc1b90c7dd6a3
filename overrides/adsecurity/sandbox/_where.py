"""Filters, sort orders and text search as SQL over the stored JSON documents."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ._errors import bad_query
from ._schema import Schemas, as_map
from ._values import holds

_COMPARISONS = {"gte": ">=", "lte": "<=", "gt": ">", "lt": "<"}
OPERATORS = ("eq", "ne", "in", "like", *_COMPARISONS)
_TIMES = ("date", "date-time")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)


@dataclass(frozen=True)
class Condition:
    """One filter: a field (dots lead into objects), an operator and its values, and what the request called it."""

    field: str
    operator: str
    values: tuple[str, ...]
    source: str


class Language:
    """Translates the filters of one item schema; a field or operator that does not exist is a 400."""

    def __init__(self, schemas: Schemas, schema: Any) -> None:
        self._schemas = schemas
        self._schema = schema

    def path(self, field: str, source: str) -> tuple[str, str]:
        """The JSON path of a field and the JSON type found there; of a time its format."""
        if field in self._schemas.properties(self._schema):
            return _quote([field]), self._kind(self._schemas.properties(self._schema)[field])
        steps: list[str] = []
        schema = self._schema
        for step in field.split("."):
            resolved = self._schemas.resolve(schema)
            properties = as_map(resolved.get("properties"))
            # The documented filters of exports spell `equal_values` as one word.
            spelled = next((name for name in properties if name.replace("_", "") == step.replace("_", "")), None)
            if spelled is not None:
                steps.append(spelled)
                schema = properties[spelled]
            elif isinstance(resolved.get("additionalProperties"), dict) and '"' not in step:
                steps.append(step)
                schema = resolved["additionalProperties"]
            else:
                raise bad_query(source, f"there is no field {field!r} to use here")
        return _quote(steps), self._kind(schema)

    def _kind(self, schema: Any) -> str:
        kind = self._schemas.kind(schema)
        if kind == "array":
            return "array " + self._kind(self._schemas.resolve(schema).get("items"))
        format = str(self._schemas.resolve(schema).get("format"))
        return format if kind == "string" and format in _TIMES else kind

    def where(self, conditions: Iterable[Condition]) -> tuple[str, list[Any]]:
        """The conditions joined by AND, as SQL that starts with AND, and its values."""
        clauses: list[str] = []
        values: list[Any] = []
        for condition in conditions:
            path, kind = self.path(condition.field, condition.source)
            clause, found = _compare(condition, kind.removeprefix("array "))
            if kind.startswith("array "):
                clauses.append(f" AND EXISTS (SELECT 1 FROM json_each(doc, ?) WHERE {clause.format('value')})")
            else:
                clauses.append(f" AND {clause.format('json_extract(doc, ?)')}")
            values.extend([path, *found])
        return "".join(clauses), values

    def order(self, keys: Sequence[str]) -> tuple[str, list[Any]]:
        """Sort keys as the start of an ORDER BY list, and its values."""
        clauses: list[str] = []
        values: list[Any] = []
        for key in keys:
            path, _ = self.path(key.removeprefix("-"), "sort")
            clauses.append(f"json_extract(doc, ?) {'DESC' if key.startswith('-') else 'ASC'}, ")
            values.append(path)
        return "".join(clauses), values

    def check_fields(self, fields: Sequence[str], source: str = "fields") -> None:
        properties = self._schemas.properties(self._schema)
        for name in fields:
            if name not in properties:
                raise bad_query(source, f"there is no field {name!r}")


def text_search(text: str) -> tuple[str, list[Any]]:
    """The documents that hold the text in any of their strings."""
    pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return (
        " AND EXISTS (SELECT 1 FROM json_tree(doc) AS t WHERE t.type = 'text' AND t.value LIKE ? ESCAPE '\\')",
        [pattern],
    )


def _quote(steps: Sequence[str]) -> str:
    return "$" + "".join(f'."{step}"' for step in steps)


def _compare(condition: Condition, kind: str) -> tuple[str, list[Any]]:
    """A clause with `{}` for the operand that comes out of the document, and the values after it."""
    operator = condition.operator
    texts = condition.values
    if operator == "in":
        texts = tuple(part for text in texts for part in text.split(","))
    # Any text can be the same, another or a part; only what is earlier or later must be a time.
    kind = "string" if kind in _TIMES and operator not in _COMPARISONS else kind
    values = [_value(text, kind, condition.source) for text in texts]
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


def _value(text: str, kind: str, source: str) -> Any:
    if kind in ("integer", "number"):
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not holds(number):
            raise bad_query(source, f"{text!r} is not a number")
        return number
    if kind == "boolean":
        if text not in ("true", "false"):
            raise bad_query(source, f"{text!r} is neither true nor false")
        return int(text == "true")
    return _time(text, source) if kind in _TIMES else text


def _time(text: str, source: str) -> str:
    """A day as it is, a time as the documents have theirs: whole seconds of UTC."""
    try:
        moment = datetime.fromisoformat(text) if _TIME.fullmatch(text) else None
        if moment is not None and len(text) > len("2006-01-02"):
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
            return moment.replace(tzinfo=None, microsecond=0).isoformat() + "Z"
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise bad_query(source, f"{text!r} is neither a day nor a time")
    return text
