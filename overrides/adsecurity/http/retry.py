"""Whether, when and how often a request is sent again.

No I/O: `attempts` is a flow that says what to do next, and a driver does it.
"""

from __future__ import annotations

import math
import random
import ssl
import time
from collections.abc import Callable, Generator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Self, cast

import attrs

from ..codec.failure import CallContext, connection_error, never_sent, not_sent_error, status_error
from ..errors import AdsecurityError, APIStatusError
from ..events import ErrorEvent, RequestEvent, ResponseEvent, RetryEvent
from ..flow.steps import Sleep
from .throttle import Throttle, Ticket, Wait

if TYPE_CHECKING:
    import httpx

LONG_WAIT = 1.0  # seconds


def _positive(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    least = 1 if attribute.name == "attempts" else 0
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= least:
        raise ValueError(f"RetryPolicy: {attribute.name} must be a number from {least} on, not {value!r}")


@attrs.frozen
class RetryPolicy:
    """How one request (a page, not a whole listing) is retried. Immutable; the `with_…` methods return copies.

    Reads are retried after 408, 425, 429, 5xx and broken connections. Other calls are retried only if the server
    surely did not process the request (425, 429, 503 with `Retry-After`, no connection), unless `idempotent=True` says
    that doing it twice does no harm.

    A 429 holds all calls of the client and of its `with_options()` copies for the time that its `Retry-After` asks, up
    to 60 s. A longer wait, or the `Retry-After` of a 503, holds only the calls to the same route. After a 429, calls
    leave one by one in the order in which they were made, at the pace that the server let through before; the pace
    grows while no other 429 comes. A 429 with `Retry-After` does not count against `attempts`, only against `deadline`.

    A call that cannot be sent before its deadline raises `RateLimitError` (`ServerError` after a 503), with
    `attempts` 0 if it was never sent.
    """

    attempts: int = attrs.field(default=5, validator=_positive)
    """How often the request is sent at most, the first time included. 1 turns retrying off; the call still waits for
    its turn."""
    backoff: float = attrs.field(default=0.5, validator=_positive)
    """Seconds. The wait after the first failure is drawn at random from 0 to this; the range doubles with each further
    failure."""
    max_backoff: float = attrs.field(default=30.0, validator=_positive)
    """Seconds: the range of waits grows no further than this."""
    deadline: float = attrs.field(default=180.0, validator=_positive)
    """Seconds from the moment the call is made, waiting included. No attempt starts later."""
    idempotent: bool = False
    """Whether a call that changes something may be sent again even if the server may have processed it."""

    def with_attempts(self, attempts: int) -> Self:
        return attrs.evolve(self, attempts=attempts)

    def with_backoff(self, backoff: float, max_backoff: float | None = None) -> Self:
        return attrs.evolve(self, backoff=backoff, max_backoff=self.max_backoff if max_backoff is None else max_backoff)

    def with_deadline(self, deadline: float) -> Self:
        return attrs.evolve(self, deadline=deadline)

    def with_idempotent(self, idempotent: bool = True) -> Self:
        return attrs.evolve(self, idempotent=idempotent)

    def delay(self, failures: int, asked: float | None, draw: Callable[[], float]) -> float:
        """Seconds to wait after so many failures: random (full jitter), but never less than the server asks for."""
        # The exponent is capped: 2.0**1024 overflows.
        most = min(self.max_backoff, self.backoff * 2.0 ** min(failures - 1, 64))
        return max(draw() * most, asked or 0.0)


def retry_after(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float | None:
    """Seconds that the server asks to wait, from a number of seconds or a date; None if it is neither."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now()
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


class TurnLost(Exception):
    """Raised by a driver instead of sending: the server asked to wait after the turn was taken."""


@attrs.define
class Send:
    """Send the request. The outcome is a response that has been read, or the exception that was raised instead."""

    attempt: int
    remaining: float
    """Seconds until the deadline."""
    sent: float
    """When it was sent. A driver that first waits for a connection corrects this: the pace is measured by it."""
    holds: int = 0
    """`Throttle.holds` when the turn was taken. If it is another by the time of sending, raise `TurnLost`."""


Step = Send | Sleep | RequestEvent | ResponseEvent | ErrorEvent | RetryEvent
Outcome = Any
"""Of `Send` a response, or the exception raised instead; of `Sleep` None, or the error that says why it was cut short;
of an event None."""


def attempts(
    call: CallContext,
    policy: RetryPolicy,
    throttle: Throttle,
    *,
    clock: Callable[[], float] = time.monotonic,
    draw: Callable[[], float] = random.random,
) -> Generator[Step, Outcome, httpx.Response]:
    """All attempts of one call. Returns the successful response or raises one of our errors."""
    known = (call.op.resource, call.prepared.method, call.prepared.route, call.url)
    call_id = call.prepared.call_id
    safe = call.op.safe or policy.idempotent
    started = clock()
    deadline = started + policy.deadline
    ticket: Ticket | None = None
    error: AdsecurityError | None = None
    attempt = failures = announced = 0
    delay = 0.0
    while True:
        if error is not None and clock() > deadline:
            raise error
        if throttle.limited:
            ticket = ticket or throttle.ticket(started, route_of(call))
            yield from wait_for_turn(call, throttle, ticket, deadline, error, clock)
        holds = throttle.holds
        # An attempt that lost its turn has been announced already.
        if announced == attempt:
            announced += 1
            yield RequestEvent(*known, announced, call_id=call_id)
        now = clock()
        send = Send(attempt + 1, deadline - now, now, holds)
        try:
            outcome = yield send
        except TurnLost:
            if clock() > deadline:
                raise error or not_sent_error(call, throttle.last_status, None) from None
            continue
        attempt += 1
        now = clock()
        error, again, asked = classify_outcome(call, attempt, outcome, safe)
        status: int | None = getattr(outcome, "status_code", None)
        if status == 429 and asked is not None:
            # The server says when to come back: only the deadline ends this, not the number of attempts.
            delay = asked
        elif error is not None:
            failures += 1
            delay = policy.delay(failures, asked, draw)
        # Before the hooks: they may take their time, and other calls must know at once.
        if status == 429:
            throttle.refuse(route_of(call), send.sent, now, delay)
        elif status == 503 and asked is not None:
            throttle.hold_route(route_of(call), now + asked, now, status)
        elif status is not None:
            throttle.let_through.add(send.sent)
        elapsed = now - send.sent
        if isinstance(outcome, Exception):
            yield ErrorEvent(*known, attempt, type(error).__name__, elapsed, call_id=call_id)
        else:
            found = call.request_id(outcome.headers)
            yield ResponseEvent(*known, attempt, outcome.status_code, elapsed, found, call_id=call_id)
        if error is None:
            return cast("httpx.Response", outcome)
        # The error leaves through this frame; the exception that it was made from has the key in it.
        outcome = None
        if not again or policy.attempts < 2 or failures >= policy.attempts or now + delay > deadline:
            raise error
        yield RetryEvent(*known, attempt, delay, type(error).__name__, status, call_id=call_id)
        # After 429 the throttle makes it wait, in its place among the other calls.
        if status != 429 and (yield Sleep(delay)) is not None:
            raise error


def wait_for_turn(
    call: CallContext,
    throttle: Throttle,
    ticket: Ticket,
    deadline: float,
    error: AdsecurityError | None,
    clock: Callable[[], float],
) -> Generator[Sleep, Outcome, None]:
    """Wait until the call may be sent; `error` is that of the attempt before, and is raised if the wait fails."""
    wait: Wait | None = None
    try:
        while True:
            now = clock()
            if wait is not None and now >= deadline:
                raise error or not_sent_error(call, wait.status, None)
            wait = throttle.reserve(ticket, now)
            if wait is None:
                return
            if now + wait.held > deadline:
                raise error or not_sent_error(call, wait.status, wait.held)
            seconds = wait.seconds
            if seconds > LONG_WAIT:
                # Calls ahead may give up meanwhile, so it asks again halfway.
                seconds = max(wait.held, seconds / 2)
            stopped = yield Sleep(min(seconds, deadline - now))
            if stopped is not None:
                raise error or stopped
    finally:
        throttle.leave(ticket)


def route_of(call: CallContext) -> str:
    """What a wait for one route applies to: all calls with this method and path template."""
    return f"{call.prepared.method} {call.prepared.route}"


def classify_outcome(
    call: CallContext, attempt: int, outcome: Outcome, safe: bool
) -> tuple[AdsecurityError | None, bool, float | None]:
    """The error to raise for an outcome, or None; whether to try again; the seconds that the server asks to wait."""
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
    # With these answers the server says that it did not process the request.
    refused = status in (425, 429) or (status == 503 and asked is not None)
    again = refused or (safe and (status == 408 or 500 <= status <= 599))
    return error, again, asked


def is_permanent(error: BaseException | None) -> bool:
    """Whether trying again cannot help: a wrong certificate or address stays wrong."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or type(error).__name__ in (
            "UnsupportedProtocol",
            "InvalidURL",
        ):
            return True
        error = error.__cause__ or error.__context__
    return False
