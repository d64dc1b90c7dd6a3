"""Lists whose paging parameters are called otherwise, as an adopted file may say: `page`, `limit`, `cursor`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import httpx
import pytest

from tests.paging.kit import ONCE, PAGED, SURFACE, Async, Server, Sync, Use, operation, rows, values

NAMES = {"page[number]": "page", "page[size]": "limit", "page[after]": "cursor", "page[before]": "until"}
OURS = {wire: role for role, wire in NAMES.items()}


def server_with_other_names(server: Server) -> Callable[[httpx.Request], httpx.Response]:
    """It does not know our names, and takes theirs for what they are."""

    def answer(request: httpx.Request) -> httpx.Response:
        query = request.url.params.multi_items()
        assert not [name for name, _ in query if name in NAMES]
        url = request.url.copy_with(params=[(OURS.get(name, name), value) for name, value in query])
        return server(httpx.Request(request.method, url, content=request.content))

    return answer


def listing(use: Use, server: Server, **options: Any) -> Any:
    client = use.client(server_with_other_names(server), retry=ONCE)
    op = attrs.evolve(operation(server.kind), paging=tuple(NAMES.items()))
    return client._api.paginate(op, {"org_id": "o"}, **options)


@pytest.mark.parametrize("kind", PAGED)
def test_they_page_to_the_end_in_pages_of_the_size_that_is_asked_for(use: Use, kind: str) -> None:
    server = Server(kind, rows(25))
    assert values(use.each(listing(use, server, page_size=10))) == list(range(25))
    size = None if kind == "report-pages" else "10"
    assert {request.url.params.get("page[size]") for request in server.requests} == {size}
    assert len(server.requests) in (3, 4)


@pytest.mark.parametrize("kind", PAGED)
@pytest.mark.parametrize("taken", [0, 4, 10, 17])
def test_they_go_on_from_a_checkpoint_where_it_was_taken(use: Use, kind: str, taken: int) -> None:
    iterator = use.iterator(listing(use, Server(kind, rows(25)), page_size=10))
    assert [int(use.next(iterator).value) for _ in range(taken)] == list(range(taken))
    checkpoint = iterator.checkpoint()
    use.close_iterator(iterator)
    assert values(use.each(listing(use, Server(kind, rows(25)), page_size=10, resume=checkpoint))) == [
        *range(taken, 25)
    ]


@pytest.mark.parametrize("kind", PAGED)
def test_a_checkpoint_from_before_the_names_changed_is_still_one(use: Use, kind: str) -> None:
    iterator = use.iterator(use.listing(Server(kind, rows(25)), args={"org_id": "o"}, page_size=10))
    for _ in range(13):
        use.next(iterator)
    checkpoint = iterator.checkpoint()
    use.close_iterator(iterator)
    assert values(use.each(listing(use, Server(kind, rows(25)), page_size=10, resume=checkpoint))) == [*range(13, 25)]


def test_starts_that_the_caller_names_are_sent_by_their_names(use: Use) -> None:
    assert values(use.each(listing(use, Server("pages", rows(25)), page_size=10, page_number=2))) == [*range(10, 25)]
    assert values(use.each(listing(use, Server("cursor", rows(25)), page_size=10, after="tx-4"))) == [*range(5, 25)]
    before = listing(use, Server("cursor", rows(25)), page_size=10, before="tx-20")
    assert sorted(values(use.each(before))) == [*range(20)]


def test_a_list_that_no_method_describes_is_paged_by_the_names_of_the_others(
    use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cls in (Sync, Async):
        monkeypatch.setattr(cls, "_surface", attrs.evolve(SURFACE, paging=tuple(NAMES.items())))
    client = use.client(server_with_other_names(Server("pages", rows(25))), retry=ONCE)
    found = list(use.each(client.paginate("/api/v2/things", page_size=10)))
    assert [int(one["value"]) for one in found] == list(range(25))
