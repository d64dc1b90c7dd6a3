"""The sessions: a request is prepared, sent, retried and read. Sync and async differ only in how they wait."""

from __future__ import annotations

import contextlib
import inspect
import logging
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypedDict, TypeVar, Unpack

import attrs

from adsecurity_generated import _operation
from adsecurity_generated._operation import Operation, Surface

from ..codec.failure import CallContext
from ..codec.page import DecodedPage
from ..codec.request import PreparedRequest, prepare
from ..codec.response import decode, decode_page
from ..codec.secrets import redact_record
from ..errors import AdsecurityError, ConfigurationError
from ..events import ErrorEvent, Event, OpenRequest, RetryEvent, log_fields
from ..flow.background import BackgroundTasks, BackgroundThreads
from ..flow.drivers import drive, drive_async
from ..flow.loop import running_loop
from ..flow.steps import Flow, Sleep
from .attempt import Attempt
from .config import Config, PoolSettings, check_headers, check_retry, check_timeout
from .http_logs import mask_in_http_logs
from .pool import AsyncPool, Pool, SyncPool
from .retry import RetryPolicy, Send, Step, TurnLost, attempts
from .throttle import Throttle

if TYPE_CHECKING:
    import anyio
    import httpx

    from .config import Timeout as Timeout

P = TypeVar("P", bound="Pool[Any]")
T = TypeVar("T")

log = logging.getLogger("adsecurity")

# Frames of these packages are skipped when a warning looks for the caller.
_OURS = (__name__.removesuffix("http.session"), _operation.__name__.rpartition(".")[0] + ".")


class CallOptions(TypedDict, total=False):
    """How one call is sent."""

    timeout: Timeout | None
    retry: RetryPolicy | None
    extra_headers: Mapping[str, str] | None


class MethodOptions(CallOptions, total=False):
    """What every method takes beside its arguments: how it is sent, and what is added to the request."""

    extra_query: Mapping[str, Any] | None
    extra_body: Mapping[str, Any] | None


Wakers = dict[object, Callable[[], object]]
"""What ends each wait that is going on in the sessions of one pool."""


@attrs.frozen(eq=False)
class PacedAttempt(Attempt):
    """An attempt that is not sent if the server asked to wait while this one waited for a connection."""

    throttle: Throttle = attrs.field(kw_only=True)

    def build(self, client: httpx.Client | httpx.AsyncClient | None, timeouts: httpx.Timeout) -> httpx.Request:
        if self.throttle.holds != self.step.holds:
            raise TurnLost
        self.step.sent = time.monotonic()
        return super().build(client, timeouts)


class Session(Generic[P]):
    """What sync and async sessions share: everything but waiting."""

    is_async = False
    _pool_class: type[P]

    def __init__(self, config: Config, pool: P, throttle: Throttle | None = None, wakers: Wakers | None = None) -> None:
        self.config = config
        self.pool = pool
        self.throttle = throttle or Throttle()
        mask_in_http_logs(config.key)
        self._wakers: Wakers = {} if wakers is None else wakers

    @classmethod
    def make(cls, config: Config, settings: PoolSettings) -> Self:
        return cls(config, cls._pool_class(settings))

    def with_config(self, config: Config) -> Self:
        """A session with other settings over the same connections, under the same rate limit."""
        return type(self)(config, self.pool, self.throttle, self._wakers)

    def spawn(self) -> Self:
        """A session with connections of its own under the same rate limit, for one worker, which closes it."""
        return type(self)(self.config, self.pool.smaller(), self.throttle)

    @property
    def surface(self) -> Surface:
        return self.config.surface

    @property
    def retry(self) -> RetryPolicy:
        return self.config.retry

    @property
    def secret_names(self) -> frozenset[str]:
        return self.config.surface.secrets

    def prepare(
        self,
        op: Operation[Any],
        args: Mapping[str, Any],
        *,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        call_id: str | None = None,
    ) -> PreparedRequest:
        """Check the arguments and build the request. `TypeError` or `ValueError` names everything that is wrong."""
        prepared = prepare(
            op,
            args,
            base_url=self.config.base_url,
            routes=self.config.routes,
            surface=self.config.surface,
            extra_query=extra_query,
            extra_body=extra_body,
            call_id=call_id,
        )
        for text in prepared.deprecations:
            warnings.warn(text, DeprecationWarning, stacklevel=_callers_level())
        return prepared

    def call(self, prepared: PreparedRequest) -> CallContext:
        """What decoding and errors need to know of a call."""
        names = self.secret_names | {param.name for param in prepared.op.params if param.secret}
        return CallContext(prepared, self.config.key, names, self.config.surface.env_prefix)

    def decode(self, prepared: PreparedRequest, response: httpx.Response) -> Any:
        return decode(self.call(prepared), response)

    def decode_page(self, prepared: PreparedRequest, response: httpx.Response) -> DecodedPage[Any]:
        return decode_page(self.call(prepared), response)

    def _flow(self, prepared: PreparedRequest, options: CallOptions) -> Flow[Step, httpx.Response]:
        """The flow of one call with all its attempts."""
        retry = options.get("retry")
        return attempts(self.call(prepared), self.retry if retry is None else check_retry(retry), self.throttle)

    def _attempt(self, prepared: PreparedRequest, options: CallOptions) -> Callable[[Send], Attempt]:
        timeout = options.get("timeout")
        return partial(
            PacedAttempt,
            self.config,
            self.call(prepared),
            throttle=self.throttle,
            timeout=self.config.timeout if timeout is None else check_timeout(timeout),
            extra_headers={**self.config.extra_headers, **check_headers(options.get("extra_headers"))},
        )

    def _end_waits(self) -> None:
        """Wake all calls that wait, since the pool is being closed."""
        # First, so that a wait that begins now sees it.
        self.pool.closed.set()
        for wake in list(self._wakers.values()):
            wake()

    def _why_stopped(self) -> AdsecurityError:
        """The error of a call whose wait was ended early."""
        if self.pool.closed.is_set():
            return ConfigurationError(f"{self.config.label} was closed during a call")
        return AdsecurityError(f"{self.config.label}: a call was given up while it waited for its turn")

    def _notify(self, event: Event) -> object:
        # A server may repeat the key where an id or a cursor belongs.
        event = redact_record(event, self.config.key.forms())
        level = logging.INFO if isinstance(event, RetryEvent) else logging.DEBUG
        if log.isEnabledFor(level):
            log.log(level, "%s", event, extra=log_fields(event))
        return self.config.hooks.call(event)


class SyncSession(Session[SyncPool]):
    _pool_class = SyncPool

    @property
    def background(self) -> BackgroundThreads:
        return self.pool.background

    def close(self) -> None:
        self._end_waits()
        self.pool.close()

    def emit(self, event: Event, hook: Callable[[Any], object] | None = None) -> None:
        """Tell the log, the client's hook, and a hook of the call."""
        for tell in (self._notify, hook):
            if tell is not None and inspect.iscoroutine(result := tell(event)):
                result.close()
                raise TypeError("a hook that is awaited needs an async client")

    def emit_end(self, event: ErrorEvent | None, error: BaseException) -> None:
        """Tell of a request that ended with an error; an interrupt goes on whatever a hook raises."""
        if event is None:
            return
        try:
            self.emit(event)
        except Exception:
            if isinstance(error, Exception):
                raise
            log.exception("a hook raised while a call was interrupted")

    def send(
        self, prepared: PreparedRequest, *, stop: threading.Event | None = None, **options: Unpack[CallOptions]
    ) -> httpx.Response:
        """Send a request, again if needed, and return a successful response that has been read.

        Setting `stop` ends a wait between attempts; the call then raises.
        """
        attempt = self._attempt(prepared, options)
        request = OpenRequest()

        def perform(step: Step) -> object:
            if isinstance(step, Send):
                return self.pool.exchange(attempt(step))
            if isinstance(step, Sleep):
                return self._sleep(step.seconds, stop)
            request.note(step)
            self.emit(step)
            return None

        try:
            return drive(self._flow(prepared, options), perform)
        except BaseException as error:
            self.emit_end(request.failed(error), error)
            raise

    def _sleep(self, seconds: float, stop: threading.Event | None) -> AdsecurityError | None:
        """Wait, unless the call is told to stop or the client is closed; then return the error for that."""
        seconds = min(seconds, threading.TIMEOUT_MAX)
        if stop is None:
            return self._why_stopped() if self.pool.closed.wait(seconds) else None
        key = object()
        try:
            # close() sets `stop` too: a thread cannot wait for two events.
            self._wakers[key] = stop.set
            if self.pool.closed.is_set() or stop.wait(seconds):
                return self._why_stopped()
        finally:
            self._wakers.pop(key, None)
        return None

    def run(
        self,
        op: Operation[Any],
        args: Mapping[str, Any],
        *,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        call_id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Call an operation and return its decoded result."""
        prepared = self.prepare(op, args, extra_query=extra_query, extra_body=extra_body, call_id=call_id)
        return self.decode(prepared, self.send(prepared, **options))


class AsyncSession(Session[AsyncPool]):
    is_async = True
    _pool_class = AsyncPool

    @property
    def background(self) -> BackgroundTasks:
        return self.pool.background

    async def close(self) -> None:
        self._end_waits()
        await self.pool.close()

    async def emit(self, event: Event, hook: Callable[[Any], object] | None = None) -> None:
        """Tell the log, the client's hook, and a hook of the call."""
        for tell in (self._notify, hook):
            if tell is not None and inspect.isawaitable(result := tell(event)):
                await result

    async def emit_end(self, event: ErrorEvent | None, error: BaseException) -> None:
        """As that of `SyncSession`; a cancelled call still tells its hook."""
        if event is None:
            return
        if isinstance(error, Exception):
            await self.emit(event)
            return
        try:
            if isinstance(error, GeneratorExit):
                # Its loop is over: what would have to be awaited is not.
                if inspect.iscoroutine(result := self._notify(event)):
                    result.close()
                return
            from anyio import CancelScope

            with CancelScope(shield=True):
                await self.emit(event)
        except Exception:
            log.exception("a hook raised while a call was cancelled")

    async def send(self, prepared: PreparedRequest, **options: Unpack[CallOptions]) -> httpx.Response:
        """Send a request, again if needed, and return a successful response that has been read."""
        attempt = self._attempt(prepared, options)
        request = OpenRequest()

        async def perform(step: Step) -> object:
            if isinstance(step, Send):
                return await self.pool.exchange(attempt(step))
            if isinstance(step, Sleep):
                return await self._sleep(step.seconds)
            request.note(step)
            await self.emit(step)
            return None

        try:
            return await drive_async(self._flow(prepared, options), perform)
        except BaseException as error:
            await self.emit_end(request.failed(error), error)
            raise

    async def _sleep(self, seconds: float) -> AdsecurityError | None:
        """Wait, unless the client is closed; then return the error for that."""
        from anyio import Event, move_on_after

        closed, key = Event(), object()
        try:
            self._wakers[key] = _setter(closed)
            if not self.pool.closed.is_set():
                with move_on_after(seconds):
                    await closed.wait()
        finally:
            self._wakers.pop(key, None)
        return self._why_stopped() if self.pool.closed.is_set() else None

    async def run(
        self,
        op: Operation[Any],
        args: Mapping[str, Any],
        *,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        call_id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Call an operation and return its decoded result."""
        prepared = self.prepare(op, args, extra_query=extra_query, extra_body=extra_body, call_id=call_id)
        return self.decode(prepared, await self.send(prepared, **options))


def _setter(event: anyio.Event) -> Callable[[], object]:
    """A function that sets an event of the running loop, and may be called in any other."""
    loop = running_loop()

    def wake() -> None:
        # The loop of a call that was never finished may be closed by now.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(event.set)

    return wake


def _callers_level() -> int:
    """The `stacklevel` of the first frame outside our packages."""
    level = 0
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_OURS):
        frame = frame.f_back
        level += 1
    return level
