"""Async clients belong to asyncio; under trio every call says so, and what to do instead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from adsecurity import AsyncNetworkClient, ConfigurationError, NetworkClient
from adsecurity.sandbox import Sandbox

SPAN = {"start_time": "2026-11-01", "end_time": "2026-11-08"}
EXPORT = {**SPAN, "fields": ["tx_id"], "extra_parameters": []}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_seconds=0, today="2026-11-08", rows=300) as running:
        yield running


async def items(iterable: Any) -> list[Any]:
    return [item async for item in iterable]


Use = Callable[[AsyncNetworkClient, str, Path], Any]
USES: dict[str, Use] = {
    "a single call": lambda client, place, path: client.offers.get(place, "1"),
    "a list": lambda client, place, path: items(client.offers.list(place)),
    "a report": lambda client, place, path: items(client.reports.clicks(integration_id=place, **SPAN)),
    "no prefetch": lambda client, place, path: items(client.reports.clicks(integration_id=place, **SPAN, prefetch=0)),
    "concurrency": lambda client, place, path: items(
        client.reports.clicks(integration_id=place, **SPAN, concurrency=4)
    ),
    "a table": lambda client, place, path: client.offers.list(place).to_arrow(),
    "a file": lambda client, place, path: client.offers.list(place).to_parquet(path / "x.parquet"),
    "an export": lambda client, place, path: client.exports.clicks(place, **EXPORT),
}


@pytest.mark.parametrize("use", USES)
def test_a_call_under_trio_says_that_asyncio_is_needed(sandbox: Sandbox, tmp_path: Path, use: str) -> None:
    async def main() -> None:
        async with AsyncNetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as client:
            with pytest.raises(ConfigurationError, match="need asyncio") as caught:
                await USES[use](client, sandbox.integration_id, tmp_path)
        assert "trio.to_thread.run_sync" in str(caught.value)

    trio.run(main)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("action", ["wait", "download", "rows", "refresh", "to_parquet"])
def test_a_job_that_was_started_under_asyncio_says_so_too(tmp_path: Path, action: str) -> None:
    answer = httpx.MockTransport(lambda request: httpx.Response(200, json={"id": "e-1", "status": "PENDING"}))
    client = AsyncNetworkClient(api_key="key", base_url="https://api.example", transport=answer)

    async def start() -> Any:
        return await client.exports.clicks("i-1", **EXPORT)

    job = asyncio.run(start())
    arguments = (tmp_path / "x",) if action in ("download", "to_parquet") else ()

    async def use() -> None:
        found = getattr(job, action)(*arguments)
        await (items(found) if action == "rows" else found)

    with pytest.raises(ConfigurationError, match="need asyncio"):
        trio.run(use)
    assert not list(tmp_path.iterdir())


def test_a_sync_client_works_in_a_thread_of_trio(sandbox: Sandbox) -> None:
    with NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as client:
        listing = client.reports.clicks(integration_id=sandbox.integration_id, **SPAN)
        assert len(trio.run(partial(trio.to_thread.run_sync, listing.to_list))) > 0
