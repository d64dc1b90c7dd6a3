"""Options of Spark, which are texts, as the arguments of a method and as settings of the source."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from typing import Any

import attrs

import adsecurity_generated
from adsecurity_generated._operation import Operation, Param, Range, Surface

from .connection import CLIENTS

_SECRET = re.compile(r"(?:key|token|secret|password|authorization|credentials?)$", re.IGNORECASE)
_UNITS = {"second": "seconds", "minute": "minutes", "hour": "hours", "day": "days"}


@attrs.frozen
class Options:
    """What the options say."""

    surface: str
    resource: str
    """The method under the client, such as `reports.clicks`."""
    arguments: Mapping[str, Any]
    """Of the method, by their Python names; path ids too, the ends of the range too, as texts."""
    calls: Mapping[str, Any]
    """Keywords of every list: `page_size`."""
    partitions: int | None
    """At most so many; None where the options do not say."""
    requests_per_second: float | None
    concurrent: int | None
    """So many partitions run at once at most; None where it is not known."""
    lag: timedelta | None


@attrs.frozen
class Source:
    """The operation that is read, and the list that plans it: itself or, of an export, the report of the same rows."""

    surface: Surface
    operation: Operation[Any]
    planner: Operation[Any]
    range: Range

    @property
    def is_export(self) -> bool:
        return self.operation is not self.planner


def load_surface(name: str) -> Surface:
    """The generated description of an API."""
    found: Surface = import_module(f".{name}.surface", adsecurity_generated.__name__).SURFACE
    return found


def find_source(text: str) -> Source:
    """The operation of a name like `network.reports.clicks`. Raises ValueError where it cannot be read in spans."""
    name, _, resource = text.strip().partition(".")
    surface = load_surface(name) if name in CLIENTS else None
    found = next((key for key, route in surface.routes.items() if route.resource == resource), "") if surface else ""
    if surface is None or not found:
        known = [f"{one}.{source.operation.resource}" for one in CLIENTS for source in _sources(load_surface(one))]
        raise ValueError(f"operation: there is no {text!r}{_near(text, known)}")
    source = _source(surface, surface.operation(found))
    if source is None:
        raise ValueError(
            f"operation: {text} has no time range, or no times of a known zone, by which rows could be divided among"
            f" tasks; call client.{resource}() on the driver, spark.createDataFrame takes its to_arrow()"
        )
    return source


def _sources(surface: Surface) -> Iterable[Source]:
    return filter(None, (_source(surface, surface.operation(name)) for name in surface.routes))


def _source(surface: Surface, operation: Operation[Any]) -> Source | None:
    """The operation as a source; None where it can be none."""
    if operation.range is not None:
        return Source(surface, operation, operation, operation.range)
    if operation.export_role == "start" and operation.rows:
        arguments = {param.arg for param in operation.params}
        for name in surface.routes:
            planner = surface.operation(name)
            if planner.range is None or planner.model is None or planner.model.__name__ != operation.rows:
                continue
            # In a file whose zone is not known, rows cannot be told to lie in a span.
            if {planner.range.start, planner.range.end, "timezone"} <= arguments:
                return Source(surface, operation, planner, planner.range)
    return None


def read_options(given: Mapping[str, str]) -> tuple[Source, Options]:
    """Read all options of a source. Raises ValueError, TypeError for what is missing, unknown or wrong."""
    for name in given:
        if _SECRET.search(name):
            raise ValueError(
                f"option {name}: an option stands in query plans and logs, so a key must not be in one; pass it on the"
                " driver: adsecurity.spark.register(spark, network={'api_key': …})"
            )
    texts = {name.lower(): (name, text) for name, text in given.items()}
    _, operation = texts.pop("operation", ("operation", ""))
    if not operation:
        raise ValueError("operation: say what is read, such as option('operation', 'network.reports.clicks')")
    source = find_source(operation)
    params = {param.arg.lower(): param for param in source.operation.params if not param.secret}
    own: dict[str, Any] = {}
    arguments: dict[str, Any] = {}
    for low, (name, text) in texts.items():
        if low in _OWN:
            # Spark has written the names in lower case.
            own[low] = _read(*_OWN[low], text)
        elif low in params:
            arguments[params[low].arg] = _read(name, partial(read_value, params[low]), text)
        else:
            raise TypeError(_unknown(operation, name, source, params))
    # A stream has no end; its reader and that of a range see to that.
    needed = {param.arg: param.required for param in source.operation.params}
    needed |= {source.range.start: True, source.range.end: False}
    missing = [name for name, required in needed.items() if required and name not in arguments]
    if missing:
        raise TypeError(f"{operation} needs {', '.join(f'option({name!r}, …)' for name in missing)}")
    calls = {"page_size": own["page_size"]} if "page_size" in own else {}
    return source, Options(
        source.surface.name,
        source.operation.resource,
        arguments,
        calls,
        own.get("numpartitions"),
        own.get("requestspersecond"),
        own.get("concurrentpartitions"),
        own.get("lag"),
    )


def _read(name: str, read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"option {name}: {error}") from None


def _unknown(operation: str, name: str, source: Source, params: Mapping[str, Param]) -> str:
    known = [*(param.arg for param in params.values()), *(shown for shown, _ in _OWN.values())]
    message = f"{operation}: there is no option {name!r}{_near(name, known)}"
    if name.lower() in ("fields", "columns"):
        return f"{message}; the server sends all columns of this operation: select() those you want after load()"
    if name.lower() in ("base_url", "timeout", "routes", "proxy"):
        return f"{message}; pass it on the driver: adsecurity.spark.register(spark, {source.surface.name}={{…}})"
    return message


def _near(name: str, known: Iterable[str]) -> str:
    names = {one.lower(): one for one in known}
    near = [names[one] for one in get_close_matches(name.lower(), names, 3, 0.5)]
    return f"; near it: {', '.join(near)}" if near else f"; known: {', '.join(sorted(names.values()))}"


def read_value(param: Param, text: str) -> Any:
    """The text of an option as the value of a parameter. Raises ValueError."""
    if param.style == "deep" or "object" in param.kinds:
        return _json(text, dict, "a JSON object")
    if "array" in param.kinds:
        if text.lstrip().startswith("["):
            return _json(text, list, "a JSON list")
        if param.items and "string" not in param.items and "object" in param.items:
            return _json(text, list, "a JSON list")
        return [_scalar(param.items or ("string",), part.strip()) for part in text.split(",") if part.strip()]
    return _scalar(param.kinds, text)


def _scalar(kinds: tuple[str, ...], text: str) -> Any:
    if "string" in kinds or not kinds:
        return text
    if kinds == ("boolean",):
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{text!r} is neither true nor false")
        return text.lower() == "true"
    return int(text) if "integer" in kinds and "number" not in kinds else float(text)


def _json(text: str, kind: type, wanted: str) -> Any:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, kind):
        raise ValueError(f"{text!r} is not {wanted}")
    return found


def _count(text: str) -> int:
    if not text.strip().isdecimal() or int(text) < 1:
        raise ValueError(f"{text!r} is no whole number from 1 on")
    return int(text)


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate < math.inf:
        raise ValueError(f"{text!r} is no number above 0")
    return rate


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"\s*(\d+)\s*(second|minute|hour|day)s?\s*", text.lower())
    if not match:
        raise ValueError(f"{text!r} must look like '10 minutes' (seconds, minutes, hours or days)")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


_OWN: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "numpartitions": ("numPartitions", _count),
    "requestspersecond": ("requestsPerSecond", _rate),
    "concurrentpartitions": ("concurrentPartitions", _count),
    "lag": ("lag", _duration),
    "page_size": ("page_size", _count),
}
"""The options of the source itself, by their names in lower case."""
