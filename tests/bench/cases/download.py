"""The file of an export, from the storage host to memory, where the system has a folder there.

A disk takes as long for everybody, and differs more from one time to the next than they do; only ours waits until the
file is durable. That is seen as well, but no goal.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.cases import Goal, Outcome, Setting
from tests.bench.exports import timed
from tests.bench.measure import alternately, median
from tests.bench.server import ARTIFACT
from tests.bench.servers import CACHE, export_file, serving

_MEMORY = Path("/dev/shm")
_PEERS = {"httpx": "httpx_raw", "urllib3": "urllib3_read", "requests": "requests_content"}


def run(setting: Setting) -> Outcome:
    rows = setting.of(1_000_000, 100_000)
    file = export_file(rows)
    memory = _MEMORY if _MEMORY.is_dir() else CACHE
    secured = _times(file, rows, setting.of(5, 3), memory, tls=True)
    plain = _times(file, rows, setting.of(5, 3), memory, tls=False)
    disk = _times(file, rows, setting.of(3, 3), CACHE, tls=True)
    size = file.stat().st_size / 1e6
    what = f"export download over TLS, {size:,.0f} MB"
    measured = f"{median(secured['ours']):.2f} s"
    goals = [
        Goal.at_least(what, measured, f"curl: {median(secured['curl']):.2f} s", _faster(secured, "curl"), 0.6),
        Goal.at_least(what, measured, f"httpx: {median(secured['httpx']):.2f} s", _faster(secured, "httpx"), 1.5),
    ]
    seen = [
        (f"{name}, {how}", f"{median(values):.2f} s, {size / median(values):,.0f} MB/s")
        for how, found in (("over TLS", secured), ("without", plain), ("over TLS, to the disk", disk))
        for name, values in found.items()
    ]
    return Outcome(goals, seen, "Download of an export")


def _faster(found: dict[str, list[float]], peer: str) -> float:
    """How many times as fast as the peer."""
    return median([theirs / ours for ours, theirs in zip(found["ours"], found[peer], strict=True)])


def _times(file: Path, rows: int, rounds: int, where: Path, *, tls: bool) -> dict[str, list[float]]:
    with serving(export=file, rows=rows, tls=tls) as server, TemporaryDirectory(dir=where) as folder:
        target = Path(folder, "clicks.csv")
        url = f"{server.storage}/{ARTIFACT}?signature=bench"
        trust = ["--cacert", os.environ["SSL_CERT_FILE"]] if tls else []

        def curl() -> float:
            started = time.perf_counter()
            subprocess.run(["curl", "-s", "-S", "-f", *trust, "-o", target, url], check=True)
            return _whole(target, file, time.perf_counter() - started)

        def other(name: str, address: str) -> float:
            return _whole(target, file, timed(name, address, target).wall)

        jobs = {"curl": curl, "ours": lambda: other("download", server.api)}
        jobs |= {name: (lambda task=task: other(task, url)) for name, task in _PEERS.items()}
        return alternately(jobs, rounds)


def _whole(target: Path, file: Path, seconds: float) -> float:
    if target.stat().st_size != file.stat().st_size:
        raise RuntimeError("a download is not what the server has")
    target.unlink()  # before it is written to the disk: the next one is not to wait for that
    return seconds
