"""The one-to-one pairing with the largest sum (Hungarian method), and what giving up one of its pairs would cost."""

from __future__ import annotations

from collections.abc import Sequence

_FORBIDDEN = 1e6


class Assignment:
    """The best pairing of rows and columns; a value of 0 says no more for a pair than for none at all."""

    def __init__(self, values: Sequence[Sequence[float]]) -> None:
        self._rows = len(values)
        width = max((len(row) for row in values), default=0)
        # As many columns as rows at least: who finds no partner takes one of those that are worth nothing.
        self._columns = max(width, self._rows)
        self._costs = [[-value for value in row] + [0.0] * (self._columns - len(row)) for row in values]
        self._above, self._left = [0.0] * (self._columns + 1), [0.0] * (self._rows + 1)
        self._owner = [0] * (self._columns + 1)
        for row in range(1, self._rows + 1):
            _grow(row, self._owner, self._left, self._above, self._costs)
        self.pairs = self._paired(self._owner)

    def _paired(self, owner: list[int]) -> dict[int, int]:
        taken = {row - 1: column - 1 for column, row in enumerate(owner) if row and column}
        return {row: column for row, column in sorted(taken.items()) if self._costs[row][column] < 0}

    def _sum(self, pairs: dict[int, int]) -> float:
        return -sum(self._costs[row][column] for row, column in pairs.items())

    def value(self, row: int) -> float:
        return -self._costs[row][self.pairs[row]]

    def without(self, row: int) -> tuple[float, dict[int, int]]:
        """What the best pairing in which this row has another partner, or none, is worth less; and that pairing."""
        column = self.pairs[row]
        owner, left, above = [*self._owner], [*self._left], [*self._above]
        kept, owner[column + 1] = self._costs[row][column], 0
        self._costs[row][column] = _FORBIDDEN
        _grow(row + 1, owner, left, above, self._costs)
        other = self._paired(owner)
        self._costs[row][column] = kept
        return self._sum(self.pairs) - self._sum(other), other


def _grow(row: int, owner: list[int], left: list[float], above: list[float], costs: list[list[float]]) -> None:
    """One augmenting path; index 0 stands for nothing."""
    columns = len(owner) - 1
    owner[0], column = row, 0
    least, way, done = [float("inf")] * (columns + 1), [0] * (columns + 1), [False] * (columns + 1)
    while owner[column]:
        done[column] = True
        current, delta, following = owner[column], float("inf"), 0
        line, potential = costs[current - 1], left[current]
        for j in range(1, columns + 1):
            if done[j]:
                continue
            reduced = line[j - 1] - potential - above[j]
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
