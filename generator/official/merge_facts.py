"""Facts of the vendor's document taken over into our tree, each place once, whichever operations show the difference.

What only they have is added. Types, formats, values and needs on which the two contradict each other stay ours, unless
theirs are preferred. What two documents cannot settle by themselves is listed.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ..spec.methods import argument_name
from ..spec.naming import MODEL_NAMES, PER_CALL, python_name
from . import round_trip
from .compare import PAGING, Comparison, Difference, Renaming
from .convert import Converter
from .facts import Fact
from .match import Match, leaf
from .operations import parameters
from .outcome import Outcome
from .places import Place, Places
from .references import as_list, as_map

SCALARS = ("string", "integer", "number", "boolean")


class Vote(NamedTuple):
    """An operation that shows a difference, and where that stands in our tree."""

    pair: Match
    difference: Difference
    place: Place


Votes = dict[tuple[int, str], list[Vote]]


class FactMerger:
    def __init__(
        self,
        comparison: Comparison,
        pairs: list[Match],
        places: Places,
        convert: Converter,
        outcome: Outcome,
    ) -> None:
        self._comparison = comparison
        self._pairs = pairs
        self._places = places
        self._convert = convert
        self._outcome = outcome
        self._prefer_theirs = comparison.choices.prefer_theirs

    def run(self) -> None:
        self._rename()
        additions: Votes = defaultdict(list)
        shapes: Votes = defaultdict(list)
        needs: Votes = defaultdict(list)
        for pair in self._pairs:
            for difference in self._comparison.differences[pair.ours.id]:
                ours, theirs = difference.ours, difference.theirs
                if theirs is None:
                    continue
                place = self._find(pair, difference)
                if place is None or (ours is not None and place.node is None):
                    self._outcome.left.append(f"{pair.ours.name}: {difference}; it has no place in ours")
                    continue
                vote = Vote(pair, difference, place)
                if ours is None:
                    additions[id(place.owner), place.name].append(vote)
                elif difference.place.startswith("path ") or self._prefer_theirs:
                    shapes[id(self._schema(vote)), ""].append(vote)
                    if ours.required != theirs.required and (theirs.required or theirs.optional):
                        needs[id(place.owner), place.name].append(vote)
                else:
                    self._tell(self._outcome.contradictions, [vote], "")
            self._confirm(pair)
        self._settle_all(additions, lambda vote: vote.place.owner, self._add, lambda fact: fact.type)
        self._settle_all(shapes, self._schema, self._write_schema, lambda fact: (fact.type, fact.format, fact.enum))
        self._settle_all(needs, lambda vote: vote.place.owner, self._require, lambda fact: fact.required)
        self._outcome.contradictions[:] = _together(self._outcome.contradictions)

    # names

    def _rename(self) -> None:
        """Query parameters get their names; keywords in Python stay, and paging knows its own."""
        wanted: dict[int, list[tuple[Match, Renaming, round_trip.Tree]]] = defaultdict(list)
        for pair in self._pairs:
            for one in self._comparison.renamings[pair.ours.id]:
                place = self._places.parameter(pair.ours, "query", one.ours)
                if place is not None and place.node is not None:
                    wanted[id(place.node)].append((pair, one, place.node))
        for votes in wanted.values():
            node, names = votes[0][2], {one.theirs for _, one, _ in votes}
            everybody = self._places.users(node) == {pair.ours.id for pair, _, _ in votes}
            told = f"{', '.join(pair.ours.name for pair, _, _ in votes)}: {votes[0][1]}"
            if "x-mirror" in node:
                self._outcome.left.append(f"{told}; it is sent in the body as well")
                continue
            if everybody and len(names) == 1:
                self._call(node, votes[0][1])
            else:
                for pair, one, _ in votes:
                    self._call(self._own(pair, node), one)
            for pair, one, _ in votes:
                reach: round_trip.Tree = self._places.operation(pair.ours).get("x-range", round_trip.new_map())
                for edge in ("start", "end"):
                    if reach.get(edge) == one.ours:
                        reach[edge] = one.theirs
            self._outcome.facts.append(told)
            for pair, one, _ in votes:
                self._outcome.supersede(pair.ours.id, ("query", one.ours, "name"), one.ours, one.theirs)

    @staticmethod
    def _call(node: round_trip.Tree, one: Renaming) -> None:
        role = node.get("x-paging") or one.ours
        if role in PAGING:
            node["x-paging"] = role
        elif "x-python-name" not in node:
            node["x-python-name"] = argument_name(one.ours, {})
        node["name"] = one.theirs

    def _own(self, pair: Match, node: round_trip.Tree) -> round_trip.Tree:
        """A copy of a shared parameter for one operation alone."""
        listed = self._places.operation(pair.ours)["parameters"]
        index = next(i for i, one in enumerate(listed) if self._places.deref(one) is node)
        listed[index] = copy.deepcopy(node)
        return listed[index]

    # places

    def _schema(self, vote: Vote) -> round_trip.Tree:
        node = vote.place.node
        return self._places.deref(node["schema"] if vote.difference.where == "parameter" else node)

    def _find(self, pair: Match, difference: Difference) -> Place | None:
        if difference.where == "parameter":
            where, name = difference.place.split(" ", 1)
            renamed = {one.ours: one.theirs for one in self._comparison.renamings[pair.ours.id]}
            return self._places.parameter(pair.ours, where, renamed.get(name, name) if where == "query" else name)
        known = pair.ours.body if difference.where == "body" else pair.ours.response
        return self._places.field(pair.ours, difference.where, _full(difference.place, known))

    def _confirm(self, pair: Match) -> None:
        """A parameter that was known from prose alone is theirs once their file has it."""
        names = {one.theirs: one.ours for one in self._comparison.renamings[pair.ours.id]}
        for name, place in pair.theirs.params:
            if (names.get(name, name), place) in pair.ours.params:
                found = self._places.parameter(pair.ours, place, name)
                if (
                    found
                    and found.node is not None
                    and found.node.get("x-evidence") in ("prose", "inferred", "borrowed")
                ):
                    found.node["x-evidence"] = "official"

    # what the operations that share a place agree on

    def _settle_all(
        self,
        places: Votes,
        shared: Callable[[Vote], round_trip.Tree],
        write: Callable[[Vote], str],
        said: Callable[[Fact], Any],
    ) -> None:
        for votes in places.values():
            facts = [one.difference.theirs for one in votes if one.difference.theirs is not None]
            first = votes[0]
            shown = {one.pair.ours.id for one in votes}
            silent = ({one.ours.id for one in self._pairs} & self._places.users(shared(first))) - shown
            # A field more in an answer harms nobody, nor does an id that may be a number.
            harmless = first.difference.where == "answer" and first.difference.ours is None
            harmless = harmless or first.difference.place.startswith("path ")
            if len({said(fact) for fact in facts}) > 1:
                self._tell(self._outcome.left, votes, "; their operations contradict each other")
            elif silent and not harmless:
                self._tell(self._outcome.left, votes, "; shared with operations that show no difference")
            elif problem := write(first):
                self._tell(self._outcome.left, votes, f"; {problem}")
            else:
                self._tell(self._outcome.facts, votes, "")
                self._supersede(votes, self._places.users(shared(first)))

    def _supersede(self, votes: list[Vote], reached: set[str]) -> None:
        ours, theirs = votes[0].difference.ours, votes[0].difference.theirs
        if ours is None or theirs is None:
            return
        for vote in votes:
            where, name = vote.difference.where, vote.difference.place
            place, _, name = (where, "", name) if where != "parameter" else name.partition(" ")
            for aspect in ("type", "format", "enum", "required"):
                was, now = getattr(ours, aspect), getattr(theirs, aspect)
                if was != now and (now or aspect == "required"):
                    for one in sorted({vote.pair.ours.id, *reached} if place == "path" else {vote.pair.ours.id}):
                        self._outcome.supersede(one, (place, name, aspect), _plainly(was), _plainly(now))

    @staticmethod
    def _tell(rows: list[str], votes: list[Vote], why: str) -> None:
        names = ", ".join(dict.fromkeys(one.pair.ours.name for one in votes))
        rows.append(f"{names}: {votes[0].difference}{why}")

    def _add(self, vote: Vote) -> str:
        pair, difference, place = vote
        theirs = difference.theirs
        assert theirs is not None
        if difference.where == "parameter":
            where, name = difference.place.split(" ", 1)
            if where != "query":
                return f"a {where} cannot be given to a single call; extra_headers= sends it"
            raw = next(
                one
                for one in parameters(self._comparison.theirs, pair.theirs)
                if one.get("name") == name and one.get("in") == where
            )
            made = self._convert.parameter(raw, name)
            if python_name(name) in PER_CALL:
                made["x-python-name"] = python_name(name) + "_"
            place.owner.append(round_trip.new_map(made))
            return ""
        schema = self._convert.field(pair.theirs, difference.where, difference.place, place.name)
        if schema is None:
            return "it was not found where it should be; add it by hand"
        taken = PER_CALL if difference.where == "body" else MODEL_NAMES
        if python_name(place.name) in taken:
            schema["x-python-name"] = python_name(place.name) + "_"
        place.owner.setdefault("properties", round_trip.new_map())[place.name] = round_trip.new_map(schema)
        if theirs.required and difference.where == "body":
            _list_required(place.owner, place.name, required=True)
        return ""

    @staticmethod
    def _require(vote: Vote) -> str:
        theirs = vote.difference.theirs
        assert theirs is not None
        if vote.difference.where == "parameter":
            if theirs.required:
                vote.place.node["required"] = True
            else:
                vote.place.node.pop("required", None)
        else:
            _list_required(vote.place.owner, vote.place.name, required=theirs.required)
        return ""

    def _write_schema(self, vote: Vote) -> str:
        node, (ours, theirs) = self._schema(vote), (vote.difference.ours, vote.difference.theirs)
        assert ours is not None
        assert theirs is not None
        if any("x-mirror" in one or "x-time" in one for one in (vote.place.node, node)):
            return "" if not vote.difference.changes else "it is a time, or sent in query and body; change it by hand"
        if ours.type != theirs.type:
            if ours.type not in SCALARS or theirs.type not in SCALARS:
                return "change it by hand"
            node["type"] = theirs.type
        if theirs.format and ours.format != theirs.format:
            node["format"] = theirs.format
        holder = self._places.deref(node["items"]) if ours.type.startswith("array") and "items" in node else node
        listed = as_list(holder.get("enum"))
        if theirs.enum and set(map(str, listed)) != set(theirs.enum):
            if theirs.type not in ("string", "array[string]"):
                return "change it by hand"
            kept = [value for value in listed if str(value) in theirs.enum]
            values = [*kept, *(value for value in theirs.enum if value not in listed)]
            if listed:
                # In place: the list keeps its style and comments.
                for value in [one for one in listed if one not in values]:
                    holder["enum"].remove(value)
                holder["enum"].extend(values[len(holder["enum"]) :])
            else:
                holder["enum"] = round_trip.new_node(values)
        return ""


def _plainly(value: str | bool | tuple[str, ...]) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value).lower()


def _together(rows: list[str]) -> list[str]:
    """Rows that say the same of several operations as one."""
    names: dict[str, list[str]] = {}
    for row in rows:
        name, _, text = row.partition(": ")
        names.setdefault(text, []).append(name)
    return [f"{', '.join(dict.fromkeys(known))}: {text}" for text, known in names.items()]


def _list_required(owner: round_trip.Tree, name: str, *, required: bool) -> None:
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
