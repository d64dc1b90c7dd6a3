"""Where in the tree of our spec a parameter or field of an operation stands, and which operations share that place."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from ..spec.lookup import METHODS
from . import round_trip
from .facts import MOST_FIELDS
from .operations import Operation


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

    def operation(self, operation: Operation) -> round_trip.Tree:
        path, method = operation.key
        return self._root["paths"][path][method]

    def parameter(self, operation: Operation, where: str, name: str) -> Place | None:
        listed: round_trip.Tree = self.operation(operation).setdefault("parameters", round_trip.new_node([]))
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

    def _index(self, operation: round_trip.Tree) -> None:
        name = operation["operationId"]
        for one in operation.get("parameters", ()):
            real = self.deref(one)
            self._users[id(real)].add(name)
            self._users[id(self.deref(real["schema"]))].add(name)
        responses = operation["responses"]
        holders: list[tuple[str, round_trip.Tree]] = [("body", operation.get("requestBody", round_trip.new_map()))]
        holders += [("answer", responses[code]) for code in sorted(responses) if str(code).startswith("2")]
        for where, holder in holders:
            for media in self.deref(holder).get("content", round_trip.new_map()).values():
                self._walk(name, where, media["schema"])
                break
            if where == "answer" and (name, where) in self._parents:
                break

    def _walk(self, operation: str, where: str, schema: round_trip.Tree) -> None:
        """Level by level, and no component below itself: models may refer to each other."""
        fields, parents = self._fields[operation, where], self._parents[operation, where]
        level: list[tuple[round_trip.Tree, str, frozenset[int]]] = [(schema, "", frozenset())]
        while level and len(fields) <= MOST_FIELDS:
            after: list[tuple[round_trip.Tree, str, frozenset[int]]] = []
            for node, place, above in level:
                real = self.deref(node)
                if id(real) in above:
                    continue
                below = above | {id(real)} if real is not node else above
                after += [(part, place, below) for part in real.get("allOf", ())]
                if "properties" in real or real.get("type") == "object":
                    parents.setdefault(place, real)
                    self._users[id(real)].add(operation)
                for name, child in real.get("properties", {}).items():
                    here = f"{place}.{name}" if place else name
                    fields.setdefault(here, Place(real, name, child))
                    self._users[id(self.deref(child))].add(operation)
                    after.append((child, here, below))
                if "items" in real:
                    after.append((real["items"], place + "[]", below))
                extra = real.get("additionalProperties")
                if hasattr(extra, "items"):
                    after.append((extra, place + ".*", below))
            level = after
