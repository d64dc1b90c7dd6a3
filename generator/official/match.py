"""Which operation of another document is which of ours: by method, fields, parameters and place.

Names are weak evidence: one word in ten. What tells two operations apart is what goes in and what comes out; what tells
twins apart (six collections are deleted with the same body) is their family, the operations that share their path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from .operations import Operation, is_placeholder

ENOUGH = 0.5
"""A pair below this is no match."""
SURE = 0.02
"""Two pairs whose exchange would cost less than this are twins: nothing in the files tells them apart."""
_ROUNDS = 3
_WRAPPERS = re.compile(r"^(?:(?:data|result|results|items|rows|list|payload|response)(?:\[\])?\.?)+|^\[\]\.?")
_METHODS: Mapping[frozenset[str], float] = {
    frozenset(("put", "patch")): 0.8,
    frozenset(("post", "put")): 0.4,
    frozenset(("post", "patch")): 0.4,
    frozenset(("get", "post")): 0.4,
}


@dataclass(frozen=True)
class Match:
    ours: Operation
    theirs: Operation
    score: float
    twin: bool


@dataclass(frozen=True)
class Features:
    """What an operation is, without what it is called."""

    method: str
    static: tuple[str, ...]
    holes: int
    query: frozenset[str]
    body: frozenset[str]
    response: frozenset[str]
    words: frozenset[str]
    family: tuple[str, str]

    @classmethod
    def of(cls, operation: Operation) -> Features:
        parts = operation.path.strip("/").split("/")
        shape = ["{}" if is_placeholder(part) else part for part in parts]
        return cls(
            method=operation.method,
            static=tuple(re.sub(r"[-_]", "", part.lower()) for part in parts if not is_placeholder(part)),
            holes=shape.count("{}"),
            query=frozenset(name for name, place in operation.params if place != "path"),
            body=frozenset(map(leaf, operation.body)),
            response=frozenset(map(leaf, operation.response)),
            words=operation.words,
            family=("/".join(shape), "/".join(shape[:-1] if shape[-1] == "{}" else [*shape, "{}"])),
        )


def leaf(place: str) -> str:
    """A field's place without the envelope, which one description spells out and the next leaves away."""
    return _WRAPPERS.sub("", place) or place


def _overlap(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / len(left | right)


def similarity(left: Features, right: Features) -> float:
    """0 to 1: how much speaks for the two being one operation."""
    same_method = left.method == right.method
    parts = [(2.0, 1.0 if same_method else _METHODS.get(frozenset((left.method, right.method)), 0.0))]
    for weight, mine, other in (
        (2.0, left.query, right.query),
        (3.0, left.body, right.body),
        (3.0, left.response, right.response),
        (1.0, left.words, right.words),
    ):
        if mine or other:
            parts.append((weight, _overlap(mine, other)))
    parts.append((2.0, SequenceMatcher(None, left.static, right.static).ratio()))
    parts.append((1.0, 1.0 if left.holes == right.holes else 0.0))
    return sum(weight * value for weight, value in parts) / sum(weight for weight, _ in parts)


def match(ours: Sequence[Operation], theirs: Sequence[Operation]) -> list[Match]:
    """The best pairing as a whole, in the order of ours; what has no counterpart is left out."""
    mine, other = [Features.of(one) for one in ours], [Features.of(one) for one in theirs]
    base = [[similarity(left, right) for right in other] for left in mine]
    scores = base
    pairs = _pairs(scores)
    for _ in range(_ROUNDS):
        scores = [
            [_with_family(value, i, j, mine, other, pairs) for j, value in enumerate(row)] for i, row in enumerate(base)
        ]
        again = _pairs(scores)
        if again == pairs:
            break
        pairs = again
    return [
        Match(ours[i], theirs[j], round(scores[i][j], 3), _has_twin(i, j, pairs, scores))
        for i, j in sorted(pairs.items())
    ]


def _pairs(scores: list[list[float]]) -> dict[int, int]:
    chosen = assign(scores)
    return {i: j for i, j in chosen.items() if scores[i][j] >= ENOUGH}


def _with_family(
    value: float, i: int, j: int, mine: list[Features], other: list[Features], pairs: Mapping[int, int]
) -> float:
    """Relatives of theirs matched to relatives of ours speak for the pair, those matched elsewhere against it."""
    related = _relatives(other, j)
    votes = [k in _relatives(mine, i) for k, partner in pairs.items() if partner in related and k != i]
    return value if not votes else (value * 10 + 3 * sum(votes) / len(votes)) / 13


def _relatives(features: list[Features], index: int) -> set[int]:
    family = set(features[index].family)
    return {k for k, one in enumerate(features) if k != index and one.family[0] in family}


def _has_twin(i: int, j: int, pairs: Mapping[int, int], scores: list[list[float]]) -> bool:
    """Could the partner be exchanged with another pair's, or with an operation nobody took, at no cost?"""
    for k, partner in pairs.items():
        if k != i and scores[i][partner] + scores[k][j] > scores[i][j] + scores[k][partner] - SURE:
            return True
    taken = set(pairs.values())
    return any(value > scores[i][j] - SURE for other, value in enumerate(scores[i]) if other not in taken)


def assign(scores: list[list[float]]) -> dict[int, int]:
    """The one-to-one pairing with the largest sum (Hungarian method, O(n³))."""
    if not scores or not scores[0]:
        return {}
    if len(scores) > len(scores[0]):
        turned = assign([[row[j] for row in scores] for j in range(len(scores[0]))])
        return {i: j for j, i in turned.items()}
    rows, columns = len(scores), len(scores[0])
    above, left = [0.0] * (columns + 1), [0.0] * (rows + 1)
    owner = [0] * (columns + 1)
    for row in range(1, rows + 1):
        _grow(row, owner, left, above, lambda i, j: -scores[i - 1][j - 1])
    return {owner[j] - 1: j - 1 for j in range(1, columns + 1) if owner[j]}


def _grow(row: int, owner: list[int], left: list[float], above: list[float], cost: Callable[[int, int], float]) -> None:
    """One augmenting path; index 0 stands for nothing."""
    columns = len(owner) - 1
    owner[0], column = row, 0
    least, way, done = [float("inf")] * (columns + 1), [0] * (columns + 1), [False] * (columns + 1)
    while owner[column]:
        done[column] = True
        current, delta, following = owner[column], float("inf"), 0
        for j in range(1, columns + 1):
            if done[j]:
                continue
            reduced = cost(current, j) - left[current] - above[j]
            if reduced < least[j]:
                least[j], way[j] = reduced, column
            if least[j] < delta:
                delta, following = least[j], j
        for j in range(columns + 1):
            if done[j]:
                left[owner[j]] += delta
                above[j] -= delta
            else:
                least[j] -= delta
        column = following
    while column:
        owner[column] = owner[way[column]]
        column = way[column]
