"""A load that is killed is run again: nothing is missed, nothing comes twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import adsecurity.dlt
from adsecurity import NetworkClient
from adsecurity.sandbox import Sandbox

from .dlt_pipelines import load, query

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("reports_clicks", "reports_conversions", "offers")
PROGRAM = """
import os, signal, sys
from pathlib import Path
from dlt.common.runtime.collector import NullCollector
import adsecurity.dlt
from tests.scale.dlt_pipelines import pipeline

folder, stage = Path(sys.argv[1]), sys.argv[2]


class Killer(NullCollector):
    "Kills its process when a stage has done its first piece of work."
    begun = ""

    def _start(self, step):
        self.begun = step

    def update(self, name, inc=1, *others, **more):
        if inc and self.begun.startswith(stage):
            os.kill(os.getpid(), signal.SIGKILL)


source = adsecurity.dlt.network(integration_id="integration-1", start_time="2026-11-01")
print("begun", flush=True)
pipeline(folder, progress=Killer()).run(source.with_resources(*sys.argv[3:]))
"""


# dlt says by it that it loads what is pending.
@pytest.mark.filterwarnings("ignore:The 'warn' method is deprecated:DeprecationWarning")
@pytest.mark.parametrize("stage", ["Reading", "Extract", "Normalize", "Load"])
def test_a_load_that_is_killed_gives_each_row_once_when_it_is_run_again(stage: str, tmp_path: Path) -> None:
    with Sandbox(today="2026-11-08", rows=600, latency=0.15 if stage == "Reading" else 0) as sandbox:
        begin(sandbox, tmp_path, stage)

        def source() -> object:
            return adsecurity.dlt.network(
                api_key=sandbox.api_key,
                base_url=sandbox.network_url,
                integration_id="integration-1",
                start_time="2026-11-01",
            )

        # What the killed process had extracted is loaded first, and by that alone.
        load(tmp_path, source(), *NAMES)
        load(tmp_path, source(), *NAMES)
        with NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as net:
            span = {"integration_id": "integration-1", "start_time": "2026-11-01", "end_time": "2026-11-08"}
            clicks, conversions = net.reports.clicks(**span).to_list(), net.reports.conversions(**span).to_list()
            offers = net.offers.list("integration-1").to_list()
        found = query(tmp_path, "SELECT count(*), count(DISTINCT real_tx_id), sum(payout) FROM reports_clicks")
        assert found == [(len(clicks), len(clicks), pytest.approx(sum(row.payout or 0 for row in clicks)))]
        found = query(tmp_path, "SELECT count(*), sum(payout) FROM reports_conversions")
        assert found == [(len(conversions), pytest.approx(sum(row.payout or 0 for row in conversions)))]
        assert query(tmp_path, "SELECT count(*), count(DISTINCT id) FROM offers") == [(len(offers), len(offers))]
        again = load(tmp_path, source(), *NAMES)
        assert again["reports_clicks"] == again["reports_conversions"] == 0


def begin(sandbox: Sandbox, folder: Path, stage: str) -> None:
    """Run a load in a process that is killed in this stage."""
    environment = {**os.environ, "ADSECURITY_NETWORK_API_KEY": sandbox.api_key}
    environment["ADSECURITY_NETWORK_BASE_URL"] = sandbox.network_url
    command = [sys.executable, "-c", PROGRAM, str(folder), stage, *NAMES]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE) as process:
        if stage == "Reading":
            deadline = time.monotonic() + 60
            while len(sandbox.requests) < 4 and time.monotonic() < deadline:
                time.sleep(0.01)
            process.kill()
        assert process.wait(timeout=120) == -signal.SIGKILL
