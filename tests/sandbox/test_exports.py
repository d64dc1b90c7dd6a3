"""Exports end as CSV files behind signed URLs on another port, which no API key may come near."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from adsecurity.sandbox import Sandbox

from .conftest import ROWS, TODAY, client_of

START = "/integrations/integration-1/exports/clicks"
PARAMS = {
    "start_time": "2026-11-02 00:00:00",
    "end_time": "2026-11-02 23:59:59",
    "fields": "real_tx_id,request_time,country,tags,user_agent",
    "extra_parameters": "campaign,nothing",
}


@pytest.fixture
def storage() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


def begin(client: httpx.Client, path: str = START, **changes: str) -> dict[str, Any]:
    response = client.post(path, params={**PARAMS, **changes})
    assert response.status_code == 200, response.text
    return dict(response.json())


def finished(client: httpx.Client, export_id: str, *, until: str = "COMPLETED") -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        export = client.get(f"/download-center/exports/{export_id}").json()["data"]
        if export["status"] == until:
            return dict(export)
        time.sleep(0.02)
    raise AssertionError(f"the export did not become {until}")


def signed(client: httpx.Client, export: dict[str, Any]) -> str:
    params = {"artifact_name": export["artifact"]["name"]}
    return str(client.get("/download-center/signed-url", params=params).json()["url"])


def collect(answer: httpx.Response, into: bytearray) -> None:
    for piece in answer.iter_raw():
        into.extend(piece)


def table(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text), delimiter=delimiter))


def test_an_export_passes_through_the_documented_statuses_to_a_file(
    network: httpx.Client, storage: httpx.Client, sandbox: Sandbox
) -> None:
    started = begin(network)
    assert (started["status"], started["artifact"]["name"]) == ("PENDING", "")
    finished(network, started["id"], until="IN_PROGRESS")
    export = finished(network, started["id"])
    url = signed(network, export)
    assert url.startswith(sandbox.storage_url)
    assert sandbox.storage_url not in (sandbox.network_url, sandbox.adsecurity_url)
    answer = storage.get(url)
    assert answer.status_code == 200
    rows = table(answer.text)
    assert rows[0] == ["real_tx_id", "request_time", "country", "tags", "user_agent", "campaign", "nothing"]
    assert len(rows) - 1 == export["results_meta"]["total"] > 30
    assert len(answer.content) == export["artifact"]["size"]
    assert all(row[1].startswith("2026-11-02 ") for row in rows[1:])
    assert rows[1][4] == 'Mozilla/5.0 (sandbox; "quoted")'
    assert rows[1][5].startswith("c")
    assert rows[1][6] == ""
    assert export["results_meta"]["range_truncated"] is False


def test_times_and_delimiter_are_as_asked(network: httpx.Client, storage: httpx.Client) -> None:
    export = finished(network, begin(network, timezone="Asia/Tokyo", delimiter=";", extra_parameters="")["id"])
    rows = table(storage.get(signed(network, export)).text, ";")
    assert rows[0] == PARAMS["fields"].split(",")
    times = [row[1] for row in rows[1:]]
    assert times == sorted(times, reverse=True)
    assert all(moment.startswith("2026-11-02 ") for moment in times)


@pytest.mark.usefixtures("_no_zone_data")
def test_utc_needs_no_zone_data(network: httpx.Client) -> None:
    assert finished(network, begin(network, timezone="UTC")["id"])["status"] == "COMPLETED"


def test_a_time_that_never_was_is_empty(network: httpx.Client, storage: httpx.Client) -> None:
    path = START.replace("clicks", "conversions")
    fields = "tx_id,begin_install_time,finish_install_time,conversion_time"
    export = finished(network, begin(network, path, fields=fields, extra_parameters="")["id"])
    rows = table(storage.get(signed(network, export)).text)
    assert rows[0] == fields.split(",")
    assert {row[1] == "" for row in rows[1:]} == {True, False}
    assert all(row[3].startswith("2026-11-02 ") for row in rows[1:])


def test_filters_narrow_an_export(network: httpx.Client, storage: httpx.Client) -> None:
    export = finished(network, begin(network, **{"filter[country]": "DE"})["id"])
    rows = table(storage.get(signed(network, export)).text)
    assert {row[2] for row in rows[1:]} == {"DE"}
    assert export["reports_query_option"]["filters"]["country"]["equal_values"] == ["DE"]


def test_postback_logs_have_columns_of_their_own(network: httpx.Client, storage: httpx.Client) -> None:
    path = START.replace("clicks", "postbacks")
    params = {name: PARAMS[name] for name in ("start_time", "end_time")}
    response = network.post(path, params={**params, "fields": "id,time,status_code"})
    export = finished(network, response.json()["id"])
    rows = table(storage.get(signed(network, export)).text)
    assert rows[0] == ["id", "time", "status_code"]
    assert {row[2] for row in rows[1:]} == {"200"}
    assert network.post(path, params={**params, "fields": "nothing"}).status_code == 400


def test_adsecurity_exports_take_days_or_none(adsecurity: httpx.Client, storage: httpx.Client) -> None:
    params = {"fields": "tx_id", "extra_parameters": ""}
    everything = finished(adsecurity, adsecurity.post(START, params=params).json()["id"])
    days = {"start_date": "2026-11-02", "end_date": "2026-11-02"}
    one_day = finished(adsecurity, adsecurity.post(START, params={**params, **days}).json()["id"])
    assert everything["results_meta"]["total"] == ROWS
    assert 30 < one_day["results_meta"]["total"] < 300
    assert adsecurity.post(START, params={**params, "organization": "somebody"}).status_code == 403
    assert adsecurity.post(START, params={"extra_parameters": ""}).status_code == 400


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"fields": ""}, 400),
        ({"fields": "tx_id,nothing"}, 400),
        ({"delimiter": ""}, 400),
        ({"delimiter": ",,"}, 400),
        ({"delimiter": '"'}, 400),
        ({"timezone": "Nowhere"}, 400),
        ({"start_time": "2026-11-03 00:00:00"}, 400),
        ({"filter[nothing]": "1"}, 400),
    ],
)
def test_an_export_that_cannot_be_made_is_refused_at_once(
    network: httpx.Client, changes: dict[str, str], status: int
) -> None:
    assert network.post(START, params={**PARAMS, **changes}).status_code == status


def test_exports_are_listed_and_filtered(network: httpx.Client) -> None:
    export = finished(network, begin(network, **{"filter[offer_id]": "5"})["id"])
    for name, value, found in (
        ("filter[reports_query_option.filters.offer_id.equalvalues]", "5", True),
        ("filter[reports_query_option.filters.offer_id.equalvalues]", "6", False),
        ("filter[status]", "PENDING", False),
        ("filter[type]", "click_logs", True),
        ("filter[results_meta.total][lte]", str(export["results_meta"]["total"]), True),
        ("filter[results_meta.total][gte]", str(export["results_meta"]["total"] + 1), False),
    ):
        listed = network.get("/download-center/exports", params={name: value, "page[size]": "100"})
        assert listed.status_code == 200, listed.text
        assert (export["id"] in {entry["id"] for entry in listed.json()["data"]}) is found, name


@pytest.mark.parametrize("status", ["ERROR", "CANCELED", "PAUSED"])
def test_an_export_can_be_made_to_end_otherwise(network: httpx.Client, sandbox: Sandbox, status: str) -> None:
    sandbox.inject_export(status)
    export = finished(network, begin(network)["id"], until=status)
    assert export["artifact"]["name"] == ""
    assert bool(export["error"]) is (status == "ERROR")


def test_too_many_rows_are_cut_off_and_said_to_be() -> None:
    with (
        Sandbox(export_row_limit=10, export_seconds=0, today=TODAY) as sandbox,
        client_of(sandbox, "network") as client,
    ):
        export = finished(client, begin(client)["id"])
        assert (export["results_meta"]["total"], export["results_meta"]["range_truncated"]) == (10, True)
        assert len(table(httpx.get(signed(client, export), trust_env=False).text)) == 11


class TestStorage:
    @pytest.fixture
    def url(self, network: httpx.Client) -> str:
        return signed(network, finished(network, begin(network)["id"]))

    def test_an_api_key_is_refused_and_recorded(self, sandbox: Sandbox, storage: httpx.Client, url: str) -> None:
        before = len(sandbox.leaked_keys)
        assert storage.get(url, headers={"API-KEY": sandbox.api_key}).status_code == 400
        assert len(sandbox.leaked_keys) == before + 1

    def test_a_range_is_answered_with_that_part(self, storage: httpx.Client, url: str) -> None:
        whole = storage.get(url)
        part = storage.get(url, headers={"Range": "bytes=100-", "If-Range": whole.headers["etag"]})
        assert (part.status_code, part.content) == (206, whole.content[100:])
        assert part.headers["content-range"] == f"bytes 100-{len(whole.content) - 1}/{len(whole.content)}"
        other = storage.get(url, headers={"Range": "bytes=100-", "If-Range": '"other"'})
        assert (other.status_code, other.content) == (200, whole.content)
        assert storage.get(url, headers={"Range": f"bytes={len(whole.content)}-"}).status_code == 416
        assert storage.head(url).headers["content-length"] == str(len(whole.content))

    def test_only_the_signed_url_opens_the_file(self, storage: httpx.Client, network: httpx.Client, url: str) -> None:
        assert storage.get(url.partition("?")[0]).status_code == 403
        assert storage.get(url[:-1] + ("0" if url[-1] != "0" else "1")).status_code == 403
        assert storage.get(url.replace("/artifacts/", "/artefacts/")).status_code == 404
        assert storage.post(url).status_code == 404
        name = url.rpartition("/")[2].partition("?")[0]
        export = network.get("/download-center/exports", params={"filter[artifact.name]": name}).json()["data"][0]
        assert storage.get(export["artifact"]["download_link"]).status_code == 403

    def test_a_file_that_is_gone_is_said_to_be(self, sandbox: Sandbox, storage: httpx.Client, url: str) -> None:
        name = url.rpartition("/")[2].partition("?")[0]
        (sandbox._running_state.engine.exports.folder / name).unlink()
        answer = storage.get(url)
        assert (answer.status_code, answer.json()["message"]) == (403, "the file is gone")

    def test_the_connection_can_be_cut_in_the_middle(self, sandbox: Sandbox, storage: httpx.Client, url: str) -> None:
        whole = storage.get(url).content
        sandbox.inject_storage("drop", 503)
        got = bytearray()
        with storage.stream("GET", url) as answer:
            assert answer.status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                collect(answer, got)
        assert 0 < len(got) < len(whole)
        assert whole.startswith(bytes(got))
        assert storage.get(url).status_code == 503
        assert storage.get(url).content == whole


def test_a_signed_url_expires() -> None:
    with Sandbox(url_seconds=0.05, export_seconds=0) as sandbox, client_of(sandbox, "network") as client:
        url = signed(client, finished(client, begin(client)["id"]))
        time.sleep(0.1)
        answer = httpx.get(url, trust_env=False)
        assert (answer.status_code, answer.json()["message"]) == (403, "the URL has expired")


def test_a_file_that_cannot_be_written_fails_its_export_and_no_other() -> None:
    with Sandbox(export_seconds=0, rows=50) as sandbox, client_of(sandbox, "network") as client:
        folder = sandbox._running_state.engine.exports.folder
        folder.rmdir()
        assert "could not be written" in finished(client, begin(client)["id"], until="ERROR")["error"]
        folder.mkdir()
        finished(client, begin(client)["id"])


def test_an_export_that_a_stop_interrupted_has_failed_after_the_next_start(tmp_path: Path) -> None:
    with Sandbox(db=tmp_path / "a.db", export_seconds=60, rows=50) as sandbox, client_of(sandbox, "network") as client:
        export_id = begin(client)["id"]
    with Sandbox(db=tmp_path / "a.db", export_seconds=0, rows=50) as sandbox, client_of(sandbox, "network") as client:
        assert "was stopped" in finished(client, export_id, until="ERROR")["error"]
        kept = finished(client, begin(client)["id"])
    with Sandbox(db=tmp_path / "a.db", rows=50) as sandbox, client_of(sandbox, "network") as client:
        assert httpx.get(signed(client, kept), trust_env=False).status_code == 200


def test_stopping_does_not_wait_for_an_export() -> None:
    sandbox = Sandbox(export_seconds=60).start()
    with client_of(sandbox, "network") as client:
        begin(client)
    started = time.monotonic()
    sandbox.stop()
    assert time.monotonic() - started < 5
