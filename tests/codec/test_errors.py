"""Errors are one tree, say what was called, what came back and what to do, and arrive whole from other processes."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import httpx
import pytest

import adsecurity
from adsecurity import errors
from adsecurity.codec.failure import status_error
from tests.support.demo.calls import READ, call_of
from tests.support.demo.drivers import Driver
from tests.support.demo.surface import GET, KNOWN, LIST
from tests.support.demo.workers import TREE, Job, call, samples, work


def test_the_tree_is_the_one_that_is_promised_and_public() -> None:
    assert set(errors.__all__) == {"AdsecurityError", *TREE}
    for name, parent in TREE.items():
        assert issubclass(getattr(errors, name), getattr(errors, parent))
        assert getattr(adsecurity, name) is getattr(errors, name)
        assert name in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (402, "RequestFailedError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (409, "ConflictError"),
        (429, "RateLimitError"),
        (500, "ServerError"),
        (503, "ServerError"),
        (520, "ServerError"),
        (599, "ServerError"),
        (302, "APIStatusError"),
        (405, "APIStatusError"),
        (418, "APIStatusError"),
        (600, "APIStatusError"),
        (999, "APIStatusError"),
    ],
)
def test_every_status_has_its_class(driver: Driver, status: int, name: str) -> None:
    client = driver.client(lambda request: httpx.Response(status, json={"message": "so"}))
    with pytest.raises(errors.APIStatusError) as caught:
        driver.call(client, "one", GET, {"thing_id": "1"}, retry=adsecurity.RetryPolicy(1))
    assert type(caught.value).__name__ == name
    assert caught.value.status_code == status


def not_found(request: httpx.Request) -> httpx.Response:
    body = {"error": {"message": "no such thing"}, "more": [1]}
    return httpx.Response(404, headers={"X-Request-Id": "r-1", "Retry-After": "3"}, json=body)


def test_a_status_error_knows_everything_about_the_call(driver: Driver) -> None:
    client = driver.client(not_found)
    with pytest.raises(errors.NotFoundError) as caught:
        driver.call(client, "one", GET, {"thing_id": "a b"})
    error = caught.value
    assert (error.operation, error.method, error.status_code) == ("things.getThing", "GET", 404)
    assert error.url == "https://api.example/base/api/v2/things/a%20b"
    assert error.request_id == "r-1"
    assert error.headers["x-request-id"] == "r-1"
    assert error.body == {"error": {"message": "no such thing"}, "more": [1]}
    assert error.retry_after == 3
    assert error.attempts == 1
    assert error.checkpoint is None
    assert str(error) == (
        "things.getThing(): GET https://api.example/base/api/v2/things/a%20b answered 404 Not Found: 'no such thing'"
        " [request id r-1]. Check the ids. The documentation does not show this route, it is inferred: if it is wrong,"
        " correct it with routes={'getThing': 'METHOD /path'}."
    )


def test_the_url_of_an_error_has_no_query(driver: Driver) -> None:
    client = driver.client(lambda request: httpx.Response(400))
    with pytest.raises(errors.BadRequestError) as caught:
        driver.call(client, "raw", LIST, {"query": "private"})
    assert caught.value.url == "https://api.example/base/api/v2/things"
    assert "private" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (307, "Redirects are not followed"),
        (400, "Correct the arguments"),
        (401, "api_key=, or the variable ADSECURITY_DEMO_API_KEY"),
        (402, "The arguments are valid"),
        (403, "This key may not do that"),
        (404, "Check the ids."),
        (409, "present state"),
        (418, "not documented"),
        (429, "RetryPolicy(attempts=, deadline=). The server asks to wait 9 s."),
        (503, "try again later"),
    ],
)
def test_every_error_says_what_to_do(status: int, advice: str) -> None:
    text = str(status_error(call_of(KNOWN), httpx.Response(status), 9.0))
    assert advice in text
    assert "routes=" not in text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": "m"}, "'m'"),
        ({"error": "e"}, "'e'"),
        ({"errors": [{"detail": "a"}, "b", None, 5]}, "'a; b'"),
        ({"error": {"details": {"reason": " deep \n down "}}}, "'deep down'"),
        ("plain", "'plain'"),
    ],
)
def test_what_the_server_says_is_quoted(body: Any, said: str) -> None:
    assert said in str(status_error(READ, httpx.Response(400, json=body), None))


def test_a_web_page_is_not_quoted_but_kept() -> None:
    error = status_error(READ, httpx.Response(502, text="<!DOCTYPE html><p>Bad gateway"), None)
    assert "DOCTYPE" not in str(error)
    assert error.body == "<!DOCTYPE html><p>Bad gateway"


def test_a_huge_body_is_cut() -> None:
    assert len(status_error(READ, httpx.Response(500, text="x" * 10**6), None).body) <= 2000
    assert len(str(status_error(READ, httpx.Response(500, json={"message": "x" * 10**6}), None))) < 1000


@pytest.mark.parametrize(
    ("raised", "cls", "text"),
    [
        (httpx.ConnectTimeout("t"), errors.APITimeoutError, "no connection in time"),
        (httpx.ReadTimeout("t"), errors.APITimeoutError, "Raise timeout="),
        (httpx.PoolTimeout("t"), errors.APITimeoutError, "max_connections="),
        (httpx.ConnectError("name or service not known"), errors.APIConnectionError, "name or service not known"),
        (httpx.RemoteProtocolError(""), errors.APIConnectionError, "the connection broke (RemoteProtocolError)"),
        (OSError("odd"), errors.APIConnectionError, "OSError: odd"),
    ],
)
def test_no_answer_is_an_error_of_ours_that_keeps_nothing_of_theirs(
    driver: Driver, raised: Exception, cls: type[Exception], text: str
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise raised

    client = driver.client(handler)
    with pytest.raises(errors.APIConnectionError) as caught:
        driver.call(client, "one", GET, {"thing_id": "1"}, retry=adsecurity.RetryPolicy(2, 0))
    error = caught.value
    assert type(error) is cls
    assert text in str(error)
    assert (error.__cause__, error.__context__) == (None, None)
    assert error.attempts == 2
    assert isinstance(error, TimeoutError) == (cls is errors.APITimeoutError)


def same(one: errors.AdsecurityError, other: errors.AdsecurityError) -> bool:
    def state(error: errors.AdsecurityError) -> dict[str, Any]:
        # Errors are equal to themselves alone; what they say has to arrive.
        causes = [repr(cause) for cause in getattr(error, "causes", ())]
        own = {"job": None, "export": getattr(other, "export", None), "headers": None, "causes": causes}
        own["_export_id"] = getattr(error, "export_id", None)
        return {**vars(error), **own}

    return type(one) is type(other) and one.args == other.args and str(one) == str(other) and state(one) == state(other)


@pytest.mark.parametrize("error", samples(), ids=lambda error: type(error).__name__)
def test_every_error_survives_pickle_and_copy(error: errors.AdsecurityError) -> None:
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert same(error, again)
        assert again.checkpoint == "here"
        if isinstance(error, errors.APIStatusError):
            assert dict(again.headers) == dict(error.headers)


def test_an_export_error_arrives_with_the_export_and_without_the_job() -> None:
    error = errors.ExportFailed("x", job=Job())
    assert (error.job.id, error.export_id, error.status) == ("e1", "e1", "ERROR")
    again = pickle.loads(pickle.dumps(error))
    assert again.job is None
    assert again.export == {"id": "e1"}


def test_errors_of_worker_processes_arrive_unharmed(server: Any) -> None:
    server.answers[:] = [(404, {"X-Request-Id": "r"}, b'{"message": "gone"}')]
    expected = samples()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        for number in range(len(expected)):
            with pytest.raises(errors.AdsecurityError) as caught:
                pool.submit(work, number).result(60)
            assert same(expected[number], caught.value)
        with pytest.raises(errors.NotFoundError, match="gone") as found:
            pool.submit(call, server.url).result(60)
    assert (found.value.status_code, found.value.request_id, found.value.body) == (404, "r", {"message": "gone"})


def test_a_404_on_a_route_that_the_caller_corrected_does_not_call_it_inferred(driver: Driver) -> None:
    client = driver.client(not_found, routes={"getThing": "GET /api/v2/better/{thingID}"})
    with pytest.raises(errors.NotFoundError) as caught:
        driver.call(client, "one", GET, {"thing_id": "1"})
    assert "inferred" not in str(caught.value)
    assert "the route that routes= gives" in str(caught.value)
