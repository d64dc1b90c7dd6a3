"""Take routes and facts of the vendor's document over into our spec's tree; names, prose and extensions stay ours.

What two documents cannot settle by themselves stays as it is and is listed: twins, collisions, fields that only we
have, a shared component that other operations of theirs contradict, objects where we have scalars.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from . import round_trip
from .compare import Comparison, Difference
from .convert import Converter, enums
from .facts import Fact
from .match import Match, leaf
from .places import Place, Places
from .references import as_list, as_map
from .routes import Route, Target, collisions, move, target

SCALARS = ("string", "integer", "number", "boolean")


@dataclass
class Outcome:
    """The new text and what to tell."""

    text: str = ""
    taken: list[str] = field(default_factory=list[str])
    left: list[str] = field(default_factory=list[str])


class Vote(NamedTuple):
    """An operation that shows a difference, and where that stands in our tree."""

    pair: Match
    difference: Difference
    place: Place


def _wanted(votes: list[Vote]) -> list[Fact]:
    return [one.difference.theirs for one in votes if one.difference.theirs is not None]


class Adoption:
    def __init__(self, text: str, comparison: Comparison) -> None:
        self._root = round_trip.read(text)
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
        self._outcome.text = round_trip.written(self._root)
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
            node.setdefault("parameters", round_trip.new_node([])).insert(
                0,
                round_trip.new_map(
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

    def _node(self, route: Route) -> round_trip.Tree:
        return self._root["paths"][route[0]][route[1]]

    # facts

    def _facts(self) -> None:
        """Each place of the tree once, whichever and however many operations show the difference."""
        shapes: dict[tuple[int, str], list[Vote]] = defaultdict(list)
        needs: dict[tuple[int, str], list[Vote]] = defaultdict(list)
        for pair in self._sure:
            for difference in self._comparison.differences[pair.ours.id]:
                place = self._find(pair, difference)
                if place is None:
                    self._left(pair, difference, "has no place in ours")
                    continue
                vote = Vote(pair, difference, place)
                ours, theirs = difference.ours, difference.theirs
                if ours is None or theirs is None:
                    shapes[id(place.owner), place.name].append(vote)
                    continue
                if replace(ours, required=theirs.required) != theirs:
                    shapes[id(self._schema(vote)), ""].append(vote)
                if ours.required != theirs.required:
                    needs[id(place.owner), place.name].append(vote)
            self._confirm(pair)
        for votes in shapes.values():
            first = votes[0]
            shared = first.place.owner if first.difference.ours is None else self._schema(first)
            self._settle(votes, {replace(fact, required=False) for fact in _wanted(votes)}, shared, self._write)
        for votes in needs.values():
            self._settle(votes, {fact.required for fact in _wanted(votes)}, votes[0].place.owner, self._require)

    def _schema(self, vote: Vote) -> round_trip.Tree:
        node = vote.place.node
        return self._places.deref(node["schema"] if vote.difference.where == "parameter" else node)

    def _settle(
        self, votes: list[Vote], wanted: set[Any], shared: round_trip.Tree, write: Callable[[Vote], bool]
    ) -> None:
        first = votes[0]
        told = f"{', '.join(dict.fromkeys(one.pair.ours.name for one in votes))}: {first.difference}"
        shown = {one.pair.ours.id for one in votes}
        silent = ({one.ours.id for one in self._sure} & self._places.users(shared)) - shown
        harmless = first.difference.where == "answer" and first.difference.ours is None
        if first.difference.theirs is None:
            self._outcome.left.append(f"{told}; kept")
        elif len(wanted) > 1:
            self._outcome.left.append(f"{told}; their operations contradict each other")
        elif silent and not harmless:
            self._outcome.left.append(f"{told}; shared with operations that show no difference")
        elif write(first):
            self._outcome.taken.append(told)
        else:
            self._outcome.left.append(f"{told}; change it by hand")

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

    def _write(self, vote: Vote) -> bool:
        pair, difference, place = vote
        theirs = difference.theirs
        assert theirs is not None
        if place.node is not None:
            return self._write_schema(self._schema(vote), difference)
        if difference.where == "parameter":
            where, name = difference.place.split(" ", 1)
            parameter = self._convert.parameter(pair.theirs, name, where, UNDESCRIBED)
            if parameter is not None:
                place.owner.append(parameter)
            return parameter is not None
        schema = self._convert.field(pair.theirs, difference.where, difference.place, place.name, UNDESCRIBED)
        if schema is None:
            return False
        place.owner.setdefault("properties", round_trip.new_map())[place.name] = schema
        return difference.where == "answer" or self._require(vote)

    @staticmethod
    def _require(vote: Vote) -> bool:
        theirs = vote.difference.theirs
        assert theirs is not None
        if vote.difference.where == "parameter":
            _set_required(vote.place.node, theirs.required)
        else:
            _list_required(vote.place.owner, vote.place.name, theirs.required)
        return True

    def _write_schema(self, node: round_trip.Tree, difference: Difference) -> bool:
        ours, theirs = difference.ours, difference.theirs
        assert ours is not None
        assert theirs is not None
        holder, values = _known_values(node, ours, theirs)
        listed = as_list(holder.get("enum"))
        if values != listed and tuple(map(str, values)) in enums(self._root):
            return False
        if ours.type != theirs.type:
            if ours.type not in SCALARS or theirs.type not in SCALARS:
                return False
            node["type"] = theirs.type
        if ours.format != theirs.format and (theirs.format or "format" in node):
            if theirs.format:
                node["format"] = theirs.format
            else:
                del node["format"]
        if listed:
            # In place: the list keeps its style and comments.
            for value in [one for one in listed if one not in values]:
                holder["enum"].remove(value)
            holder["enum"].extend(values[len(holder["enum"]) :])
        elif values:
            holder["enum"] = round_trip.new_node(values)
        return True


UNDESCRIBED = "Taken over from the vendor's file; not described yet."


def _known_values(node: round_trip.Tree, ours: Fact, theirs: Fact) -> tuple[round_trip.Tree, list[Any]]:
    """Their values, in our order, and what lists them; that they leave out the list is no contradiction."""
    holder = node["items"] if ours.type.startswith("array") and "enum" in as_map(node.get("items")) else node
    listed = as_list(holder.get("enum"))
    if not theirs.enum or set(theirs.enum) == set(ours.enum):
        return holder, listed
    kept = [value for value in listed if str(value) in theirs.enum]
    more = [value for value in theirs.enum if value not in map(str, listed)]
    return holder, [*kept, *(map(int, more) if "integer" in theirs.type else more)]


def _set_required(node: round_trip.Tree, required: bool) -> None:
    if required:
        node["required"] = True
    else:
        node.pop("required", None)


def _list_required(owner: round_trip.Tree, name: str, required: bool) -> None:
    listed = owner.get("required")
    if required and name not in (listed or ()):
        owner.setdefault("required", round_trip.new_node([])).append(name)
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
