"""Take routes and facts of the vendor's document over into our spec's tree; names, prose and extensions stay ours.

What two documents cannot settle by themselves stays as it is and is listed: twins, collisions, fields that only we
have, a shared component that other operations of theirs contradict, objects where we have scalars.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from . import _yaml
from ._compare import Comparison, Difference
from ._convert import Converter
from ._match import Match, leaf
from ._openapi import Fact, as_list, as_map
from ._places import Place, Places
from ._route import Route, Target, collisions, move, target

SCALARS = ("string", "integer", "number", "boolean")


@dataclass
class Outcome:
    """The new text and what to tell."""

    text: str = ""
    taken: list[str] = field(default_factory=list[str])
    left: list[str] = field(default_factory=list[str])


class Adoption:
    def __init__(self, text: str, comparison: Comparison) -> None:
        self._root = _yaml.read(text)
        self._comparison = comparison
        self._places = Places(self._root)
        self._convert = Converter(comparison.theirs, self._root)
        self._outcome = Outcome()
        self._sure = [pair for pair in comparison.matches if not pair.twin]

    def run(self) -> Outcome:
        for pair in self._comparison.matches:
            if pair.twin:
                self._outcome.left.append(f"{pair.ours.name}: a twin of another; perhaps {pair.theirs.route}")
        self._facts()
        self._routes()
        self._host()
        for one in self._comparison.only_theirs:
            self._outcome.left.append(f"{one.route}: only theirs; add it by hand, with a name and a kind")
        for one in self._comparison.only_ours:
            self._outcome.left.append(f"{one.name}: only ours; kept")
        self._outcome.text = _yaml.written(self._root)
        return self._outcome

    # routes

    def _routes(self) -> None:
        targets = {pair.ours.key: target(pair) for pair in self._sure}
        blocked = collisions(targets, [one.key for one in self._comparison.ours.operations])
        for pair in self._sure:
            route = pair.ours.key
            if route in blocked:
                self._outcome.left.append(
                    f"{pair.ours.name}: {pair.theirs.route} is taken by another operation of ours"
                )
                continue
            self._mark(pair)
            self._path_parameters(pair, targets[route])
            if targets[route] != Target(*route):
                goes = f"{targets[route].method.upper()} {targets[route].path}"
                self._outcome.taken.append(f"{pair.ours.name}: {pair.ours.route} -> {goes}")
        move(self._root, {route: home for route, home in targets.items() if route not in blocked})

    def _mark(self, pair: Match) -> None:
        node = self._node(pair.ours.key)
        if node.get("x-evidence") != "documented":
            node["x-evidence"] = "documented"
        node.pop("x-evidence-note", None)

    def _path_parameters(self, pair: Match, home: Target) -> None:
        node = self._node(pair.ours.key)
        for name in home.added:
            node.setdefault("parameters", _yaml.new_node([])).insert(
                0,
                _yaml.new_map(
                    {
                        "name": name,
                        "in": "path",
                        "required": True,
                        "description": UNDESCRIBED,
                        "schema": {"type": "string"},
                    }
                ),
            )
        if home.dropped:
            parameters = node["parameters"]
            for one in [*parameters]:
                real = self._places.deref(one)
                if real.get("in") == "path" and real.get("name") in home.dropped:
                    parameters.remove(one)

    def _host(self) -> None:
        theirs, servers = self._comparison.theirs, self._root.get("servers")
        if theirs.version == "2.0":
            schemes = as_list(theirs.root.get("schemes")) or ["https"]
            host = f"{'https' if 'https' in schemes else schemes[0]}://{theirs.root.get('host') or ''}"
        else:
            listed = as_list(theirs.root.get("servers"))
            parts = urlsplit(str(as_map(listed[0]).get("url")) if listed else "")
            host = f"{parts.scheme}://{parts.netloc}"
        if not servers or not urlsplit(host).netloc or not urlsplit(host).scheme:
            return
        if servers[0].get("url") != host:
            self._outcome.taken.append(f"host: {servers[0].get('url')} -> {host}")
            servers[0]["url"] = host
        servers[0]["x-evidence"] = "documented"

    def _node(self, route: Route) -> _yaml.Tree:
        return self._root["paths"][route[0]][route[1]]

    # facts

    def _facts(self) -> None:
        """Each place of the tree once, whichever and however many operations show the difference."""
        shown: dict[tuple[int, str, str], list[tuple[Match, Difference, Place]]] = defaultdict(list)
        for pair in self._sure:
            for difference in self._comparison.differences[pair.ours.id]:
                place = self._find(pair, difference)
                if place is None:
                    self._left(pair, difference, "has no place in ours")
                else:
                    shown[id(place.owner), place.name, difference.where].append((pair, difference, place))
            self._confirm(pair)
        for votes in shown.values():
            self._settle(votes)

    def _settle(self, votes: list[tuple[Match, Difference, Place]]) -> None:
        pair, difference, place = votes[0]
        names = ", ".join(one.ours.name for one, _, _ in votes)
        wanted = {one.theirs for _, one, _ in votes}
        users = {one.ours.id for one in self._sure} & self._places.users(place)
        silent = users - {one.ours.id for one, _, _ in votes}
        harmless = difference.where == "answer" and difference.ours is None
        if difference.theirs is None:
            self._outcome.left.append(f"{names}: {difference}; kept")
        elif len(wanted) > 1:
            self._outcome.left.append(f"{names}: {difference}; their operations contradict each other")
        elif silent and not harmless:
            self._outcome.left.append(f"{names}: {difference}; shared with operations that show no difference")
        elif self._write(pair, difference, place):
            self._outcome.taken.append(f"{names}: {difference}")
        else:
            self._outcome.left.append(f"{names}: {difference}; change it by hand")

    def _left(self, pair: Match, difference: Difference, why: str) -> None:
        self._outcome.left.append(f"{pair.ours.name}: {difference}; {why}")

    def _find(self, pair: Match, difference: Difference) -> Place | None:
        if difference.where == "parameter":
            return self._places.parameter(pair.ours, *difference.place.split(" ", 1))
        known = pair.ours.body if difference.where == "body" else pair.ours.response
        full = _full(difference.place, known)
        return self._places.field(pair.ours, difference.where, full)

    def _confirm(self, pair: Match) -> None:
        """A parameter that was known from prose alone is documented once the vendor's file has it."""
        for name, place in pair.ours.params.keys() & pair.theirs.params.keys():
            found = self._places.parameter(pair.ours, place, name)
            if found and found.node is not None and found.node.get("x-evidence") not in (None, "documented"):
                found.node["x-evidence"] = "documented"

    def _write(self, pair: Match, difference: Difference, place: Place) -> bool:
        theirs = difference.theirs
        assert theirs is not None
        if difference.where == "parameter":
            if place.node is None:
                where, name = difference.place.split(" ", 1)
                place.owner.append(self._convert.parameter(pair.theirs, name, where, UNDESCRIBED))
                return True
            _set_required(place.node, theirs.required)
            return self._write_schema(self._places.deref(place.node["schema"]), difference)
        if place.node is None:
            schema = self._convert.field(pair.theirs, difference.where, difference.place, place.name, UNDESCRIBED)
            if schema is None:
                return False
            place.owner.setdefault("properties", _yaml.new_map())[place.name] = schema
        if difference.where == "body":
            _list_required(place.owner, place.name, theirs.required)
        return place.node is None or self._write_schema(self._places.deref(place.node), difference)

    @staticmethod
    def _write_schema(node: _yaml.Tree, difference: Difference) -> bool:
        ours, theirs = difference.ours, difference.theirs
        assert ours is not None
        assert theirs is not None
        if ours.type != theirs.type:
            if ours.type not in SCALARS or theirs.type not in SCALARS:
                return False
            node["type"] = theirs.type
        if ours.format != theirs.format and (theirs.format or "format" in node):
            if theirs.format:
                node["format"] = theirs.format
            else:
                del node["format"]
        return _write_enum(node, ours, theirs)


UNDESCRIBED = "Taken over from the vendor's file; not described yet."


def _write_enum(node: _yaml.Tree, ours: Fact, theirs: Fact) -> bool:
    """Their values, in our order; a list that they leave out altogether is no contradiction."""
    if not theirs.enum or set(theirs.enum) == set(ours.enum):
        return True
    holder = node["items"] if ours.type.startswith("array") and "enum" in as_map(node.get("items")) else node
    listed = holder.get("enum")
    if listed is None:
        holder["enum"] = _yaml.new_node(list(theirs.enum))
        return True
    for value in [*listed]:
        if str(value) not in theirs.enum:
            listed.remove(value)
    listed.extend(value for value in theirs.enum if value not in map(str, listed))
    return True


def _set_required(node: _yaml.Tree, required: bool) -> None:
    if required:
        node["required"] = True
    else:
        node.pop("required", None)


def _list_required(owner: _yaml.Tree, name: str, required: bool) -> None:
    listed = owner.get("required")
    if required and name not in (listed or ()):
        owner.setdefault("required", _yaml.new_node([])).append(name)
    elif not required and listed and name in listed:
        listed.remove(name)
        if not listed:
            del owner["required"]


def _full(place: str, known: object) -> str:
    """A place as our document spells it, envelope included."""
    places = list(as_map(known))
    if place in places:
        return place
    for one in _candidates(place, places):
        return one
    return place


def _candidates(place: str, places: list[str]) -> Iterator[str]:
    parent, _, name = place.rpartition(".")
    for one in places:
        if leaf(one) == place:
            yield one
    for one in places:
        enveloped = leaf(one) != one
        if leaf(one).rpartition(".")[0] == parent and (parent or enveloped):
            yield one.rpartition(".")[0] + "." + name
