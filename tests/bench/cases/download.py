"""The file of an export, from the storage host to the disk."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.cases import Goal, Outcome, Setting
from tests.bench.exports import timed
from tests.bench.measure import alternately, median
from tests.bench.server import ARTIFACT
from tests.bench.servers import CACHE, export_file, serving


def run(setting: Setting) -> Outcome:
    rows = setting.of(1_000_000, 100_000)
    file = export_file(rows)
    with serving(export=file, rows=rows) as server, TemporaryDirectory(dir=CACHE) as folder:
        target = Path(folder, "clicks.csv")
        url = f"{server.storage}/{ARTIFACT}?signature=bench"

        def curl() -> float:
            started = time.perf_counter()
            subprocess.run(["curl", "-s", "-S", "-f", "-o", target, url], check=True)
            return _whole(target, file, time.perf_counter() - started)

        def other(name: str, address: str) -> float:
            return _whole(target, file, timed(name, address, target).wall)

        found = alternately(
            {
                "curl": curl,
                "ours": lambda: other("download", server.api),
                "httpx": lambda: other("httpx_raw", url),
                "urllib3": lambda: other("urllib3_read", url),
                "requests": lambda: other("requests_content", url),
            },
            setting.of(5, 3),
        )
    size = file.stat().st_size / 1e6
    seconds = {name: median(values) for name, values in found.items()}
    ratio = median([ours / curls for ours, curls in zip(found["ours"], found["curl"], strict=True)])
    goals = [
        Goal.at_most(
            f"export download, {size:,.0f} MB", f"{seconds['ours']:.2f} s", f"curl: {seconds['curl']:.2f} s", ratio, 1.0
        )
    ]
    seen = [(name, f"{value:.2f} s, {size / value:,.0f} MB/s") for name, value in seconds.items()]
    return Outcome(goals, seen, "Download of an export")


def _whole(target: Path, file: Path, seconds: float) -> float:
    if target.stat().st_size != file.stat().st_size:
        raise RuntimeError("a download is not what the server has")
    target.unlink()  # before it is written to the disk: the next one is not to wait for that
    return seconds
