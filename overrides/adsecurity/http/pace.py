"""The arithmetic of a rate limit: how fast requests went, how fast they may go, when the next one may leave.

Calculators without I/O. Each is given the time, so each can be tested alone.
"""

from __future__ import annotations

from collections import deque

SLOWEST = 0.5
"""Requests a second: no client gets slower than this."""
_CUT = 0.85
_GROWTH = 0.2
_REMEMBERED = 1024
_SAVED = 0.1  # seconds
_EXACT = 0.001  # seconds


class RateMeter:
    """Measures the pace that the server let through: requests that were sent and not answered with 429."""

    def __init__(self) -> None:
        self._sent: deque[float] = deque(maxlen=_REMEMBERED)
        self.add = self._sent.append
        """Takes the time at which such a request was sent. Called for every answer, so it is the bare append."""

    def rate(self, end: float, seconds: float) -> float:
        """Requests a second, over so many seconds before `end`."""
        # Copied in one step: other threads go on adding.
        sent = [time for time in list(self._sent) if end - seconds < time <= end]
        if len(sent) == _REMEMBERED:
            # There were more, further back, which are forgotten.
            seconds = max(end - min(sent), 1e-3)
        return len(sent) / seconds


class CubicGrowth:
    """How fast requests may go after a 429: at first a little slower than what was let through, then faster.

    The pace is a cubic function of time, as in TCP CUBIC: it returns to the peak quickly, stays near it for a while,
    because the limit probably still lies there, and then rises steeply, because it probably does not.
    """

    def __init__(self, peak: float, since: float) -> None:
        self.peak = peak
        """Requests a second that were let through before."""
        self.since = since
        """When requests were allowed to go on."""
        self.plateau: float = (peak * (1 - _CUT) / _GROWTH) ** (1 / 3)
        """Seconds until the peak is reached again."""

    def rate(self, now: float) -> float:
        """Requests a second at this time."""
        after = max(now - self.since, 0.0) - self.plateau
        return self.peak + _GROWTH * after * after * after

    def when(self, requests: float, start: float) -> float:
        """The time by which so many more requests may have been sent, from `start` on."""
        # The pace never falls, so it takes no longer than at the pace of the start.
        low, high = start, start + requests / self.rate(start)
        if requests > 1:
            due = self._sent_by(start) + requests
            while high - low > _EXACT:
                middle = (low + high) / 2
                low, high = (middle, high) if self._sent_by(middle) < due else (low, middle)
        return high

    def _sent_by(self, now: float) -> float:
        """The integral of the pace, up to a constant."""
        after = now - self.since
        if after <= 0:
            return self.rate(now) * after
        return self.peak * after + _GROWTH / 4 * ((after - self.plateau) ** 4 - self.plateau**4)


class TokenBucket:
    """Hands out one token for each request, at a given pace.

    Tokens that nobody takes are kept for a tenth of a second: enough for a thread that wakes a little late, too few
    for a burst.
    """

    def __init__(self) -> None:
        self._next = float("-inf")

    def hold(self, until: float) -> None:
        """Hand out nothing before this time."""
        self._next = max(self._next, until)

    def discard(self, now: float) -> None:
        """Nobody waits: throw away what has gathered."""
        self._next = max(self._next, now - _SAVED)

    def due(self, ahead: int, pace: CubicGrowth) -> float:
        """When there is a token for a request that has so many others ahead of it."""
        return pace.when(ahead, self._next)

    def take(self, pace: CubicGrowth, now: float) -> None:
        """Take the next token."""
        self._next = max(pace.when(1, self._next), now - _SAVED)
