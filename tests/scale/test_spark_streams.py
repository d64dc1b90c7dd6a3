"""A stream gives what has come since its last micro-batch: no row is missed and none comes twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
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


def test_a_stream_gives_each_row_once_as_rows_come(tmp_path: Path) -> None:
    with Sandbox(api_key=KEY, rows=300) as sandbox:
        start = f"{sandbox.today - timedelta(days=7)}"
        with Driver(sandbox, tmp_path, start, hang=1) as driver:
            driver.until("stored 0")
            assert len(stored(tmp_path)) == 300
            sandbox.add_rows("clicks", *[datetime.now(UTC)] * 4)
            driver.until("hangs behind")
            assert len(stored(tmp_path)) == len(set(stored(tmp_path))) == 304
