"""What no method describes is called by method and path, as anything else is."""

from __future__ import annotations

import asyncio
import inspect
import json
import socket
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import adsecurity
from adsecurity import NotFoundError, RateLimitError, RequestFailedError, ResponseDecodeError, RetryPolicy, ServerError
from tests.support.demo.drivers import Driver, raw_server
from tests.support.demo.surface import KEY, Demo
from tests.support.every_operation import CLIENTS, client
from tests.support.routes import in_our_names

AT_ONCE = RetryPolicy(backoff=0)


class API:
    """Remembers what it is sent, and answers with what it is given; the last answer for ever."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers) or [httpx.Response(200, json={"data": 1})]
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def items(driver: Driver, paginator: Any) -> list[Any]:
    found: list[Any] = driver.run(paginator.to_list())
    return found


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("surface", CLIENTS)
def test_all_clients_send_a_request_behind_their_base_url_with_their_key(surface: str, is_async: bool) -> None:
    api = API()

    async def run() -> Any:
        made = client(surface, httpx.MockTransport(api), is_async=is_async)
        response = made.request("POST", "/api/v9/new%20things", query={"a": [1, 2]}, json={"name": "n"})
        return await response if inspect.isawaitable(response) else response

    response = asyncio.run(run())
    assert isinstance(response, adsecurity.RawResponse)
    assert (response.status_code, response.parse(), response.json()) == (200, {"data": 1}, {"data": 1})
    (request,) = api.seen
    assert (request.method, str(request.url)) == ("POST", "https://h.example/api/v9/new%20things?a=1&a=2")
    assert json.loads(request.content) == {"name": "n"}
    assert request.headers["api-key"] == "every-operation-key"
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/x",
        "https://api.example/base/api/v2/things",
        "//evil.example/x",
        "@evil.example/x",
        ":80@evil.example/",
        "api/v2/things",
        "\\evil.example",
        "/\\evil.example",
        "/x\n",
        "/x y",
        "/x?a=1",
        "/x#y",
        "/..",
        "/a/../../b",
        "/a/%2e%2E/b",
        "/{id}",
        "/%zz",
        "",
    ],
)
def test_another_host_and_what_is_no_path_are_refused_before_anything_is_sent(driver: Driver, path: str) -> None:
    api = API()
    made = driver.client(api)
    with pytest.raises(ValueError, match=r"request\(\): path must|path has characters"):
        driver.run(made.request("GET", path))
    with pytest.raises(ValueError, match=r"paginate\(\): path"):
        items(driver, made.paginate(path))
    assert not api.seen


@given(st.text(st.sampled_from("/\\@:?#.%abAB12[]{}~ \t\n\x00é-"), max_size=20))
def test_no_path_leads_to_another_host(path: str) -> None:
    api = API()
    made = Demo(api_key=KEY, base_url="https://api.example/base", transport=httpx.MockTransport(api))
    try:
        made.request("GET", path)
    except ValueError:
        assert not api.seen
    else:
        (request,) = api.seen
        assert request.url.host == "api.example"
        assert str(request.url) == f"https://api.example/base{path}"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"method": "get", "path": "/x"}, ValueError, "method must be one of GET"),
        ({"method": "CONNECT", "path": "/x"}, ValueError, "method must be one of"),
        ({"method": "GET", "path": None}, TypeError, "path must be a string"),
        ({"method": "GET", "path": "/x", "query": "a=1"}, TypeError, "query must be a mapping"),
        ({"method": "GET", "path": "/x", "query": {1: 1}}, TypeError, "query must have names that are strings"),
        ({"method": "GET", "path": "/x", "query": {"at": object()}}, TypeError, r"query\['at'\]"),
        ({"method": "POST", "path": "/x", "json": {"at": {1, 2}}}, TypeError, r"json\['at'\]"),
        ({"method": "POST", "path": "/x", "json": [object()]}, TypeError, "json contains a object"),
        ({"method": "POST", "path": "/x", "json": [float("nan")]}, ValueError, "json must be a finite number"),
        ({"method": "GET", "path": "/x", "extra_headers": {"API-KEY": "other"}}, ValueError, "set by the client"),
    ],
)
def test_what_cannot_be_sent_is_named_before_anything_is_sent(
    driver: Driver, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    api = API()
    with pytest.raises(error, match=message):
        driver.run(driver.client(api).request(**arguments))
    assert not api.seen


@pytest.mark.parametrize("body", [[1, {"a": None}], "text", 0, False, {}, {"at": datetime(2026, 1, 1, tzinfo=UTC)}])
def test_a_body_is_anything_that_json_can_hold(driver: Driver, body: Any) -> None:
    api = API()
    driver.run(driver.client(api).request("PUT", "/x", json=body))
    sent = json.loads(api.seen[0].content)
    assert sent == ({"at": "2026-01-01T00:00:00Z"} if body and body.__class__ is dict else body)
    assert api.seen[0].headers["content-type"] == "application/json"


def test_a_query_has_conditions_in_brackets_and_leaves_none_out(driver: Driver) -> None:
    api = API()
    query = {"filter": {"role": "admin", "at": {"gte": "2026"}}, "none": None, "on": True}
    driver.run(driver.client(api).request("GET", "/x", query=query))
    sent = dict(api.seen[0].url.params)
    assert sent == {"filter[role]": "admin", "filter[at][gte]": "2026", "on": "true"}
    assert "content-type" not in api.seen[0].headers


@pytest.mark.parametrize(("method", "again"), [("GET", True), ("HEAD", True), ("POST", False), ("DELETE", False)])
def test_reads_are_retried_and_writes_are_not_unless_told(driver: Driver, method: str, again: bool) -> None:
    api = API(httpx.Response(500), httpx.Response(200, json={}))
    made = driver.client(api, retry=AT_ONCE)
    if again:
        assert driver.run(made.request(method, "/x")).status_code == 200
    else:
        with pytest.raises(ServerError):
            driver.run(made.request(method, "/x"))
        told = driver.run(made.request(method, "/x", retry=AT_ONCE.with_idempotent()))
        assert told.status_code == 200
    assert len(api.seen) == 2


def test_errors_are_those_of_any_call_and_show_no_secret(driver: Driver) -> None:
    made = driver.client(API(httpx.Response(404, json={"message": "no such", "password": "pw1"})))
    with pytest.raises(NotFoundError) as caught:
        driver.run(made.request("GET", "/x", query={"password": "hush-hush"}))
    error = caught.value
    assert (error.operation, error.method, error.url) == ("request", "GET", "https://api.example/base/x")
    assert "routes=" not in str(error)
    assert not {"hush-hush", "pw1", KEY} & {*repr(vars(error)).replace("'", " ").split(), *str(error).split()}
    with pytest.raises(RateLimitError):
        driver.run(driver.client(API(httpx.Response(429))).request("GET", "/x", retry=RetryPolicy(attempts=1)))
    failed = driver.run(driver.client(API(httpx.Response(200, json={"success": False}))).request("POST", "/x"))
    with pytest.raises(RequestFailedError):
        failed.parse()
    with pytest.raises(ResponseDecodeError, match=r"request\(\)"):
        driver.run(driver.client(API(httpx.Response(204))).request("POST", "/x")).parse()


def test_events_name_the_operation_request_and_the_path(driver: Driver) -> None:
    events: list[Any] = []
    made = driver.client(API(), on_request=events.append, on_response=events.append)
    driver.run(made.request("GET", "/x/1", query={"token": "t"}))
    assert [(event.operation, event.method, event.route, event.url) for event in events] == [
        ("request", "GET", "/x/1", "https://api.example/base/x/1")
    ] * 2


def test_head_gives_the_headers_over_a_socket_and_keeps_the_connection(driver: Driver) -> None:
    connections: list[int] = []

    def talk(connection: socket.socket) -> None:
        connections.append(1)
        while asked := connection.recv(65536):
            assert asked.startswith(b"HEAD /x ")
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX-Rows: 7\r\n\r\n")

    for url in raw_server(talk):
        made = driver.client(base_url=url)
        for _ in range(2):
            response = driver.run(made.request("HEAD", "/x"))
            assert (response.headers["x-rows"], response.content) == ("7", b"")
        driver.run(made.close())
    assert connections == [1]


def paged(kind: str, count: int) -> Any:
    """A list of so many rows, in pages of the size that is asked for."""

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        query = in_our_names(request.url.params.items())
        if kind == "cursor":
            size, start = int(query["page[size]"]), int(query.get("page[after]", 0))
        elif kind == "pages":
            size = int(query["page[size]"])
            start = (int(query["page[number]"]) - 1) * size
        else:
            asked = json.loads(request.content)
            size = asked["page_size"]
            start = (asked["page_number"] - 1) * size
        rows = [{"id": str(row), "new": row} for row in range(start, min(start + size, count))]
        more = start + size < count
        if kind == "pages":
            return httpx.Response(
                200, json={"data": rows, "meta": {"total_count": count, "total_page": -(-count // size)}}
            )
        info = {"hasNextPage": more, "endCursor": str(start + len(rows))}
        return httpx.Response(200, json={"data": {"data": rows, "pageInfo": info}})

    seen: list[httpx.Request] = []
    answer.seen = seen  # type: ignore[attr-defined]
    return answer


KINDS = pytest.mark.parametrize("kind", ["pages", "cursor", "report-pages"])


@KINDS
def test_an_undocumented_list_is_paged_into_dicts(driver: Driver, kind: str) -> None:
    api = paged(kind, 25)
    made = driver.client(api)
    listed = made.paginate("/api/v9/new", kind, query={"filter": {"a": "b"}}, page_size=10)
    assert items(driver, listed) == [{"id": str(row), "new": row} for row in range(25)]
    assert {request.method for request in api.seen} == {"POST" if kind == "report-pages" else "GET"}
    assert {request.url.path for request in api.seen} == {"/base/api/v9/new"}
    assert {request.url.params["filter[a]"] for request in api.seen} == {"b"}
    kind_of_paginator = adsecurity.AsyncPaginator if driver.is_async else adsecurity.Paginator
    assert isinstance(listed, kind_of_paginator)


@KINDS
@pytest.mark.parametrize("taken", [1, 10, 13])
def test_its_checkpoints_go_on_and_belong_to_its_path_and_arguments(driver: Driver, kind: str, taken: int) -> None:
    made = driver.client(paged(kind, 25))
    listed = made.paginate("/new", kind, page_size=10, query={"a": 1})
    iterator = aiter(listed) if driver.is_async else iter(listed)

    async def step() -> Any:
        return await anext(iterator)

    for _ in range(taken):
        driver.run(step() if driver.is_async else next(iterator))
    saved = listed.checkpoint()
    rest = items(driver, made.paginate("/new", kind, page_size=10, query={"a": 1}, resume=saved))
    assert [row["new"] for row in rest] == list(range(taken, 25))
    with pytest.raises(ValueError, match="not of demo"):
        made.paginate("/other", kind, resume=saved)
    with pytest.raises(ValueError, match=r"query\['a'\] differs"):
        made.paginate("/new", kind, query={"a": 2}, resume=saved)
    driver.run(iterator.aclose() if driver.is_async else iterator.close())


def test_a_body_makes_it_a_post_that_is_retried_as_a_read(driver: Driver) -> None:
    rows = httpx.Response(200, json={"data": [{"id": "1"}], "meta": {"total_count": 1, "total_page": 1}})
    api = API(httpx.Response(500), rows)
    made = driver.client(api, retry=AT_ONCE)
    assert items(driver, made.paginate("/search", json={"name": "n"})) == [{"id": "1"}]
    assert [(request.method, json.loads(request.content)) for request in api.seen] == [("POST", {"name": "n"})] * 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "other"}, "kind must be one of pages, cursor, report-pages"),
        ({"kind": "cursor", "page_number": 2}, "page_number is no start"),
        ({"kind": "pages", "after": "x"}, "after is no start"),
        ({"page_size": 0}, "page_size"),
    ],
)
def test_wrong_paging_is_refused(driver: Driver, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        driver.client(API()).paginate("/x", **options)
    with pytest.raises(TypeError, match="json must be a mapping"):
        driver.client(API()).paginate("/x", json=[1])


def test_a_table_of_dicts_says_what_to_do_instead(driver: Driver) -> None:
    with pytest.raises(TypeError, match="to_list"):
        driver.run(driver.client(paged("pages", 3)).paginate("/x").to_arrow())
