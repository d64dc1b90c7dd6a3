"""A stream whose driver is killed goes on from its checkpoint: no row is missed and none comes twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import duckdb

from adsecurity.sandbox import Sandbox
from tests.scale.spark_session import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]
KEY = "planted-key-5f1c0e"


class Driver:
    """The stream in processes of its own."""

    def __init__(self, sandbox: Sandbox, folder: Path, start: str, hang: int) -> None:
        self._command = [sys.executable, "-m", "tests.scale.stream_driver", str(folder), start, str(hang)]
        self._environment = {
            **os.environ,
            **ENVIRONMENT,
            "ADSECURITY_NETWORK_API_KEY": KEY,
            "ADSECURITY_NETWORK_BASE_URL": sandbox.network_url,
        }
        self._process: subprocess.Popen[str] | None = None
        self._starts = 0
        self.said: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        assert KEY not in "".join(self.said)

    def until(self, wanted: str) -> str:
        """The next line of its output that holds this."""
        while True:
            if self._process is None:
                self._start()
            assert self._process is not None
            assert self._process.stdout is not None
            for line in self._process.stdout:
                self.said.append(line)
                if wanted in line:
                    return line
            # Spark waits ten seconds for a process of its own to start, which a busy machine may not manage.
            assert self._starts < 4, "".join(self.said)
            self.kill()

    def _start(self) -> None:
        self._starts += 1
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def kill(self) -> None:
        """Python and Java alike, as when a machine fails."""
        process, self._process = self._process, None
        if process is None:
            return
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def stored(folder: Path) -> list[str]:
    found = duckdb.sql(f"select real_tx_id from '{folder}/rows/*/*.parquet' order by all").fetchall()
    return [name for (name,) in found]


def test_a_killed_driver_goes_on_without_a_gap_and_each_row_is_stored_once(tmp_path: Path) -> None:
    with Sandbox(api_key=KEY, rows=300) as sandbox:
        start = f"{sandbox.today - timedelta(days=7)}"

        def now() -> datetime:
            return datetime.now(UTC)

        with Driver(sandbox, tmp_path, start, hang=1) as driver:
            driver.until("stored 0")
            first = stored(tmp_path)
            assert len(first) == 300
            rows = sandbox.add_rows("clicks", *[now()] * 4)
            # Written, and not committed: the next run gives this batch again.
            batch = int(driver.until("hangs behind").split()[-1])
            assert len(stored(tmp_path)) == 304
        rows += sandbox.add_rows("clicks", *[now()] * 5)
        with Driver(sandbox, tmp_path, start, hang=0) as driver:
            assert int(driver.until("stored").split()[-1]) == batch
            rows += sandbox.add_rows("clicks", *[now()] * 6)
            wanted = sorted([*first, *(row["real_tx_id"] for row in rows)])
            deadline = time.monotonic() + 300
            while len(stored(tmp_path)) < len(wanted) and time.monotonic() < deadline:
                driver.until("stored")
        assert stored(tmp_path) == wanted
    checkpoint = [path for path in (tmp_path / "checkpoint").rglob("*") if path.is_file()]
    assert not [path for path in checkpoint if KEY.encode() in path.read_bytes()]
    offsets = sorted(
        (path for path in checkpoint if path.parent.name == "offsets" and path.name.isdecimal()),
        key=lambda path: int(path.name),
    )
    moments = [json.loads(path.read_text().splitlines()[-1])["moment"] for path in offsets]
    assert moments == sorted(moments)
