"""How long one attempt may take: a time-out for each phase, and a deadline for the whole."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx

from .config import CONNECT_TIMEOUT

if TYPE_CHECKING:
    from .config import Timeout

LATE = "the answer kept coming past the deadline"


class Within(float):
    """A time-out in seconds that also knows when the whole attempt must be over: it travels down to the socket."""

    __slots__ = ("stop",)
    stop: float

    @classmethod
    def of(cls, timeout: httpx.Timeout, stop: float) -> httpx.Timeout:
        """The same time-outs, all of which know."""
        phases = {name: None if most is None else cls(most) for name, most in timeout.as_dict().items()}
        for phase in phases.values():
            if phase is not None:
                phase.stop = stop
        return httpx.Timeout(**phases)


def left(timeout: float | None) -> float | None:
    """How long one step may take now."""
    if isinstance(timeout, Within):
        # Never 0, which would not wait even for what is there.
        return max(min(timeout, timeout.stop - time.monotonic()), 0.001)
    return timeout


def phases(timeout: Timeout) -> httpx.Timeout:
    """The time-out of each phase: a number stands for all, but nobody waits that long for a connection."""
    if isinstance(timeout, httpx.Timeout):
        return timeout
    return httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT))


def at_most(timeout: Timeout, seconds: float) -> httpx.Timeout:
    """The same time-out, but in no phase longer than that."""
    known: dict[str, float | None] = phases(timeout).as_dict()
    return httpx.Timeout(**{name: seconds if time is None else min(time, seconds) for name, time in known.items()})
