"""The dlt sources load into duckdb what the sandbox has: each row once, however often and whenever they are run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import adsecurity.dlt
from adsecurity import AdsecurityClient, NetworkClient
from adsecurity.sandbox import Sandbox

from .dlt_pipelines import load, pipeline, query

START = "2026-11-01"
CLICKS = "reports_clicks"


def network(sandbox: Sandbox, **options: Any) -> Any:
    given = {"integration_id": sandbox.integration_id, "start_time": START, **options}
    return adsecurity.dlt.network(api_key=sandbox.api_key, base_url=sandbox.network_url, **given)


def sum_of(folder: Path, table: str, column: str = "payout") -> tuple[int, float]:
    ((count, total),) = query(folder, f"SELECT count(*), coalesce(sum({column}), 0) FROM {table}")
    return count, pytest.approx(total)


def test_every_list_and_report_of_network_is_loaded_whole_and_once(sandbox: Sandbox, tmp_path: Path) -> None:
    with NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as net:
        offer = net.offers.list(sandbox.integration_id).first()
        assert offer is not None
        source = network(sandbox, offer_id=offer.id)
        assert set(source.resources) == set(source.selected_resources)
        first = load(tmp_path, source)
        span = {"integration_id": sandbox.integration_id, "start_time": START, "end_time": "2026-11-08"}
        lists: dict[str, Any] = {
            "users": net.users.list(),
            "offers": net.offers.list(sandbox.integration_id),
            "publishers": net.publishers.list(),
            "advertisers": net.advertisers.list(),
            "offer_events": net.offer_events.list(sandbox.integration_id, offer.id),
            "landing_pages": net.landing_pages.list(sandbox.integration_id, offer.id),
            "exports": net.exports.list(),
            "reports_clicks": net.reports.clicks(**span),
            "reports_conversions": net.reports.conversions(**span),
            "reports_impressions": net.reports.impressions(**span),
        }
        assert set(lists) == set(source.resources)
        for name, rows in lists.items():
            expected = rows.to_list()
            assert first[name] == len(expected), name
            assert query(tmp_path, f"SELECT count(*) FROM {name}") == [(len(expected),)]
            if name.startswith("reports_"):
                total = sum(row.payout or 0 for row in expected)
                assert sum_of(tmp_path, name) == (len(expected), total)
                assert sum_of(tmp_path, name)[0] > 20
    # Again: lists are read whole and merged, reports give nothing new.
    sums = {name: sum_of(tmp_path, name) for name in lists if name.startswith("reports_")}
    again = load(tmp_path, network(sandbox, offer_id=offer.id))
    assert {again[name] for name in sums} == {0}
    assert {name: sum_of(tmp_path, name) for name in sums} == sums
    for name in lists.keys() - sums.keys():
        assert query(tmp_path, f"SELECT count(*), count(DISTINCT _key) FROM {name}") == [(first[name], first[name])]


def test_the_reports_of_adsecurity_are_loaded_by_days_whole_and_once(sandbox: Sandbox, tmp_path: Path) -> None:
    def source() -> Any:
        ids = {"integration_id": sandbox.integration_id, "organization_id": sandbox.organization_id}
        return adsecurity.dlt.adsecurity(
            api_key=sandbox.api_key, base_url=sandbox.adsecurity_url, start_time="2026-11-03T12:00:00", **ids
        )

    names = (CLICKS, "reports_conversions", "publisher_view_reports_clicks", "reports_performance", "smartlinks")
    loaded = load(tmp_path, source(), *names)
    span = {"start_date": "2026-11-03", "end_date": "2026-11-09"}
    after = datetime(2026, 11, 3, 12, tzinfo=UTC)
    with AdsecurityClient(api_key=sandbox.api_key, base_url=sandbox.adsecurity_url) as ads:
        clicks = list(ads.reports.clicks(integration_id=sandbox.integration_id, **span))
        view = ads.publisher_view(sandbox.organization_id)
        seen = [row for row in view.reports.clicks(**span) if row.request_time >= after]
        expected = [row for row in clicks if row.request_time >= after]
        performance = ads.reports.performance(integration_id=sandbox.integration_id, **span).to_list()
    assert 0 < len(expected) < len(clicks)
    assert sum_of(tmp_path, CLICKS) == (len(expected), sum(row.payout or 0 for row in expected))
    assert query(tmp_path, "SELECT count(*) FROM publisher_view_reports_clicks") == [(len(seen),)]
    assert loaded["reports_performance"] == len(performance) > 0
    again = load(tmp_path, source(), *names)
    assert again[CLICKS] == again["reports_conversions"] == again["publisher_view_reports_clicks"] == 0
    # What has no key is replaced.
    assert query(tmp_path, "SELECT count(*) FROM reports_performance") == [(len(performance),)]
    assert query(tmp_path, "SELECT count(*), count(DISTINCT _key) FROM smartlinks") == [(12, 12)]


def test_late_rows_are_loaded_as_far_as_the_lag_reaches(sandbox: Sandbox, tmp_path: Path) -> None:
    lag = timedelta(hours=6)
    before = load(tmp_path, network(sandbox, lag=lag), CLICKS)[CLICKS]
    ((latest,),) = query(tmp_path, f"SELECT max(request_time) FROM {CLICKS}")
    same_second, late, too_late = latest, latest - timedelta(hours=5), latest - timedelta(hours=7)
    added = sandbox.add_rows("clicks", same_second, late, too_late, latest + timedelta(minutes=1))
    load(tmp_path, network(sandbox, lag=lag), CLICKS)
    keys = [row["real_tx_id"] for row in added]
    found = {key for (key,) in query(tmp_path, f"SELECT real_tx_id FROM {CLICKS}")}
    assert [key in found for key in keys] == [True, True, False, True]
    assert sum_of(tmp_path, CLICKS)[0] == before + 3
    assert query(tmp_path, f"SELECT count(DISTINCT _key) FROM {CLICKS}") == [(before + 3,)]
    # Without a lag, what has the latest time is new unless it is there, and what is older is not looked for.
    (same,) = sandbox.add_rows("clicks", latest + timedelta(minutes=1))
    sandbox.add_rows("clicks", late)
    assert load(tmp_path, network(sandbox), CLICKS) == {CLICKS: 1}
    assert query(tmp_path, f"SELECT count(*) FROM {CLICKS} WHERE real_tx_id = '{same['real_tx_id']}'") == [(1,)]
    assert load(tmp_path, network(sandbox), CLICKS) == {CLICKS: 0}


def test_each_integration_has_a_position_of_its_own(sandbox: Sandbox, tmp_path: Path) -> None:
    first = load(tmp_path, network(sandbox), CLICKS, "offers")
    other = network(sandbox, integration_id="integration-2")
    load(tmp_path, other, CLICKS, "offers")
    offers = dict(query(tmp_path, "SELECT integration_id, count(*) FROM offers GROUP BY ALL"))
    assert offers == {sandbox.integration_id: first["offers"], "integration-2": 12}
    filtered = network(sandbox, parameters={CLICKS: {"status": "Approved"}})
    assert 0 < load(tmp_path, filtered, CLICKS)[CLICKS] < first[CLICKS]
    clicks = dict(query(tmp_path, f"SELECT integration_id, count(*) FROM {CLICKS} GROUP BY ALL"))
    assert clicks == {sandbox.integration_id: first[CLICKS], "integration-2": 60}


def test_a_range_with_an_end_is_read_again_and_moves_no_position(sandbox: Sandbox, tmp_path: Path) -> None:
    def backfill() -> Any:
        return network(sandbox, start_time="2026-11-02", end_time="2026-11-04T12:00:00")

    part = load(tmp_path, backfill(), CLICKS)[CLICKS]
    assert load(tmp_path, backfill(), CLICKS) == {CLICKS: part}
    assert sum_of(tmp_path, CLICKS)[0] == part > 0
    bounds = query(
        tmp_path, f"SELECT min(request_time) >= '2026-11-02', max(request_time) < '2026-11-04 12:00:00' FROM {CLICKS}"
    )
    assert bounds == [(True, True)]
    assert "positions" not in str(pipeline(tmp_path).state)
    whole = load(tmp_path, network(sandbox), CLICKS)[CLICKS]
    assert sum_of(tmp_path, CLICKS)[0] == whole > part
