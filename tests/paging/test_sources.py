"""In every source: a page that was not handed out comes next, and after an error a list goes on or says it again."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import httpx
import pytest

from adsecurity import (
    AdsecurityError,
    AsyncNetworkClient,
    ConfigurationError,
    NetworkClient,
    PaginationError,
    PermissionDeniedError,
    RetryPolicy,
)
from tests.support.demo.drivers import raw_server
from tests.support.fork import in_child
from tests.support.report_server import ReportServer, make_rows

START = datetime(2026, 11, 1, tzinfo=UTC)
URL = {"api_key": "k", "base_url": "https://api.test"}
ONCE = RetryPolicy(attempts=1)
SOURCES: dict[str, dict[str, Any]] = {"plain": {"prefetch": 0}, "ahead": {"prefetch": 1}, "windows": {"concurrency": 4}}

sources = pytest.mark.parametrize("source", SOURCES)


def server(count: int = 300) -> ReportServer:
    return ReportServer(make_rows([START + number * timedelta(minutes=4) for number in range(count)]))


def clicks(client: Any, source: str, **more: Any) -> Any:
    args = {"integration_id": "i", "start_time": START, "end_time": START + timedelta(days=1), "page_size": 7}
    return client.reports.clicks(**{**args, **SOURCES[source], **more})


def all_uuids(of: ReportServer) -> list[str]:
    return [f"u{number}" for number in range(len(of.rows) - 1, -1, -1)]


def network(of: ReportServer, **options: Any) -> NetworkClient:
    return NetworkClient(**URL, transport=of.transport(), retry=ONCE, **options)


@sources
def test_a_page_whose_hook_raised_comes_next(source: str) -> None:
    of, raised = server(), [0]

    def on_page(event: Any) -> None:
        if event.number in (2, 5, 20) and raised[0] != event.number:
            raised[0] = event.number
            raise RuntimeError("hook")

    with network(of, on_page=on_page) as client, network(of) as other:
        iterator = iter(clicks(client, source))
        got: list[str] = []
        failures = 0
        while True:
            try:
                got.append(next(iterator).uuid)
            except RuntimeError as error:
                failures += 1
                rest = [row.uuid for row in clicks(other, source, resume=error.checkpoint)]  # type: ignore[attr-defined]
                assert got + rest == all_uuids(of)
            except StopIteration:
                break
    assert failures == 3
    assert got == all_uuids(of)


@sources
@pytest.mark.anyio
async def test_a_page_whose_awaited_hook_was_cancelled_comes_next(source: str) -> None:
    of, held = server(), 0

    async def on_page(event: Any) -> None:
        nonlocal held
        if event.number > held:
            held = event.number
            await asyncio.sleep(30)

    async with AsyncNetworkClient(**URL, transport=of.transport(), on_page=on_page) as client:
        iterator = aiter(clicks(client, source))
        got: list[str] = []
        while True:
            try:
                got.append((await asyncio.wait_for(anext(iterator), 0.02)).uuid)
            except TimeoutError:
                continue
            except StopAsyncIteration:
                break
    assert held > 30
    assert got == all_uuids(of)


@sources
@pytest.mark.anyio
async def test_a_cancelled_next_loses_no_row(source: str) -> None:
    of = server()
    inner = of.transport()

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0.004)
            return await inner.handle_async_request(request)

    async with AsyncNetworkClient(**URL, transport=Slow()) as client:
        iterator = aiter(clicks(client, source))
        got: list[str] = []
        cancelled = 0
        while True:
            try:
                got.append((await asyncio.wait_for(anext(iterator), 0.001)).uuid)
            except TimeoutError:
                cancelled += 1
                try:
                    got.append((await anext(iterator)).uuid)
                except StopAsyncIteration:
                    break
            except StopAsyncIteration:
                break
    assert cancelled
    assert got == all_uuids(of)


def refusing(of: ReportServer, refused: Callable[[int], bool]) -> ReportServer:
    of.trouble = lambda number, query: httpx.Response(403) if refused(number) else None
    return of


@sources
def test_an_interrupt_while_a_page_is_made_costs_no_row(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    of = server()
    made = "windows.run.WindowPage" if source == "windows" else "state.Page"

    def interrupted(**_: Any) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    with network(of) as client:
        iterator = iter(clicks(client, source))
        got = [next(iterator).uuid for _ in range(10)]
        monkeypatch.setattr(f"adsecurity.paging.{made}", interrupted)
        with pytest.raises(KeyboardInterrupt):
            got.extend(row.uuid for row in iterator)
        got.extend(row.uuid for row in iterator)
    assert got == all_uuids(of)


@sources
def test_after_an_error_the_next_row_is_the_next_row(source: str) -> None:
    of = refusing(server(), lambda number: number in (3, 9, 17, 30))
    with network(of) as client:
        iterator = iter(clicks(client, source))
        got: list[str] = []
        errors: list[tuple[str | None, str]] = []
        while True:
            try:
                got.append(next(iterator).uuid)
            except PermissionDeniedError as error:
                errors.append((error.checkpoint, iterator.checkpoint()))
            except StopIteration:
                break
    assert errors
    assert all(told == stands for told, stands in errors)
    assert got == all_uuids(of)


@sources
@pytest.mark.anyio
async def test_after_an_error_the_next_row_is_the_next_row_async(source: str) -> None:
    of = refusing(server(), lambda number: number in (3, 9, 17, 30))
    async with AsyncNetworkClient(**URL, transport=of.transport(), retry=ONCE) as client:
        iterator = aiter(clicks(client, source))
        got: list[str] = []
        errors: list[tuple[str | None, str]] = []
        while True:
            try:
                got.append((await anext(iterator)).uuid)
            except PermissionDeniedError as error:
                errors.append((error.checkpoint, iterator.checkpoint()))
            except StopAsyncIteration:
                break
    assert errors
    assert all(told == stands for told, stands in errors)
    assert got == all_uuids(of)


@sources
def test_an_error_that_stays_is_raised_again_and_never_a_silent_end(source: str) -> None:
    of = refusing(server(), lambda number: number > 5)
    with network(of) as client:
        iterator = iter(clicks(client, source))
        got: list[str] = []
        for _ in range(4):
            # What has been read is handed out before.
            with pytest.raises(PermissionDeniedError):
                got.extend(row.uuid for row in iterator)
        of.trouble = lambda number, query: None
        rest = [row.uuid for row in iterator]
    assert rest
    assert got + rest == all_uuids(of)


@sources
@pytest.mark.anyio
async def test_an_error_that_stays_is_raised_again_async(source: str) -> None:
    of = refusing(server(), lambda number: number > 5)
    async with AsyncNetworkClient(**URL, transport=of.transport(), retry=ONCE) as client:
        iterator = aiter(clicks(client, source))
        got: list[str] = []

        async def take_all() -> None:
            # One by one: what comes before an error is kept.
            async for row in iterator:
                got.append(row.uuid)

        for _ in range(4):
            with pytest.raises(PermissionDeniedError):
                await take_all()
        of.trouble = lambda number, query: None
        rest = [row.uuid async for row in iterator]
    assert rest
    assert got + rest == all_uuids(of)


@sources
def test_of_a_closed_client_every_next_says_so(source: str) -> None:
    of = server()
    client = network(of)
    iterator = iter(clicks(client, source))
    next(iterator)
    client.close()
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="closed"):
            list(iterator)


@sources
@pytest.mark.anyio
async def test_of_a_closed_async_client_every_next_says_so(source: str) -> None:
    client = AsyncNetworkClient(**URL, transport=server().transport(), retry=ONCE)
    iterator = aiter(clicks(client, source))
    await anext(iterator)
    await client.close()
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="closed"):
            async for _ in iterator:
                pass


def giving_cursor(of: ReportServer, cursor: str) -> httpx.MockTransport:
    """The server says behind every page that there is more, and always gives this cursor for it."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = of.answer(request).json()
        body["data"]["pageInfo"] = {"hasNextPage": True, "endCursor": cursor}
        return httpx.Response(200, content=json.dumps(body))

    return httpx.MockTransport(answer)


@pytest.mark.parametrize(("cursor", "why"), [("1", "same cursor twice|same page twice"), ("\ud800", "cannot be sent")])
@sources
def test_a_cursor_that_leads_nowhere_ends_in_our_error(source: str, cursor: str, why: str) -> None:
    of = server()
    with NetworkClient(**URL, transport=giving_cursor(of, cursor), retry=ONCE) as client:
        iterator = iter(clicks(client, source))
        for _ in range(2):
            with pytest.raises(PaginationError, match=why) as caught:
                list(iterator)
            assert caught.value.checkpoint == iterator.checkpoint()


def _workers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "adsecurity-prefetch"}


@pytest.fixture
def silent() -> Iterator[tuple[str, list[socket.socket]]]:
    """A server that accepts requests and never answers, and the connections that it has."""
    connections: list[socket.socket] = []

    def talk(connection: socket.socket) -> None:
        connections.append(connection)
        while connection.recv(65536):
            pass
        connections.remove(connection)

    for address in raw_server(talk):
        yield address, connections


@pytest.mark.parametrize("how", ["client", "iterator"])
def test_closing_ends_the_connections_of_the_workers_at_once(
    silent: tuple[str, list[socket.socket]], how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adsecurity.flow.background._LINGER", 0.05)
    address, connections = silent
    others = _workers()
    client = NetworkClient(api_key="k", base_url=address, retry=ONCE)
    iterator = iter(clicks(client, "windows"))
    ended: list[BaseException] = []

    def read() -> None:
        try:
            next(iterator)
        except BaseException as error:
            ended.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    deadline = time.monotonic() + 5
    while not connections and time.monotonic() < deadline:
        time.sleep(0.005)
    assert connections
    started = time.monotonic()
    (client if how == "client" else iterator).close()
    while (connections or _workers() - others) and time.monotonic() < started + 3:
        time.sleep(0.005)
    assert not connections
    assert not _workers() - others
    assert time.monotonic() - started < 1.5
    reader.join(3)
    assert isinstance(ended[0], ConfigurationError if how == "client" else AdsecurityError)
    client.close()


@pytest.mark.parametrize("source", SOURCES)
def test_a_forked_child_that_goes_on_with_its_parents_iterator_gets_our_error_at_once(source: str) -> None:
    of = server()
    with network(of) as client:
        iterator = iter(clicks(client, source))
        got = [row.uuid for row in islice(iterator, 10)]
        said = in_child(lambda: next(iterator))
        assert "ConfigurationError: reports.clicks: this iterator was begun before the process was forked" in said
        got += [row.uuid for row in iterator]
    assert got == all_uuids(of)


@pytest.mark.anyio
@sources
async def test_an_async_iterator_of_another_process_raises_our_error_at_once(source: str) -> None:
    of = server()
    async with AsyncNetworkClient(**URL, transport=of.transport()) as client:
        iterator = aiter(clicks(client, source))
        got = [(await anext(iterator)).uuid for _ in range(10)]
        # What a forked child sees: an event loop cannot be forked in a test without breaking the parent's.
        real = os.getpid()
        iterator._process = iterator._source._process.id = -1
        with pytest.raises(ConfigurationError, match="begun before the process was forked") as caught:
            await anext(iterator)
        assert caught.value.checkpoint == iterator.checkpoint()
        iterator._process = iterator._source._process.id = real
        got += [row.uuid async for row in iterator]
    assert got == all_uuids(of)


EXIT = """
import sys, time
import httpx
from adsecurity import NetworkClient
from tests.paging.test_sources import clicks, server
of = server(3000)
def answer(request):
    time.sleep(0.002)
    return of.answer(request)
client = NetworkClient(api_key="k", base_url="https://api.test", transport=httpx.MockTransport(answer))
iterators = [iter(clicks(client, "windows")) for _ in range(6)] + [iter(clicks(client, "ahead")) for _ in range(6)]
for iterator in iterators:
    for _ in range(9):
        next(iterator)
iterators[0].me = iterators  # garbage in a circle, collected whenever the collector runs
"""


def test_an_interpreter_exits_while_iterators_are_alive() -> None:
    for _ in range(4):
        ended = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "ignore::ResourceWarning", "-c", EXIT],
            timeout=60,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr == ""


@pytest.mark.usefixtures("_no_zone_data")
@pytest.mark.parametrize("more", [{}, {"inclusive": "left"}, {"concurrency": 2}])
@pytest.mark.parametrize("start", [START.date(), START])
def test_a_list_in_utc_needs_no_zone_data(more: dict[str, Any], start: Any) -> None:
    with network(server(60)) as client:
        found = clicks(client, "plain", timezone="UTC", start_time=start, **more)
        assert len(found.to_list()) == 60


@pytest.mark.parametrize("source", ["ahead", "windows"])
def test_a_source_is_collected_while_any_lock_is_held(source: str) -> None:
    """The collector runs in any thread at any moment, so what it calls takes no lock."""
    with network(server()) as client, ExitStack() as held:
        iterator = iter(clicks(client, source))
        # Beyond the first pages, which are not read ahead.
        for _ in range(20):
            next(iterator)
        read = iterator._source
        locks = [client._session.background._lock, *([read._steps._lock] if source == "windows" else [])]
        stop = read._stop if source == "windows" else read._reader.stop
        for lock in locks:
            assert lock.acquire(timeout=5)
            held.callback(lock.release)
        del iterator, read
        gc.collect()
        assert stop.is_set()
