"""Reports list rows newest first, by cursor or by page, and keep to the range and filters asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from adsecurity.sandbox import Sandbox, _engine, _reports

from .conftest import ROWS, TODAY, client_of

CLICKS = "/reports/v2/click-table"
WEEK = {
    "integration_id": "integration-1",
    "start_time": "2026-11-01 00:00:00",
    "end_time": "2026-11-07 23:59:59",
    "page[size]": "100",
}
DAYS = {"integration_id": "integration-1", "start_date": "2026-11-01", "end_date": "2026-11-07"}


def iterate_pages(
    client: httpx.Client, path: str, params: dict[str, str], direction: str = "after"
) -> Iterator[dict[str, Any]]:
    """Pages in one direction, until there is none left."""
    cursor = params.get(f"page[{direction}]", "")
    while True:
        sent = {**params, **({f"page[{direction}]": cursor} if cursor else {})}
        response = client.get(path, params=sent)
        assert response.status_code == 200, response.text
        data = response.json()["data"]
        yield data
        info = data["pageInfo"]
        if not info["hasNextPage" if direction == "after" else "hasPreviousPage"]:
            return
        cursor = info["endCursor" if direction == "after" else "startCursor"]


def test_a_week_of_clicks_comes_once_and_newest_first(network: httpx.Client) -> None:
    rows = [row for page in iterate_pages(network, CLICKS, WEEK) for row in page["data"]]
    order = [(row["request_time"], row["real_tx_id"]) for row in rows]
    assert len(rows) == ROWS
    assert order == sorted(order, reverse=True)
    assert len(set(order)) == len(order)
    assert len({time for time, _ in order}) < len(order), "some rows share a second"


def test_the_way_back_gives_the_same_rows(network: httpx.Client) -> None:
    forth = [row["real_tx_id"] for page in iterate_pages(network, CLICKS, WEEK) for row in page["data"]]
    back = [
        [row["real_tx_id"] for row in page["data"]]
        for page in iterate_pages(network, CLICKS, {**WEEK, "page[before]": forth[-1]}, "before")
    ]
    assert [key for page in reversed(back) for key in page] == forth[:-1]


def test_cursors_and_flags_say_where_a_page_stands(network: httpx.Client) -> None:
    pages = list(iterate_pages(network, CLICKS, {**WEEK, "page[size]": "20", "end_time": "2026-11-02 00:00:00"}))
    assert len(pages) > 2
    for number, page in enumerate(pages):
        info = page["pageInfo"]
        assert (info["startCursor"], info["endCursor"]) == (
            page["data"][0]["real_tx_id"],
            page["data"][-1]["real_tx_id"],
        )
        assert (info["hasPreviousPage"], info["hasNextPage"]) == (number > 0, number < len(pages) - 1)


def test_the_range_is_wall_clock_in_the_given_zone(network: httpx.Client) -> None:
    here = {**WEEK, "start_time": "2026-11-02 00:00:00", "end_time": "2026-11-02 23:59:59"}
    berlin = [
        row["request_time"]
        for page in iterate_pages(network, CLICKS, {**here, "timezone": "Europe/Berlin"})
        for row in page["data"]
    ]
    assert min(berlin) >= "2026-11-01T23:00:00Z"
    assert "2026-11-01T23:00:00Z" < min(berlin) < "2026-11-02T00:00:00Z"
    assert "2026-11-02T22:00:00Z" < max(berlin) < "2026-11-02T23:00:00Z"


@pytest.mark.parametrize("inclusive", [True, False])
def test_the_end_of_a_range_is_as_told(inclusive: bool) -> None:
    moment = datetime(2026, 12, 24, 12, tzinfo=UTC)
    with Sandbox(end_inclusive=inclusive, today=TODAY) as sandbox, client_of(sandbox, "network") as client:
        sandbox.add_rows("clicks", moment, moment + timedelta(seconds=1))
        params = {**WEEK, "start_time": "2026-12-24 11:00:00", "end_time": "2026-12-24 12:00:00"}
        assert len(client.get(CLICKS, params=params).json()["data"]["data"]) == int(inclusive)


@pytest.mark.parametrize(
    ("params", "holds"),
    [
        ({"filter[status]": "Rejected"}, lambda row: row["status"] == "Rejected"),
        ({"filter[offer_id]": "3"}, lambda row: row["offer_id"] == "3"),
        ({"filter[publisher]": "1"}, lambda row: row["publisher"] == "1"),
        ({"filter[country][in]": "DE,BR"}, lambda row: row["country"] in ("DE", "BR")),
        ({"filter[score][gte]": "90"}, lambda row: row["score"] >= 90),
        ({"filter[rejections]": "bot"}, lambda row: "bot" in row["rejections"]),
    ],
)
def test_filters_narrow_a_report(network: httpx.Client, params: dict[str, str], holds: Any) -> None:
    everything = [row for page in iterate_pages(network, CLICKS, WEEK) for row in page["data"]]
    found = [row for page in iterate_pages(network, CLICKS, {**WEEK, **params}) for row in page["data"]]
    assert found == [row for row in everything if holds(row)]
    assert found


def test_rows_that_arrive_are_listed(sandbox: Sandbox, network: httpx.Client) -> None:
    params = {**WEEK, "start_time": "2026-12-01 00:00:00", "end_time": "2026-12-02 00:00:00"}
    assert network.get(CLICKS, params=params).json()["data"]["data"] == []
    added = sandbox.add_rows("clicks", datetime(2026, 12, 1, 8, tzinfo=UTC), datetime(2026, 12, 1, 9, tzinfo=UTC))
    rows = network.get(CLICKS, params=params).json()["data"]["data"]
    assert [row["real_tx_id"] for row in rows] == [row["real_tx_id"] for row in reversed(added)]


def post(client: httpx.Client, number: int, size: int, **body: Any) -> dict[str, Any]:
    sent = {**DAYS, "page_number": number, "page_size": size, **body}
    response = client.post(CLICKS, params={**DAYS, "page[number]": str(number)}, json=sent)
    assert response.status_code == 200, response.text
    return dict(response.json()["data"])


def test_numbered_report_pages_add_up_to_the_cursor_report(network: httpx.Client, adsecurity: httpx.Client) -> None:
    pages = [post(adsecurity, number, 100) for number in range(1, 9)]
    keys = [row["real_tx_id"] for page in pages for row in page["data"]]
    assert keys == [row["real_tx_id"] for page in iterate_pages(network, CLICKS, WEEK) for row in page["data"]]
    assert [page["pageInfo"]["hasNextPage"] for page in pages] == [True] * 5 + [False] * 3


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"field": "country", "value": "DE"}, lambda row: row["country"] == "DE"),
        ({"field": "country", "operator": "is", "value": "DE"}, lambda row: row["country"] == "DE"),
        ({"field": "country", "operator": "is not", "value": "DE"}, lambda row: row["country"] != "DE"),
        ({"field": "country", "operator": "is any of", "value": ["DE", "JP"]}, lambda r: r["country"] in ("DE", "JP")),
        ({"field": "isp", "operator": "contains", "value": "net"}, lambda row: "net" in row["isp"].lower()),
        ({"field": "asn", "value": 64502}, lambda row: row["asn"] == 64502),
    ],
)
def test_the_filters_of_a_body_narrow_a_report(adsecurity: httpx.Client, condition: Any, holds: Any) -> None:
    everything = post(adsecurity, 1, 100)["data"]
    found = post(adsecurity, 1, 100, filters=[condition])["data"]
    assert all(holds(row) for row in found)
    wanted = [row["real_tx_id"] for row in everything if holds(row)]
    assert [row["real_tx_id"] for row in found][: len(wanted)] == wanted
    assert wanted


def test_a_filter_on_an_unknown_field_is_refused(adsecurity: httpx.Client) -> None:
    sent = {**DAYS, "page_number": 1, "page_size": 10, "filters": [{"field": "nothing", "value": True}]}
    response = adsecurity.post(CLICKS, params={**DAYS, "page[number]": "1"}, json=sent)
    assert response.status_code == 400


def test_fields_and_sort_of_a_report(adsecurity: httpx.Client) -> None:
    rows = post(adsecurity, 1, 50, fields=["tx_id", "country"])["data"]
    assert {tuple(row) for row in rows} == {("country", "tx_id")}
    params = {**DAYS, "page[number]": "1", "sort": "country,-rtt"}
    body = {**DAYS, "page_number": 1, "page_size": 100}
    rows = adsecurity.post(CLICKS, params=params, json=body).json()["data"]["data"]
    order = [(row["country"], -row["rtt"]) for row in rows]
    assert order == sorted(order)


def test_the_publisher_sees_its_own_rows_only(adsecurity: httpx.Client, sandbox: Sandbox) -> None:
    path = f"/publisher-view/{sandbox.organization_id}/reports/click-table"
    rows = [row for page in iterate_pages(adsecurity, path, {"page[size]": "100"}) for row in page["data"]]
    assert {row["publisher"] for row in rows} == {"1"}
    assert len(rows) > ROWS / 10
    days = {"page[size]": "100", "start_date": "2026-11-03", "end_date": "2026-11-03"}
    rows = [row for page in iterate_pages(adsecurity, path, days) for row in page["data"]]
    assert {row["request_date"] for row in rows} == {"2026-11-03"}
    ordered = [
        row for page in iterate_pages(adsecurity, path, {"page[size]": "40", "sort": "rtt"}) for row in page["data"]
    ]
    assert [row["rtt"] for row in ordered] == sorted(row["rtt"] for row in ordered)


def test_conversions_go_by_their_own_time(network: httpx.Client) -> None:
    rows = network.get("/reports/v2/conversion-table", params=WEEK).json()["data"]["data"]
    times = [row["conversion_time"] for row in rows]
    assert times == sorted(times, reverse=True)
    assert all(row["request_time"] < row["conversion_time"] for row in rows)


def test_performance_adds_up_to_the_rows(network: httpx.Client, adsecurity: httpx.Client) -> None:
    totals: list[dict[str, Any]] = []
    for number in range(1, 60):
        params = {**DAYS, "page[number]": str(number), "page[size]": "100"}
        page = adsecurity.get("/reports/v2/performance-table", params=params).json()["data"]["data"]
        totals.extend(page)
        if not page:
            break
    clicks = [row for page in iterate_pages(network, CLICKS, WEEK) for row in page["data"]]
    assert sum(row["clicks_total"] for row in totals) == len(clicks)
    rejected = sum(row["status"] == "Rejected" for row in clicks)
    assert sum(row["clicks_total_rejected"] for row in totals) == rejected
    assert [row["date"] for row in totals] == sorted((row["date"] for row in totals), reverse=True)


def test_performance_has_columns_an_order_and_a_count(adsecurity: httpx.Client) -> None:
    params: Any = [*DAYS.items(), ("columns[]", "date"), ("columns[]", "clicks_total"), ("sort", "-clicks_total,date")]
    response = adsecurity.get("/reports/v2/performance-table", params=[*params, ("count", "true")])
    body = response.json()["data"]
    assert {tuple(row) for row in body["data"]} == {("clicks_total", "date")}
    order = [(-row["clicks_total"], row["date"]) for row in body["data"]]
    assert order == sorted(order)
    assert body["count"] > len(body["data"])
    few = adsecurity.get("/reports/v2/performance-table", params=[*params, ("filter[clicks_total][gt]", "1")])
    assert all(row["clicks_total"] > 1 for row in few.json()["data"]["data"])
    assert len(few.json()["data"]["data"]) > 0
    cursor = adsecurity.get("/reports/v2/performance-table", params=[*params, ("page[after]", "x")])
    assert cursor.status_code == 400


def test_the_performance_of_a_publisher_is_one_answer(adsecurity: httpx.Client, sandbox: Sandbox) -> None:
    days = {name: DAYS[name] for name in ("start_date", "end_date")}
    path = f"/publisher-view/{sandbox.organization_id}/reports/performance-table"
    rows = adsecurity.get(path, params=days).json()["data"]["data"]
    assert {row["publisher"] for row in rows} == {"1"}
    assert len(rows) > 20


def test_conversions_can_be_approved_and_rejected(network: httpx.Client, adsecurity: httpx.Client) -> None:
    rows = network.get("/reports/v2/conversion-table", params=WEEK).json()["data"]["data"]
    updates: list[dict[str, Any]] = [
        {"action": "Reject", "tx_id": rows[0]["tx_id"], "new_rejected_advanced_reason": "late"},
        {"action": "Approve", "hash": rows[1]["hash"], "update_params": {"payout": 9.5}},
    ]
    body = {"integration_id": "integration-1", "updates": updates}
    response = adsecurity.patch("/reports/v2/conversions", json=body)
    assert (response.status_code, response.json()) == (200, {"success": True})
    after = network.get("/reports/v2/conversion-table", params=WEEK).json()["data"]["data"]
    assert (after[0]["status"], after[0]["rejected_advanced_reason"]) == ("Rejected", "late")
    assert (after[1]["status"], after[1]["payout"]) == ("Approved", 9.5)
    for updates, status in (
        ([], 402),
        ([{"action": "Reject", "tx_id": "nobody"}], 404),
        ([{"action": "Approve", "tx_id": rows[2]["tx_id"]}, {"action": "Burn", "tx_id": rows[3]["tx_id"]}], 400),
    ):
        assert adsecurity.patch("/reports/v2/conversions", json={"updates": updates}).status_code == status
    unchanged = network.get("/reports/v2/conversion-table", params=WEEK).json()["data"]["data"]
    assert unchanged[2:] == rows[2:]


def test_a_query_that_left_the_cache_is_run_again(network: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_reports, "_ORDER_CACHE_SIZE", 1)
    answers = [
        network.get(CLICKS, params={**WEEK, "filter[status]": status}).content
        for status in ("Approved", "Rejected", "Approved", "Rejected")
    ]
    assert answers[:2] == answers[2:]


@pytest.fixture
def empty_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_engine, "_SEEDED_DATABASES", {})
    monkeypatch.setattr(_reports, "_ROW_CACHE", {})


def first_keys(seed: int, rows: int) -> list[str]:
    with Sandbox(seed=seed, rows=rows, today=TODAY) as sandbox, client_of(sandbox, "network") as client:
        return [row["real_tx_id"] for row in client.get(CLICKS, params=WEEK).json()["data"]["data"]]


def test_the_same_seed_makes_the_same_rows_and_another_one_others(
    empty_caches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = first_keys(1, 100)
    monkeypatch.setattr(_engine, "_SEEDED_DATABASES", {})
    monkeypatch.setattr(_reports, "_ROW_CACHE", {})
    assert first_keys(1, 100) == first != first_keys(2, 100)


def test_later_sandboxes_start_from_a_copy_unless_there_are_too_many_rows(
    empty_caches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_reports, "_MAX_CACHED_ROWS", 150)
    assert first_keys(1, 150) == first_keys(1, 150)
    assert len(_reports._ROW_CACHE) == 1
    first_keys(1, 151)
    assert len(_reports._ROW_CACHE) == 1
