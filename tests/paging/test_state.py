"""Each kind of paging asks for the right pages, and ends where the list ends."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from adsecurity.errors import PaginationError
from tests.paging.kit import PAGED, Server, Use, operation, rows, values


@pytest.mark.parametrize("kind", PAGED)
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 30])
def test_all_items_come_in_order_whatever_the_last_page_holds(use: Use, kind: str, count: int) -> None:
    server = Server(kind, rows(count))
    assert values(use.each(use.listing(server, page_size=10))) == list(range(count))


def test_rows_are_a_single_page(use: Use) -> None:
    server = Server("rows", rows(250))
    assert values(use.each(use.listing(server))) == list(range(250))
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", PAGED)
def test_the_page_size_is_always_sent_and_100_unless_said_otherwise(use: Use, kind: str) -> None:
    server = Server(kind, rows(100))
    use.result(use.listing(server).first())
    sent = server.requests[0]
    size = json.loads(sent.content)["page_size"] if kind == "report-pages" else sent.url.params["page[size]"]
    assert int(size) == 100


def test_post_reports_say_the_page_in_query_and_body(use: Use) -> None:
    server = Server("report-pages", rows(15))
    use.result(use.listing(server, page_size=10).to_list())
    assert server.parameter("page[number]") == ["1", "2"]
    assert [json.loads(r.content) for r in server.requests] == [
        {"page_number": 1, "page_size": 10},
        {"page_number": 2, "page_size": 10},
    ]
    assert server.parameter("page[size]") == [None, None]


@pytest.mark.parametrize("kind", PAGED)
def test_the_arguments_go_with_every_page(use: Use, kind: str) -> None:
    server = Server(kind, rows(25))
    use.result(use.listing(server, args={"role": "admin"}, page_size=10).to_list())
    assert set(server.parameter("role")) == {"admin"}
    assert {request.url.raw_path.split(b"?")[0] for request in server.requests} == {b"/api/v2/things/o%2F1"}


@pytest.mark.parametrize("kind", ["pages", "report-pages", "report-numbered"])
def test_page_number_chooses_the_start(use: Use, kind: str) -> None:
    assert values(use.each(use.listing(Server(kind, rows(25)), page_size=10, page_number=2))) == list(range(10, 25))


def test_after_chooses_the_start(use: Use) -> None:
    assert values(use.each(use.listing(Server("cursor", rows(25)), page_size=10, after="tx-4"))) == list(range(5, 25))


def test_before_goes_backwards_page_by_page(use: Use) -> None:
    server = Server("cursor", rows(25))
    pages = [values(page) for page in use.each(use.listing(server, page_size=10, before="tx-24").pages())]
    assert pages == [list(range(14, 24)), list(range(4, 14)), list(range(4))]
    assert server.parameter("page[before]") == ["tx-24", "tx-14", "tx-4"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"page_size": 0},
        {"page_size": True},
        {"page_number": 0},
        {"page_number": "2"},
        {"after": "a", "before": "b"},
        {"prefetch": 2},
    ],
)
def test_a_wrong_start_is_refused_before_anything_is_sent(use: Use, wrong: dict[str, Any]) -> None:
    server = Server("pages", rows(1))
    with pytest.raises(ValueError, match=next(iter(wrong))):
        use.listing(server, **wrong)
    assert not server.requests


def test_wrong_arguments_are_refused_when_the_list_is_made_not_when_it_is_read(use: Use) -> None:
    with pytest.raises(TypeError, match="rol"):
        use.listing(Server("pages", []), args={"rol": "admin"})


def test_several_workers_for_a_list_without_a_time_range_are_refused_not_ignored(use: Use) -> None:
    with pytest.raises(ValueError, match="concurrency"):
        use.listing(Server("pages", rows(1)), concurrency=2)


def test_numbered_pages_go_on_after_a_full_page_even_if_it_is_said_to_be_the_last(use: Use) -> None:
    server = Server("pages", rows(25))
    server.change = lambda body: body["meta"].update(total_page=1)
    assert len(use.result(use.listing(server, page_size=10).to_list())) == 25


def test_numbered_pages_go_on_after_a_short_page_that_is_not_said_to_be_the_last(use: Use) -> None:
    server = Server("pages", rows(25))
    server.change = lambda body: body["data"] and body["data"].pop()
    # Three pages are announced; each lacks a row.
    assert len(use.result(use.listing(server, page_size=10).to_list())) == 22
    assert len(server.requests) == 3


@pytest.mark.parametrize("meta", [None, {}, {"total_page": 0, "total_count": 0}])
def test_a_missing_or_empty_meta_ends_nothing(use: Use, meta: dict[str, int] | None) -> None:
    server = Server("pages", rows(25))
    server.change = lambda body: body.pop("meta") if meta is None else body.update(meta=meta)
    assert len(use.result(use.listing(server, page_size=10).to_list())) == 25
    assert server.parameter("page[number]") == ["1", "2", "3", "4"]


def test_null_data_is_an_empty_page(use: Use) -> None:
    server = Server("pages", [])
    assert use.result(use.listing(server).to_list()) == []


@pytest.mark.parametrize("flag", [True, False, None])
def test_post_reports_go_on_while_pages_are_full_whatever_the_flag_says(use: Use, flag: bool | None) -> None:
    server = Server("report-pages", rows(20))
    server.change = lambda body: body["data"].update(pageInfo={"hasNextPage": flag})
    assert len(use.result(use.listing(server, page_size=10).to_list())) == 20


def test_a_post_report_goes_on_after_a_short_page_that_says_there_is_more(use: Use) -> None:
    server = Server("report-pages", rows(25))

    def change(body: dict[str, Any]) -> None:
        body["data"]["pageInfo"] = {"hasNextPage": len(server.requests) < 3}
        body["data"]["data"] = body["data"]["data"][:8]

    server.change = change
    assert len(use.result(use.listing(server, page_size=10).to_list())) == 8 + 8 + 5


@pytest.mark.parametrize("kind", PAGED)
def test_a_size_above_what_the_server_gives_does_not_end_the_list_after_one_page(use: Use, kind: str) -> None:
    server = Server(kind, rows(250))
    assert len(use.result(use.listing(server, page_size=500).to_list())) == 250


def test_the_performance_report_goes_on_until_an_empty_page(use: Use) -> None:
    server = Server("report-numbered", rows(12))
    assert len(use.result(use.listing(server, page_size=10).to_list())) == 12
    assert server.parameter("page[number]") == ["1", "2", "3"]


def test_cursor_lists_go_on_over_full_pages_without_a_flag(use: Use) -> None:
    """Go leaves out what is false, so a flag that is not there says nothing."""
    server = Server("cursor", rows(25))
    server.change = lambda body: body["data"]["pageInfo"].pop("hasNextPage")
    assert len(use.result(use.listing(server, page_size=10).to_list())) == 25
    assert len(server.requests) == 3


def test_a_cursor_list_that_ends_on_a_full_page_without_a_flag_ends_at_the_empty_one(use: Use) -> None:
    server = Server("cursor", rows(20))
    server.change = lambda body: body["data"]["pageInfo"].pop("hasNextPage")
    assert len(use.result(use.listing(server, page_size=10).to_list())) == 20


def test_a_cursor_list_goes_on_over_an_empty_page_that_says_there_is_more(use: Use) -> None:
    server = Server("cursor", rows(25))

    def change(body: dict[str, Any]) -> None:
        if len(server.requests) == 2:
            body["data"]["data"] = []

    server.change = change
    assert values(use.each(use.listing(server, page_size=10))) == [*range(10), *range(20, 25)]


@pytest.mark.parametrize("cursor", ["", "tx-19"])
def test_an_empty_page_that_leads_nowhere_is_the_end_even_if_it_says_there_is_more(use: Use, cursor: str) -> None:
    server = Server("cursor", rows(20))

    def change(body: dict[str, Any]) -> None:
        body["data"]["pageInfo"]["hasNextPage"] = True
        if not body["data"]["data"]:
            body["data"]["pageInfo"]["endCursor"] = cursor

    server.change = change
    assert len(use.result(use.listing(server, page_size=10).to_list())) == 20
    assert len(server.requests) == 3


def test_more_without_a_cursor_raises_instead_of_ending_quietly(use: Use) -> None:
    server = Server("cursor", rows(25))
    server.change = lambda body: body["data"]["pageInfo"].update(endCursor=None)
    with pytest.raises(PaginationError, match="no cursor"):
        use.result(use.listing(server, page_size=10).to_list())


@pytest.mark.parametrize("kind", ["pages", "report-pages", "report-numbered"])
def test_a_page_that_comes_twice_raises(use: Use, kind: str) -> None:
    """A server that ignores the page number would otherwise be read for ever."""
    server = Server(kind, rows(25))
    first: list[Any] = []

    def change(body: dict[str, Any]) -> None:
        first[:] = first or [json.loads(json.dumps(body["data"]))]
        body["data"] = first[0]

    server.change = change
    iterator = use.iterator(use.listing(server, page_size=10))
    got = [use.next(iterator) for _ in range(10)]
    with pytest.raises(PaginationError, match="same page") as caught:
        use.next(iterator)
    assert values(got) == list(range(10))
    assert json.loads(caught.value.checkpoint or "")["at"]["page"] == 2
    assert caught.value.operation == "things.list"


def test_pages_that_differ_in_the_last_row_alone_are_two_pages(use: Use) -> None:
    server = Server("report-numbered", [])
    same = rows(1)[0]
    server.data = [same, same, same, rows(1, 7)[0]]
    assert values(use.each(use.listing(server, page_size=2))) == [0, 0, 0, 7]


@pytest.mark.parametrize("loop", [1, 2])
def test_a_cursor_that_comes_again_raises(use: Use, loop: int) -> None:
    server = Server("cursor", rows(40))

    def change(body: dict[str, Any]) -> None:
        # After `loop` more pages, back to the first cursor.
        if len(server.requests) == loop + 1:
            body["data"]["pageInfo"]["endCursor"] = "tx-9"

    server.change = change
    iterator = use.iterator(use.listing(server, page_size=10))
    got = [use.next(iterator) for _ in range(10 * loop)]
    with pytest.raises(PaginationError, match="same cursor") as caught:
        use.next(iterator)
    assert len(got) == 10 * loop
    assert caught.value.checkpoint


def test_a_total_that_falls_raises_with_a_checkpoint_that_goes_on(use: Use) -> None:
    """Rows that were taken out move others to pages that have been read: they would be lost without a word."""
    server = Server("pages", rows(25))
    server.before = lambda number: number == 2 and server.data.pop(0)
    iterator = use.iterator(use.listing(server, page_size=10))
    got = [use.next(iterator) for _ in range(10)]
    with pytest.raises(PaginationError, match="from 25 to 24") as caught:
        use.next(iterator)
    rest = use.result(use.listing(server, page_size=10, resume=caught.value.checkpoint).to_list())
    assert values([*got, *rest]) == [*range(10), *range(11, 25)]


def test_a_total_that_grows_may_repeat_rows_and_loses_none(use: Use) -> None:
    server = Server("pages", rows(25))
    server.before = lambda number: server.data.__setitem__(slice(0, 0), rows(1, 99)) if number == 2 else None
    assert set(values(use.each(use.listing(server, page_size=10)))) == set(range(25))


def test_a_list_that_grows_by_a_whole_page_is_not_taken_for_a_server_that_repeats_itself(use: Use) -> None:
    server = Server("pages", rows(25))
    server.before = lambda number: number == 2 and server.data.__setitem__(slice(0, 0), rows(10, 100))
    assert set(values(use.each(use.listing(server, page_size=10)))) == set(range(25))


def test_a_page_without_a_total_between_others_does_not_hide_that_the_total_fell(use: Use) -> None:
    server = Server("pages", rows(35))
    server.before = lambda number: number == 3 and server.data.pop(0)
    server.change = lambda body: len(server.requests) == 2 and body.pop("meta")
    with pytest.raises(PaginationError, match="from 35 to 34"):
        use.result(use.listing(server, page_size=10).to_list())


def test_an_answer_that_is_no_list_is_an_error_with_a_checkpoint(use: Use) -> None:
    server = Server("pages", rows(25))
    server.before = lambda number: httpx.Response(200, json={"oops": 1}) if number == 2 else None
    iterator = use.iterator(use.listing(server, page_size=10))
    for _ in range(10):
        use.next(iterator)
    with pytest.raises(Exception, match="no page") as caught:
        use.next(iterator)
    assert json.loads(caught.value.checkpoint)["at"] == {"page": 2, "total": 25}  # type: ignore[attr-defined]


def test_operations_of_the_kit_are_what_the_generator_makes() -> None:
    assert operation("cursor").range is not None
    assert operation("pages").range is None


def test_an_empty_page_in_the_middle_of_a_numbered_list_is_passed_over(use: Use) -> None:
    """The server hides rows of a page, and says by `total_page` that there are more pages."""
    server = Server("pages", rows(45))
    server.change = lambda body: body.update(data=None) if len(server.requests) in (2, 3) else None
    assert values(use.each(use.listing(server, page_size=10))) == [*range(10), *range(30, 45)]
    assert server.parameter("page[number]") == ["1", "2", "3", "4", "5"]


def test_an_empty_page_that_says_nothing_is_passed_over_as_long_as_earlier_ones_said_that_there_are_more(
    use: Use,
) -> None:
    server = Server("pages", rows(45))
    server.change = lambda body: (body.clear(), body.update(data=[])) if len(server.requests) == 3 else None
    assert values(use.each(use.listing(server, page_size=10))) == [*range(20), *range(30, 45)]


def test_a_numbered_list_whose_last_pages_are_empty_ends_with_them(use: Use) -> None:
    server = Server("pages", rows(25))
    server.change = lambda body: body["meta"].update(total_page=6)
    assert values(use.each(use.listing(server, page_size=10))) == list(range(25))
    assert server.parameter("page[number]") == [str(number) for number in range(1, 7)]


def endless(server: Server, most: int) -> None:
    """Fails a test that sends more requests than this."""

    def count(number: int) -> None:
        assert number <= most, "the list does not end"

    server.before = count


@pytest.mark.parametrize("kind", ["pages", "report-pages", "report-numbered"])
@pytest.mark.parametrize("growth", [0, 1, 9, 10, 25])
def test_a_server_that_ignores_the_page_number_is_noticed_also_while_its_list_grows(
    use: Use, kind: str, growth: int
) -> None:
    """Each request gets the top of the list, where new rows come in; `growth` of them between two requests."""
    server = Server(kind, rows(200, start=100_000))
    shown: list[dict[str, Any]] = rows(10)
    total = 200

    def change(body: dict[str, Any]) -> None:
        nonlocal total
        if kind == "pages":
            body.update(data=list(shown), meta={"total_count": total, "total_page": total // 10})
        else:
            body["data"]["data"] = list(shown)
        total += growth
        if growth < 10:
            shown[:0] = rows(growth, start=1000 * len(server.requests))
            del shown[10:]

    server.change = change
    endless(server, 30)
    with pytest.raises(PaginationError, match="same page") as caught:
        use.result(use.listing(server, page_size=10).to_list())
    assert caught.value.checkpoint
    assert len(server.requests) <= 6


@pytest.mark.parametrize("kind", ["cursor", "pages"])
def test_endless_empty_pages_end_in_an_error_whose_checkpoint_stands_behind_them(use: Use, kind: str) -> None:
    server = Server(kind, rows(10))
    empty = True

    def change(body: dict[str, Any]) -> None:
        number = len(server.requests)
        if kind == "pages":
            body["meta"] = {"total_count": 10_000_000, "total_page": 1_000_000}
        elif number > 1:
            body["data"] = {"data": [], "pageInfo": {"hasNextPage": True, "endCursor": f"c{number}"}}
        if not empty:
            body["data"] = {"data": [], "pageInfo": {"hasNextPage": False}} if kind == "cursor" else rows(3, start=500)
            body["meta"] = {"total_count": 10_000_000, "total_page": 1}
        if kind == "cursor" and number == 1:
            body["data"]["pageInfo"].update(hasNextPage=True, endCursor="tx-9")

    server.change = change
    endless(server, 300)
    server._cursor = lambda query, request: {"data": {"data": rows(10), "pageInfo": {}}}  # type: ignore[method-assign]
    iterator = use.iterator(use.listing(server, page_size=10))
    got = [use.next(iterator) for _ in range(10)]
    with pytest.raises(PaginationError, match="100 pages in a row came empty") as caught:
        use.next(iterator)
    assert values(got) == list(range(10))
    with pytest.raises(PaginationError, match="100 pages in a row came empty"):
        use.next(iterator)
    first = len(server.requests)
    empty = False
    rest = use.result(use.listing(server, page_size=10, resume=caught.value.checkpoint).to_list())
    assert values(rest) == ([] if kind == "cursor" else [500, 501, 502])
    asked = server.requests[first].url.params
    assert asked["page[after]" if kind == "cursor" else "page[number]"] in ("c102", "103")
