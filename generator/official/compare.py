"""What differs between an operation of ours and its counterpart in the vendor's document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .document import Document
from .facts import Fact
from .match import Match, leaf, match
from .operations import Operation, placeholders
from .references import DocumentError


@dataclass(frozen=True)
class Difference:
    """One fact on which the two do not agree; None stands for absent."""

    where: str
    place: str
    ours: Fact | None
    theirs: Fact | None

    def __str__(self) -> str:
        if self.ours is None:
            return f"{self.where} {self.place}: only theirs ({_told(self.theirs)})"
        if self.theirs is None:
            return f"{self.where} {self.place}: only ours ({_told(self.ours)})"
        return f"{self.where} {self.place}: " + ", ".join(_changes(self.ours, self.theirs))


@dataclass(frozen=True)
class Comparison:
    """Two documents side by side."""

    ours: Document
    theirs: Document
    matches: Sequence[Match]
    differences: Mapping[str, Sequence[Difference]] = field(repr=False)

    @property
    def only_ours(self) -> list[Operation]:
        matched = {one.ours.key for one in self.matches}
        return [one for one in self.ours.operations if one.key not in matched]

    @property
    def only_theirs(self) -> list[Operation]:
        matched = {one.theirs.key for one in self.matches}
        return [one for one in self.theirs.operations if one.key not in matched]

    @property
    def foreign(self) -> bool:
        """Most of what they describe is not ours: likely another API, or a part of it that we do not have."""
        return 2 * len(self.matches) < len(self.theirs.operations)


def compare(ours: Document, theirs: Document) -> Comparison:
    matches = match(ours.operations, theirs.operations)
    return Comparison(ours, theirs, matches, {one.ours.id: list(differences(one)) for one in matches})


def best(candidates: Sequence[Document], theirs: Document) -> Comparison:
    """The comparison with the one of our surfaces that the document describes."""
    compared = [compare(ours, theirs) for ours in candidates]
    chosen = max(compared, key=lambda one: sum(pair.score for pair in one.matches))
    if not chosen.matches:
        names = " and ".join(one.source for one in candidates)
        raise DocumentError(
            f"{theirs.source}: none of its {len(theirs.operations)} operations is one of ours ({names}); "
            "is it the description of another API?"
        )
    return chosen


def differences(pair: Match) -> Iterator[Difference]:
    ours, theirs = pair.ours, pair.theirs
    mine = {f"{place} {name}": fact for (name, place), fact in ours.params.items() if place != "path"}
    other = {f"{place} {name}": fact for (name, place), fact in theirs.params.items() if place != "path"}
    if theirs.flat_query:
        other = {
            name: replace(fact, type="object") if name in mine and mine[name].type == "object" else fact
            for name, fact in other.items()
        }
    yield from _facts("parameter", mine, other)
    yield from _path_parameters(ours, theirs)
    yield from _fields("body", ours.body, theirs.body)
    yield from _fields("answer", _optional(ours.response), _optional(theirs.response))


def _optional(fields: Mapping[str, Fact]) -> dict[str, Fact]:
    """Whether an answer promises a field changes nothing for a client that takes every field as it comes."""
    return {place: replace(fact, required=False) for place, fact in fields.items()}


def _path_parameters(ours: Operation, theirs: Operation) -> Iterator[Difference]:
    """Placeholders correspond by position; what they are called is no fact."""
    mine, other = placeholders(ours.path), placeholders(theirs.path)
    if len(mine) != len(other):
        return
    for own, their in zip(mine, other, strict=True):
        left, right = ours.params.get((own, "path")), theirs.params.get((their, "path"))
        if left and right and left.type != right.type:
            yield Difference("parameter", f"path {own}", left, right)


def _fields(where: str, ours: Mapping[str, Fact], theirs: Mapping[str, Fact]) -> Iterator[Difference]:
    """By full place, or without the envelopes where the two wrap the same fields differently."""
    mine = {leaf(place): fact for place, fact in ours.items()}
    other = {leaf(place): fact for place, fact in theirs.items()}
    full, bare = ours.keys() & theirs.keys(), mine.keys() & other.keys()
    if 2 * len(full) >= len(bare):
        yield from _facts(where, ours, theirs)
    else:
        yield from _facts(where, mine, other)


def _facts(where: str, ours: Mapping[str, Fact], theirs: Mapping[str, Fact]) -> Iterator[Difference]:
    for place in [*ours, *(place for place in theirs if place not in ours)]:
        mine, other = ours.get(place), theirs.get(place)
        if mine is None or other is None or _changes(mine, other):
            parent = place.rpartition(".")[0].removesuffix("[]")
            missing_with_parent = parent and (
                (mine is None and parent not in ours) or (other is None and parent not in theirs)
            )
            if not missing_with_parent:
                yield Difference(where, place, mine, other)


def _told(fact: Fact | None) -> str:
    assert fact is not None
    words = [fact.type]
    words += [fact.format] if fact.format else []
    words += ["required"] if fact.required else []
    words += ["one of " + ", ".join(fact.enum)] if fact.enum else []
    return ", ".join(words)


def _changes(ours: Fact, theirs: Fact) -> list[str]:
    out: list[str] = []
    if ours.type != theirs.type:
        out.append(f"{ours.type} in ours, {theirs.type} in theirs")
    if ours.required != theirs.required:
        out.append("required in theirs" if theirs.required else "required in ours")
    if ours.format != theirs.format:
        out.append(f"format {ours.format or 'none'} in ours, {theirs.format or 'none'} in theirs")
    if set(ours.enum) != set(theirs.enum):
        more, less = [v for v in theirs.enum if v not in ours.enum], [v for v in ours.enum if v not in theirs.enum]
        out += [f"values only theirs: {', '.join(more)}"] if more else []
        out += [f"values only ours: {', '.join(less)}"] if less else []
    return out


def report(comparison: Comparison) -> str:
    """The printed comparison: counts, routes, then each difference once with the operations that show it."""
    ours, theirs = comparison.ours, comparison.theirs
    twins = [pair for pair in comparison.matches if pair.twin]
    lines = [
        f"{ours.source} ({ours.title}) against {theirs.source} ({theirs.title}, {len(theirs.operations)} operations)",
        f"{len(comparison.matches)} of our {len(ours.operations)} operations found, "
        f"{len(comparison.only_theirs)} only theirs, {len(comparison.only_ours)} only ours",
    ]
    if comparison.foreign:
        lines.append("fewer than half of theirs are ours: perhaps the description of another API")
    moved = [pair for pair in comparison.matches if pair.ours.shape != pair.theirs.shape and not pair.twin]
    lines += _section("routes that differ", [f"{p.ours.name}: {p.ours.route} -> {p.theirs.route}" for p in moved])
    lines += _section(
        "cannot be told apart by what they are (take the route over by hand)",
        [f"{pair.ours.name}: {pair.ours.route}, perhaps {pair.theirs.route}" for pair in twins],
    )
    seen: dict[str, list[str]] = {}
    for pair in comparison.matches:
        for difference in comparison.differences[pair.ours.id]:
            seen.setdefault(str(difference), []).append(pair.ours.name)
    lines += _section("facts that differ", [f"{text}  [{', '.join(names)}]" for text, names in seen.items()])
    lines += _section("only theirs", [f"{one.route}  {one.id}".rstrip() for one in comparison.only_theirs])
    lines += _section("only ours", [f"{one.name}: {one.route}" for one in comparison.only_ours])
    if len(lines) == 2 + comparison.foreign:
        lines.append("no difference")
    return "\n".join(lines)


def _section(title: str, rows: list[str]) -> list[str]:
    return ["", f"{title} ({len(rows)}):", *(f"  {row}" for row in rows)] if rows else []
