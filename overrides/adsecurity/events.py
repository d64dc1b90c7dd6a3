"""What the hooks are called with. Nothing secret is in any of them: no key, no query, no body."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import attrs


@attrs.frozen
class RequestEvent:
    """An attempt is about to be sent. A `ResponseEvent` or an `ErrorEvent` with the same attempt and call follows."""

    operation: str
    """The name under the client, such as `users.list`."""
    method: str
    route: str
    """The template: `/api/v2/users/{userID}`."""
    url: str
    """Without its query."""
    attempt: int
    call_id: str = attrs.field(kw_only=True)
    """The same for all requests of one call of a method: its attempts, the pages of a list, the batches of a bulk
    write."""

    def __str__(self) -> str:
        return f"{self.method} {self.route} attempt {self.attempt}"


@attrs.frozen
class ResponseEvent(RequestEvent):
    """An answer came back, whatever its status."""

    status_code: int
    elapsed: float
    """Seconds from sending to the last byte."""
    request_id: str | None

    def __str__(self) -> str:
        return f"{self.method} {self.route} {self.status_code} in {self.elapsed:.3f} s attempt {self.attempt}"


@attrs.frozen
class ErrorEvent(RequestEvent):
    """No whole answer came back: the connection failed, a hook raised, or the call was given up."""

    reason: str
    """The class of the error."""
    elapsed: float
    """Seconds from sending."""

    def __str__(self) -> str:
        return f"{self.method} {self.route} {self.reason} after {self.elapsed:.3f} s attempt {self.attempt}"


@attrs.frozen
class RetryEvent(RequestEvent):
    """The attempt failed and is made again after `delay` seconds."""

    delay: float
    reason: str
    status_code: int | None

    def __str__(self) -> str:
        return f"{self.method} {self.route} attempt {self.attempt}: {self.reason}, again in {self.delay:.3f} s"


@attrs.frozen
class PageEvent:
    """A page of a listing was read."""

    operation: str
    number: int
    """Counted from the first page that this iteration read."""
    cursor: str | None
    items: int
    total_count: int | None
    call_id: str = attrs.field(default="", kw_only=True)
    """That of the list's requests."""

    def __str__(self) -> str:
        return f"{self.operation} page {self.number}: {self.items} items"


@attrs.frozen
class PollEvent:
    """The state of an export was asked for."""

    operation: str
    export_id: str
    status: str | None
    attempt: int
    elapsed: float
    next_poll: float | None
    """Seconds until it is asked for again; None when it is not."""
    call_id: str = attrs.field(default="", kw_only=True)
    """That of the requests of one `wait()`."""

    def __str__(self) -> str:
        return f"{self.operation} export {self.export_id} {self.status} after {self.elapsed:.1f} s"


Event = RequestEvent | ResponseEvent | ErrorEvent | RetryEvent | PageEvent | PollEvent
Result = Awaitable[None] | None

OnRequest = Callable[[RequestEvent], Result]
OnResponse = Callable[[ResponseEvent], Result]
OnError = Callable[[ErrorEvent], Result]
OnRetry = Callable[[RetryEvent], Result]
OnPage = Callable[[PageEvent], Result]
OnPoll = Callable[[PollEvent], Result]


@attrs.frozen
class Hooks:
    """A hook runs where the event happens; what it raises reaches the caller. Async clients await what it returns."""

    on_request: OnRequest | None = None
    on_response: OnResponse | None = None
    on_retry: OnRetry | None = None
    on_page: OnPage | None = None
    on_poll: OnPoll | None = None
    on_error: OnError | None = None

    def call(self, event: Event) -> object:
        """Call the hook for this event, if there is one, and give back what it returns."""
        hook: Callable[[Any], object] | None = getattr(self, _HOOKS[type(event)])
        return None if hook is None else hook(event)

    @property
    def given(self) -> list[str]:
        """The names of the hooks that there are."""
        return [name for name in _HOOKS.values() if getattr(self, name) is not None]

    def updated(self, hooks: Hooks) -> Hooks:
        """These hooks, but for those that the others replace."""
        given = {name: hook for name in _HOOKS.values() if (hook := getattr(hooks, name)) is not None}
        for name, hook in given.items():
            if not callable(hook):
                raise TypeError(f"{name} must be callable, not {type(hook).__name__}")
        return attrs.evolve(self, **given)


_HOOKS: dict[type, str] = {
    RequestEvent: "on_request",
    ResponseEvent: "on_response",
    ErrorEvent: "on_error",
    RetryEvent: "on_retry",
    PageEvent: "on_page",
    PollEvent: "on_poll",
}

_LOGGED = ("operation", "method", "route", "attempt", "elapsed", "call_id")


def log_fields(event: Event) -> dict[str, Any]:
    """What a log record says of an event beside its text; None where the event has no such thing."""
    return {"status": getattr(event, "status_code", None), **{name: getattr(event, name, None) for name in _LOGGED}}


def new_call_id() -> str:
    """An id that no other call has, in no other process either."""
    return os.urandom(8).hex()


class OpenRequest:
    """The request of a call whose end is still to be told, so that each is told exactly once."""

    def __init__(self) -> None:
        self._event: RequestEvent | None = None
        self._since = 0.0

    def note(self, event: Event) -> None:
        """Take notice of an event, before the hook does."""
        if type(event) is RequestEvent:
            self._event, self._since = event, time.monotonic()
        elif isinstance(event, ResponseEvent | ErrorEvent):
            self._event = None

    def answered(self, status_code: int, request_id: str | None) -> ResponseEvent | None:
        """The event of its answer, unless its end has been told."""
        event, self._event = self._event, None
        if event is None:
            return None
        known = (event.operation, event.method, event.route, event.url, event.attempt)
        elapsed = time.monotonic() - self._since
        return ResponseEvent(*known, status_code, elapsed, request_id, call_id=event.call_id)

    def failed(self, error: BaseException) -> ErrorEvent | None:
        """The event of its failure, unless its end has been told."""
        event, self._event = self._event, None
        if event is None:
            return None
        known = (event.operation, event.method, event.route, event.url, event.attempt)
        return ErrorEvent(*known, type(error).__name__, time.monotonic() - self._since, call_id=event.call_id)
