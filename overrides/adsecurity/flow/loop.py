"""The event loop of asyncio, which async clients need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConfigurationError

if TYPE_CHECKING:
    import asyncio


def running_loop() -> asyncio.AbstractEventLoop:
    """The running event loop; ConfigurationError under any other async library."""
    # Not at the top: sync clients never need it, and the import takes longer than a first request.
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            "async clients need asyncio, and no event loop of it is running here;"
            " under trio use a sync client: await trio.to_thread.run_sync(method, argument)"
        ) from None
