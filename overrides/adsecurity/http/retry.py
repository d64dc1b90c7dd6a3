"""Whether, when and how often a request is sent again. No I/O: `attempts` says what to do, a driver does it."""

from __future__ import annotations

import math
import random
import ssl
import time
from collections.abc import Callable, Generator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Self, cast

import attrs

from ..codec.failure import CallContext, connection_error, never_sent, status_error
from ..errors import AdsecurityError, APIStatusError, request_id
from ..events import RequestEvent, ResponseEvent, RetryEvent
from ..flow.steps import Sleep

if TYPE_CHECKING:
    import httpx


def _positive(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    least = 1 if attribute.name == "attempts" else 0
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= least:
        raise ValueError(f"RetryPolicy: {attribute.name} must be a number from {least} on, not {value!r}")


@attrs.frozen
class RetryPolicy:
    """How one request (a page, not a whole listing) is retried. Immutable; the `with_…` methods return copies.

    Reads are retried after 429, 5xx and broken connections. Everything else only where the request was surely not
    processed, unless `idempotent=True` says that doing it twice does no harm.
    """

    attempts: int = attrs.field(default=5, validator=_positive)
    """At most so many, the first included; 1 turns retrying off."""
    backoff: float = attrs.field(default=0.5, validator=_positive)
    """The first wait is at most so long; each next one at most twice the one before. Each is drawn at random."""
    max_backoff: float = attrs.field(default=30.0, validator=_positive)
    deadline: float = attrs.field(default=180.0, validator=_positive)
    """No attempt starts later than so many seconds after the first."""
    idempotent: bool = False

    def with_attempts(self, attempts: int) -> Self:
        return attrs.evolve(self, attempts=attempts)

    def with_backoff(self, backoff: float, max_backoff: float | None = None) -> Self:
        return attrs.evolve(self, backoff=backoff, max_backoff=self.max_backoff if max_backoff is None else max_backoff)

    def with_deadline(self, deadline: float) -> Self:
        return attrs.evolve(self, deadline=deadline)

    def with_idempotent(self, idempotent: bool = True) -> Self:
        return attrs.evolve(self, idempotent=idempotent)

    def delay(self, failures: int, asked: float | None, draw: Callable[[], float]) -> float:
        """Seconds to wait after so many failures: full jitter, and never less than the server asks for."""
        # The exponent is capped: 2.0**1024 overflows.
        most = min(self.max_backoff, self.backoff * 2.0 ** min(failures - 1, 64))
        return max(draw() * most, asked or 0.0)


def retry_after(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float | None:
    """Seconds that the server asks to wait, written as seconds or as a date; None for anything else."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now()
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


class Gate:
    """Makes all sessions that share it wait when one of them is told to. One assignment, so no lock is needed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0

    def hold(self, seconds: float) -> None:
        self._until = max(self._until, self._clock() + seconds)

    def remaining(self) -> float:
        return max(0.0, self._until - self._clock())


@attrs.frozen
class Send:
    """Send the request; the driver answers with a response that is read, or with the exception."""

    attempt: int
    remaining: float
    """Seconds until the deadline."""


Step = Send | Sleep | RequestEvent | ResponseEvent | RetryEvent
Outcome = Any
"""Of `Send` a response, or what was raised instead; of `Sleep` whether to stop; of an event None."""


def attempts(
    call: CallContext,
    policy: RetryPolicy,
    *,
    gate: Gate | None = None,
    clock: Callable[[], float] = time.monotonic,
    draw: Callable[[], float] = random.random,
) -> Generator[Step, Outcome, httpx.Response]:
    """All attempts of one call. Returns the successful response or raises one of our errors."""
    known = (call.op.resource, call.prepared.method, call.prepared.route, call.url)
    safe = call.op.safe or policy.idempotent
    started: float | None = None
    error: AdsecurityError | None = None
    attempt = 0
    while True:
        attempt += 1
        stopped = False
        while gate is not None and not stopped and (wait := gate.remaining()) > 0:
            stopped = bool((yield Sleep(wait)))
        if error is not None and started is not None and (stopped or clock() > started + policy.deadline):
            raise error
        yield RequestEvent(*known, attempt)
        sent = clock()
        started = sent if started is None else started
        outcome = yield Send(attempt, started + policy.deadline - sent)
        error, again, asked = classify_outcome(call, attempt, outcome, safe)
        status: int | None = None
        if not isinstance(outcome, Exception):
            status = outcome.status_code
            yield ResponseEvent(*known, attempt, outcome.status_code, clock() - sent, request_id(outcome.headers))
        if error is None:
            return cast("httpx.Response", outcome)
        # The error leaves through this frame; what it came from has the key in it.
        outcome = None
        delay = policy.delay(attempt, asked, draw)
        if gate is not None and status == 429:
            gate.hold(delay)
            delay = max(delay, gate.remaining())
        if not again or attempt >= policy.attempts or clock() + delay > started + policy.deadline:
            raise error
        yield RetryEvent(*known, attempt, delay, type(error).__name__, status)
        if (yield Sleep(delay)):
            raise error


def classify_outcome(
    call: CallContext, attempt: int, outcome: Outcome, safe: bool
) -> tuple[AdsecurityError | None, bool, float | None]:
    """The error that an outcome stands for, if any; whether to try again; and what wait the server asks for."""
    if isinstance(outcome, AdsecurityError):
        return outcome, False, None
    if not isinstance(outcome, Exception) and 200 <= outcome.status_code <= 299:
        return None, False, None
    call = attrs.evolve(call, attempts=attempt)
    if isinstance(outcome, Exception):
        return connection_error(call, outcome), (safe or never_sent(outcome)) and not is_permanent(outcome), None
    asked = retry_after(outcome.headers)
    error: APIStatusError = status_error(call, outcome, asked)
    status = error.status_code
    again = status == 429 or (status == 503 and asked is not None) or (safe and 500 <= status <= 599)
    return error, again, asked


def is_permanent(error: BaseException | None) -> bool:
    """A certificate that is wrong now is wrong in a second."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or type(error).__name__ in (
            "UnsupportedProtocol",
            "InvalidURL",
        ):
            return True
        error = error.__cause__ or error.__context__
    return False
