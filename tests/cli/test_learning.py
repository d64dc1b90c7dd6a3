"""What somebody who tries the command finds in a sandbox: rows of yesterday, something to do, refusals that say why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from adsecurity.sandbox import Sandbox

from .conftest import Run

ADSECURITY = ("--surface", "adsecurity", "--integration", "integration-1")
PUBLISHER = "654321abcd"
REFUSED = 9


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Seeded up to now, as it is for who tries it."""
    with Sandbox(rows=400, export_seconds=0) as running:
        yield running


def rows(cli: Run, *arguments: str) -> list[dict[str, Any]]:
    done = cli(*arguments, "-o", "ndjson")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_yesterday_has_rows_in_a_report_and_in_an_export(cli: Run, sandbox: Sandbox) -> None:
    network = ("--surface", "network", "--integration", "integration-1", "--yesterday")
    assert len(rows(cli, "report", "clicks", *network, "--fields", "tx_id")) > 20
    assert rows(cli, "report", "impressions", *ADSECURITY, "--yesterday", "--fields", "tx_id")
    assert rows(cli, "export", "clicks", *network, "--fields", "tx_id,request_time")


def test_conversions_wait_for_approval_until_they_are_approved(cli: Run, tmp_path: Any) -> None:
    waiting = ("report", "conversions", *ADSECURITY, "--since", "7d", "--filter", "status=Pending")
    pending = [row["tx_id"] for row in rows(cli, *waiting)]
    assert len(pending) > 1
    (tmp_path / "ids.csv").write_text(pending[0] + "\n")
    done = cli("conversions", "approve", "--file", "ids.csv", "--yes")
    assert done.returncode == 0, done.stderr
    assert [row["tx_id"] for row in rows(cli, *waiting)] == pending[1:]


def test_a_publisher_may_run_some_offers_which_have_links_and_pay(cli: Run) -> None:
    listed = rows(cli, "adsecurity", "publisher-view", "offers", "list", PUBLISHER)
    assert {offer["offer_access"] for offer in listed} == {"Public", "Approved", "Pending", "Requires_Approval"}
    for offer in listed:
        assert offer["conversion_payout"]["payout"] > 0
        assert bool(offer["click_tracking_links"]["standard"]) == (offer["offer_access"] in ("Public", "Approved"))


def test_a_postback_for_an_unknown_integration_or_without_a_url_is_refused(cli: Run) -> None:
    create = (
        "adsecurity",
        "publisher-view",
        "postbacks",
        "create",
        PUBLISHER,
        "--name",
        "x",
        "--service-type",
        "click",
    )
    for integration, url, said in (
        ("integration-9", "https://tracker.example/in", "no integration 'integration-9'"),
        ("integration-1", "tracker", "is not an http or https URL"),
    ):
        done = cli(*create, "--integration", integration, "--url", url)
        assert done.returncode == REFUSED
        assert said in done.stderr
    assert cli(*create, "--integration", "integration-1", "--url", "https://tracker.example/in").returncode == 0


def test_access_asked_for_twice_is_refused(cli: Run) -> None:
    offers = rows(cli, "adsecurity", "publisher-view", "offers", "list", PUBLISHER)
    offer_id = next(offer["id"] for offer in offers if offer["offer_access"] == "Requires_Approval")
    ask = ("adsecurity", "publisher-view", "access-requests", "create", PUBLISHER, offer_id)
    assert cli(*ask).returncode == 0
    again = cli(*ask)
    assert again.returncode == REFUSED
    assert "402" in again.stderr
    assert "has already been requested" in again.stderr
