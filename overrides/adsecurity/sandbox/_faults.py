"""Trouble on request: error statuses, dropped connections, latency, a limit of requests a second."""

from __future__ import annotations

import math
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ._errors import CODES, Refusal
from ._options import checked

DROP = "drop"


@dataclass(frozen=True)
class Fault:
    """What befalls a request: a status, or a connection that ends (`drop`)."""

    kind: str
    chance: float = 1.0
    retry_after: float | None = None

    def refusal(self) -> Refusal:
        status = int(self.kind)
        headers = {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}
        return Refusal(status, f"injected: {CODES.get(status, 'fault')}", headers=headers)


def parse_fault(text: str) -> Fault:
    """`503:0.05` or `drop:0.01`; raises ValueError for anything else."""
    kind, _, chance = text.partition(":")
    if kind != DROP and not (kind.isdigit() and 400 <= int(kind) <= 599):
        raise ValueError(f"{text!r}: a fault is a status from 400 to 599 or 'drop', then ':' and its probability")
    probability = float(chance)
    if not 0 <= probability <= 1:
        raise ValueError(f"{text!r}: {chance} is not a probability")
    return Fault(kind, probability)


def parse_latency(text: str) -> float:
    """`20ms` or `1.5s` in seconds."""
    for unit, factor in (("ms", 0.001), ("s", 1.0)):
        if text.endswith(unit):
            return checked("latency", float(text.removesuffix(unit)) * factor)
    raise ValueError(f"{text!r}: a latency is a number with ms or s")


class Faults:
    """Decides, from its own seed, what goes wrong with which request."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        self._faults = tuple(faults)
        self._random = random.Random(f"faults {seed}")
        self.queued: deque[Fault] = deque()

    def next(self) -> Fault | None:
        if self.queued:
            return self.queued.popleft()
        return next((fault for fault in self._faults if self._random.random() < fault.chance), None)


class RateLimit:
    """So many requests in any one second; none when the limit is 0."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._times: deque[float] = deque()

    def check(self) -> None:
        if not self._limit:
            return
        moment = time.monotonic()
        while self._times and self._times[0] <= moment - 1:
            self._times.popleft()
        if len(self._times) >= self._limit:
            wait = math.ceil(self._times[0] + 1 - moment)
            headers = {"Retry-After": str(wait)}
            raise Refusal(429, f"more than {self._limit} requests a second", headers=headers)
        self._times.append(moment)
