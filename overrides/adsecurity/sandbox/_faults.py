"""Fault injection: error statuses, dropped connections, latency, and a limit of requests per second."""

from __future__ import annotations

import math
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ._errors import ERROR_CODES, HttpError
from ._options import check_number

DROP = "drop"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a request.

    `kind` is a status code from 400 to 599 as text, or "drop" for a connection that is closed without a response;
    `chance` is its probability, from 0 to 1; `retry_after` is the value of the `Retry-After` header, in seconds.
    """

    kind: str
    chance: float = 1.0
    retry_after: float | None = None

    def to_error(self) -> HttpError:
        """The error response of a fault that is not a dropped connection."""
        status = int(self.kind)
        headers = {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}
        return HttpError(status, f"injected: {ERROR_CODES.get(status, 'fault')}", headers=headers)


def parse_fault(text: str) -> Fault:
    """`503:0.05` or `drop:0.01` as a fault; raises ValueError for anything else."""
    kind, _, chance = text.partition(":")
    if kind != DROP and not (kind.isdigit() and 400 <= int(kind) <= 599):
        raise ValueError(f"{text!r}: a fault is a status from 400 to 599 or 'drop', then ':' and its probability")
    probability = float(chance)
    if not 0 <= probability <= 1:
        raise ValueError(f"{text!r}: {chance} is not a probability")
    return Fault(kind, probability)


def parse_latency(text: str) -> float:
    """`20ms` or `1.5s` in seconds; raises ValueError for anything else."""
    for unit, seconds in (("ms", 0.001), ("s", 1.0)):
        if text.endswith(unit):
            return check_number("latency", float(text.removesuffix(unit)) * seconds)
    raise ValueError(f"{text!r}: a latency is a number with ms or s")


class FaultInjector:
    """Chooses the fault of each request: first the queued ones, then at random from its own seed."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        self._faults = tuple(faults)
        self._random = random.Random(f"faults {seed}")
        self.queued: deque[Fault] = deque()

    def next_fault(self) -> Fault | None:
        """The fault of the next request, or None when it is to be handled."""
        if self.queued:
            return self.queued.popleft()
        for fault in self._faults:
            if self._random.random() < fault.chance:
                return fault
        return None


class RateLimiter:
    """Allows a number of requests in any window of one second; 0 allows all."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._request_times: deque[float] = deque()

    def check(self) -> None:
        """Counts one request; raises HttpError 429 when the limit has been reached."""
        if not self._limit:
            return
        now = time.monotonic()
        while self._request_times and self._request_times[0] <= now - 1:
            self._request_times.popleft()
        if len(self._request_times) >= self._limit:
            wait = math.ceil(self._request_times[0] + 1 - now)
            headers = {"Retry-After": str(wait)}
            raise HttpError(429, f"more than {self._limit} requests a second", headers=headers)
        self._request_times.append(now)
