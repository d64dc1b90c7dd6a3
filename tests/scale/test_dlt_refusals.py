"""What cannot be loaded is refused before anything is sent, and the key is nowhere but in requests."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from dlt.extract.exceptions import ResourcesNotFoundError
from dlt.pipeline.exceptions import PipelineStepFailed

import adsecurity
import adsecurity.dlt
from adsecurity.sandbox import Sandbox
from generator.release.vendoring import main as vendor

from .dlt_pipelines import load, pipeline, query

ROOT = Path(__file__).resolve().parents[2]
URL = "http://127.0.0.1:9"
KEY = "planted-key-4f1d9c"


def network(**options: Any) -> Any:
    return adsecurity.dlt.network(**{"api_key": KEY, "base_url": URL, **options})


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"api_key": ""}, adsecurity.errors.ConfigurationError, "needs an API key"),
        ({"base_url": "http://ads.example"}, adsecurity.errors.ConfigurationError, "https"),
        ({"timeout": -1}, adsecurity.errors.ConfigurationError, "timeout"),
        ({"integration": "1"}, TypeError, r"network\(\) has no argument 'integration'; integration_id\?"),
        ({"time_out": 3}, TypeError, r"has no argument 'time_out'; timeout\?"),
        ({"parameters": {"clicks": {}}}, ValueError, "there is no resource 'clicks'"),
        ({"parameters": {"users": {"filtre": {}}}}, TypeError, r"users has no argument 'filtre'; filter\?"),
        ({"lag": timedelta(-1)}, ValueError, "lag is a timedelta from 0 on"),
        ({"backfill": "csv"}, ValueError, "backfill is 'pages' or 'export'"),
        ({"end_time": "2026-11-01"}, ValueError, "end_time needs a start_time"),
        ({"start_time": date(2026, 11, 1), "end_time": "2026-11-01"}, ValueError, "start_time must be before end_time"),
        ({"start_time": "yesterday"}, ValueError, "start_time"),
        ({"export_timezone": "Mars/Base"}, ValueError, "export_timezone: this machine knows no time zone 'Mars/Base'"),
    ],
)
def test_a_wrong_setting_is_refused_at_once(options: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        network(**options)


@pytest.mark.parametrize(
    ("options", "names", "said"),
    [
        ({}, ["users", "offers"], "offers cannot be loaded without integration_id="),
        ({}, ["users", "reports_clicks"], "reports_clicks cannot be loaded without integration_id=, start_time="),
        ({"integration_id": "i", "page_size": 0}, ["users"], "page_size"),
        ({"integration_id": ["i"]}, ["users", "offers"], "offers.list"),
        (
            {"integration_id": "i", "start_time": "2026-11-01", "backfill": "export",
             "parameters": {"reports_clicks": {"status": "Approved"}}},
            ["users", "reports_clicks"],
            "exports.clicks does not take status",
        ),
    ],
)  # fmt: skip
def test_what_a_resource_lacks_is_told_before_another_sends_anything(
    options: dict[str, Any], names: list[str], said: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    source = network(base_url=sandbox.network_url, **options)
    with pytest.raises(PipelineStepFailed, match=said):
        load(tmp_path, source, *names)
    assert len(sandbox.requests) == 0


def test_an_unknown_resource_and_an_export_without_a_zone_are_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(ResourcesNotFoundError, match="clicks"):
        network().with_resources("clicks")
    source = adsecurity.dlt.adsecurity(
        api_key=KEY, base_url=sandbox.adsecurity_url, integration_id="i", start_time="2026-11-01", backfill="export"
    )
    with pytest.raises(PipelineStepFailed, match="say which one is meant by export_timezone="):
        load(tmp_path, source, "reports_clicks")
    assert len(sandbox.requests) == 0


def test_the_key_is_in_no_state_trace_schema_package_or_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "DEBUG")
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    for name in ("dlt", "adsecurity", "httpx", "httpcore"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
        logging.getLogger(name).addHandler(handler)
    with Sandbox(today="2026-11-08", rows=200, api_key=KEY) as sandbox:
        # dlt's own search would take the first of these; it is for somebody else.
        monkeypatch.setenv("API_KEY", "of-another-service")
        monkeypatch.setenv("SOURCES__API_KEY", "of-another-source")
        monkeypatch.setenv("ADSECURITY_NETWORK_API_KEY", "of-the-environment")
        monkeypatch.setenv("SOURCES__ADSECURITY__NETWORK__API_KEY", KEY)
        monkeypatch.setenv("SOURCES__ADSECURITY__NETWORK__BASE_URL", sandbox.network_url)

        def source(**options: Any) -> Any:
            return adsecurity.dlt.network(integration_id="integration-1", start_time="2026-11-01", **options)

        assert load(tmp_path, source(), "reports_clicks", "users")["reports_clicks"] == 200
        loaded_by = {request.headers["api-key"] for request in sandbox.requests}
        sandbox.inject(500)
        failing = source(retry=adsecurity.RetryPolicy(attempts=1))
        with pytest.raises(PipelineStepFailed) as caught:
            load(tmp_path, failing, "users")
        # The client's own variable counts where dlt has no key; the argument counts before both.
        monkeypatch.delenv("SOURCES__ADSECURITY__NETWORK__API_KEY")
        with pytest.raises(PipelineStepFailed, match="401"):
            load(tmp_path, source(), "users")
        sandbox.requests.clear()
        assert load(tmp_path, source(api_key=KEY), "users") == {"users": 130}
    assert loaded_by == {KEY}
    texts = [logged.getvalue(), caplog.text, str(caught.value), repr(failing), str(failing.users)]
    running = pipeline(tmp_path)
    texts += [str(running.state), running.last_trace.asstr(verbosity=2), str(running.default_schema.to_dict())]
    assert "users" in logged.getvalue()
    assert [text for text in texts if KEY in text] == []
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"trace.pickle", "state.json", "ads.duckdb"} <= {path.name for path in files}
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
    assert query(tmp_path, "SELECT count(*) FROM users") == [(130,)]


REFUSING = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Refuse())
"""


def run(program: str, folder: Path, refused: set[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", REFUSING.format(refused=refused) + program]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("missing", ["dlt", "pyarrow", "msgspec"])
def test_a_missing_extra_is_named_with_its_command(missing: str, tmp_path: Path) -> None:
    done = run("import adsecurity.dlt", tmp_path, {missing})
    assert done.stderr.strip().splitlines()[-1] == (
        f"ModuleNotFoundError: {missing} is not installed; run: pip install 'adsecurity[dlt]'"
    )


def test_a_vendored_copy_is_a_source_without_the_installed_package(sandbox: Sandbox, tmp_path: Path) -> None:
    assert vendor([str(tmp_path / "_vendor")]) == 0
    program = f"""
import dlt
import _vendor.adsecurity.dlt as ads

given = {{"api_key": {sandbox.api_key!r}, "base_url": {sandbox.network_url!r}, "backfill": "export"}}
source = ads.network(integration_id="integration-1", start_time="2026-11-01", **given)
duckdb = dlt.destinations.duckdb("ads.duckdb")
pipeline = dlt.pipeline("copy", pipelines_dir="pipelines", destination=duckdb, dataset_name="loaded")
pipeline.run(source.with_resources("reports_clicks", "offers"))
assert source.name == "network" and dlt.__name__ == "dlt"
"""
    done = run(program, tmp_path, {"adsecurity", "adsecurity_generated"})
    assert done.returncode == 0, done.stderr
    counts = "SELECT (SELECT count(*) FROM reports_clicks), (SELECT count(*) FROM offers)"
    assert query(tmp_path, counts) == [(600, 240)]
