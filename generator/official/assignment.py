"""The one-to-one pairing with the largest sum (Hungarian method), and what giving up one of its pairs would cost."""

from __future__ import annotations

from collections.abc import Sequence

_FORBIDDEN = 1e6


class Assignment:
    """The best pairing of rows and columns; a value of 0 says no more for a pair than for none at all."""

    def __init__(self, values: Sequence[Sequence[float]]) -> None:
        rows = len(values)
        # A column that is worth nothing to any row could as well not be there, and most of a foreign document is so.
        self._kept = [column for column, worth in enumerate(zip(*values, strict=True)) if max(worth) > 0]
        # Who finds no partner takes one of those behind them, which are worth nothing.
        columns = len(self._kept) + rows
        self._costs = [[*(-row[column] for column in self._kept), *[0.0] * rows] for row in values]
        self._above, self._left = [0.0] * (columns + 1), [0.0] * (rows + 1)
        self._owner = [0] * (columns + 1)
        for row in range(1, rows + 1):
            _grow(row, self._owner, self._left, self._above, self._costs)
        self._places = self._paired(self._owner)
        self.pairs = self._named(self._places)

    def _paired(self, owner: list[int]) -> dict[int, int]:
        """For each row that has one, the place of its partner among the columns that are kept."""
        taken = {row - 1: place - 1 for place, row in enumerate(owner) if row and place}
        return {row: place for row, place in sorted(taken.items()) if self._costs[row][place] < 0}

    def _named(self, places: dict[int, int]) -> dict[int, int]:
        return {row: self._kept[place] for row, place in places.items()}

    def _sum(self, places: dict[int, int]) -> float:
        return -sum(self._costs[row][place] for row, place in places.items())

    def value(self, row: int) -> float:
        return -self._costs[row][self._places[row]]

    def without(self, row: int) -> tuple[float, dict[int, int]]:
        """What the best pairing in which this row has another partner, or none, is worth less; and that pairing."""
        place = self._places[row]
        owner, left, above = [*self._owner], [*self._left], [*self._above]
        kept, owner[place + 1] = self._costs[row][place], 0
        self._costs[row][place] = _FORBIDDEN
        _grow(row + 1, owner, left, above, self._costs)
        other = self._paired(owner)
        self._costs[row][place] = kept
        return self._sum(self._places) - self._sum(other), self._named(other)


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
