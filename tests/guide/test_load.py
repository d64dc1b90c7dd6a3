"""The guide's load into one duckdb file gives each row exactly once, though it is killed at random moments."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from adsecurity import NetworkClient
from adsecurity.sandbox import Sandbox
from tests.support.guide import GUIDE, blocks, run_program, variables

KILLS = 5


def test_nothing_is_missing_and_nothing_comes_twice_whenever_the_load_is_killed(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    (program,) = [block for block in blocks(GUIDE / "incremental.md", "python") if "class InDatabase" in block.text]
    chance = random.Random(20261101)
    begun = datetime.now(UTC)
    started = time.monotonic()
    assert run_program(program, sandbox, tmp_path).returncode == 0
    lasts = time.monotonic() - started
    killed = 0
    for _ in range(KILLS):
        # Some of them late, as `lag` allows.
        sandbox.add_rows("clicks", *(datetime.now(UTC) - timedelta(minutes=chance.randint(0, 300)) for _ in range(30)))
        running = subprocess.Popen(
            [sys.executable, "program.py"], cwd=tmp_path, env=variables(sandbox), stdout=subprocess.DEVNULL
        )
        time.sleep(lasts * chance.uniform(0.3, 1.1))
        running.kill()
        if running.wait() == -signal.SIGKILL:
            killed += 1
        else:
            # It was done already: the first run took longer than those after it do.
            lasts *= 0.6
    assert killed
    assert run_program(program, sandbox, tmp_path).returncode == 0
    since = begun - timedelta(days=6)
    with NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as net:
        rows = net.reports.clicks(
            integration_id="integration-1", start_time=since.replace(microsecond=0), end_time=datetime.now(UTC)
        )
        there = sorted(str(row.real_tx_id) for row in rows if row.request_time and row.request_time >= since)
    with duckdb.connect(tmp_path / "warehouse.duckdb") as db:
        stored = db.execute("select real_tx_id from clicks where request_time >= ?", [since]).fetchall()
    assert len(there) > 30 * KILLS
    assert sorted(str(key) for (key,) in stored) == there
