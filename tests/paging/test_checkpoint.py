"""A checkpoint holds the position of the last item handed out and nothing secret; going on from it loses nothing."""

from __future__ import annotations

import json
import pickle
from typing import Any

import httpx
import pytest

from adsecurity.errors import APIConnectionError, BadRequestError, PaginationError, ServerError
from tests.paging.kit import KEY, ONCE, PAGED, Server, Use, rows, values


@pytest.mark.parametrize("kind", [*PAGED, "rows"])
@pytest.mark.parametrize("taken", [0, 1, 9, 10, 11, 20, 24, 25])
def test_resuming_gives_exactly_the_rest(use: Use, kind: str, taken: int) -> None:
    server = Server(kind, rows(25))
    iterator = use.iterator(use.listing(server, page_size=10))
    for _ in range(taken):
        use.next(iterator)
    rest = use.each(use.listing(server, page_size=10, resume=iterator.checkpoint()))
    assert values(rest) == list(range(taken, 25))


@pytest.mark.parametrize("kind", PAGED)
def test_a_resumed_iteration_has_checkpoints_as_good_as_any(use: Use, kind: str) -> None:
    server = Server(kind, rows(35))
    got: list[Any] = []
    checkpoint = None
    while len(got) < 35:
        iterator = use.iterator(use.listing(server, page_size=10, resume=checkpoint))
        got += [use.next(iterator) for _ in range(min(7, 35 - len(got)))]
        checkpoint = iterator.checkpoint()
    assert values(got) == list(range(35))


@pytest.mark.parametrize("kind", PAGED)
def test_the_checkpoint_of_a_page_stands_behind_its_last_item(use: Use, kind: str) -> None:
    server = Server(kind, rows(25))
    iterator = use.iterator(use.listing(server, page_size=10).pages())
    use.next(iterator)
    page = use.next(iterator)
    assert page.checkpoint() == iterator.checkpoint()
    assert values(use.each(use.listing(server, page_size=10, resume=page.checkpoint()))) == list(range(20, 25))


@pytest.mark.parametrize("kind", ["pages", "cursor", "report-pages", "rows"])
def test_a_finished_list_has_nothing_left_and_asks_for_nothing(use: Use, kind: str) -> None:
    server = Server(kind, rows(25))
    listing = use.listing(server, page_size=10)
    use.result(listing.to_list())
    asked = len(server.requests)
    assert list(use.each(use.listing(server, page_size=10, resume=listing.checkpoint()))) == []
    assert len(server.requests) == asked


def test_the_paginator_knows_where_its_last_iteration_stands_after_a_break(use: Use) -> None:
    server = Server("cursor", rows(25))
    listing = use.listing(server, page_size=10)
    before = listing.checkpoint()
    for item in use.each(listing):
        if item.value == "12":
            break
    assert values(use.each(use.listing(server, page_size=10, resume=listing.checkpoint()))) == list(range(13, 25))
    assert values(use.each(use.listing(server, page_size=10, resume=before))) == list(range(25))


def test_rows_that_come_in_at_the_top_of_a_cursor_list_neither_repeat_nor_hide_others(use: Use) -> None:
    server = Server("cursor", rows(25))
    iterator = use.iterator(use.listing(server, page_size=10))
    got = [use.next(iterator) for _ in range(4)]
    # More of them than a page holds.
    server.data[:0] = rows(23, start=100)
    rest = use.each(use.listing(server, page_size=10, resume=iterator.checkpoint()))
    assert values([*got, *rest]) == list(range(25))


def test_equal_rows_before_the_checkpoint_are_counted(use: Use) -> None:
    """Rows without a key may be twins; each of them is a row."""
    twin = {"real_tx_id": "", "value": "7"}
    server = Server("rows", [])
    server.kind = "cursor"
    data = [twin, *rows(1), twin, twin, *rows(2, 1)]
    server.change = lambda body: body["data"].update(data=data, pageInfo={"hasNextPage": False})
    iterator = use.iterator(use.listing(server))
    got = [use.next(iterator) for _ in range(3)]
    checkpoint = iterator.checkpoint()
    data.insert(0, rows(1, 50)[0])
    rest = use.each(use.listing(server, resume=checkpoint))
    assert values([*got, *rest]) == [7, 0, 7, 7, 1, 2]


def test_a_row_that_is_gone_raises_instead_of_beginning_anew(use: Use) -> None:
    server = Server("cursor", rows(25))
    iterator = use.iterator(use.listing(server, page_size=10))
    for _ in range(4):
        use.next(iterator)
    checkpoint = iterator.checkpoint()
    del server.data[3]
    with pytest.raises(PaginationError, match="not in the list any more") as caught:
        use.result(use.listing(server, page_size=10, resume=checkpoint).to_list())
    assert caught.value.checkpoint == checkpoint


@pytest.mark.parametrize("failing", [1, 3])
def test_of_a_to_list_that_breaks_off_nothing_counts_as_handed_out(use: Use, failing: int) -> None:
    server = Server("pages", rows(45))
    server.before = lambda number: httpx.Response(400) if number == failing else None
    listing = use.listing(server, page_size=10)
    with pytest.raises(BadRequestError) as caught:
        use.result(listing.to_list())
    assert caught.value.checkpoint == listing.checkpoint()
    server.before = lambda number: None
    assert values(use.each(use.listing(server, page_size=10, resume=caught.value.checkpoint))) == list(range(45))


def test_a_list_that_shrank_before_it_is_resumed_raises(use: Use) -> None:
    server = Server("pages", rows(25))
    iterator = use.iterator(use.listing(server, page_size=10))
    for _ in range(4):
        use.next(iterator)
    server.data.pop(0)
    with pytest.raises(PaginationError, match="shrank") as caught:
        use.result(use.listing(server, page_size=10, resume=iterator.checkpoint()).to_list())
    rest = use.each(use.listing(server, page_size=10, resume=caught.value.checkpoint))
    assert values(rest) == list(range(5, 25))


@pytest.mark.parametrize("resume", [5, "", "x", b"{}", {}, "null"], ids=repr)
def test_what_is_no_checkpoint_is_a_value_error(use: Use, resume: Any) -> None:
    with pytest.raises(ValueError, match="resume: not a checkpoint"):
        use.listing(Server("pages", rows(5)), resume=resume)


@pytest.mark.parametrize("kind", PAGED)
def test_a_checkpoint_is_short_json_with_version_operation_hash_and_position(use: Use, kind: str) -> None:
    iterator = use.iterator(use.listing(Server(kind, rows(5)), args={"role": "very-private"}))
    use.next(iterator)
    text = iterator.checkpoint()
    facts = json.loads(text)
    assert list(facts) == ["v", "op", "args", "size", "at"]
    assert facts["v"] == 2
    assert facts["op"] == f"network.list{kind.title()}"
    assert list(facts["args"]) == ["org_id", "role"]
    assert len(text) < 180
    assert KEY not in text
    assert "very-private" not in text


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"args": {"role": "b"}}, "role differs"),
        ({"args": {}}, "role differs"),
        ({"args": {"role": "a", "org_id": "other"}}, "org_id differs"),
        ({"args": {"role": "b", "org_id": "other"}}, "org_id, role differ"),
        ({"before": "tx-3"}, "before differs"),
    ],
)
def test_a_checkpoint_of_other_arguments_is_refused_and_says_which(use: Use, other: dict[str, Any], named: str) -> None:
    server = Server("cursor", rows(5))
    checkpoint = use.listing(server, args={"role": "a"}).checkpoint()
    with pytest.raises(ValueError, match=f"other arguments: {named};"):
        use.listing(server, resume=checkpoint, **{"args": {"role": "a"}, **other})


def test_a_checkpoint_of_another_operation_is_refused(use: Use) -> None:
    checkpoint = use.listing(Server("pages", [])).checkpoint()
    with pytest.raises(ValueError, match=r"network\.listPages, not of network\.listCursor"):
        use.listing(Server("cursor", []), resume=checkpoint)


def test_the_same_time_in_other_words_is_the_same_argument(use: Use) -> None:
    """The hash is of what is sent, so a start given by `page_number` does not count either."""
    server = Server("pages", rows(25))
    checkpoint = use.listing(server, page_size=10, page_number=2).checkpoint()
    assert values(use.each(use.listing(server, page_size=10, resume=checkpoint))) == list(range(10, 25))


@pytest.mark.parametrize(
    "damage",
    [
        lambda facts: "",
        lambda facts: "[]",
        lambda facts: "not json",
        lambda facts: json.dumps({**facts, "v": 3}),
        lambda facts: json.dumps({**facts, "size": 0}),
        lambda facts: json.dumps({**facts, "size": "9"}),
        lambda facts: json.dumps({**facts, "args": "x"}),
        lambda facts: json.dumps({**facts, "concurrent": 1}),
        lambda facts: json.dumps({**facts, "at": None}),
        lambda facts: json.dumps({**facts, "at": {"page": "2"}}),
        lambda facts: json.dumps({**facts, "at": {"pages": 2}}),
        lambda facts: json.dumps({**facts, "at": {"page": True}}),
        lambda facts: json.dumps({key: value for key, value in facts.items() if key != "args"}),
    ],
)
def test_a_damaged_checkpoint_is_refused(use: Use, damage: Any) -> None:
    facts = json.loads(use.listing(Server("pages", [])).checkpoint())
    with pytest.raises(ValueError, match="resume"):
        use.listing(Server("pages", []), resume=damage(facts))


@pytest.mark.parametrize("prefetch", [0, 1])
@pytest.mark.parametrize("failure", ["status", "connection", "body", "hook"])
def test_every_error_while_iterating_carries_a_checkpoint_that_goes_on(use: Use, failure: str, prefetch: int) -> None:
    server = Server("cursor", rows(45))
    broken = True

    def before(number: int) -> httpx.Response | None:
        if number == 3 and broken and failure != "hook":
            if failure == "connection":
                raise httpx.ConnectError("no route")
            return httpx.Response(503) if failure == "status" else httpx.Response(200, text="<html>")
        return None

    def on_page(event: Any) -> None:
        if event.number == 3 and broken and failure == "hook":
            raise RuntimeError("hook")

    server.before = before
    client = use.client(server, retry=ONCE, on_page=on_page)
    iterator = use.iterator(use.listing(server, client=client, page_size=10, prefetch=prefetch))
    got = [use.next(iterator) for _ in range(20)]
    with pytest.raises(Exception) as caught:
        use.next(iterator)
    expected = {"status": ServerError, "connection": APIConnectionError, "hook": RuntimeError}
    assert isinstance(caught.value, expected.get(failure, Exception))
    checkpoint: str = pickle.loads(pickle.dumps(caught.value)).checkpoint
    broken = False
    rest = use.each(use.listing(server, client=client, page_size=10, resume=checkpoint))
    assert values([*got, *rest]) == list(range(45))
    # The iterator itself goes on as well: nothing that it has not handed out is behind it.
    assert values(use.next(iterator) for _ in range(25)) == list(range(20, 45))
