"""What generated resources call: a request is prepared, sent, retried and read; sync and async differ in who waits."""

from __future__ import annotations

import inspect
import logging
import threading
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypedDict, TypeVar, Unpack

from adsecurity_generated import _operation
from adsecurity_generated._operation import Operation, Surface

from ..codec.failure import CallContext
from ..codec.page import DecodedPage
from ..codec.request import PreparedRequest, prepare
from ..codec.response import decode, decode_page
from ..events import Event, RetryEvent
from ..flow.background import BackgroundTasks, BackgroundThreads
from ..flow.drivers import drive, drive_async
from ..flow.steps import Flow, Sleep
from .config import Config, check_headers, check_retry, check_timeout
from .retry import Gate, RetryPolicy, Send, Step, attempts
from .transport import AsyncPool, Attempt, Pool, PoolSettings, SyncPool

if TYPE_CHECKING:
    import httpx

    from .config import Timeout as Timeout

P = TypeVar("P", bound="Pool[Any]")
T = TypeVar("T")

log = logging.getLogger("adsecurity")

# The packages whose frames are not the caller's.
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


class Session(Generic[P]):
    """What both kinds have: everything but waiting."""

    is_async = False
    _pool_class: type[P]

    def __init__(self, config: Config, pool: P, gate: Gate | None = None) -> None:
        self.config = config
        self.pool = pool
        self.gate = gate

    @classmethod
    def make(cls, config: Config, settings: PoolSettings) -> Self:
        return cls(config, cls._pool_class(settings))

    def with_config(self, config: Config) -> Self:
        """The same connections under other settings."""
        return type(self)(config, self.pool, self.gate)

    def spawn(self, gate: Gate | None = None) -> Self:
        """A session with connections of its own, for one worker; the worker closes it."""
        return type(self)(self.config, self.pool.smaller(), gate)

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
    ) -> PreparedRequest:
        """Check the arguments and lay them out; `TypeError` or `ValueError` says all that is wrong."""
        prepared = prepare(
            op,
            args,
            base_url=self.config.base_url,
            routes=self.config.routes,
            surface=self.config.surface,
            extra_query=extra_query,
            extra_body=extra_body,
        )
        for text in prepared.deprecations:
            warnings.warn(text, DeprecationWarning, stacklevel=_callers_level())
        return prepared

    def call(self, prepared: PreparedRequest) -> CallContext:
        """What decoding and errors need to know."""
        names = self.secret_names | {param.name for param in prepared.op.params if param.secret}
        return CallContext(prepared, self.config.key, names, self.config.surface.env_prefix)

    def decode(self, prepared: PreparedRequest, response: httpx.Response) -> Any:
        return decode(self.call(prepared), response)

    def decode_page(self, prepared: PreparedRequest, response: httpx.Response) -> DecodedPage[Any]:
        return decode_page(self.call(prepared), response)

    def _flow(self, prepared: PreparedRequest, options: CallOptions) -> Flow[Step, httpx.Response]:
        """What is to be done for one call, attempt after attempt."""
        retry = options.get("retry")
        return attempts(self.call(prepared), self.retry if retry is None else check_retry(retry), gate=self.gate)

    def _attempt(self, prepared: PreparedRequest, options: CallOptions) -> Callable[[Send], Attempt]:
        timeout = options.get("timeout")
        return partial(
            Attempt,
            self.config,
            prepared,
            timeout=self.config.timeout if timeout is None else check_timeout(timeout),
            extra_headers={**self.config.extra_headers, **check_headers(options.get("extra_headers"))},
        )

    def _notify(self, event: Event) -> object:
        level = logging.INFO if isinstance(event, RetryEvent) else logging.DEBUG
        log.log(level, "%s", event)
        return self.config.hooks.call(event)


class SyncSession(Session[SyncPool]):
    _pool_class = SyncPool

    def new_storage_client(self) -> httpx.Client:
        """An HTTP client that never sees the key; whoever asks for it closes it."""
        return self.pool.storage_client()

    @property
    def background(self) -> BackgroundThreads:
        return self.pool.background

    def close(self) -> None:
        self.pool.close()

    def emit(self, event: Event) -> None:
        if inspect.iscoroutine(result := self._notify(event)):
            result.close()
            raise TypeError("a hook that is awaited needs an async client")

    def send(
        self, prepared: PreparedRequest, *, stop: threading.Event | None = None, **options: Unpack[CallOptions]
    ) -> httpx.Response:
        """A successful response that is read; otherwise raises. Retries are done in here, until `stop` is set."""
        attempt = self._attempt(prepared, options)
        wait = (stop or self.pool.closed).wait

        def perform(step: Step) -> object:
            if isinstance(step, Send):
                return self.pool.exchange(attempt(step))
            if isinstance(step, Sleep):
                return wait(step.seconds)
            self.emit(step)
            return None

        return drive(self._flow(prepared, options), perform)

    def run(
        self,
        op: Operation[Any],
        args: Mapping[str, Any],
        *,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Call an operation and return what it promises, by its kind."""
        prepared = self.prepare(op, args, extra_query=extra_query, extra_body=extra_body)
        return self.decode(prepared, self.send(prepared, **options))


class AsyncSession(Session[AsyncPool]):
    is_async = True
    _pool_class = AsyncPool

    def new_storage_client(self) -> httpx.AsyncClient:
        """An HTTP client that never sees the key; whoever asks for it closes it."""
        return self.pool.storage_client()

    @property
    def background(self) -> BackgroundTasks:
        return self.pool.background

    async def close(self) -> None:
        await self.pool.close()

    async def emit(self, event: Event) -> None:
        result = self._notify(event)
        if inspect.isawaitable(result):
            await result

    async def send(self, prepared: PreparedRequest, **options: Unpack[CallOptions]) -> httpx.Response:
        """A successful response that is read; otherwise raises. Retries are done in here."""
        from anyio import sleep

        attempt = self._attempt(prepared, options)

        async def perform(step: Step) -> object:
            if isinstance(step, Send):
                return await self.pool.exchange(attempt(step))
            await (sleep(step.seconds) if isinstance(step, Sleep) else self.emit(step))
            return None

        return await drive_async(self._flow(prepared, options), perform)

    async def run(
        self,
        op: Operation[Any],
        args: Mapping[str, Any],
        *,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Call an operation and return what it promises, by its kind."""
        prepared = self.prepare(op, args, extra_query=extra_query, extra_body=extra_body)
        return self.decode(prepared, await self.send(prepared, **options))


def _callers_level() -> int:
    """How far up the stack the first frame is that belongs to neither of our packages."""
    level = 0
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_OURS):
        frame = frame.f_back
        level += 1
    return level
