"""One rate limit per client, over real sockets, threads, tasks and event loops."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import httpx
import pytest

from adsecurity import (
    AdsecurityError,
    AsyncNetworkClient,
    ConfigurationError,
    NetworkClient,
    RateLimitError,
    RetryPolicy,
)
from adsecurity.http.throttle import Throttle
from adsecurity.sandbox import Sandbox
from tests.support.demo.drivers import Driver
from tests.support.demo.surface import GET, KEY, REPORT, AsyncDemo, Demo

CALLERS = 50
PAGES = 5
ONE = {"thing_id": "1"}


class Limited:
    """Answers 429 for a while, from the first request on, and writes down when each request came."""

    def __init__(self, asked: float, status: int = 429) -> None:
        self.asked = asked
        self.status = status
        self.refused = threading.Event()
        self.times: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.times.append(time.monotonic())
        if not self.refused.is_set():
            self.refused.set()
            return httpx.Response(self.status, headers={"Retry-After": str(self.asked)}, json={})
        return httpx.Response(200, json={"data": {"id": "1"}})


@pytest.fixture
def limited() -> Iterator[Sandbox]:
    with Sandbox(rate_limit=20, rows=600, today="2026-11-08") as sandbox:
        yield sandbox


def report_of(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "integration_id": sandbox.integration_id,
        "start_time": "2020-01-01",
        "end_time": "2030-01-01",
        "page_size": 5,
    }


def check_storm(sandbox: Sandbox, client: Any, lists: list[list[Any]]) -> None:
    assert [len(rows) for rows in lists] == [5 * PAGES] * CALLERS
    statuses = [request.status for request in sandbox.requests]
    refused = statuses.count(429)
    print(f"refused {refused} of {len(statuses)}")
    assert refused <= len(statuses) / 5
    assert refused > 0
    assert client._session.throttle.waiting == 0
    assert not client._session._wakers


def test_fifty_threads_that_page_under_a_limit_all_finish_with_one_request_in_five_refused(limited: Sandbox) -> None:
    with (
        NetworkClient(api_key=limited.api_key, base_url=limited.network_url) as net,
        ThreadPoolExecutor(CALLERS) as threads,
    ):
        lists = list(
            threads.map(lambda _: net.reports.clicks(**report_of(limited)).to_list(limit=5 * PAGES), range(CALLERS))
        )
        check_storm(limited, net, lists)


def test_fifty_tasks_that_page_under_a_limit_all_finish_with_one_request_in_five_refused(limited: Sandbox) -> None:
    async def work() -> None:
        async with AsyncNetworkClient(api_key=limited.api_key, base_url=limited.network_url) as net:
            lists = [net.reports.clicks(**report_of(limited)).to_list(limit=5 * PAGES) for _ in range(CALLERS)]
            check_storm(limited, net, await asyncio.gather(*lists))

    asyncio.run(work())


def in_thread(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Run a call in a thread; what it returns or raises is in the list afterwards."""
    outcomes: list[Any] = []

    def run() -> None:
        try:
            outcomes.append(call())
        except BaseException as error:
            outcomes.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, outcomes


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it never came to this"
        time.sleep(0.005)


def test_a_client_that_meets_no_limit_never_asks_the_throttle(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    for method in ("reserve", "ticket", "leave"):
        monkeypatch.setattr(Throttle, method, None)
    client = driver.client(lambda request: httpx.Response(200, json={"data": {"id": "1"}}))
    assert driver.call(client, "raw", GET, ONE).status_code == 200


def test_a_429_holds_the_copies_of_a_client_too(driver: Driver) -> None:
    server = Limited(0.4)
    client = driver.client(server)
    copy = client.with_options(timeout=3)
    with pytest.raises(RateLimitError):
        driver.call(client, "raw", GET, ONE, retry=RetryPolicy(attempts=1))
    # Sent once, but in its turn.
    assert driver.call(copy, "raw", REPORT, {"integration_id": "i"}, retry=RetryPolicy(attempts=1)).status_code == 200
    assert server.times[1] - server.times[0] > 0.39


def test_calls_are_sent_in_the_order_in_which_they_were_made(driver: Driver) -> None:
    server = Limited(0.8)
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path.rpartition("/")[2])
        return server(request) if len(sent) > 5 else httpx.Response(200, json={"data": {"id": "1"}})

    client = driver.client(answer)
    for _ in range(5):  # so that the pace afterwards is not the slowest
        driver.call(client, "raw", GET, ONE)
    with pytest.raises(RateLimitError):
        driver.call(client, "raw", GET, ONE, retry=RetryPolicy(attempts=1))
    names = [f"call {number}" for number in range(5)]
    throttle = client._session.throttle
    if driver.is_async:

        async def work() -> None:
            calls = []
            for name in names:
                calls.append(asyncio.ensure_future(client._api.one(GET, {"thing_id": name})))
                await asyncio.to_thread(wait_until, lambda: throttle.waiting == len(calls))
            await asyncio.gather(*calls)

        driver.run(work())
    else:
        threads = []
        for name in names:
            threads.append(in_thread(partial(client._api.one, GET, {"thing_id": name})))
            wait_until(lambda: throttle.waiting == len(threads))
        for thread, outcomes in threads:
            thread.join(20)
            assert outcomes[0].id == "1"
    assert sent[6:] == names


def test_the_retry_after_of_a_503_holds_no_other_route(driver: Driver) -> None:
    server = Limited(30, status=503)
    client = driver.client(server)
    with pytest.raises(AdsecurityError):
        driver.call(client, "raw", GET, ONE, retry=RetryPolicy(attempts=1))
    assert driver.call(client, "raw", REPORT, {"integration_id": "i"}).status_code == 200
    with pytest.raises(AdsecurityError, match="was not sent"):
        driver.call(client, "raw", GET, ONE, retry=RetryPolicy(deadline=5))
    assert len(server.times) == 2


def test_a_429_in_one_thread_holds_the_others() -> None:
    server = Limited(0.5)
    with Demo(api_key=KEY, base_url="https://api.example", transport=httpx.MockTransport(server)) as client:
        with pytest.raises(RateLimitError):
            client._api.raw.one(GET, ONE, retry=RetryPolicy(attempts=1))
        with ThreadPoolExecutor(8) as threads:
            for future in [threads.submit(client._api.raw.one, GET, ONE) for _ in range(8)]:
                assert future.result().status_code == 200
    first, *others = server.times
    assert min(others) - first > 0.49
    # At the slowest pace, which then grows: not in one burst.
    assert max(others) - min(others) > 1


def test_a_429_in_one_event_loop_holds_the_others() -> None:
    server = Limited(0.5)
    client = AsyncDemo(api_key=KEY, base_url="https://api.example", transport=httpx.MockTransport(server))

    async def call() -> int:
        return (await client._api.raw.one(GET, ONE)).status_code

    threads = [in_thread(lambda: asyncio.run(call()))]
    server.refused.wait(5)
    wait_until(lambda: client._session.throttle.limited)
    threads += [in_thread(lambda: asyncio.run(call())) for _ in range(2)]
    for thread, outcomes in threads:
        thread.join(20)
        assert outcomes == [200]
    assert server.times[1] - server.times[0] > 0.49
    asyncio.run(client.close())


def test_a_call_that_waits_for_its_turn_takes_no_connection(driver: Driver) -> None:
    server = Limited(30, status=503)
    client = driver.client(server, max_connections=1)
    if driver.is_async:

        async def work() -> int:
            first = asyncio.ensure_future(client._api.raw.one(GET, ONE))
            await asyncio.to_thread(wait_until, lambda: client._session.throttle.limited)
            held = asyncio.ensure_future(client._api.raw.one(GET, ONE))
            await asyncio.sleep(0)
            answer = await client._api.raw.one(REPORT, {"integration_id": "i"})
            assert not held.done()
            first.cancel()
            held.cancel()
            status: int = answer.status_code
            return status

        assert driver.run(work()) == 200
        return
    threads = [in_thread(lambda: driver.call(client, "raw", GET, ONE)) for _ in range(2)]
    wait_until(lambda: client._session.throttle.limited)
    assert driver.call(client, "raw", REPORT, {"integration_id": "i"}).status_code == 200
    client.close()
    for thread, _ in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_calls_that_wait_for_a_connection_when_the_429_comes_are_not_sent_either(driver: Driver) -> None:
    release = threading.Event()
    server = Limited(0.6)

    def slow(request: httpx.Request) -> httpx.Response:
        if not server.refused.is_set():
            release.wait(5)
        return server(request)

    client = driver.client(slow, max_connections=1)
    if driver.is_async:

        async def work() -> list[int]:
            calls = [asyncio.ensure_future(client._api.raw.one(GET, ONE)) for _ in range(4)]
            release.set()
            return [(await call).status_code for call in calls]

        assert driver.run(work()) == [200] * 4
    else:
        threads = [in_thread(lambda: client._api.raw.one(GET, ONE).status_code) for _ in range(4)]
        time.sleep(0.2)
        release.set()
        for thread, outcomes in threads:
            thread.join(20)
            assert outcomes == [200]
    assert len(server.times) == 5
    assert server.times[1] - server.times[0] > 0.59


def test_the_pace_is_measured_by_when_requests_were_sent_and_not_by_when_calls_began_to_wait(driver: Driver) -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        time.sleep(0.05)
        return httpx.Response(200, json={"data": {"id": "1"}})

    client = driver.client(slow, max_connections=1)
    if driver.is_async:

        async def work() -> None:
            await asyncio.gather(*(client._api.raw.one(GET, ONE) for _ in range(5)))

        driver.run(work())
    else:
        with ThreadPoolExecutor(5) as threads:
            list(threads.map(lambda _: client._api.raw.one(GET, ONE), range(5)))
    sent = sorted(client._session.throttle.let_through._sent)
    assert min(after - before for before, after in pairwise(sent)) > 0.04


def test_closing_a_client_ends_the_wait_for_a_turn_of_a_thread_and_of_a_list() -> None:
    server = Limited(50)
    client = NetworkClient(api_key=KEY, base_url="https://api.example", transport=httpx.MockTransport(server))
    with pytest.raises(RateLimitError):
        client.users.get("1", retry=RetryPolicy(attempts=1))
    threads = [
        in_thread(lambda: client.users.get("1")),
        in_thread(lambda: client.users.list().to_list()),
        in_thread(lambda: client.with_options(timeout=1).users.list().to_list()),
    ]
    wait_until(lambda: client._session.throttle.waiting == 3)
    began = time.monotonic()
    client.close()
    for thread, outcomes in threads:
        thread.join(5)
        assert isinstance(outcomes[0], ConfigurationError)
    assert time.monotonic() - began < 2
    assert client._session.throttle.waiting == 0
    assert len(server.times) == 1


def test_closing_a_client_ends_the_wait_for_a_turn_of_a_task_in_any_loop() -> None:
    server = Limited(50)
    client = AsyncNetworkClient(api_key=KEY, base_url="https://api.example", transport=httpx.MockTransport(server))

    async def wait() -> None:
        await client.users.get("1")

    async def work() -> None:
        with pytest.raises(RateLimitError):
            await client.users.get("1", retry=RetryPolicy(attempts=1))
        elsewhere = in_thread(lambda: asyncio.run(wait()))
        copy = client.with_options(timeout=1)
        here = [asyncio.create_task(wait()), asyncio.create_task(copy.users.list().to_list())]
        await asyncio.to_thread(wait_until, lambda: client._session.throttle.waiting == 3)
        began = time.monotonic()
        await client.close()
        for task in here:
            with pytest.raises(ConfigurationError, match="closed"):
                await task
        await asyncio.to_thread(elsewhere[0].join, 5)
        assert isinstance(elsewhere[1][0], ConfigurationError)
        assert time.monotonic() - began < 2

    asyncio.run(work())
    assert client._session.throttle.waiting == 0
    assert len(server.times) == 1


def test_a_loop_that_is_over_does_not_keep_a_client_from_closing() -> None:
    server = Limited(50)
    client = AsyncNetworkClient(api_key=KEY, base_url="https://api.example", transport=httpx.MockTransport(server))
    loop = asyncio.new_event_loop()
    task = loop.create_task(client.users.get("1"))
    while not client._session._wakers:
        loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()
    asyncio.run(client.close())
    # Its task is never finished, which asyncio would complain about.
    task._log_destroy_pending = False  # type: ignore[attr-defined]


def test_a_cancelled_task_gives_its_turn_back() -> None:
    server = Limited(50)

    async def work() -> None:
        async with AsyncDemo(
            api_key=KEY, base_url="https://api.example", transport=httpx.MockTransport(server)
        ) as client:
            tasks = [asyncio.create_task(client._api.raw.one(GET, ONE)) for _ in range(20)]
            throttle = client._session.throttle
            await asyncio.to_thread(wait_until, lambda: throttle.waiting > 0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert all(task.cancelled() for task in tasks)
            assert throttle.waiting == 0
            assert not client._session._wakers

    asyncio.run(work())


class Alarm(Exception):
    pass


def test_an_interrupt_ends_a_wait_and_costs_one_call() -> None:
    def interrupt(*_: object) -> None:
        raise Alarm

    server = Limited(0.5)
    old = signal.signal(signal.SIGALRM, interrupt)
    try:
        with Demo(api_key=KEY, base_url="https://api.example", transport=httpx.MockTransport(server)) as client:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(Alarm):
                client._api.raw.one(GET, ONE)
            assert client._session.throttle.waiting == 0
            assert client._api.raw.one(GET, ONE).status_code == 200
            assert server.times[1] - server.times[0] > 0.49
    finally:
        signal.signal(signal.SIGALRM, old)


def test_a_signal_handler_can_call_while_a_call_of_its_thread_waits_for_its_turn() -> None:
    server = Limited(0.4)
    statuses: list[int] = []
    with Demo(api_key=KEY, base_url="https://api.example", transport=httpx.MockTransport(server)) as client:
        old = signal.signal(signal.SIGALRM, lambda *_: statuses.append(client._api.raw.one(GET, ONE).status_code))
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            assert client._api.raw.one(GET, ONE).status_code == 200
        finally:
            signal.signal(signal.SIGALRM, old)
    assert statuses == [200]


def test_a_forked_child_waits_as_its_parent_does_and_not_for_the_calls_of_its_parent() -> None:
    script = """
        import os, time
        from tests.support.demo.surface import Demo, KEY
        with Demo(api_key=KEY, base_url="https://api.example") as client:
            throttle = client._session.throttle
            throttle.refuse("GET /", sent=0, now=time.monotonic(), seconds=30)
            for _ in range(50):
                throttle.reserve(throttle.ticket(0.0, "GET /"), time.monotonic())
            child = os.fork()
            if child == 0:
                wait = throttle.reserve(throttle.ticket(1.0, "GET /"), time.monotonic())
                os._exit(throttle.waiting if wait and wait.held > 20 else 99)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
            assert throttle.waiting == 50
    """
    subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(script)], check=True, timeout=60)


def test_the_workers_of_a_range_are_under_the_limit_of_the_client(driver: Driver) -> None:
    client = driver.client(lambda request: httpx.Response(200, json={"data": {"id": "1"}}))
    worker = client._session.spawn()
    assert worker.throttle is client._session.throttle
    assert client.with_options(timeout=1)._session.throttle is client._session.throttle
    driver.run(worker.close())


def test_a_range_that_is_read_in_parallel_under_a_limit_is_read_in_full(limited: Sandbox) -> None:
    report = {**report_of(limited), "page_size": 20}
    with NetworkClient(api_key=limited.api_key, base_url=limited.network_url) as net:
        rows = net.reports.clicks(**report, concurrency=16).to_list()
    statuses = [request.status for request in limited.requests]
    with (
        Sandbox(rows=600, today="2026-11-08") as free,
        NetworkClient(api_key=free.api_key, base_url=free.network_url) as net,
    ):
        assert [row.tx_id for row in rows] == [row.tx_id for row in net.reports.clicks(**report).to_list()]
    assert statuses.count(429) <= len(statuses) / 3
