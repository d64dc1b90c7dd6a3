"""What rows become: nothing is dropped of them, whatever they lack or have too much; exports have the same rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import dlt
import httpx
import pytest

import adsecurity.dlt
from adsecurity.sandbox import Sandbox

from .dlt_pipelines import load, pipeline, query

CLICKS = "reports_clicks"
Change = Callable[[int, dict[str, Any]], None]


class Changed(httpx.HTTPTransport):
    """The sandbox's answers, each row of a list changed."""

    def __init__(self, change: Change) -> None:
        super().__init__()
        self._change = change

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        body = json.loads(answer.read())
        answer.close()
        rows = body["data"]["data"] if isinstance(body["data"], dict) else body["data"]
        for number, row in enumerate(rows):
            self._change(number, row)
        return httpx.Response(answer.status_code, json=body)


def network(sandbox: Sandbox, **options: Any) -> Any:
    given: dict[str, Any] = {"integration_id": "integration-1", "start_time": "2026-11-01", **options}
    return adsecurity.dlt.network(api_key=sandbox.api_key, base_url=sandbox.network_url, **given)


def test_a_new_field_lands_in_extra_and_the_load_goes_on(sandbox: Sandbox, tmp_path: Path) -> None:
    def change(number: int, row: dict[str, Any]) -> None:
        row["new_field"] = {"n": number}
        row["payout"] = "much"

    before = load(tmp_path, network(sandbox), CLICKS, "offers")
    columns = query(tmp_path, f"DESCRIBE {CLICKS}")
    ((latest,),) = query(tmp_path, f"SELECT max(request_time) FROM {CLICKS}")
    sandbox.add_rows("clicks", latest + timedelta(seconds=1), latest + timedelta(seconds=2))
    with Changed(change) as transport:
        loaded = load(tmp_path, network(sandbox, transport=transport), CLICKS, "offers")
    assert loaded == {CLICKS: 2, "offers": before["offers"]}
    assert query(tmp_path, f"DESCRIBE {CLICKS}") == columns
    found = query(tmp_path, f"SELECT payout, _extra FROM {CLICKS} WHERE _extra IS NOT NULL ORDER BY request_time DESC")
    assert [(payout, json.loads(extra)) for payout, extra in found] == [
        (None, {"new_field": {"n": number}, "payout": "much"}) for number in range(2)
    ]
    assert query(tmp_path, f"SELECT count(*) FROM {CLICKS}") == [(before[CLICKS] + 2,)]
    assert query(tmp_path, "SELECT count(*), count(_extra), count(DISTINCT id) FROM offers") == [
        (before["offers"],) * 3
    ]


def test_a_row_without_its_key_or_time_is_loaded_and_not_repeated(sandbox: Sandbox, tmp_path: Path) -> None:
    def change(number: int, row: dict[str, Any]) -> None:
        if number % 10 == 1:
            row["real_tx_id"] = ["", None][number % 20 == 1]
        if number % 10 == 2:
            row["request_time"] = None
        if number % 10 == 3:
            row["id"] = 7000 + number
        if number in (4, 5):
            # With one key at one time they are still two rows: the report has them both.
            row |= {"real_tx_id": "twin", "request_time": "2026-11-05T12:00:00Z"}

    for _ in range(2):
        with Changed(change) as transport:
            source = network(sandbox, transport=transport, lag=timedelta(days=30))
            assert load(tmp_path, source, CLICKS, "users")[CLICKS] == 600
        found = f"count(*), count(DISTINCT _key), count(real_tx_id) < 600, count(request_time) < 600 FROM {CLICKS}"
        assert query(tmp_path, f"SELECT {found}") == [(600, 600 - 2 * 6 + 1, True, True)]
        assert query(tmp_path, "SELECT count(*), count(DISTINCT _key) FROM users") == [(130, 130)]
    assert query(tmp_path, "SELECT count(*) FROM users WHERE id IS NULL AND _extra LIKE '%70%'") == [(13,)]


def test_schemas_come_from_the_specs_before_anything_is_loaded(sandbox: Sandbox, tmp_path: Path) -> None:
    source = network(sandbox)
    columns = source.reports_clicks.compute_table_schema()["columns"]
    assert {columns[name]["data_type"] for name in ("payout", "request_time", "tags", "tx_id", "_extra")} == {
        "double", "timestamp", "json", "text",
    }  # fmt: skip
    assert columns["_key"]["merge_key"]
    assert source.users.compute_table_schema()["columns"]["_key"]["primary_key"]
    assert source.reports_clicks.write_disposition == source.users.write_disposition == "merge"
    # A table is there, with all its columns, although it has no rows yet.
    assert load(tmp_path, network(sandbox, start_time="2030-01-01"), CLICKS, "exports") == {CLICKS: 0, "exports": 0}
    assert {name for name, *_ in query(tmp_path, f"DESCRIBE {CLICKS}")} >= {
        "payout",
        "extra_params_keys",
        "_extra",
        "_key",
    }
    # No two columns of a table become one in a warehouse.
    naming = dlt.Schema("any").naming
    for made in (source, adsecurity.dlt.adsecurity(api_key="k")):
        for resource in made.resources.values():
            names = list(resource.compute_table_schema()["columns"])
            assert len({naming.normalize_identifier(name) for name in names}) == len(names)


@pytest.mark.parametrize("api", ["network", "adsecurity"])
def test_a_backfill_by_export_gives_the_rows_of_the_pages(api: str, sandbox: Sandbox, tmp_path: Path) -> None:
    def source(**options: Any) -> Any:
        url = sandbox.network_url if api == "network" else sandbox.adsecurity_url
        given = {"integration_id": "integration-1", "start_time": "2026-11-03T12:00:00", **options}
        return getattr(adsecurity.dlt, api)(api_key=sandbox.api_key, base_url=url, **given)

    names = (CLICKS, "reports_conversions")
    by_export = {"backfill": "export", "export_timezone": "UTC"}
    pages, exports = tmp_path / "pages", tmp_path / "exports"
    expected = load(pages, source(), *names)
    sandbox.requests.clear()
    assert load(exports, source(**by_export), *names) == expected
    assert {request.method for request in sandbox.requests if "-table" in request.path} == set()
    for name in names:
        rows = f"SELECT * FROM {name} ORDER BY ALL"
        assert query(exports, rows) == query(pages, rows)
    # The next load goes on by pages.
    sandbox.requests.clear()
    assert load(exports, source(**by_export), *names) == dict.fromkeys(names, 0)
    assert not [request for request in sandbox.requests if "/exports/" in request.path]
    bounded = source(**by_export, start_time="2026-11-04", end_time="2026-11-05")
    assert 0 < load(exports, bounded, CLICKS)[CLICKS] < expected[CLICKS]
    assert query(exports, f"SELECT count(*) FROM {CLICKS}") == [(expected[CLICKS],)]
    assert "positions" in str(pipeline(exports).state)
