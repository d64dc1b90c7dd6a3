"""Names for operations that only the vendor's document has: resource, method and id, as our own are called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..spec.naming import class_name, is_name, python_name
from .operations import Operation, is_placeholder

_TAKEN = frozenset(("close", "aclose", "with_options", "with_raw_response", "routes", "request", "modify", "resume"))
_VERSION = re.compile(r"v\d+|api|rest")


@dataclass(frozen=True)
class Known:
    """What our own operations are called, by where they are once adopted."""

    resources: Mapping[tuple[str, ...], str]
    """The resource of each collection, by the path's parts without a last id; placeholders are `{}`."""
    namespaces: Mapping[str, str]
    """Namespace and the path parameter that it is bound to."""


@dataclass(frozen=True)
class Name:
    resource: str
    method: str
    id: str


def shape(path: str) -> tuple[str, ...]:
    return tuple("{}" if is_placeholder(part) else part for part in path.strip("/").split("/"))


def home(path: str) -> tuple[str, ...]:
    """The collection that a path is about: itself, without the id at its end."""
    parts = shape(path)
    return parts[:-1] if parts[-1] == "{}" else parts


class Namer:
    def __init__(self, known: Known, taken: Iterable[str], ids: Iterable[str], schemas: Iterable[str]) -> None:
        self._known = known
        self._taken = set(taken)
        """Full names, such as `offers.list`."""
        self._ids = {python_name(one) for one in ids}
        self._schemas = set(schemas)

    def name(self, operation: Operation, path: str, kind: str, siblings: int) -> Name:
        """`path` is the operation's with our placeholders; `siblings` are those of theirs on the same collection."""
        resource, what = self._resource(path, siblings)
        method = self._method(operation, path, kind)
        if what:
            method = what if kind == "one" and method == "get" else f"{method}_{what}"
        full, number = f"{resource}.{method}", 2
        while full in self._taken or method in _TAKEN or not is_name(method):
            full, number = f"{resource}.{method}_{number}", number + 1
            if full not in self._taken:
                break
        self._taken.add(full)
        resource, _, method = full.rpartition(".")
        return Name(resource, method, self._id(operation, resource, method))

    def _resource(self, path: str, siblings: int) -> tuple[str, str]:
        """The resource, and what the method is about if that is only a part of it."""
        here = home(path)
        if here in self._known.resources:
            return self._known.resources[here], ""
        above = here[:-1]
        while above and above[-1] == "{}":
            above = above[:-1]
        last = python_name(here[-1])
        if siblings < 3 and above in self._known.resources:
            return self._known.resources[above], last
        words = [part for part in here if part != "{}" and not _VERSION.fullmatch(part.lower())]
        own = python_name(words[-1]) if words else "api"
        if own in self._known.namespaces or own in _TAKEN or not is_name(own):
            own += "_"
        space = next((one for one, bind in self._known.namespaces.items() if f"{{{bind}}}" in path), "")
        resource = f"{space}.{own}" if space else own
        while class_name(resource.replace(".", "_")) in self._schemas or not is_name(resource.rpartition(".")[2]):
            resource += "_api"
        return resource, ""

    @staticmethod
    def _method(operation: Operation, path: str, kind: str) -> str:
        on_item = is_placeholder(path.rstrip("/").split("/")[-1])
        if kind in ("pages", "rows", "cursor", "report-numbered"):
            return "list"
        verb = {"post": "create", "put": "update", "patch": "update", "delete": "delete"}.get(operation.method, "get")
        many = operation.method in ("put", "patch", "delete") and not on_item
        return f"bulk_{verb}" if many and operation.body else verb

    def _id(self, operation: Operation, resource: str, method: str) -> str:
        words = [*method.split("_"), *resource.replace(".", "_").split("_")]
        made = words[0] + "".join(word.title() for word in words[1:] if word)
        given = operation.id if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", operation.id) else ""
        for one in (given, made, *(f"{made}{number}" for number in range(2, 1000))):
            if one and python_name(one) not in self._ids:
                self._ids.add(python_name(one))
                return one
        raise AssertionError("a thousand operations of one name")
