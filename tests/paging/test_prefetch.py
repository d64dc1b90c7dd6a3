"""The next page is read while this one is consumed, from the second page on; nothing is begun that nobody wants."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import json
import socket
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from adsecurity.errors import ConfigurationError
from adsecurity.flow.background import BackgroundTasks, BackgroundThreads, StopSignal, _Worker
from adsecurity.http.retry import RetryPolicy
from tests.paging.kit import KEY, ONCE, Async, Server, Sync, Use, operation, rows, values
from tests.support.demo.drivers import raw_server

SLOW = RetryPolicy(attempts=5, backoff=30, max_backoff=30)


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def _prefetching() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "adsecurity-prefetch"]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """BackgroundThreads that have nothing to do linger for a moment; here they are counted."""
    monkeypatch.setattr("adsecurity.flow.background._LINGER", 0.2)
    _wait_for(lambda: not _prefetching())


def _sync(server: Any, **options: Any) -> Sync:
    return Sync(api_key=KEY, transport=httpx.MockTransport(server), **{"retry": ONCE, **options})


def _async(server: Any, **options: Any) -> Async:
    return Async(api_key=KEY, transport=httpx.MockTransport(server), **{"retry": ONCE, **options})


def _pages(client: Any, kind: str = "pages", **options: Any) -> Any:
    return client._api.paginate(operation(kind), {"org_id": "o"}, page_size=10, **options)


def test_the_second_page_waits_for_the_first_to_be_consumed_and_the_third_does_not() -> None:
    server = Server("pages", rows(45))
    with _sync(server) as client:
        iterator = iter(_pages(client))
        for _ in range(10):
            next(iterator)
        time.sleep(0.02)
        assert server.parameter("page[number]") == ["1"]
        next(iterator)
        _wait_for(lambda: len(server.requests) == 3)
        time.sleep(0.02)
        assert server.parameter("page[number]") == ["1", "2", "3"]


def test_prefetch_0_reads_a_page_when_its_first_item_is_asked_for(use: Use) -> None:
    server = Server("pages", rows(45))
    iterator = use.iterator(use.listing(server, page_size=10, prefetch=0))
    for _ in range(20):
        use.next(iterator)
    time.sleep(0.02)
    assert len(server.requests) == 2
    assert not _prefetching()


def test_no_request_follows_the_last_page() -> None:
    server = Server("pages", rows(25))
    with _sync(server) as client:
        assert len(_pages(client).to_list()) == 25
    assert len(server.requests) == 3


def test_after_a_break_no_new_request_starts_and_the_running_one_is_dropped() -> None:
    server = Server("pages", rows(100))
    begun, gate = threading.Event(), threading.Event()

    def gated(request: httpx.Request) -> httpx.Response:
        if request.url.params["page[number]"] == "3":
            begun.set()
            gate.wait(5)
        return server(request)

    with _sync(gated) as client:
        for item in _pages(client):
            if item.value == "10":
                assert begun.wait(5)
                break
        assert len(_prefetching()) == 1
        gate.set()
        _wait_for(lambda: not _prefetching())
        assert server.parameter("page[number]") == ["1", "2", "3"]


def test_after_a_break_a_failed_prefetch_is_not_tried_again() -> None:
    server = Server("pages", rows(100))
    asked: list[str] = []

    def failing(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["page[number]"])
        return httpx.Response(503) if asked[-1] == "3" else server(request)

    with _sync(failing, retry=SLOW) as client:
        for item in _pages(client):
            if item.value == "10":
                _wait_for(lambda: len(asked) == 3)
                break
        _wait_for(lambda: not _prefetching())
        assert asked == ["1", "2", "3"]


def test_after_a_break_no_request_follows_one_that_brings_nothing() -> None:
    server = Server("cursor", rows(30))
    served, gate = threading.Event(), threading.Event()

    def empty(request: httpx.Request) -> httpx.Response:
        answer = server(request)
        number = len(server.requests)
        if number < 3:
            return answer
        served.set()
        gate.wait(5)
        info = {"hasNextPage": number < 50, "endCursor": f"c{number}"}
        return httpx.Response(200, json={"data": {"data": [], "pageInfo": info}})

    with _sync(empty) as client:
        for item in _pages(client, "cursor"):
            if item.value == "10":
                assert served.wait(5)
                break
        gate.set()
        _wait_for(lambda: not _prefetching())
    assert len(server.requests) == 3


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("can't start new thread")], ids=repr)
def test_a_thread_that_does_not_start_costs_no_page(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    start = threading.Thread.start
    failing = [error]

    def fails_once(thread: threading.Thread) -> None:
        if failing:
            raise failing.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", fails_once)
    got: list[str] = []
    with _sync(Server("pages", rows(45))) as client:
        iterator = iter(_pages(client))
        while len(got) < 45:
            with contextlib.suppress(KeyboardInterrupt):
                got.append(next(iterator).value)
    assert got == [str(number) for number in range(45)]
    assert not failing


def test_an_interruption_behind_the_start_of_a_thread_costs_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    submit = BackgroundThreads.submit
    interruptions = [1]

    def interrupted(threads: BackgroundThreads, *args: Any) -> Any:
        future = submit(threads, *args)
        if interruptions:
            del interruptions[:]
            raise KeyboardInterrupt
        return future

    monkeypatch.setattr(BackgroundThreads, "submit", interrupted)
    got: list[str] = []
    with _sync(Server("pages", rows(45))) as client:
        iterator = iter(_pages(client))
        while len(got) < 45:
            with contextlib.suppress(KeyboardInterrupt):
                got.append(next(iterator).value)
    assert got == [str(number) for number in range(45)]


def test_close_ends_what_is_read_ahead_and_waits_for_it() -> None:
    server = Server("pages", rows(100))
    client = _sync(lambda r: httpx.Response(503) if r.url.params["page[number]"] == "3" else server(r), retry=SLOW)
    iterator = iter(_pages(client))
    for _ in range(11):
        next(iterator)
    _wait_for(lambda: bool(_prefetching()))
    started = time.monotonic()
    client.close()
    assert not _prefetching()
    assert time.monotonic() - started < 5


@pytest.fixture
def hanging() -> Iterator[str]:
    """A server that never answers the third request."""
    stop = threading.Event()

    def talk(connection: socket.socket) -> None:
        for number in range(2):
            connection.recv(65536)
            data = [{"value": f"{number}-{row}"} for row in range(10)]
            body = json.dumps({"data": data, "meta": {"total_page": 9}}).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        stop.wait(30)

    yield from raw_server(talk)
    stop.set()


def test_close_drops_an_answer_that_does_not_come(hanging: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Sync(api_key=KEY, base_url=hanging, retry=ONCE) as client:
            iterator = iter(_pages(client))
            for _ in range(11):
                next(iterator)
            time.sleep(0.05)
            assert len(_prefetching()) == 1
            started = time.monotonic()
        assert time.monotonic() - started < 0.9
        assert not _prefetching()
        gc.collect()


def test_close_does_not_wait_for_a_transport_that_does_not_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adsecurity.flow.background._PATIENCE", 0.05)
    server, gate, asked = Server("pages", rows(100)), threading.Event(), threading.Event()

    def gated(request: httpx.Request) -> httpx.Response:
        if request.url.params["page[number]"] == "3":
            asked.set()
            gate.wait(30)
        return server(request)

    with _sync(gated) as client:
        iterator = iter(_pages(client))
        for _ in range(11):
            next(iterator)
        assert asked.wait(5)
        started = time.monotonic()
    assert time.monotonic() - started < 5
    assert len(_prefetching()) == 1
    gate.set()
    _wait_for(lambda: not _prefetching())


def test_an_iteration_goes_on_to_say_that_its_client_is_closed(use: Use) -> None:
    server = Server("pages", rows(100))
    client = use.client(server, retry=ONCE)
    iterator = use.iterator(use.listing(server, client=client, page_size=10))
    got = [use.next(iterator) for _ in range(11)]
    use.result(client.close())
    # What has been read is still handed out: the rest of this page, and perhaps one that was read ahead.
    got += [use.next(iterator) for _ in range(9)]
    with pytest.raises(ConfigurationError, match="closed") as caught:
        got += use.each(iterator)
    again = use.listing(server, page_size=10, resume=caught.value.checkpoint)
    rest = values(use.each(again))
    assert [*values(got), *rest] == list(range(100))
    assert len(got) <= 30


def test_nothing_of_the_prefetch_warns_when_it_is_abandoned(use: Use) -> None:
    """Neither a task that nobody awaited nor an error that nobody saw."""
    server = Server("pages", rows(100))
    server.before = lambda number: httpx.Response(500) if number == 3 else None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for item in use.each(use.listing(server, page_size=10)):
            if item.value == "18":
                _wait_for(lambda: len(server.requests) == 3)
                break
        use.close()
        gc.collect()
    assert len(server.requests) == 3


def test_an_interrupted_wait_for_the_next_page_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server("pages", rows(45))
    with _sync(server) as client:
        iterator = iter(_pages(client))
        got = [next(iterator) for _ in range(20)]
        with monkeypatch.context() as patch:

            def interrupted(*_: object) -> None:
                raise KeyboardInterrupt

            patch.setattr("concurrent.futures.Future.exception", interrupted)
            with pytest.raises(KeyboardInterrupt):
                next(iterator)
        assert values([*got, *iterator]) == list(range(45))


def test_hooks_of_a_page_read_ahead_see_the_context_of_the_caller() -> None:
    variable = contextvars.ContextVar("variable", default="")
    seen: list[str] = []
    server = Server("pages", rows(35))
    with _sync(server, on_request=lambda event: seen.append(variable.get())) as client:
        variable.set("mine")
        _pages(client).to_list()
    assert seen == ["mine"] * 4


def test_one_thread_reads_all_pages_of_an_iteration() -> None:
    server = Server("pages", rows(95))
    readers: list[threading.Thread] = []

    def noted(request: httpx.Request) -> httpx.Response:
        readers.append(threading.current_thread())
        return server(request)

    with _sync(noted) as client:
        iterator = iter(_pages(client))
        for number in range(95):
            assert next(iterator).value == str(number)
            # Only a thread that has become idle can be taken again.
            _wait_for(lambda: not client._session.background._running)
    assert len(readers) == 10
    assert readers[:2] == [threading.current_thread()] * 2
    assert len(set(readers[2:])) == 1


def test_an_idle_thread_ends_and_the_next_page_gets_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adsecurity.flow.background._LINGER", 0.01)
    threads = BackgroundThreads()
    first = threads.submit(threading.current_thread, threading.Event()).result(5)
    _wait_for(lambda: not first.is_alive())
    second = threads.submit(threading.current_thread, threading.Event()).result(5)
    assert second is not first
    threads.close()
    assert not second.is_alive()


def test_a_thread_that_is_chosen_while_it_is_about_to_end_does_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adsecurity.flow.background._LINGER", 0.0)
    threads = BackgroundThreads()
    done = [threads.submit(lambda number=number: number, threading.Event()) for number in range(500)]
    assert [future.result(5) for future in done] == list(range(500))
    worker = _Worker(threads)
    threading.Timer(0.05, worker.jobs.put, [_nothing]).start()
    assert threads.take(worker) is _nothing
    threads.close()


def _nothing() -> None:
    pass


def test_a_dropped_client_is_not_kept_alive_by_an_idle_thread() -> None:
    client = _sync(Server("pages", rows(45)))
    assert len(_pages(client).to_list()) == 45
    gone, background = weakref.ref(client), client._session.background
    _wait_for(lambda: not background._running)
    assert _prefetching()
    del client
    gc.collect()
    assert gone() is None


def test_threads_refuse_work_after_close() -> None:
    threads = BackgroundThreads()
    threads.close()
    assert threads.submit(lambda: 1, threading.Event()).cancelled()


def test_threads_can_be_closed_by_what_they_run() -> None:
    threads = BackgroundThreads()
    assert threads.submit(threads.close, threading.Event()).result(5) is None


@pytest.mark.anyio
async def test_async_after_a_break_the_running_request_is_cancelled() -> None:
    server = Server("pages", rows(100))
    cancelled: list[str] = []

    async def hanging(request: httpx.Request) -> httpx.Response:
        if request.url.params["page[number]"] == "3":
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                cancelled.append("3")
                raise
        return server(request)

    async with _async(hanging) as client:
        others = asyncio.all_tasks()
        async for item in _pages(client):
            if item.value == "10":
                await asyncio.sleep(0.01)
                break
        await asyncio.sleep(0.01)
        assert cancelled == ["3"]
        assert len(server.requests) == 2
        assert asyncio.all_tasks() == others


@pytest.mark.anyio
async def test_async_the_third_page_is_read_while_the_second_is_consumed() -> None:
    server = Server("pages", rows(45))
    third = asyncio.Event()

    async def noticed(request: httpx.Request) -> httpx.Response:
        if request.url.params["page[number]"] == "3":
            third.set()
        return server(request)

    async with _async(noticed) as client:
        iterator = aiter(_pages(client))
        for _ in range(10):
            await anext(iterator)
        await asyncio.sleep(0.01)
        assert len(server.requests) == 1
        await anext(iterator)
        await asyncio.wait_for(third.wait(), 5)


def test_async_an_error_that_nobody_waits_for_is_not_reported_as_lost(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise ValueError("nobody waits")

    async def main() -> None:
        BackgroundTasks().submit(fail)
        await asyncio.sleep(0.01)
        gc.collect()

    asyncio.run(main())
    assert "nobody waits" not in caplog.text


@pytest.mark.anyio
async def test_async_close_cancels_what_is_read_ahead() -> None:
    server = Server("pages", rows(100))

    async def hanging(request: httpx.Request) -> httpx.Response:
        if request.url.params["page[number]"] == "3":
            await asyncio.sleep(30)
        return server(request)

    others = asyncio.all_tasks()
    client = _async(hanging)
    iterator = aiter(_pages(client))
    for _ in range(11):
        await anext(iterator)
    await asyncio.sleep(0.01)
    assert len(asyncio.all_tasks() - others) == 1
    await asyncio.wait_for(client.close(), 5)
    assert asyncio.all_tasks() == others


@pytest.mark.anyio
@pytest.mark.parametrize("moment", [0.0, 0.01, 0.03])
async def test_async_a_consumer_that_gives_up_waiting_loses_nothing(moment: float) -> None:
    server = Server("pages", rows(45))

    async def slow(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.02)
        return server(request)

    async with _async(slow) as client:
        iterator = aiter(_pages(client))
        got: list[Any] = []
        while True:
            try:
                got.append(await asyncio.wait_for(anext(iterator), moment or 0.0001))
            except TimeoutError:
                await asyncio.sleep(0.05 if moment == 0.03 else 0)
                # Without a time-out, or it would never get anywhere.
                try:
                    got.append(await anext(iterator))
                except StopAsyncIteration:
                    break
            except StopAsyncIteration:
                break
        assert values(got) == list(range(45))


@pytest.mark.anyio
async def test_async_a_page_that_arrives_while_its_consumer_is_cancelled_is_kept() -> None:
    server = Server("pages", rows(45))
    arrived = asyncio.Event()

    async def signalled(request: httpx.Request) -> httpx.Response:
        if request.url.params["page[number]"] == "3":
            await arrived.wait()
        return server(request)

    async with _async(signalled) as client:
        iterator = aiter(_pages(client))
        got = [await anext(iterator) for _ in range(20)]
        ahead = iterator._source._ahead
        assert ahead is not None
        # In the same turn of the loop: the page is there, and nobody takes it any more.
        tasks: list[asyncio.Future[Any]] = []
        ahead.add_done_callback(lambda _: tasks[0].cancel())
        waiting = asyncio.ensure_future(anext(iterator))
        tasks.append(waiting)
        await asyncio.sleep(0.01)
        arrived.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        got += [item async for item in iterator]
        assert values(got) == list(range(45))


@pytest.mark.anyio
async def test_async_a_hook_that_is_cancelled_loses_no_page() -> None:
    server = Server("pages", rows(25))
    hold = True

    async def on_page(event: Any) -> None:
        if hold and event.number == 2:
            await asyncio.sleep(30)

    async with _async(server, on_page=on_page) as client:
        iterator = aiter(_pages(client))
        got = [await anext(iterator) for _ in range(10)]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(iterator), 0.01)
        hold = False
        got += [item async for item in iterator]
    assert values(got) == list(range(25))


def test_async_an_iterator_dropped_after_its_loop_has_ended_does_no_harm() -> None:
    kept: list[Any] = []
    server = Server("pages", rows(100))

    async def main() -> None:
        async with _async(server) as client:
            iterator = aiter(_pages(client))
            for _ in range(11):
                await anext(iterator)
            kept.append(iterator)

    asyncio.run(main())
    kept.clear()
    gc.collect()


@pytest.mark.anyio
async def test_async_tasks_cancel_work_after_close() -> None:
    tasks = BackgroundTasks()
    await tasks.aclose()
    task = tasks.submit(lambda: asyncio.sleep(30))
    await asyncio.wait([task])
    assert task.cancelled()


def test_a_stop_signal_is_set_while_another_thread_waits_for_it_or_holds_the_lock_of_an_event() -> None:
    signal = StopSignal()
    waiting = [threading.Thread(target=signal.wait) for _ in range(3)]
    for thread in waiting:
        thread.start()
    assert not signal.wait(0.01)
    with signal._cond:
        setting = threading.Thread(target=signal.set, daemon=True)
        setting.start()
        setting.join(5)
        assert not setting.is_alive()
        for thread in waiting:
            thread.join(5)
            assert not thread.is_alive()
    assert signal.wait()
    assert signal.is_set()


def test_a_forked_child_starts_threads_of_its_own() -> None:
    threads = BackgroundThreads()
    assert threads.submit(lambda: 1, threading.Event()).result(5) == 1
    threads._process = -1
    with threads._lock:
        assert threads.submit(lambda: 2, threading.Event()).result(5) == 2
    threads._process = -1
    threads.close()
    assert threads.submit(lambda: 3, threading.Event()).cancelled()
