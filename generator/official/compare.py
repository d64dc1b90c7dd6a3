"""What differs between an operation of ours and its counterpart in the vendor's document.

Silence is no fact: a type, format, list of values or need that their file leaves out does not differ from ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .choices import Choices
from .document import Document
from .facts import Fact, Fields
from .match import Match, leaf
from .operations import Operation, placeholders

PAGING: Mapping[str, tuple[str, ...]] = {
    "page[number]": ("page", "pagenumber", "pageno", "pagenum", "pageindex"),
    "page[size]": ("limit", "pagesize", "perpage", "size", "pagelimit"),
    "page[after]": ("after", "cursor", "pageafter", "aftercursor", "startingafter", "nextcursor"),
    "page[before]": ("before", "pagebefore", "beforecursor", "endingbefore", "prevcursor"),
}
"""Our paging parameters, and what others are called that do the same; letters and digits alone."""


@dataclass(frozen=True)
class Difference:
    """One fact on which the two do not agree; None stands for absent."""

    where: str
    place: str
    ours: Fact | None
    theirs: Fact | None

    @property
    def changes(self) -> list[str]:
        return [] if self.ours is None or self.theirs is None else contradictions(self.ours, self.theirs)

    def __str__(self) -> str:
        if self.ours is None:
            return f"{self.where} {self.place}: only theirs ({_told(self.theirs)})"
        if self.theirs is None:
            return f"{self.where} {self.place}: only ours ({_told(self.ours)})"
        return f"{self.where} {self.place}: " + ", ".join(self.changes)


@dataclass(frozen=True)
class Renaming:
    """A query parameter that they call otherwise."""

    ours: str
    theirs: str

    def __str__(self) -> str:
        return f"parameter query {self.ours}: called {self.theirs} in theirs"


@dataclass(frozen=True)
class Comparison:
    """One of our surfaces beside what their document says of it."""

    ours: Document
    theirs: Document
    matches: Sequence[Match]
    only_theirs: Sequence[Operation]
    """Operations of theirs that are none of ours, of no surface."""
    choices: Choices = field(default_factory=Choices)
    differences: Mapping[str, Sequence[Difference]] = field(default_factory=dict[str, Sequence[Difference]], repr=False)
    renamings: Mapping[str, Sequence[Renaming]] = field(default_factory=dict[str, Sequence[Renaming]], repr=False)

    @property
    def sure(self) -> list[Match]:
        return [pair for pair in self.matches if pair.sure]

    @property
    def questions(self) -> list[Match]:
        return [pair for pair in self.matches if not pair.sure]

    @property
    def only_ours(self) -> list[Operation]:
        matched = {one.ours.key for one in self.matches}
        return [one for one in self.ours.operations if one.key not in matched]

    @property
    def foreign(self) -> bool:
        """Most of what they describe is not ours: likely another API, or a part of it that we do not have."""
        return len(self.sure) < len(self.only_theirs)


def compared(
    ours: Document, theirs: Document, matches: Sequence[Match], only_theirs: Sequence[Operation], choices: Choices
) -> Comparison:
    renamings = {one.ours.id: renamed(one) for one in matches}
    found = {one.ours.id: list(differences(one, renamings[one.ours.id])) for one in matches}
    return Comparison(ours, theirs, matches, only_theirs, choices, found, renamings)


def renamed(pair: Match) -> list[Renaming]:
    """Query parameters that only one of the two has and that are the same one, by spelling or as paging."""
    mine = [name for name, place in pair.ours.params if place == "query"]
    other = [name for name, place in pair.theirs.params if place == "query"]
    ours, theirs = [one for one in mine if one not in other], [one for one in other if one not in mine]
    found: list[Renaming] = []
    for name in ours:
        aliases = (plain(name), *PAGING.get(_role(pair.ours, name), ()))
        known = [one for alias in aliases for one in theirs if plain(one) == alias]
        if known and known[0] not in [one.theirs for one in found]:
            found.append(Renaming(name, known[0]))
    return found


def _role(operation: Operation, name: str) -> str:
    return operation.params[name, "query"].marks.get("x-paging", name)


def plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def differences(pair: Match, renamings: Sequence[Renaming] = ()) -> Iterator[Difference]:
    ours, theirs = pair.ours, pair.theirs
    names = {one.theirs: one.ours for one in renamings}
    mine = Fields({f"{place} {name}": fact for (name, place), fact in ours.params.items() if place != "path"})
    other = Fields(
        {
            f"{place} {names.get(name, name) if place == 'query' else name}": fact
            for (name, place), fact in theirs.params.items()
            if place != "path"
        }
    )
    if theirs.flat_query:
        for name, fact in other.items():
            if name in mine and mine[name].type in ("object", "map"):
                other[name] = replace(fact, type=mine[name].type)
    yield from _facts("parameter", mine, other)
    yield from _path_parameters(ours, theirs)
    yield from _fields("body", ours.body, theirs.body)
    yield from _fields("answer", _optional(ours.response), _optional(theirs.response))


def _optional(fields: Fields) -> Fields:
    """Whether an answer promises a field changes nothing for a client that takes every field as it comes."""
    found = Fields({place: replace(fact, required=False) if fact.required else fact for place, fact in fields.items()})
    found.levels = fields.levels
    return found


def _path_parameters(ours: Operation, theirs: Operation) -> Iterator[Difference]:
    """Placeholders correspond by position; what they are called is no fact."""
    mine, other = placeholders(ours.path), placeholders(theirs.path)
    if len(mine) != len(other):
        return
    for own, their in zip(mine, other, strict=True):
        left, right = ours.params.get((own, "path")), theirs.params.get((their, "path"))
        if left and right and left.type != right.type:
            yield Difference("parameter", f"path {own}", left, right)


def _fields(where: str, ours: Fields, theirs: Fields) -> Iterator[Difference]:
    """By full place, or without the envelopes where the two wrap the same fields differently."""
    if not theirs:
        return
    mine, other = bare(ours), bare(theirs)
    full = ours.keys() & theirs.keys()
    if 2 * len(full) >= len(mine.keys() & other.keys()):
        yield from _facts(where, ours, theirs)
    else:
        yield from _facts(where, mine, other)


def bare(fields: Fields) -> Fields:
    """The same without the envelope."""
    found = Fields({leaf(place): fact for place, fact in fields.items()})
    found.levels = max(1, fields.levels - 1)
    return found


def _facts(where: str, ours: Fields, theirs: Fields) -> Iterator[Difference]:
    for place in [*ours, *(place for place in theirs if place not in ours)]:
        mine, other = ours.get(place), theirs.get(place)
        if mine is None or other is None:
            parent = _parent(place)
            within = parent and ((mine is None and parent not in ours) or (other is None and parent not in theirs))
            if within or not (ours.knows(place) and theirs.knows(place)):
                continue
            # An object without fields beside the envelope's data is the envelope's, not the operation's.
            if mine is None and where == "answer" and not parent and _is_empty(place, theirs):
                continue
            # What stands in an object of which the other side says nothing is no difference but that silence.
            if other is None and parent and _is_empty(parent, theirs, any_type=True):
                continue
            yield Difference(where, place, mine, other)
        elif contradictions(mine, other):
            yield Difference(where, place, mine, other)


def _parent(place: str) -> str:
    return place.rpartition(".")[0].removesuffix("[]")


def _is_empty(place: str, fields: Fields, *, any_type: bool = False) -> bool:
    """Whether nothing is said of what stands in an object."""
    vague = any_type or fields[place].type in ("any", "object")
    return vague and not any(one.startswith((f"{place}.", f"{place}[].")) for one in fields)


def _told(fact: Fact | None) -> str:
    assert fact is not None
    words = [fact.type]
    words += [fact.format] if fact.format else []
    words += ["required"] if fact.required else []
    words += ["one of " + ", ".join(fact.enum)] if fact.enum else []
    return ", ".join(words)


_VAGUE = {"any", "object", "array", "array[any]", "array[object]"}


def _is_silent(ours: str, theirs: str) -> bool:
    """Whether their type says less than ours, and nothing else."""
    if theirs == "any":
        return True
    if theirs in _VAGUE:
        return ours.startswith("array") == theirs.startswith("array") and ours.startswith(("array", "map", "object"))
    return False


def contradictions(ours: Fact, theirs: Fact) -> list[str]:
    """What both say, and say differently."""
    out: list[str] = []
    if ours.type != theirs.type and not _is_silent(ours.type, theirs.type):
        out.append(f"{ours.type} in ours, {theirs.type} in theirs")
    if theirs.required and not ours.required:
        out.append("required in theirs")
    elif ours.required and theirs.optional:
        out.append("required in ours")
    if theirs.format and ours.format != theirs.format:
        out.append(f"format {ours.format or 'none'} in ours, {theirs.format} in theirs")
    if theirs.enum and set(ours.enum) != set(theirs.enum):
        more, less = [v for v in theirs.enum if v not in ours.enum], [v for v in ours.enum if v not in theirs.enum]
        out += [f"values only theirs: {', '.join(more)}"] if more else []
        out += [f"values only ours: {', '.join(less)}"] if less else []
    return out
