"""One sending of a request: how it is built, and how long it may take."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs
import httpx

from ..codec.failure import CallContext, decode_error
from ..errors import ResponseDecodeError
from .config import KEY_HEADER, USER_AGENT, Config
from .response import ACCEPT_ENCODING, TooLarge
from .retry import Send
from .timeouts import at_most, phases

if TYPE_CHECKING:
    from .config import Timeout


class MaskedURL(httpx.URL):
    """A URL whose text, which the HTTP library writes into its log, shows no secret."""

    shown = ""

    def __str__(self) -> str:
        return self.shown

    def __repr__(self) -> str:
        return f"URL({self.shown!r})"


@attrs.frozen(eq=False)
class Attempt:
    """One sending of a request."""

    config: Config
    call: CallContext
    step: Send
    timeout: Timeout
    extra_headers: Mapping[str, str] = attrs.field(repr=False)

    def build(self, client: httpx.Client | httpx.AsyncClient | None, timeouts: httpx.Timeout) -> httpx.Request:
        """The request; a client that the caller brought adds what it has been set up with."""
        prepared = self.call.prepared
        make = httpx.Request if client is None else client.build_request
        request = make(
            prepared.method,
            prepared.full_url,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": ACCEPT_ENCODING, **prepared.headers},
            content=prepared.content,
            extensions={"timeout": timeouts.as_dict()},
        )
        request.headers.update(self.extra_headers)
        request.headers[KEY_HEADER] = self.config.key.reveal()
        if prepared.secrets:
            request.url = MaskedURL(request.url)
            request.url.shown = self.call.url
        return request

    def limits(self) -> tuple[httpx.Timeout, float]:
        """The time-outs of each phase, and when all must be here: an answer that drips must not hold us for ever."""
        timeout, now = phases(self.timeout), time.monotonic()
        if self.step.attempt > 1:
            left = max(self.step.remaining, 0.001)
            return at_most(timeout, left), now + left
        connect, read = timeout.connect, timeout.read
        # Who asks for a longer time-out than the deadline of the retries means it.
        whole = math.inf if connect is None or read is None else max(self.step.remaining, connect + read)
        return timeout, now + whole

    def too_large(self, error: TooLarge) -> ResponseDecodeError:
        call = attrs.evolve(self.call, attempts=self.step.attempt)
        return decode_error(
            call, error.response, f"its body has more than {error.limit:,} bytes: raise max_response_bytes= to read it"
        )
