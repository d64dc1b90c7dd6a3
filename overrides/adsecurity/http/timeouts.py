"""How long one attempt may take: a time-out for each phase, and a deadline for the whole."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import httpx

from .config import CONNECT_TIMEOUT

if TYPE_CHECKING:
    from .config import Timeout

LATE = "the answer kept coming past the deadline"


def phases(timeout: Timeout) -> httpx.Timeout:
    """The time-out of each phase: a number stands for all, but connecting gets no more than its own limit."""
    if isinstance(timeout, httpx.Timeout):
        return timeout
    return httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT))


def at_most(timeout: Timeout, seconds: float) -> httpx.Timeout:
    """The same time-out, but in no phase longer than that."""
    known: dict[str, float | None] = phases(timeout).as_dict()
    return httpx.Timeout(**{name: seconds if time is None else min(time, seconds) for name, time in known.items()})


def step_timeout(timeout: float | None, deadline: float, late: type[Exception], steps: int = 1) -> float | None:
    """How long the next of `steps` on a socket may take when all must be over at `deadline`, on the monotonic clock.

    Raises `late` when that time has come: a step that finds data at once would never time out otherwise.
    """
    if deadline == math.inf:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        raise late(LATE)
    share = left / steps
    return share if timeout is None else min(timeout, share)
