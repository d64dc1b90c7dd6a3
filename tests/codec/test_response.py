"""Answers become what the operation promises, or one of our errors, whatever the server sends."""

from __future__ import annotations

import json
from typing import Any

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsecurity import AdsecurityError, RequestFailedError, ResponseDecodeError, RetryPolicy
from adsecurity.codec import response as _response
from adsecurity.codec.page import DecodedPage
from adsecurity.codec.request import prepare
from adsecurity.codec.response import decode
from adsecurity_generated.network.models import User
from tests.support.demo.calls import call_of
from tests.support.demo.drivers import Driver
from tests.support.demo.surface import (
    BULK,
    CREATE,
    GET,
    LIST,
    REPORT,
    SECONDS,
    SURFACE,
    UPDATE,
    URL,
    Envelope,
    operation,
)

pytestmark = pytest.mark.usefixtures("decoding")


@pytest.fixture(params=["json", "fast"])
def decoding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of reading pages must tell the same of every answer."""
    if request.param == "json":
        monkeypatch.setattr(_response, "_fast_decoder", lambda: None)
    return str(request.param)


NEW = {"parent_id": "p", "name": "n"}
CALLS = {
    "one": call_of(GET, thing_id="1"),
    "create": call_of(CREATE, **NEW),
    "write": call_of(UPDATE, thing_id="1"),
    "url": call_of(URL, artifact_name="a"),
    "pages": call_of(LIST, query="x"),
    "cursor": call_of(SECONDS, start_time="2026-11-01", end_time="2026-11-02"),
    "report-pages": call_of(REPORT, integration_id="i"),
}
ODD = {
    "nothing": b"",
    "a web page": b"<!DOCTYPE html><html><body>Sign in</body></html>",
    "null": b"null",
    "a number": b"5",
    "text": b'"ok"',
    "half of something": b'{"data": [',
    "not UTF-8": b"\xff\xfe\xfd",
    "null data": b'{"data": null}',
    "data of a wrong kind": b'{"data": 7}',
    "rows of a wrong kind": b'{"data": [7]}',
    "far too deep": b"[" * 100_000,
    "a number too long": b"9" * 5000,
    "an empty object": b"{}",
}


def answer(body: Any, status: int = 200, kind: str = "application/json") -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, headers={"content-type": kind}, content=content)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("status", [200, 202, 206, 299])
def test_no_answer_raises_anything_but_our_errors(name: str, odd: str, status: int) -> None:
    raised: BaseException | None = None
    try:
        decode(CALLS[name], answer(ODD[odd], status))
    except AdsecurityError as error:
        raised = error
    # A context would hold the body.
    assert raised is None or (raised.__cause__ is None and raised.__context__ is None)


@given(
    st.sampled_from(list(CALLS)),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(["data", "meta", "pageInfo", "success", "url", "id"]), inner, max_size=3),
        ),
        max_leaves=10,
    ),
)
def test_no_json_raises_anything_but_our_errors(name: str, body: Any) -> None:
    try:
        result = decode(CALLS[name], answer(body))
    except AdsecurityError:
        return
    if isinstance(result, DecodedPage):
        assert all(isinstance(item, User) for item in result.items)


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204, 207, 299])
@pytest.mark.parametrize("body", [b"", b"{}", b'{"success": true}', b'{"success": null}', b"done", b"null", b"[]"])
def test_a_write_succeeds_with_any_2xx(driver: Driver, status: int, body: bytes) -> None:
    client = driver.client(lambda request: answer(body, status))
    assert driver.call(client, "write", UPDATE, {"thing_id": "1", "name": "n"}) is None


@pytest.mark.parametrize(("op", "args"), [(UPDATE, {"thing_id": "1"}), (BULK, {"ids": ["1"]})])
def test_a_write_that_reports_failure_raises(driver: Driver, op: Any, args: dict[str, Any]) -> None:
    client = driver.client(lambda request: answer({"success": False, "message": "locked"}))
    with pytest.raises(RequestFailedError, match="locked") as caught:
        driver.call(client, "write", op, args)
    assert caught.value.status_code == 200


def test_a_web_page_is_not_taken_for_a_successful_write(driver: Driver) -> None:
    client = driver.client(lambda request: answer(ODD["a web page"], kind="text/html"))
    with pytest.raises(ResponseDecodeError, match="web page"):
        driver.call(client, "write", UPDATE, {"thing_id": "1"})


@pytest.mark.parametrize(
    ("body", "created"),
    [
        ({"created_item_id": "7"}, "7"),
        ({"created_item_id": 7, "more": 1}, "7"),
        ({"data": {"created_item_id": "7"}}, "7"),
    ],
)
def test_create_returns_the_id(driver: Driver, body: Any, created: str) -> None:
    client = driver.client(lambda request: answer(body, 201))
    assert driver.call(client, "create", CREATE, NEW) == created


@pytest.mark.parametrize("body", [b"", b"{}", b'{"created_item_id": ""}', b'{"created_item_id": true}', b"[]", b"null"])
def test_create_without_an_id_says_that_something_may_exist(driver: Driver, body: bytes) -> None:
    client = driver.client(lambda request: answer(body))
    with pytest.raises(ResponseDecodeError, match=r"may exist|body is empty"):
        driver.call(client, "create", CREATE, NEW)


def test_create_that_reports_failure_raises(driver: Driver) -> None:
    client = driver.client(lambda request: answer({"success": False}))
    with pytest.raises(RequestFailedError):
        driver.call(client, "create", CREATE, NEW)


@pytest.mark.parametrize("body", [{"data": {"id": "1", "new": [2]}}, {"id": "1", "new": [2]}])
def test_one_object_is_read_in_its_envelope_or_without(driver: Driver, body: Any) -> None:
    client = driver.client(lambda request: answer(body))
    assert driver.call(client, "one", GET, {"thing_id": "1"}).to_dict() == {"id": "1", "new": [2]}


def test_an_object_with_a_field_called_data_keeps_it() -> None:
    op = operation("x", "GET", "/x", "one", model=Envelope)
    assert decode(call_of_no_arguments(op), answer({"data": {"a": 1}})).received == {"data": {"a": 1}}


def call_of_no_arguments(op: Any) -> Any:
    prepared = prepare(op, {}, base_url="https://api.example", routes={}, surface=SURFACE)
    return attrs.evolve(CALLS["one"], prepared=prepared)


def test_an_operation_without_a_model_gives_plain_objects() -> None:
    op = operation("x", "GET", "/x", "one", model=None)
    assert decode(call_of_no_arguments(op), answer({"data": {"a": 1}})) == {"a": 1}


@pytest.mark.parametrize("body", [{"url": "https://x/y?z"}, {"data": {"url": "https://x/y?z"}}])
def test_a_signed_url_is_text(driver: Driver, body: Any) -> None:
    client = driver.client(lambda request: answer(body))
    assert driver.call(client, "url", URL, {"artifact_name": "a"}) == "https://x/y?z"


@pytest.mark.parametrize("body", [{}, {"url": None}, {"url": ""}, {"url": 5}])
def test_no_signed_url_is_an_error(driver: Driver, body: Any) -> None:
    client = driver.client(lambda request: answer(body))
    with pytest.raises(ResponseDecodeError, match="no url"):
        driver.call(client, "url", URL, {"artifact_name": "a"})


def page(body: Any, name: str = "pages") -> Any:
    return decode(CALLS[name], answer(body))


def test_a_numbered_page_has_its_totals() -> None:
    got = page({"data": [{"id": "1"}, {"id": "2"}], "meta": {"total_count": 12, "total_page": 6}})
    assert [item.id for item in got.items] == ["1", "2"]
    assert (got.total_count, got.total_page, got.has_next, got.end_cursor) == (12, 6, None, None)


def test_a_cursor_page_has_its_cursors() -> None:
    info = {"startCursor": "a", "endCursor": "b", "hasNextPage": True, "hasPreviousPage": False}
    got = page({"data": {"count": 1, "data": [{"id": "1"}], "pageInfo": info}}, "cursor")
    assert (len(got.items), got.start_cursor, got.end_cursor, got.has_next, got.has_previous) == (
        1,
        "a",
        "b",
        True,
        False,
    )


@pytest.mark.parametrize(
    "body",
    [
        {"data": None},
        {"data": None, "meta": None},
        {"data": []},
        {"meta": {"total_count": 0}},
        {"data": {"data": None, "pageInfo": None}},
        {"data": {"count": 0}},
        [],
    ],
)
def test_a_page_without_rows_is_an_empty_page(body: Any) -> None:
    got = page(body)
    assert got.items == []
    assert got.has_next is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"error": "x"},
        {"data": "x"},
        {"data": [1]},
        {"data": ["x"]},
        {"data": [[1]]},
        5,
        {"data": {"rows": [{"id": "1"}], "total": 1}},
        {"data": {"id": "1"}, "meta": {"total_count": 1}},
    ],
)
def test_what_is_no_page_is_not_an_empty_one(body: Any) -> None:
    with pytest.raises(ResponseDecodeError, match="no page"):
        page(body)


@pytest.mark.parametrize("name", ["one", "pages", "cursor"])
@pytest.mark.parametrize("data", [None, [], {}, {"data": []}, [{"id": "1"}]])
def test_a_success_that_says_that_it_failed_is_no_empty_answer(name: str, data: Any) -> None:
    with pytest.raises(RequestFailedError, match="boom"):
        page({"success": False, "data": data, "message": "boom"}, name)


def test_a_null_row_stays_a_row() -> None:
    assert len(page({"data": [None, {"id": "1"}]}).items) == 2


@pytest.mark.parametrize(
    ("given", "count"), [("12", 12), (12.0, 12), (None, None), ("many", None), (float("inf"), None), ([1], None)]
)
def test_totals_are_read_as_far_as_they_make_sense(given: Any, count: int | None) -> None:
    assert page({"data": [], "meta": {"total_count": given, "total_page": given}}).total_count == count


def test_cursors_and_flags_of_a_wrong_kind_are_none() -> None:
    info = {"startCursor": 5, "endCursor": "", "hasNextPage": "yes", "hasPreviousPage": 1}
    got = page({"data": {"data": [], "pageInfo": info}}, "cursor")
    assert (got.start_cursor, got.end_cursor, got.has_next, got.has_previous) == (None, None, None, None)


def test_a_byte_order_mark_is_not_part_of_the_json() -> None:
    assert decode(CALLS["one"], answer(b'\xef\xbb\xbf{"id": "1"}')).to_dict() == {"id": "1"}


def test_a_raw_response_gives_what_came_and_what_it_means(driver: Driver) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(203, headers={"X-Odd": "yes"}, json={"data": {"id": "1"}})

    raw = driver.call(driver.client(handler), "raw", GET, {"thing_id": "1"})
    assert (raw.status_code, raw.headers["x-odd"]) == (203, "yes")
    assert json.loads(raw.content) == raw.json() == json.loads(raw.text) == {"data": {"id": "1"}}
    assert raw.parse().to_dict() == {"id": "1"}
    assert raw.elapsed >= 0
    assert repr(raw).startswith("RawResponse(status_code=203")


def test_a_raw_response_with_an_odd_body_is_still_given(driver: Driver) -> None:
    client = driver.client(lambda request: answer(b"<html>", kind="text/html"))
    raw = driver.call(client, "raw", GET, {"thing_id": "1"})
    assert raw.content == b"<html>"
    with pytest.raises(ResponseDecodeError):
        raw.parse()


def test_an_undecodable_answer_shows_how_it_begins(driver: Driver) -> None:
    client = driver.client(lambda request: answer(b"<html><title>Gateway</title>", kind="text/html"))
    with pytest.raises(ResponseDecodeError, match="Gateway") as caught:
        driver.call(client, "one", GET, {"thing_id": "1"}, retry=RetryPolicy(1))
    error = caught.value
    assert (error.status_code, error.operation, error.method) == (200, "things.getThing", "GET")
    assert error.headers["content-type"] == "text/html"
