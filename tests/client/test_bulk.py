"""Bulk writes take any iterable, check all of it first, and tell what was done when a batch fails."""

from __future__ import annotations

import asyncio
import json
import pickle
from typing import Any

import httpx
import pytest

import adsecurity
from adsecurity import BulkError
from tests.support.every_operation import Target, client, targets

BULK = [target for target in targets() if any(param.non_empty for param in target.op.params)]
NAMES = [target.name for target in BULK]
BOTH = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


class API:
    """Takes batches, and refuses those that hold an id in `refused`."""

    def __init__(self, refused: set[Any] = frozenset(), status: int = 409) -> None:  # type: ignore[assignment]
        self.refused = refused
        self.status = status
        self.batches: list[list[Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        batch = json.loads(request.content)["data"]
        self.batches.append(batch)
        if any(json.dumps(item) in self.refused for item in batch):
            return httpx.Response(self.status, json={"message": f"refused {batch[0]}"})
        return httpx.Response(200, json={"success": True})


def call(target: Target, api: Any, items: Any, *, is_async: bool, **options: Any) -> Any:
    name = next(param.arg for param in target.op.params if param.non_empty)

    async def asynchronously() -> Any:
        async with client(target.surface.name, httpx.MockTransport(api), is_async=True) as made:
            return await target.call(made, **{name: items, **options})

    if is_async:
        return asyncio.run(asynchronously())
    with client(target.surface.name, httpx.MockTransport(api)) as made:
        return target.call(made, **{name: items, **options})


def items_of(target: Target, count: int) -> list[Any]:
    param = next(param for param in target.op.params if param.non_empty)
    if param.items == ("object",):
        field = next(field.wire for field in target.model(param).FIELDS if field.kind == "string")
        return [{field: f"id{number}"} for number in range(count)]
    return [f"id{number}" for number in range(count)]


def test_the_bulk_methods_of_both_surfaces_are_found() -> None:
    assert len(BULK) >= 16
    assert {target.surface.name for target in BULK} == {"network", "adsecurity"}


@BOTH
@pytest.mark.parametrize("target", BULK, ids=NAMES)
def test_any_iterable_is_sent_in_batches_of_500(target: Target, is_async: bool) -> None:
    items, api = items_of(target, 1001), API()
    assert call(target, api, iter(items), is_async=is_async) is None
    assert [len(batch) for batch in api.batches] == [500, 500, 1]
    assert [item for batch in api.batches for item in batch] == items


@BOTH
@pytest.mark.parametrize("target", BULK, ids=NAMES)
def test_the_first_failure_stops_and_tells_what_is_done_failed_and_left(target: Target, is_async: bool) -> None:
    items = items_of(target, 7)
    api = API({json.dumps(items[3])})
    with pytest.raises(BulkError) as caught:
        call(target, api, items, is_async=is_async, batch_size=2)
    error = caught.value
    assert error.done == tuple(items[:2])
    assert error.failed == tuple(items[2:4])
    assert error.remaining == tuple(items[4:])
    assert [type(cause) for cause in error.causes] == [adsecurity.ConflictError]
    assert error.__cause__ is error.causes[0]
    assert error.operation == target.op.resource
    assert "2 done, 2 failed, 3 not sent" in str(error)
    assert len(api.batches) == 2


@BOTH
@pytest.mark.parametrize("target", BULK, ids=NAMES)
def test_with_continue_all_batches_are_tried(target: Target, is_async: bool) -> None:
    items = items_of(target, 7)
    api = API({json.dumps(items[0]), json.dumps(items[5])})
    with pytest.raises(BulkError) as caught:
        call(target, api, items, is_async=is_async, batch_size=2, on_error="continue")
    error = caught.value
    assert error.done == (*items[2:4], items[6])
    assert error.failed == (*items[:2], *items[4:6])
    assert error.remaining == ()
    assert len(error.causes) == 2
    assert len(api.batches) == 4


@BOTH
@pytest.mark.parametrize("target", BULK, ids=NAMES)
@pytest.mark.parametrize("place", [0, 6])
def test_every_id_is_checked_before_the_first_request(target: Target, place: int, is_async: bool) -> None:
    items: list[Any] = items_of(target, 7)
    items[place] = 5
    api = API()
    with pytest.raises(TypeError, match=rf"\[{place}\] must be"):
        call(target, api, items, is_async=is_async, batch_size=2)
    assert api.batches == []


@BOTH
@pytest.mark.parametrize("target", BULK, ids=NAMES)
@pytest.mark.parametrize("items", [[], iter(()), "abc", b"abc", 5, None, {"a": 1}])
def test_what_is_no_list_of_ids_is_refused(target: Target, items: Any, is_async: bool) -> None:
    api = API()
    with pytest.raises((TypeError, ValueError)):
        call(target, api, items, is_async=is_async)
    assert api.batches == []


@pytest.mark.parametrize(
    "options", [{"batch_size": 0}, {"batch_size": True}, {"batch_size": 2.5}, {"on_error": "stop"}]
)
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    api = API()
    with pytest.raises(ValueError, match=next(iter(options))):
        call(BULK[0], api, ["a"], is_async=False, **options)
    assert api.batches == []


@BOTH
def test_a_batch_that_got_no_answer_counts_as_failed(is_async: bool) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("gone")

    with pytest.raises(BulkError) as caught:
        call(BULK[0], broken, ["a", "b"], is_async=is_async, batch_size=1)
    assert (caught.value.done, caught.value.failed, caught.value.remaining) == ((), ("a",), ("b",))
    assert isinstance(caught.value.causes[0], adsecurity.APIConnectionError)


def test_the_error_survives_pickle_with_its_causes() -> None:
    with pytest.raises(BulkError) as caught:
        call(BULK[0], API({'"b"'}), ["a", "b", "c"], is_async=False, batch_size=1)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.done, again.failed, again.remaining, again.operation) == (("a",), ("b",), ("c",), BULK[0].op.resource)
    assert str(again) == str(caught.value)
    assert again.causes[0].status_code == 409


@BOTH
def test_a_raw_response_is_that_of_one_batch(is_async: bool) -> None:
    api = API()

    async def asynchronously() -> Any:
        async with client("network", httpx.MockTransport(api), is_async=True) as net:
            with pytest.raises(ValueError, match="more than batch_size=1"):
                await net.offers.with_raw_response.bulk_delete("i", ["a", "b"], batch_size=1)
            return await net.offers.with_raw_response.bulk_delete("i", iter(["a", "b"]))

    def blocking() -> Any:
        with client("network", httpx.MockTransport(api)) as net:
            with pytest.raises(ValueError, match="more than batch_size=1"):
                net.offers.with_raw_response.bulk_delete("i", ["a", "b"], batch_size=1)
            return net.offers.with_raw_response.bulk_delete("i", iter(["a", "b"]))

    raw = asyncio.run(asynchronously()) if is_async else blocking()
    assert (raw.status_code, raw.parse()) == (200, None)
    assert api.batches == [["a", "b"]]


@BOTH
def test_extra_body_goes_with_every_batch_and_may_not_replace_the_list(is_async: bool) -> None:
    api = API()
    call(BULK[0], api, ["a", "b"], is_async=is_async, batch_size=1, extra_body={"note": "x"})
    assert api.batches == [["a"], ["b"]]
    with pytest.raises(ValueError, match="extra_body must not replace the list"):
        call(BULK[0], api, ["a", "b"], is_async=is_async, extra_body={"data": ["c"]})
    assert len(api.batches) == 2
