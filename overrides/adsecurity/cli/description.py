"""What the generator says of each API for the command line: groups, commands, arguments, columns."""

from __future__ import annotations

import json
from functools import cache
from pkgutil import get_data
from typing import Any, NamedTuple

import adsecurity_generated as generated

LISTS = frozenset(("pages", "cursor", "report-pages", "report-numbered", "rows"))
"""Answers that are lists."""


class Value(NamedTuple):
    """What a value is: its JSON kind, its known values, and what it is made of."""

    kind: str
    values: tuple[str | int, ...]
    items: Value | None
    fields: tuple[Argument, ...]


class Argument(NamedTuple):
    """An argument of a method, or a field of a nested object."""

    name: str
    wire: str
    place: str
    value: Value
    doc: str
    required: bool
    positional: bool
    bound: bool
    """Given to the namespace, such as `publisher_view(id)`, and not to the method."""
    style: str
    time: str
    secret: bool

    @property
    def option(self) -> str:
        return self.name.replace("_", "-")

    @property
    def is_list(self) -> bool:
        return self.value.kind == "array" or self.style == "comma"


class Operation(NamedTuple):
    """One operation, as a command needs it."""

    surface: Surface
    resource: str
    name: str
    id: str
    verb: str
    path: str
    answer: str
    evidence: str
    summary: str
    text: str
    deprecated: str
    safe: bool
    range_unit: str
    range_time: str
    """Name on the wire of the time by which a row belongs to a range; empty without one."""
    arguments: tuple[Argument, ...]
    columns: dict[str, str]
    """Fields of what is answered, by their names on the wire, with their kinds."""
    exported: dict[str, str]
    """Fields of the rows that an export holds."""

    @property
    def ids(self) -> tuple[Argument, ...]:
        """What is given without an option, in order."""
        return tuple(argument for argument in self.arguments if argument.positional)

    @property
    def options(self) -> tuple[Argument, ...]:
        """What is given by an option, the required ones first."""
        rest = [argument for argument in self.arguments if not argument.positional]
        return tuple(sorted(rest, key=lambda argument: not argument.required))

    @property
    def is_list(self) -> bool:
        return self.answer in LISTS

    @property
    def deletes(self) -> bool:
        return self.verb == "DELETE"

    @property
    def changes_many(self) -> bool:
        """A write to a whole collection: its path ends with no id, whether or not a slash follows."""
        return self.verb in ("PATCH", "PUT", "DELETE") and not self.path.rstrip("/").endswith("}")

    @property
    def full_name(self) -> str:
        return f"{self.resource}.{self.name}"


class Surface:
    """One API."""

    def __init__(self, tree: dict[str, Any]) -> None:
        self.name: str = tree["surface"]
        self.client: str = tree["client"]
        """Name of the client's class."""
        self.variables: str = tree["variables"]
        """What the names of its environment variables begin with."""
        self.address: str = tree["address"]
        """The documented address; empty where there is none."""
        self.likely_address: str = tree["likely_address"]
        self.secrets: frozenset[str] = frozenset(tree["secrets"])
        self._groups: dict[str, Any] = tree["groups"]
        self._columns: dict[str, dict[str, str]] = tree["columns"]

    @property
    def resources(self) -> dict[str, str]:
        """Names of the resources, such as `publisher_view.offers`, with what each is for."""
        return {name: group["doc"] for name, group in self._groups.items()}

    def methods(self, resource: str) -> dict[str, str]:
        """The methods of a resource, with a line about each."""
        return {name: command["summary"] for name, command in self._groups[resource]["commands"].items()}

    def has(self, resource: str, method: str) -> bool:
        return method in self._groups.get(resource, {"commands": ()})["commands"]

    def operation(self, resource: str, method: str) -> Operation:
        found: dict[str, Any] = self._groups[resource]["commands"][method]
        return Operation(
            surface=self,
            resource=resource,
            name=method,
            id=found["id"],
            verb=found["verb"],
            path=found["path"],
            answer=found["answer"],
            evidence=found["evidence"],
            summary=found["summary"],
            text=found.get("text", ""),
            deprecated=found.get("deprecated", ""),
            safe=found.get("safe", False),
            range_unit=found.get("range", {}).get("unit", ""),
            range_time=found.get("range", {}).get("time", ""),
            arguments=tuple(_argument(entry) for entry in found.get("arguments", ())),
            columns=self._columns.get(found.get("model", ""), {}),
            exported=self._columns.get(found.get("rows", ""), {}),
        )


@cache
def load(surface: str) -> Surface:
    """The description of an API, as it was generated together with its client."""
    # By the package as it is imported here: a vendored copy reads its own.
    data = get_data(generated.__name__, f"{surface}/commands.json")
    assert data is not None
    return Surface(json.loads(data))


def _value(entry: dict[str, Any]) -> Value:
    items = entry.get("items")
    return Value(
        entry.get("kind", "string"),
        tuple(entry.get("values", ())),
        None if items is None else _value(items),
        tuple(_argument(field) for field in entry.get("fields", ())),
    )


def _argument(entry: dict[str, Any]) -> Argument:
    return Argument(
        name=entry["name"],
        wire=entry["wire"],
        place=entry.get("place", ""),
        value=_value(entry),
        doc=entry.get("doc", ""),
        required=entry.get("required", False),
        positional=entry.get("positional", False),
        bound=entry.get("bound", False),
        style=entry.get("style", ""),
        time=entry.get("time", ""),
        secret=entry.get("secret", False),
    )
