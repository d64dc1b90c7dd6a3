"""What the hooks are called with. Nothing secret is in any of them: no key, no query, no body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import attrs


@attrs.frozen
class RequestEvent:
    """An attempt is about to be sent."""

    operation: str
    """The name under the client, such as `users.list`."""
    method: str
    route: str
    """The template: `/api/v2/users/{userID}`."""
    url: str
    """Without its query."""
    attempt: int

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

    def __str__(self) -> str:
        return f"{self.operation} export {self.export_id} {self.status} after {self.elapsed:.1f} s"


Event = RequestEvent | ResponseEvent | RetryEvent | PageEvent | PollEvent
Result = Awaitable[None] | None

OnRequest = Callable[[RequestEvent], Result]
OnResponse = Callable[[ResponseEvent], Result]
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

    def call(self, event: Event) -> object:
        """Call the hook for this event, if there is one, and give back what it returns."""
        hook: Callable[[Any], object] | None = getattr(self, _HOOKS[type(event)])
        return None if hook is None else hook(event)

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
    RetryEvent: "on_retry",
    PageEvent: "on_page",
    PollEvent: "on_poll",
}
