"""Which operation of another document is which of ours: by method, fields, parameters and place.

Names are weak evidence: one word in ten. What tells two operations apart is what goes in and what comes out; what tells
twins apart (six collections are deleted with the same body) is their family, the operations that share their path.
A pair counts as found only if every other way to pair the two documents is clearly worse; otherwise it is a question.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from .assignment import Assignment
from .facts import words as words_of
from .operations import Operation, is_placeholder

ENOUGH = 0.5
"""A pair below this is no match."""
SURE = 0.04
"""A pairing that is worth less than this more than the next best one is a question."""
ALONE = 0.18
"""So much better than no match at all a pair has to be."""
ALONE_AND_KNOWN = 0.03
"""The same for an operation of theirs that has fields of ours and hardly any others."""
_TELLING = 2.4
NONE = "none of theirs"
_NEAR = 0.4
_SETTLED = 3.0
_COMMON = 0.2
_ROUNDS = 3
_WRAPPERS = re.compile(r"^(?:(?:data|result|results|items|rows|list|payload|response)(?:\[\])?\.?)+|^\[\]\.?")
_VERSION = re.compile(r"v\d+|api|rest")
_METHODS: Mapping[frozenset[str], float] = {
    frozenset(("put", "patch")): 0.8,
    frozenset(("post", "put")): 0.4,
    frozenset(("post", "patch")): 0.4,
    frozenset(("post", "delete")): 0.4,
    frozenset(("get", "post")): 0.4,
}


@dataclass(frozen=True)
class Match:
    ours: Operation
    theirs: Operation
    score: float
    rivals: tuple[str, ...] = ()
    """What speaks against it: their routes that are nearly as likely, or words where it is the pair itself."""

    @property
    def sure(self) -> bool:
        return not self.rivals


class _Vocabulary(dict[str, int]):
    """Each name as one bit, so that two sets of names are compared by two machine operations."""

    common = 0
    """Names that many operations have: they say little for two being the same."""

    def mask(self, names: set[str]) -> int:
        mask = 0
        for name in names:
            mask |= 1 << self.setdefault(name, len(self))
        return mask

    def places(self, found: Iterable[str], known: frozenset[str] | None) -> int:
        """The mask of fields; of those below an object that none of ours has, that object says enough."""
        leaves = set(map(leaf, found))
        if known is not None:
            leaves = {one for one in leaves if not (above := _above(one)) or above in known}
        return self.mask(leaves)

    def learn_common(self, masks: Sequence[int]) -> None:
        for bit in range(max((mask.bit_length() for mask in masks), default=0)):
            if sum(mask >> bit & 1 for mask in masks) >= max(_COMMON * len(masks), 4):
                self.common |= 1 << bit

    def weight(self, mask: int) -> float:
        common = (mask & self.common).bit_count()
        return mask.bit_count() - common + 0.25 * common

    def overlap(self, left: int, right: int) -> float:
        """How much of both is in both, and how much of the smaller one: either may leave fields out."""
        both = self.weight(left & right)
        if not both:
            return 0.0
        mine, other = self.weight(left), self.weight(right)
        return 0.75 * both / (mine + other - both) + 0.25 * both / min(mine, other)


@dataclass(frozen=True)
class Features:
    """What an operation is, without what it is called."""

    method: str
    static: tuple[str, ...]
    holes: int
    ends_in_id: bool
    query: int
    body: int
    response: int
    words: int
    shape: tuple[str, ...]

    @classmethod
    def of(cls, operation: Operation, vocabulary: _Vocabulary, known: frozenset[str] | None = None) -> Features:
        parts = [part for part in operation.path.split("/") if part]
        shape = ["{}" if is_placeholder(part) else part for part in parts]
        body, answer = operation.first_places
        return cls(
            method=operation.method,
            static=tuple(
                word
                for part in parts
                if not is_placeholder(part) and not _VERSION.fullmatch(part.lower())
                for word in words_of(part)
            ),
            holes=shape.count("{}"),
            ends_in_id=shape[-1:] == ["{}"],
            query=vocabulary.mask({name for name, place in operation.params if place != "path"}),
            body=vocabulary.places(body, known),
            response=vocabulary.places(answer, known),
            words=vocabulary.mask({f"word {word}" for word in operation.words}),
            shape=tuple(shape),
        )


@lru_cache(maxsize=1 << 16)
def leaf(place: str) -> str:
    """A field's place without the envelope, which one description spells out and the next leaves away."""
    return _WRAPPERS.sub("", place) or place


def _above(place: str) -> str:
    return leaf(place.rpartition(".")[0].removesuffix("[]")) if "." in place else ""


@lru_cache(maxsize=1 << 16)
def _path_likeness(left: tuple[str, ...], right: tuple[str, ...]) -> float:
    return SequenceMatcher(None, left, right).ratio()


def similarity(left: Features, right: Features, vocabulary: _Vocabulary) -> float:
    """0 to 1: how much speaks for the two being one operation."""
    method = 1.0 if left.method == right.method else _METHODS.get(frozenset((left.method, right.method)), 0.0)
    total, weights = 2.0 * method, 2.0
    for weight, mine, other in (
        (2.0, left.query, right.query),
        (3.0, left.body, right.body),
        (3.0, left.response, right.response),
    ):
        if mine or other:
            total += weight * vocabulary.overlap(mine, other)
            weights += weight
    # That names are alike says more than that they are not: names are what changes.
    likeness, words = _path_likeness(left.static, right.static), vocabulary.overlap(left.words, right.words)
    total += likeness * (1.0 + likeness) + words * (0.5 + words / 2)
    weights += 1.5 + likeness + words / 2
    total += 1.0 if left.holes == right.holes else 0.0
    if left.method == right.method and left.shape == right.shape:
        total, weights = total + 2.0, weights + 2.0
    return total / (weights + 1.0)


def match(
    ours: Sequence[Operation], theirs: Sequence[Operation], answers: Mapping[int, Operation | None] | None = None
) -> list[Match]:
    """The best pairing as a whole, in the order of ours; what has no counterpart is left out.

    `answers` are pairs that somebody has settled, by the place of ours in its list.
    """
    answers = answers or {}
    vocabulary = _Vocabulary()
    mine = [Features.of(one, vocabulary) for one in ours]
    known = frozenset(vocabulary)
    other = [Features.of(one, vocabulary, known) for one in theirs]
    vocabulary.learn_common([one.response for one in mine if one.response])
    base = [[similarity(left, right, vocabulary) for right in other] for left in mine]
    columns = {one.key: j for j, one in enumerate(theirs)}
    for i, answer in answers.items():
        base[i] = [0.0] * len(theirs)
        if answer is not None:
            for row in base:
                row[columns[answer.key]] = 0.0
            base[i][columns[answer.key]] = _SETTLED
    near = [j for j in range(len(other)) if any(row[j] >= _NEAR for row in base)]
    there = [other[j] for j in near]
    return _Matcher(
        ours, [theirs[j] for j in near], [[row[j] for j in near] for row in base], mine, there, vocabulary
    ).run()


class _Matcher:
    def __init__(
        self,
        ours: Sequence[Operation],
        theirs: Sequence[Operation],
        base: list[list[float]],
        mine: list[Features],
        other: list[Features],
        vocabulary: _Vocabulary,
    ) -> None:
        self._ours, self._theirs, self._base = ours, theirs, base
        self._vocabulary, self._features = vocabulary, (mine, other)
        self._mine, self._other = _relatives(mine), _relatives(other)
        self._found = _assigned(base)
        self._several = len({id(one.document) for one in ours}) > 1
        self._areas = [one.key[0].strip("/").partition("/")[0] for one in theirs]

    def run(self) -> list[Match]:
        scores = self._base
        for _ in range(_ROUNDS):
            pairs = self._found.pairs
            areas = self._shares()
            scores = [
                [self._with_family(value, i, j, areas) if value > _NEAR else value for j, value in enumerate(row)]
                for i, row in enumerate(self._base)
            ]
            self._found = _assigned(scores)
            if self._found.pairs == pairs:
                break
        rivals = {i: self._rivals(i) for i in self._found.pairs}
        for i in self._groundless({i for i, found in rivals.items() if not found}):
            rivals[i] = (NONE,)
        return [
            Match(self._ours[i], self._theirs[j], round(min(scores[i][j], 1.0), 3), rivals[i])
            for i, j in self._found.pairs.items()
        ]

    def _groundless(self, sure: set[int]) -> set[int]:
        """Twins that only their family tells apart, where the family stands on nothing that is sure by itself."""
        pairs = self._found.pairs
        twins = {
            i
            for i in sure
            if self._mine[i]
            and any(k != i and self._base[k][pairs[i]] > self._base[i][pairs[i]] - SURE for k in range(len(self._ours)))
        }
        grounded, more = set[int](), sure - twins
        while more:
            grounded |= more
            more = {
                i
                for i in twins - grounded
                if any(k in grounded and pairs[k] in self._other[pairs[i]] for k in self._mine[i])
            }
        return twins - grounded

    def _shares(self) -> dict[tuple[str, int], float]:
        """With several documents of ours: how much of each area of theirs belongs to which of them."""
        counts: dict[str, Counter[int]] = {}
        for i, j in self._found.pairs.items():
            counts.setdefault(self._areas[j], Counter())[id(self._ours[i].document)] += 1
        return {(area, one): n / sum(count.values()) for area, count in counts.items() for one, n in count.items()}

    def _with_family(self, value: float, i: int, j: int, areas: Mapping[tuple[str, int], float]) -> float:
        """Relatives of theirs matched to relatives of ours speak for the pair, those matched elsewhere against it."""
        mine, related = self._mine[i], self._other[j]
        if self._several:
            share = areas.get((self._areas[j], id(self._ours[i].document)), 0.0)
            value = (value * 10 + 3 * share) / 13
        votes = [k in mine for k, partner in self._found.pairs.items() if partner in related and k != i]
        return value if not votes else (value * 10 + 3 * sum(votes) / len(votes)) / 13

    def _rivals(self, row: int) -> tuple[str, ...]:
        """Their routes that this operation of ours could have as well, at next to no cost."""
        chosen = self._found.pairs[row]
        cost, other = self._found.without(row)
        if cost < SURE:
            # Without a partner of its own, another one of ours would have taken this one's.
            return (self._theirs[other[row]].route if row in other else NONE,)
        if self._found.value(row) < (ALONE_AND_KNOWN if self._is_part(row, chosen) else ALONE):
            return (NONE,)
        value, areas = self._base[row][chosen], self._shares() if self._several else {}
        document = id(self._ours[row].document)

        def apart(column: int) -> bool:
            """Whether another document of ours has that part of theirs."""
            here, there = (areas.get((self._areas[one], document), 0.0) for one in (chosen, column))
            return there + 0.3 < here

        return tuple(
            self._theirs[column].route
            for column, rival in enumerate(self._base[row])
            if column != chosen and rival > value - SURE and not apart(column) and self._is_family_as_good(row, column)
        )[:3]

    def _is_part(self, row: int, column: int) -> bool:
        """Whether theirs has little that ours has not, and enough that few others have."""
        ours, theirs = self._features[0][row], self._features[1][column]
        if ours.method != theirs.method or ours.holes != theirs.holes:
            return False
        weight = self._vocabulary.weight
        known = weight(theirs.body & ours.body) + weight(theirs.response & ours.response)
        unknown = weight(theirs.body & ~ours.body) + weight(theirs.response & ~ours.response)
        return known >= _TELLING and unknown * 3 <= known

    def _is_family_as_good(self, row: int, column: int) -> bool:
        """Whether the whole family could have moved with it: then that the relatives agree proves nothing."""
        relatives = [k for k in self._mine[row] if k in self._found.pairs]
        there = self._other[column]
        if not relatives or not there:
            return False
        best = sum(max(self._base[k][column] for column in there) for k in relatives)
        return best > sum(self._base[k][self._found.pairs[k]] for k in relatives) - SURE * len(relatives)


def _assigned(scores: list[list[float]]) -> Assignment:
    return Assignment([[max(value - ENOUGH, 0.0) for value in row] for row in scores])


def _relatives(features: list[Features]) -> list[set[int]]:
    """For each operation those on the same collection: the collection itself, its items, what is done to it."""
    known = {one.shape for one in features}
    groups: dict[tuple[str, ...], set[int]] = {}
    homes: list[tuple[str, ...]] = []
    for index, one in enumerate(features):
        home = one.shape[:-1] if one.ends_in_id else one.shape
        # `/users/bulk-delete` is done to `/users`, where there is such a collection.
        if home == one.shape and len(home) > 1 and home[-2] != "{}" and home[:-1] in known:
            home = home[:-1]
        homes.append(home)
        groups.setdefault(home, set()).add(index)
    return [groups[home] - {index} for index, home in enumerate(homes)]
