"""The rate limit of one client, shared by its copies and by all their threads, tasks and event loops.

A state object without I/O: it is given the time, and says how long to wait. Who waits, and how, is up to the drivers.
"""

from __future__ import annotations

import math
import os
import threading
from bisect import bisect_left, insort
from collections import deque
from contextlib import AbstractContextManager
from itertools import count

import attrs

from .pace import SLOWEST, CubicGrowth, RateMeter, TokenBucket

LONGEST_HOLD = 60.0
"""Seconds: a 429 that asks for more holds its own route only."""
_UNLIMITED = 1000.0  # requests a second: more than one process sends
_GRACE = 1.0  # seconds
_EARLY = 1e-6  # seconds: rounding


@attrs.frozen
class Wait:
    """How long a call has to wait."""

    seconds: float
    """Until its turn comes, if nobody ahead of it gives up and the server refuses nothing more."""
    held: float
    """How many of these seconds the server asked for. The others are for the calls ahead of it."""
    status: int
    """What the server answered when it asked for this."""


@attrs.define(eq=False)
class Ticket:
    """A call's place among those that wait: calls that were made earlier are ahead."""

    started: float
    number: int
    route: str
    waiting: bool = False
    due: float = math.inf


_Place = tuple[float, int, Ticket]


class Throttle:
    """Decides when a call may be sent.

    A 429 holds all calls for as long as its `Retry-After` asks. Afterwards they leave one by one, at the pace that the
    server let through before, and this pace grows until there is another 429 or there is no limit in sight.
    """

    def __init__(self) -> None:
        self.limited = False
        """Whether any call has to ask for its turn. While the server limits nothing, this is all that is looked at."""
        self.holds = 0
        """How often the server has asked to wait. A turn that was taken before the last time is void."""
        self.last_status = 429
        """What the server answered the last time."""
        self.let_through = RateMeter()
        self._pid = os.getpid()
        # Reentrant: a signal handler that makes a call may interrupt one that is in here.
        self._lock = threading.RLock()
        self._queue: list[_Place] = []
        # Left here by calls that give up, since no lock may be taken where a generator is collected.
        self._given_up: deque[Ticket] = deque()
        self._numbers = count()
        self._routes: dict[str, tuple[float, int]] = {}
        self._held_until = -math.inf
        self._bucket = TokenBucket()
        self._pace: CubicGrowth | None = None
        self._measured = True
        # The pace is measured over so many seconds before the first refusal of a burst.
        self._cut = -math.inf
        self._look_back = 1.0

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn."""
        with self._locked():
            self._clean_up(-math.inf)
            return len(self._queue)

    def ticket(self, started: float, route: str) -> Ticket:
        """A place for a call that was made at this time. It is kept for all attempts of the call."""
        return Ticket(started, next(self._numbers), route)

    def reserve(self, ticket: Ticket, now: float) -> Wait | None:
        """Ask for a turn: None when the request may be sent now, else how long to wait before asking again."""
        with self._locked():
            self._clean_up(now)
            if (hold := self._routes.get(ticket.route)) is not None and hold[0] - now > _EARLY:
                # It does not keep the calls to other routes waiting.
                self._remove(ticket)
                return Wait(hold[0] - now, hold[0] - now, hold[1])
            ahead = self._enter(ticket, now)
            if (held := self._held_until - now) > _EARLY:
                # The pace is not known yet.
                ticket.due = self._held_until
                return Wait(held, held, 429)
            if (pace := self._current_pace(now)) is not None:
                ticket.due = self._bucket.due(ahead, pace)
                if (seconds := ticket.due - now) > _EARLY:
                    return Wait(seconds, 0.0, 429)
                self._bucket.take(pace, now)
            self._remove(ticket)
            self._lift(now)
            return None

    def leave(self, ticket: Ticket) -> None:
        """Give the turn back: those behind move up. Takes no lock, so it may be called wherever a call ends."""
        if ticket.waiting:
            self._given_up.append(ticket)

    def refuse(self, route: str, sent: float, now: float, seconds: float) -> None:
        """The server answered 429 to a request that was sent at `sent`, and asks to wait so many seconds."""
        if seconds > LONGEST_HOLD:
            self.hold_route(route, now + seconds, now, 429)
            return
        with self._locked():
            # Requests that were on their way together are refused together: that is one limit, met once.
            if sent > self._cut:
                self._cut, self._look_back = now, max(1.0, seconds)
            # In any case the pace starts anew after this wait: it does not grow while nothing is sent.
            self._measured = False
            self._held_until = max(self._held_until, now + seconds)
            self._bucket.hold(self._held_until)
            self._note(429)

    def hold_route(self, route: str, until: float, now: float, status: int) -> None:
        """The server asks to send nothing more to this route before `until`."""
        with self._locked():
            self._routes = {name: hold for name, hold in self._routes.items() if hold[0] > now}
            if until > self._routes.get(route, (now, 0))[0]:
                self._routes[route] = (until, status)
            self._note(status)

    def _locked(self) -> AbstractContextManager[bool]:
        if os.getpid() != self._pid:
            # A forked child: what holds the lock or waits for a turn does so in the parent.
            self._lock = threading.RLock()
            self._queue.clear()
            self._given_up.clear()
            self._pid = os.getpid()
        return self._lock

    def _note(self, status: int) -> None:
        self.holds += 1
        self.last_status = status
        self.limited = True

    def _current_pace(self, now: float) -> CubicGrowth | None:
        """The pace at which calls leave; None while there is no reason to slow down.

        Measured when the wait is over: refusals come back faster than answers, so that at the first of them most of
        what was let through is not known.
        """
        if not self._measured:
            peak = self.let_through.rate(self._cut, self._look_back)
            self._pace = CubicGrowth(max(peak, SLOWEST), since=now)
            self._measured = True
        return self._pace

    def _enter(self, ticket: Ticket, now: float) -> int:
        """Put the call where it belongs, and count those ahead of it."""
        if not ticket.waiting:
            if not self._queue:
                self._bucket.discard(now)
            # In one step, since a signal handler that makes a call may come in between two.
            insort(self._queue, (ticket.started, ticket.number, ticket))
            ticket.waiting = True
        return bisect_left(self._queue, (ticket.started, ticket.number, ticket))

    def _remove(self, ticket: Ticket) -> None:
        if ticket.waiting:
            ticket.waiting = False
            index = bisect_left(self._queue, (ticket.started, ticket.number, ticket))
            if index < len(self._queue) and self._queue[index][2] is ticket:
                del self._queue[index]

    def _clean_up(self, now: float) -> None:
        while self._given_up:
            self._remove(self._given_up.popleft())
        # Nothing comes back from an event loop that was stopped. What does come back is put in front again.
        while self._queue and self._queue[0][2].due + _GRACE < now:
            self._queue.pop(0)[2].waiting = False

    def _lift(self, now: float) -> None:
        """Forget the limit when there is nothing left of it."""
        if self._pace is not None and self._pace.rate(now) >= _UNLIMITED and not self._queue:
            self._pace = None
        if self._pace is None and not self._queue and all(until <= now for until, _ in self._routes.values()):
            self._routes.clear()
            self.limited = False
