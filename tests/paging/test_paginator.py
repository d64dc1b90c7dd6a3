"""Paginators: items, pages, first, to_list, raw answers, hooks, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from adsecurity import AdsecurityError, PaginationError
from tests.paging.kit import ONCE, PAGED, Server, Use, operation, rows, values


@pytest.mark.parametrize("options", [{}, {"prefetch": 0}])
def test_a_cursor_that_cannot_be_sent_is_our_error_behind_the_rows_that_came(use: Use, options: Any) -> None:
    info = {"endCursor": "\ud800", "hasNextPage": True}
    body = json.dumps({"data": {"data": rows(10), "pageInfo": info}})
    client = use.client(lambda request: httpx.Response(200, text=body), retry=ONCE)
    rows_read = use.each(client._api.paginate(operation("cursor"), {"org_id": "o"}, **options))
    assert [next(rows_read).value for _ in range(10)] == [str(n) for n in range(10)]
    with pytest.raises(PaginationError, match="cursor that cannot be sent") as caught:
        next(rows_read)
    assert caught.value.checkpoint


@pytest.mark.parametrize("depth", [300, 900, 5000])
def test_a_value_nested_deeply_is_in_the_file_or_our_error(use: Use, tmp_path: Any, depth: int) -> None:
    body = b'{"data": {"data": [{"real_tx_id": "a", "new": %b}], "pageInfo": {}}}' % (b"[" * depth + b"]" * depth)
    client = use.client(lambda request: httpx.Response(200, content=body), retry=ONCE)
    listing = client._api.paginate(operation("cursor"), {"org_id": "o"})
    try:
        use.result(listing.to_parquet(tmp_path / "x.parquet"))
    except AdsecurityError:
        assert not list(tmp_path.iterdir())
    else:
        (cell,) = pq.read_table(tmp_path / "x.parquet")["_extra"].to_pylist()
        assert cell.count("[") == depth


@pytest.mark.parametrize("kind", PAGED)
def test_pages_say_what_they_know(use: Use, kind: str) -> None:
    pages = list(use.each(use.listing(Server(kind, rows(25)), page_size=10).pages()))
    assert [values(page.items) for page in pages] == [list(range(10)), list(range(10, 20)), list(range(20, 25))]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [page.number for page in pages] == ([None] * 3 if kind == "cursor" else [1, 2, 3])
    assert [page.cursor for page in pages] == (["tx-9", "tx-19", None] if kind == "cursor" else [None] * 3)
    assert {page.total_count for page in pages} == ({25} if kind == "pages" else {None})
    assert {page.total_pages for page in pages} == ({3} if kind == "pages" else {None})


def test_an_empty_list_has_one_page_that_says_so(use: Use) -> None:
    assert [page.items for page in use.each(use.listing(Server("pages", [])).pages())] == [[]]


def test_a_list_that_ends_at_an_empty_page_does_not_show_it(use: Use) -> None:
    pages = list(use.each(use.listing(Server("report-numbered", rows(20)), page_size=10).pages()))
    assert [len(page) for page in pages] == [10, 10]


def test_each_iteration_begins_anew(use: Use) -> None:
    listing = use.listing(Server("pages", rows(25)), page_size=10)
    assert values(use.each(listing)) == values(use.each(listing)) == list(range(25))


def test_two_iterations_do_not_disturb_each_other(use: Use) -> None:
    listing = use.listing(Server("pages", rows(25)), page_size=10)
    one, two = use.iterator(listing), use.iterator(listing)
    got = [(use.next(one).value, use.next(two).value) for _ in range(25)]
    assert got == [(str(n), str(n)) for n in range(25)]


def test_first_is_one_request(use: Use) -> None:
    server = Server("cursor", rows(250))
    assert use.result(use.listing(server).first()).value == "0"
    assert len(server.requests) == 1


def test_first_of_nothing_is_none(use: Use) -> None:
    assert use.result(use.listing(Server("pages", [])).first()) is None


@pytest.mark.parametrize(("limit", "requests"), [(0, 0), (1, 1), (10, 1), (11, 2), (None, 3), (99, 3)])
def test_to_list_asks_for_no_more_than_its_limit_needs(use: Use, limit: int | None, requests: int) -> None:
    server = Server("pages", rows(25))
    listing = use.listing(server, page_size=10, prefetch=0)
    assert values(use.result(listing.to_list(limit))) == list(range(25))[:limit]
    assert len(server.requests) == requests


def test_a_negative_limit_is_refused(use: Use) -> None:
    with pytest.raises(ValueError):
        use.result(use.listing(Server("pages", [])).to_list(-1))


def test_raw_pages_are_answers_whose_parse_is_the_page(use: Use) -> None:
    server = Server("pages", rows(25))
    iterator = use.iterator(use.listing(server, raw=True, page_size=10))
    first, second = use.next(iterator), use.next(iterator)
    assert first.status_code == 200
    assert first.headers["content-type"] == "application/json"
    assert 0 <= first.elapsed < 10
    assert first.json()["meta"]["total_count"] == 25
    assert values(second.parse()) == list(range(10, 20))
    assert values(use.each(use.listing(server, page_size=10, resume=iterator.checkpoint()))) == list(range(20, 25))
    with pytest.raises(StopIteration):
        use.next(iterator) and use.next(iterator)


def test_typed_pages_do_not_keep_the_answer_they_came_from(use: Use) -> None:
    page = use.next(use.iterator(use.listing(Server("pages", rows(5))).pages()))
    assert page.response is None


def test_the_hook_sees_every_page_once_in_order(use: Use) -> None:
    events: list[Any] = []
    server = Server("cursor", rows(25))
    client = use.client(server, retry=ONCE, on_page=events.append)
    use.result(use.listing(server, client=client, page_size=10).to_list())
    assert [(e.operation, e.number, e.items, e.cursor) for e in events] == [
        ("things.list", 1, 10, "tx-9"),
        ("things.list", 2, 10, "tx-19"),
        ("things.list", 3, 5, None),
    ]


@pytest.mark.parametrize("use", ["async"], indirect=True)
def test_for_over_an_async_paginator_says_to_use_async_for(use: Use) -> None:
    with pytest.raises(TypeError, match="async for"):
        iter(use.listing(Server("pages", [])))


def test_nothing_is_sent_before_the_first_item_is_asked_for(use: Use) -> None:
    server = Server("pages", rows(1))
    use.iterator(use.listing(server))
    assert not server.requests


def test_a_paginator_names_its_operation_and_nothing_else(use: Use) -> None:
    listing = use.listing(Server("pages", []), args={"role": "private"})
    assert repr(listing) in ("Paginator(things.list)", "AsyncPaginator(things.list)")


def test_a_closed_iterator_is_at_its_end(use: Use) -> None:
    server = Server("pages", rows(25))
    iterator = use.iterator(use.listing(server, page_size=10))
    use.next(iterator)
    use.close_iterator(iterator)
    assert list(iter(lambda: next(use.each(_Again(iterator)), None), None)) == []
    assert len(server.requests) == 1


class _Again:
    """An iterable that gives the iterator it was made of."""

    def __init__(self, iterator: Any) -> None:
        self._iterator = iterator

    def __iter__(self) -> Any:
        return self._iterator

    def __aiter__(self) -> Any:
        return self._iterator
