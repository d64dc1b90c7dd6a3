"""What the README and the guide say beside their programs is so."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from adsecurity import AdsecurityClient, NetworkClient
from adsecurity.exports.base_job import WAIT
from adsecurity.http.config import CONNECT_TIMEOUT
from adsecurity.sandbox import Sandbox
from tests.support.guide import ROOT, blocks, pages, run_program
from tests.support.our_specs import read_trees
from tests.support.routes import path_of

from .test_pages import EXTRAS

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = [block for page in pages() for block in blocks(page, "python")]


def test_the_programs_show_every_promise_of_the_text() -> None:
    together = "\n".join(block.text for block in PROGRAMS)
    for shown in (
        "NetworkClient",
        "AsyncAdsecurityClient",
        "to_parquet",
        "to_pandas",
        "polars.DataFrame(clicks)",
        "concurrency=",
        "resume=",
        "routes=",
        "net.request(",
        "net.paginate(",
        "Sandbox",
        "network_client",
        "make(",
        "create_autospec(",
    ):
        assert shown in together, shown


def test_the_opentelemetry_recipe_gives_a_span_for_each_request_in_the_callers_trace(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    (program,) = [block for block in PROGRAMS if "HTTPXClientInstrumentor" in block.text]
    done = run_program(program, sandbox, tmp_path)
    assert done.returncode == 0, done.stderr
    spans: list[Any] = [json.loads(span) for span in re.findall(r"^\{.*?^\}", done.stdout, re.DOTALL | re.MULTILINE)]
    *requests, outer = spans
    assert outer["name"] == "users"
    assert requests
    for span in requests:
        assert span["parent_id"] == outer["context"]["span_id"]
        assert span["attributes"]["http.url"].startswith(sandbox.network_url + path_of("network", "listUsers"))
    assert sandbox.api_key not in done.stdout


def test_the_first_screen_says_how_to_try_test_and_install_it() -> None:
    first = "\n".join(README.splitlines()[:25])
    for command in ("make demo", "make test", "pip install adsecurity"):
        assert command in first


def test_every_extra_is_told() -> None:
    assert set(re.findall(r"adsecurity\[(\w+)\]", README)) == set(EXTRAS)


def test_the_evidence_is_told_as_the_specs_have_it() -> None:
    trees: dict[str, Any] = read_trees()
    evidence = Counter(
        operation["x-evidence"]
        for spec in trees.values()
        for item in spec["paths"].values()
        for operation in item.values()
    )
    told = set(re.findall(r"`(\w+)`", README.partition("rests on:")[2].partition(";")[0]))
    assert set(evidence) <= {"official", "documented", "prose", "inferred", "borrowed"} <= told


def test_ids_come_from_where_the_table_says(sandbox: Sandbox) -> None:
    integration, organization = sandbox.integration_id, sandbox.organization_id
    with (
        NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as net,
        AdsecurityClient(api_key=sandbox.api_key, base_url=sandbox.adsecurity_url) as ads,
    ):
        days: Any = {"start_time": sandbox.today - timedelta(days=1), "end_time": sandbox.today}
        net.exports.clicks(integration, **days, fields=["tx_id"], extra_parameters=[])
        publisher = ads.publisher_view(organization)
        for telling in (ads.offers.list_all(), publisher.offers.list(), net.exports.list()):
            assert integration in {item.integration for item in telling}, telling
        assert {item.organization for item in ads.publishers.list()} == {organization}
        row: Any = net.reports.clicks(integration_id=integration, **days).first()
        offer = net.offers.get(integration, row.offer_db_id)
        assert row.offer_id == f"{offer.incremental_id}"
        assert row.publisher == f"{net.publishers.get(row.publisher_db_id).incremental_id}"
        advertiser: Any = net.advertisers.get(row.advertiser_db_id)
        assert offer.advertiser_id == advertiser.incremental_id


def test_the_bounds_are_those_of_the_documentation() -> None:
    with NetworkClient(api_key="k", base_url="https://api.example") as client:
        config, settings = client._session.config, client._session.pool.settings
    assert (settings.max_response_bytes, settings.min_bytes_per_minute) == (256 * 1024 * 1024, 60_000)
    assert (config.timeout, CONNECT_TIMEOUT, WAIT) == (60, 5, 3600)
    told = (ROOT / "overrides" / "guide" / "errors.md").read_text("utf-8").partition("## Bounds")[2]
    for bound in ("256 MiB", "60,000 bytes in a minute", "60 s without a byte", "5 s to connect", "3600 s"):
        assert bound in told
