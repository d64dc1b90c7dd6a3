"""Where in the tree of our spec a parameter or field of an operation stands, and which operations share that place."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from ..spec.lookup import METHODS
from . import round_trip
from .facts import MAX_DEPTH
from .operations import Operation

_SUCCESS = ("200", "201", "202")


@dataclass(frozen=True)
class Place:
    """`owner` holds it (an object schema or a parameter list); `node` is what stands there, None if nothing does."""

    owner: round_trip.Tree
    name: str
    node: round_trip.Tree


class Places:
    def __init__(self, root: round_trip.Tree) -> None:
        self._root = root
        self._fields: dict[tuple[str, str], dict[str, Place]] = defaultdict(dict)
        self._parents: dict[tuple[str, str], dict[str, round_trip.Tree]] = defaultdict(dict)
        self._users: dict[int, set[str]] = defaultdict(set)
        for item in root["paths"].values():
            for method in METHODS:
                if method in item:
                    self._index(item[method])

    def deref(self, node: round_trip.Tree) -> round_trip.Tree:
        while "$ref" in node:
            target = self._root
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def users(self, node: round_trip.Tree) -> set[str]:
        """Operations that a change of this schema, parameter or list reaches."""
        return self._users[id(node)]

    def parameter(self, operation: Operation, where: str, name: str) -> Place | None:
        node = self._operation(operation)
        listed: round_trip.Tree = node.setdefault("parameters", round_trip.new_node([]))
        for one in listed:
            real = self.deref(one)
            if real["name"] == name and real["in"] == where:
                return Place(real, name, real)
        return Place(listed, name, None)

    def field(self, operation: Operation, where: str, place: str) -> Place | None:
        known = self._fields[operation.id, where]
        if place in known:
            return known[place]
        parent, _, name = place.rpartition(".")
        owner = self._parents[operation.id, where].get(parent)
        return None if owner is None else Place(owner, name, None)

    def _operation(self, operation: Operation) -> round_trip.Tree:
        path, method = operation.key
        return self._root["paths"][path][method]

    def _index(self, operation: round_trip.Tree) -> None:
        name = operation["operationId"]
        for one in operation.get("parameters", ()):
            real = self.deref(one)
            self._users[id(real)].add(name)
            self._users[id(self.deref(real["schema"]))].add(name)
        responses = operation["responses"]
        holders: list[tuple[str, round_trip.Tree]] = [("body", operation.get("requestBody", round_trip.new_map()))]
        holders += [("answer", responses[code]) for code in _SUCCESS if code in responses][:1]
        for where, holder in holders:
            for media in self.deref(holder).get("content", round_trip.new_map()).values():
                self._walk(name, where, media["schema"], "", 0)

    def _walk(self, operation: str, where: str, node: round_trip.Tree, place: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            return
        real = self.deref(node)
        for part in real.get("allOf", ()):
            self._walk(operation, where, part, place, depth + 1)
        if "properties" in real or real.get("type") == "object":
            self._parents[operation, where].setdefault(place, real)
            self._users[id(real)].add(operation)
        for name, child in real.get("properties", {}).items():
            here = f"{place}.{name}" if place else name
            self._fields[operation, where].setdefault(here, Place(real, name, child))
            self._users[id(self.deref(child))].add(operation)
            self._walk(operation, where, child, here, depth + 1)
        if "items" in real:
            self._walk(operation, where, real["items"], place + "[]", depth + 1)
        extra = real.get("additionalProperties")
        if hasattr(extra, "items"):
            self._walk(operation, where, extra, place + ".*", depth + 1)
