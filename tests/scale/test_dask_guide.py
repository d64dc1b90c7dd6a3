"""The guide's Dask frame has each row once, with the types of the specs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adsecurity import NetworkClient
from adsecurity.sandbox import Sandbox
from tests.support.guide import GUIDE, blocks, run_program


def test_the_frame_has_each_row_once(tmp_path: Path) -> None:
    (program,) = blocks(GUIDE / "dask.md", "python")
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with Sandbox(rows=900) as sandbox:
        done = run_program(program, sandbox, tmp_path)
        with NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as net:
            rows = net.reports.clicks(
                integration_id="integration-1", start_time=today - timedelta(days=7), end_time=today, inclusive="left"
            ).to_list()
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    count, partitions = map(int, re.findall(r"(\d+) clicks in (\d+) partitions", done.stdout)[0])
    assert count == len(rows) > 500
    assert 4 <= partitions <= 8
    totals = re.findall(r"^([A-Z]{2}) +([\d.]+)$", done.stdout, re.MULTILINE)
    assert len(totals) > 2
    assert sum(float(total) for _, total in totals) == pytest.approx(sum(row.payout or 0.0 for row in rows), abs=0.1)
