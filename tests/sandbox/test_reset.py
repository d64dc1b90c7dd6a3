"""`reset()` gives the seeded data back and forgets everything else, without another server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adsecurity import NetworkClient, NotFoundError, RetryPolicy
from adsecurity.sandbox import Sandbox
from tests.sandbox.conftest import TODAY, client_of

WEEK = {"start_time": "2026-11-01", "end_time": "2026-11-08"}
EXPORT = {**WEEK, "fields": ["tx_id"], "extra_parameters": ()}
RETRY = RetryPolicy(attempts=1)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=60, today=TODAY) as running:
        yield running


@pytest.fixture
def net(sandbox: Sandbox) -> Iterator[NetworkClient]:
    with NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url, retry=RETRY) as client:
        yield client


def offers(net: NetworkClient) -> list[Any]:
    return net.offers.list("integration-1").to_list()


def clicks(net: NetworkClient) -> list[Any]:
    return net.reports.clicks(integration_id="integration-1", **WEEK).to_list()


def test_what_was_created_changed_and_deleted_is_as_it_was(net: NetworkClient, sandbox: Sandbox) -> None:
    before = offers(net)
    created = net.offers.create("integration-1", name="Summer", advertiser_id=1)
    net.offers.modify("integration-1", before[0].id, active=False)
    net.offers.bulk_delete("integration-1", [before[1].id])
    assert len({offer.name for offer in offers(net)} - {offer.name for offer in before}) == 1
    sandbox.reset()
    assert offers(net) == before
    assert net.offers.create("integration-1", name="Summer", advertiser_id=1) == created


def test_the_rows_are_the_seeded_ones(net: NetworkClient, sandbox: Sandbox) -> None:
    before = clicks(net)
    sandbox.add_rows("clicks", datetime(2026, 11, 7, 23, 59, 59, tzinfo=UTC))
    assert len(clicks(net)) == len(before) + 1
    sandbox.reset()
    assert clicks(net) == before


def test_addresses_and_key_stay(net: NetworkClient, sandbox: Sandbox) -> None:
    def place() -> tuple[object, ...]:
        return (sandbox.network_url, sandbox.adsecurity_url, sandbox.storage_url, sandbox.api_key, sandbox.today)

    before = place()
    sandbox.reset()
    assert place() == before
    assert offers(net)


def test_requests_and_their_numbers_begin_again() -> None:
    with Sandbox(rows=0, request_log=1) as sandbox, client_of(sandbox, "network") as network:
        first = network.get("/users").headers["X-Request-Id"]
        network.get("/users")
        assert (len(sandbox.requests), sandbox.requests.dropped) == (1, 1)
        sandbox.reset()
        assert (len(sandbox.requests), sandbox.requests.dropped) == (0, 0)
        assert network.get("/users").headers["X-Request-Id"] == first


def test_injected_faults_are_forgotten(net: NetworkClient, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.inject(503, "drop")
    sandbox.inject_storage(503)
    sandbox.inject_export("ERROR")
    sandbox.reset()
    job = net.exports.clicks("integration-1", **EXPORT)
    job.wait(timeout=20)
    job.download(tmp_path / "clicks.csv")


def test_random_faults_are_the_same_again() -> None:
    with Sandbox(rows=0, faults=["503:0.5"]) as sandbox, client_of(sandbox, "network") as network:

        def statuses() -> list[int]:
            return [network.get("/users").status_code for _ in range(20)]

        before = statuses()
        assert set(before) == {200, 503}
        sandbox.reset()
        assert statuses() == before


def test_the_rate_limit_counts_from_zero() -> None:
    with Sandbox(rows=0, rate_limit=1) as sandbox, client_of(sandbox, "network") as network:
        for _ in range(3):
            sandbox.reset()
            assert network.get("/users").status_code == 200


def test_exports_and_their_files_are_gone(net: NetworkClient, sandbox: Sandbox) -> None:
    job = net.exports.clicks("integration-1", **EXPORT)
    job.wait(timeout=20)
    folder = sandbox._running_state.engine.exports.folder
    assert list(folder.iterdir())
    sandbox.reset()
    assert not folder.exists()
    with pytest.raises(NotFoundError):
        net.exports.get(job.id)
    net.exports.clicks("integration-1", **EXPORT).wait(timeout=20)


def test_an_export_that_is_running_is_given_up() -> None:
    with Sandbox(rows=60, today=TODAY, export_seconds=60) as sandbox:
        with NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url, retry=RETRY) as net:
            job = net.exports.clicks("integration-1", **EXPORT)
            sandbox.reset()
            with pytest.raises(NotFoundError):
                net.exports.get(job.id)


def test_the_folder_of_files_is_removed_with_the_sandbox() -> None:
    with Sandbox(rows=0) as sandbox:
        sandbox.reset()
        folder = sandbox._running_state.engine.exports.folder
        assert folder.exists()
    assert not folder.exists()


def test_a_sandbox_that_does_not_run_has_nothing_to_reset() -> None:
    sandbox = Sandbox(rows=0)
    with pytest.raises(RuntimeError, match="not running"):
        sandbox.reset()
    sandbox.start()
    sandbox.stop()
    with pytest.raises(RuntimeError, match="not running"):
        sandbox.reset()


def test_a_database_file_is_kept(tmp_path: Path) -> None:
    with Sandbox(rows=0, db=tmp_path / "kept.db") as sandbox:
        with pytest.raises(RuntimeError, match=r"keeps its data in .*kept\.db"):
            sandbox.reset()


def test_it_takes_no_longer_than_a_test_should(sandbox: Sandbox) -> None:
    seconds: list[float] = []
    for _ in range(20):
        started = time.perf_counter()
        sandbox.reset()
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.05
