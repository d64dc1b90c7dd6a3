"""The package itself, as its README tells users to read a report. One page in a hundred is dirty."""

from __future__ import annotations

import asyncio
import sys

from tests.bench.contenders import KEY, Reader


def _without_msgspec() -> None:
    if "msgspec" in sys.modules:
        raise RuntimeError("msgspec is loaded already: this would not measure the core alone")
    sys.modules["msgspec"] = None  # type: ignore[assignment]


def _sync(url: str, concurrency: int = 1, integration: str = "dirty", prefetch: int = 1) -> Reader:
    import adsecurity

    client = adsecurity.NetworkClient(api_key=KEY, base_url=url)

    def read(start: str, end: str) -> tuple[int, float]:
        rows, total = 0, 0.0
        for row in client.reports.clicks(
            integration_id=integration, start_time=start, end_time=end, concurrency=concurrency, prefetch=prefetch
        ):
            rows += 1
            total += row.payout or 0.0
        if (sys.modules.get("adsecurity.codec.msgspec_decoder") is None) != (sys.modules.get("msgspec", "") is None):
            raise RuntimeError("not the decoder that was to be measured")
        return rows, total

    return read


def _async(url: str, concurrency: int = 1, integration: str = "dirty") -> Reader:
    import adsecurity

    async def read(start: str, end: str) -> tuple[int, float]:
        rows, total = 0, 0.0
        async with adsecurity.AsyncNetworkClient(api_key=KEY, base_url=url) as client:
            async for row in client.reports.clicks(
                integration_id=integration, start_time=start, end_time=end, concurrency=concurrency
            ):
                rows += 1
                total += row.payout or 0.0
        return rows, total

    return lambda start, end: asyncio.run(read(start, end))


def core_sync(url: str) -> Reader:
    _without_msgspec()
    return _sync(url)


def core_async(url: str) -> Reader:
    _without_msgspec()
    return _async(url)


def fast_sync(url: str) -> Reader:
    return _sync(url)


def fast_async(url: str) -> Reader:
    return _async(url)


def fast_sync_clean(url: str) -> Reader:
    return _sync(url, integration="clean")


def fast_sync_16(url: str) -> Reader:
    return _sync(url, concurrency=16)


def fast_async_16(url: str) -> Reader:
    return _async(url, concurrency=16)


def core_sync_16(url: str) -> Reader:
    _without_msgspec()
    return _sync(url, concurrency=16)


def core_sync_serial(url: str) -> Reader:
    """All in one thread, for the profiler."""
    _without_msgspec()
    return _sync(url, prefetch=0)


def fast_sync_serial(url: str) -> Reader:
    return _sync(url, prefetch=0)
