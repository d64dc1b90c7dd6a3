"""What worker processes run, where they can import it."""

from __future__ import annotations

import httpx

import adsecurity
from adsecurity import errors
from adsecurity.codec.failure import connection_error, decode_error, status_error
from tests.support.demo.calls import call_of
from tests.support.demo.surface import CREATE, GET, Demo

TREE = {
    "ConfigurationError": "AdsecurityError",
    "BulkError": "AdsecurityError",
    "PaginationError": "AdsecurityError",
    "ExportError": "AdsecurityError",
    "ExportFailed": "ExportError",
    "ExportCanceled": "ExportError",
    "ExportTimeout": "ExportError",
    "ExportTruncated": "ExportError",
    "DownloadError": "ExportError",
    "APIConnectionError": "AdsecurityError",
    "APITimeoutError": "APIConnectionError",
    "ResponseDecodeError": "AdsecurityError",
    "APIStatusError": "AdsecurityError",
    "BadRequestError": "APIStatusError",
    "AuthenticationError": "APIStatusError",
    "RequestFailedError": "APIStatusError",
    "PermissionDeniedError": "APIStatusError",
    "NotFoundError": "APIStatusError",
    "ConflictError": "APIStatusError",
    "RateLimitError": "APIStatusError",
    "ServerError": "APIStatusError",
}


class Job:
    """Holds what cannot travel."""

    id = "e1"
    status = "ERROR"

    def __init__(self) -> None:
        self.export = {"id": "e1"}
        self.hold = lambda: None


def samples() -> list[errors.AdsecurityError]:
    call = call_of(CREATE, parent_id="p", name="n")
    made: list[errors.AdsecurityError] = [
        status_error(call, httpx.Response(status, json={"message": "m"}), 1.5)
        for status in (302, 400, 401, 402, 403, 404, 409, 429, 500)
    ]
    made += [
        decode_error(call, httpx.Response(200, text="<html>"), "odd"),
        connection_error(call, httpx.ReadError("r")),
        connection_error(call, httpx.ReadTimeout("r")),
        errors.ConfigurationError("c"),
        errors.BulkError(
            "b",
            operation="things.bulk",
            done=("1",),
            failed=("2",),
            remaining=("3",),
            causes=(errors.AdsecurityError("c"),),
        ),
        errors.PaginationError("p", operation="things.list", checkpoint="{}"),
        errors.ExportError("x", job=Job()),
        errors.ExportFailed("x", job=Job()),
        errors.ExportCanceled("x", export=None),
        errors.ExportTimeout("x", job=Job()),
        errors.ExportTruncated("x", job=Job()),
        errors.DownloadError("x", job=Job(), path="/tmp/x"),
        errors.AdsecurityError("a"),
        errors.AdsecurityError(),
    ]
    assert {type(error).__name__ for error in made} == {"AdsecurityError", *TREE}
    for error in made:
        error.checkpoint = "here"
        error.add_note("noted")
    return made


def work(number: int) -> None:
    raise samples()[number]


def call(url: str) -> None:
    with Demo(api_key="key-key", base_url=url, retry=adsecurity.RetryPolicy(1)) as client:
        client._api.one(GET, {"thing_id": "1"})
