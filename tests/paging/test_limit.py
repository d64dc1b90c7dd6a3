"""`limit=`, `on_page=` and `count()` of every list, sync and async."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adsecurity
from adsecurity import PageEvent
from adsecurity.sandbox import Sandbox
from tests.support.demo.drivers import Driver
from tests.support.every_operation import Target, client, targets
from tests.support.routes import in_our_names

LISTS = [target for target in targets() if target.op.kind in ("pages", "cursor", "report-pages", "report-numbered")]
SINGLE = [target for target in targets() if target.op.kind == "rows"]
EVERY = pytest.mark.parametrize("target", LISTS + SINGLE, ids=lambda target: target.name)
BOTH = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
COUNT = 23


class Server:
    """Any list of `COUNT` rows; `total` says whether it tells how many there are."""

    def __init__(self, kind: str, *, total: bool = True) -> None:
        self.kind, self.total = kind, total
        self.requests = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        query = in_our_names(request.url.params.items())
        size = int(query.get("page[size]", 100))
        if self.kind == "report-pages":
            size = json.loads(request.content)["page_size"]
        if self.kind == "cursor":
            start = int(query.get("page[after]", 0))
        else:
            start = (int(query.get("page[number]", 1)) - 1) * size
        end = min(start + size, COUNT)
        rows = [{"id": f"r{row}", "tx_id": f"r{row}", "hash": f"r{row}"} for row in range(start, end)]
        meta = {"total_count": COUNT} if self.total else {}
        if self.kind in ("pages", "rows"):
            return httpx.Response(200, json={"data": rows, "meta": {**meta, "total_page": -(-COUNT // size)}})
        info = {"hasNextPage": end < COUNT, "endCursor": str(end)}
        return httpx.Response(200, json={"data": {"data": rows, "pageInfo": info}, "meta": meta})


def run(target: Target, server: Any, use: Any, *, is_async: bool, **options: Any) -> Any:
    """What `use` makes of the paginator of a list."""

    async def wait() -> Any:
        made = client(target.surface.name, httpx.MockTransport(server), is_async=is_async)
        result = use(target.call(made, **options))
        result = await result if inspect.isawaitable(result) else result
        closed = made.close()
        if inspect.isawaitable(closed):
            await closed
        return result

    return asyncio.run(wait())


def ids(items: list[Any]) -> list[str]:
    return [next(str(value) for value in item.to_dict().values()) for item in items]


@EVERY
@BOTH
def test_a_limit_ends_every_list_and_its_checkpoint_goes_on_behind_the_last_item(
    target: Target, is_async: bool
) -> None:
    paging = {} if target.op.kind == "rows" else {"page_size": 5}
    everything = run(target, Server(target.op.kind), lambda listed: listed.to_list(), is_async=is_async, **paging)
    assert len(everything) == COUNT
    some = run(target, Server(target.op.kind), lambda listed: listed.to_list(), is_async=is_async, limit=7, **paging)
    assert ids(some) == ids(everything)[:7]
    if target.op.kind == "rows":
        return
    saved = exhausted(target, is_async=is_async, limit=7)
    rest = run(
        target, Server(target.op.kind), lambda listed: listed.to_list(), is_async=is_async, resume=saved, **paging
    )
    assert ids(rest) == ids(everything)[7:]


def exhausted(target: Target, *, is_async: bool, **options: Any) -> str:
    """The checkpoint of an iteration that has come to its limit."""

    def use(listed: Any) -> Any:
        if not is_async:
            for _ in listed:
                pass
            return listed.checkpoint()

        async def walk() -> Any:
            async for _ in listed:
                pass
            return listed.checkpoint()

        return walk()

    return str(run(target, Server(target.op.kind), use, is_async=is_async, page_size=5, **options))


@given(
    limit=st.integers(0, 30),
    size=st.integers(1, 12),
    again=st.integers(0, 30),
    number=st.integers(0, len(LISTS) - 1),
    is_async=st.booleans(),
)
@settings(max_examples=40)
def test_two_limited_reads_share_no_item_and_miss_none(
    limit: int, size: int, again: int, number: int, is_async: bool
) -> None:
    target = LISTS[number]

    def pages(listed: Any) -> Any:
        if not is_async:
            return [list(page) for page in listed.pages()], listed.checkpoint()

        async def walk() -> Any:
            return [list(page) async for page in listed.pages()], listed.checkpoint()

        return walk()

    kind = target.op.kind
    first, saved = run(target, Server(kind), pages, is_async=is_async, limit=limit, page_size=size)
    second, _ = run(target, Server(kind), pages, is_async=is_async, limit=again, page_size=size, resume=saved)
    found = ids([item for page in first + second for item in page])
    assert found == [f"r{row}" for row in range(min(limit + again, COUNT))]
    assert len(found) == min(limit + again, COUNT)
    assert sum(map(len, first)) == min(limit, COUNT)


@pytest.mark.parametrize(("limit", "requests"), [(0, 0), (1, 1), (5, 1), (6, 2), (10, 2), (11, 3)])
@BOTH
def test_no_page_behind_the_limit_is_asked_for(limit: int, requests: int, is_async: bool) -> None:
    server = Server("pages")
    users = next(target for target in LISTS if target.name == "network:listUsers")
    found = run(users, server, lambda listed: listed.to_list(), is_async=is_async, limit=limit, page_size=5)
    assert (len(found), server.requests) == (limit, requests)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=200, today="2026-11-08") as running:
        yield running


RANGE = {"integration_id": "integration-1", "start_time": "2026-11-01", "end_time": "2026-11-08"}


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("inclusive", ["both", "left"])
def test_a_limit_holds_for_several_workers_and_half_open_ranges(
    sandbox: Sandbox, concurrency: int, inclusive: str
) -> None:
    with adsecurity.NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as net:
        options: dict[str, Any] = {**RANGE, "concurrency": concurrency, "inclusive": inclusive}
        everything = [row.tx_id for row in net.reports.clicks(**options)]
        for limit in (1, 33, 100, len(everything), len(everything) + 1):
            some = net.reports.clicks(**options, limit=limit)
            found = [row.tx_id for row in some]
            assert found == everything[:limit]
            rest = net.reports.clicks(**options, resume=some.checkpoint())
            assert found + [row.tx_id for row in rest] == everything


def test_a_limit_holds_for_tables(sandbox: Sandbox) -> None:
    with adsecurity.NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as net:
        whole = net.reports.clicks(**RANGE).to_arrow()
        for limit in (0, 7, 133):
            some = net.reports.clicks(**RANGE, limit=limit).to_arrow()
            assert some.equals(whole.slice(0, limit))


@pytest.mark.parametrize("limit", [-1, 1.5, "3", True])
def test_a_wrong_limit_and_a_hook_that_is_none_are_refused(driver: Driver, limit: Any) -> None:
    users = client("network", httpx.MockTransport(Server("pages")), is_async=driver.is_async).users
    with pytest.raises(ValueError, match="limit"):
        users.list(limit=limit)
    with pytest.raises(TypeError, match="on_page must be callable"):
        users.list(on_page=limit)


@EVERY
@BOTH
def test_on_page_of_a_call_is_told_of_every_page_beside_the_clients_hook(target: Target, is_async: bool) -> None:
    mine: list[PageEvent] = []
    paging = {} if target.op.kind == "rows" else {"page_size": 5}

    async def awaited(event: PageEvent) -> None:
        await asyncio.sleep(0)
        mine.append(event)

    hook = awaited if is_async else mine.append
    use = lambda listed: listed.to_list()  # noqa: E731
    run(target, Server(target.op.kind), use, is_async=is_async, on_page=hook, **paging)
    assert [event.items for event in mine] == ([COUNT] if target.op.kind == "rows" else [5, 5, 5, 5, 3])
    assert {event.operation for event in mine} == {target.op.resource}


def test_both_hooks_are_called_and_a_hook_that_is_awaited_needs_an_async_client(driver: Driver) -> None:
    client_events: list[PageEvent] = []
    call_events: list[PageEvent] = []
    made = client("network", httpx.MockTransport(Server("pages")), is_async=driver.is_async)
    net = made.with_options(on_page=client_events.append)
    driver.run(net.users.list(on_page=call_events.append, page_size=10).to_list())
    assert call_events == client_events
    assert len(call_events) == 3

    async def hook(event: PageEvent) -> None:
        call_events.clear()

    if driver.is_async:
        driver.run(net.users.list(on_page=hook).to_list())
        assert call_events == []
    else:
        with pytest.raises(TypeError, match="async client"):
            net.users.list(on_page=hook).to_list()


@EVERY
@BOTH
def test_count_is_one_request_and_a_value_error_where_there_is_no_total(target: Target, is_async: bool) -> None:
    server = Server(target.op.kind)
    assert run(target, server, lambda listed: listed.count(), is_async=is_async, limit=3) == COUNT
    assert server.requests == 1
    server = Server(target.op.kind, total=False)
    with pytest.raises(ValueError, match="the server gives no total"):
        run(target, server, lambda listed: listed.count(), is_async=is_async)
    assert server.requests == 1


def test_an_empty_list_counts_none_and_a_half_open_range_is_not_counted(sandbox: Sandbox) -> None:
    empty = httpx.MockTransport(lambda request: httpx.Response(200, json={"data": [], "meta": {"total_count": 0}}))
    net = client("network", empty)
    assert net.users.list().count() == 0
    with pytest.raises(ValueError, match="inclusive='left'"):
        net.reports.clicks(**RANGE, inclusive="left").count()
    with adsecurity.NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as real:
        assert real.users.list().count() == len(real.users.list().to_list())
