"""Errors go to other processes with what they know; what holds a client says what to pass instead."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import textwrap
from typing import Any

import httpx
import pytest

import adsecurity
from adsecurity import AdsecurityError, RetryPolicy, errors
from tests.support.demo.drivers import Driver
from tests.support.demo.surface import BULK, GET, LIST
from tests.support.every_operation import KEY, client

ONCE = RetryPolicy(attempts=1)
KNOWN = ("operation", "checkpoint", "request_id", "export_id", "status_code", "attempts", "status", "method", "url")
EXPORT = {"id": "e1", "status": "PENDING", "type": "click_logs", "artifact": {"name": ""}}
DONE = {**EXPORT, "status": "DONE", "artifact": {"name": "clicks.csv"}}
ASKED = {"start_time": "2026-11-01", "end_time": "2026-11-02", "fields": ["tx_id"], "extra_parameters": []}


def known(error: BaseException) -> dict[str, Any]:
    return {name: getattr(error, name) for name in KNOWN if hasattr(error, name)}


def check_travels(error: AdsecurityError) -> AdsecurityError:
    again: AdsecurityError = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert known(again) == known(error)
    return again


def caught(driver: Driver, call: Any) -> AdsecurityError:
    with pytest.raises(AdsecurityError) as info:
        driver.run(call())
    return info.value


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 409, 418, 429, 500])
def test_the_errors_of_every_status_keep_operation_and_request_id(driver: Driver, status: int) -> None:
    answer = httpx.Response(status, headers={"X-Request-Id": "r1"}, json={"message": "no"})
    made = driver.client(lambda request: answer, retry=ONCE)
    error: Any = check_travels(caught(driver, lambda: driver.call(made, "one", GET, {"thing_id": "1"})))
    assert (error.operation, error.request_id, error.status_code) == ("things.getThing", "r1", status)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"<html>", "ResponseDecodeError"),
        (b'{"success": false}', "RequestFailedError"),
        (httpx.ReadTimeout("slow"), "APITimeoutError"),
        (httpx.ReadError("broken"), "APIConnectionError"),
    ],
)
def test_other_failures_of_a_call_keep_what_they_know(driver: Driver, answer: Any, kind: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(200, headers={"request-id": "r2"}, content=answer)

    made = driver.client(handler, retry=ONCE)
    error: Any = check_travels(caught(driver, lambda: driver.call(made, "one", GET, {"thing_id": "1"})))
    assert (type(error).__name__, error.operation) == (kind, "things.getThing")
    if isinstance(answer, bytes):
        assert error.request_id == "r2"


def test_an_error_in_a_listing_keeps_its_checkpoint(driver: Driver) -> None:
    pages = [httpx.Response(200, json={"data": [{"id": "1"}], "meta": {"total_page": 9, "total_count": 9}})]
    made = driver.client(lambda request: pages.pop() if pages else httpx.Response(500), retry=ONCE)
    listed = made._api.paginate(LIST, {}, page_size=1, prefetch=0)
    error = check_travels(caught(driver, lambda: exhaust(driver, listed)))
    assert error.checkpoint == listed.checkpoint()
    made._api.paginate(LIST, {}, page_size=1, resume=error.checkpoint)


def exhaust(driver: Driver, listed: Any) -> Any:
    if not driver.is_async:
        return list(listed)

    async def run() -> list[Any]:
        return [item async for item in listed]

    return driver.run(run())


def test_a_pagination_error_keeps_operation_and_checkpoint(driver: Driver) -> None:
    page = httpx.Response(200, json={"data": [{"id": "1"}], "meta": {"total_page": 9, "total_count": 9}})
    made = driver.client(lambda request: page)
    error: Any = check_travels(caught(driver, lambda: exhaust(driver, made._api.paginate(LIST, {}, page_size=1))))
    assert (type(error), error.operation) == (errors.PaginationError, "things.listThings")
    assert error.checkpoint


def test_a_bulk_error_keeps_its_causes(driver: Driver) -> None:
    answer = httpx.Response(409, headers={"X-Request-Id": "r1"})
    made = driver.client(lambda request: answer)
    call = lambda: driver.call(made, "bulk", BULK, {"ids": ["a"]}, batch_size=1, on_error="raise")  # noqa: E731
    error: Any = check_travels(caught(driver, call))
    assert (error.operation, error.failed, error.causes[0].request_id) == ("things.bulkDeleteThings", ("a",), "r1")


def job(driver: Driver, *answers: Any) -> Any:
    left = list(answers)

    def handler(request: httpx.Request) -> httpx.Response:
        answer = left.pop(0) if len(left) > 1 else left[0]
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    net = client("network", httpx.MockTransport(handler), is_async=driver.is_async)
    return driver.run(net.exports.clicks("i", **ASKED))


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        ({"error": "disk full"}, "ExportFailed"),
        ({"status": "CANCELED"}, "ExportCanceled"),
        ({**DONE, "results_meta": {"range_truncated": True}}, "ExportTruncated"),
        ({**DONE, "status": "IN_PROGRESS"}, "ExportError"),
    ],
)
def test_export_errors_keep_the_id_that_resumes_even_where_the_last_answer_has_none(
    driver: Driver, last: dict[str, Any], kind: str
) -> None:
    begun = job(driver, EXPORT, {"status": "ERROR", **last, "id": None})
    driver.run(begun.refresh())
    error: Any = check_travels(caught(driver, begun.signed_url if kind == "ExportError" else begun.wait))
    assert (type(error).__name__, error.export_id, error.job) == (kind, "e1", None)
    # And once more: it may go through several processes.
    assert check_travels(error).export_id == "e1"  # type: ignore[attr-defined]


def test_a_time_out_and_a_failed_download_keep_the_id(driver: Driver, tmp_path: Any) -> None:
    begun = job(driver, EXPORT)
    error: Any = check_travels(caught(driver, lambda: begun.wait(timeout=0)))
    assert (type(error), error.export_id, error.status) == (errors.ExportTimeout, "e1", "PENDING")
    signed = httpx.Response(200, json={"url": "ftp://h.example/clicks.csv?secret=1"})
    error = check_travels(caught(driver, lambda: job(driver, DONE, signed).download(tmp_path / "c")))
    assert (type(error), error.export_id) == (errors.DownloadError, "e1")
    assert error.path.endswith("c")


@pytest.mark.parametrize("name", errors.__all__)
def test_every_class_of_error_keeps_what_it_has(name: str) -> None:
    kind = getattr(errors, name)
    given = {field: f"<{field}>" for field in ("operation", "checkpoint") if hasattr(kind, field)}
    if issubclass(kind, errors.ExportError):
        given["export"] = adsecurity.types.network.Export.from_dict({"id": "e1"})
    if hasattr(kind, "headers"):
        given["headers"] = {"x-request-id": "r1"}
    error = kind("text", **given)
    again = check_travels(error)
    for field, value in given.items():
        assert getattr(again, field) == value


def test_an_error_of_another_process_is_whole_here() -> None:
    program = """
        import pickle, sys, httpx, adsecurity
        answer = httpx.Response(404, headers={"X-Request-Id": "r1"})
        transport = httpx.MockTransport(lambda request: answer)
        net = adsecurity.NetworkClient(api_key="k", base_url="https://h.example", transport=transport)
        try:
            net.users.list().to_list()
        except adsecurity.NotFoundError as error:
            sys.stdout.buffer.write(pickle.dumps(error))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, timeout=60)
    error = pickle.loads(done.stdout)
    assert (error.operation, error.request_id) == ("users.list", "r1")
    assert error.checkpoint
    net = client("network", httpx.MockTransport(lambda request: httpx.Response(200, json={"data": []})))
    assert net.users.list(resume=error.checkpoint).to_list() == []


@pytest.mark.parametrize("attempt", [pickle.dumps, copy.copy, copy.deepcopy])
def test_what_holds_a_client_says_what_to_pass_instead(driver: Driver, attempt: Any) -> None:
    made = driver.client(lambda request: httpx.Response(200, json={}))
    with pytest.raises(TypeError, match="make one in each process"):
        attempt(made)
    for listed in (made._api.paginate(LIST, {}), made._api.raw.paginate(LIST, {})):
        with pytest.raises(TypeError, match=r"arguments of things.listThings\(\) and checkpoint\(\).*resume="):
            attempt(listed)
    with pytest.raises(TypeError, match=r"pass job.id \('e1'\), and call exports.resume"):
        attempt(job(driver, EXPORT))


def test_the_key_is_in_no_pickle_of_an_error(driver: Driver) -> None:
    answer = httpx.Response(400, json={"message": KEY, "seen": [KEY]})
    net = client("network", httpx.MockTransport(lambda request: answer), is_async=driver.is_async)
    assert KEY.encode() not in pickle.dumps(caught(driver, lambda: net.users.get("u")))
