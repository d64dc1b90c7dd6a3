"""`progress=True` draws a bar where somebody sees it, and nothing anywhere else; what is written is the same."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import adsecurity
from adsecurity.display.progress import Bar
from adsecurity.sandbox import Sandbox
from tests.support.terminal import Terminal

SYNC = """
import os, adsecurity
with adsecurity.NetworkClient() as net:
    net.publishers.list(page_size=40).to_parquet("publishers.parquet", progress=True)
    net.publishers.list(limit=7).to_parquet("seven.parquet", progress=True)
    net.reports.clicks(
        integration_id="integration-1", start_time="2026-11-01", end_time="2026-11-08", inclusive="left"
    ).to_parquet("clicks.parquet", progress=True)
    job = net.exports.clicks("integration-1", start_time="2026-11-01", end_time="2026-11-08",
                             fields=["tx_id", "country"], extra_parameters=[])
    job.wait(progress=True)
    job.download("export.csv", progress=True)
    job.to_parquet("export.parquet", progress=True)
"""
ASYNC = """
import asyncio, adsecurity
async def main():
    async with adsecurity.AsyncNetworkClient() as net:
        await net.publishers.list(page_size=40).to_parquet("publishers.parquet", progress=True)
        await net.publishers.list(limit=7).to_parquet("seven.parquet", progress=True)
        await net.reports.clicks(
            integration_id="integration-1", start_time="2026-11-01", end_time="2026-11-08", inclusive="left"
        ).to_parquet("clicks.parquet", progress=True)
        job = await net.exports.clicks("integration-1", start_time="2026-11-01", end_time="2026-11-08",
                                       fields=["tx_id", "country"], extra_parameters=[])
        await job.wait(progress=True)
        await job.download("export.csv", progress=True)
        await job.to_parquet("export.parquet", progress=True)
asyncio.run(main())
"""
PROGRAMS = pytest.mark.parametrize("program", [SYNC, ASYNC], ids=["sync", "async"])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=150, today="2026-11-08") as running:
        yield running


@pytest.fixture
def environment(sandbox: Sandbox) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")},
        "ADSECURITY_NETWORK_API_KEY": sandbox.api_key,
        "ADSECURITY_NETWORK_BASE_URL": sandbox.network_url,
    }


def check_files(folder: Path) -> None:
    rows = {path.name: pq.read_metadata(path).num_rows for path in folder.glob("*.parquet")}
    assert rows == {"publishers.parquet": 120, "seven.parquet": 7, "clicks.parquet": 150, "export.parquet": 150}
    assert len((folder / "export.csv").read_text().splitlines()) == 151
    assert {path.suffix for path in folder.iterdir()} == {".parquet", ".csv"}


@PROGRAMS
def test_a_terminal_shows_a_bar_for_each(program: str, environment: dict[str, str], tmp_path: Path) -> None:
    # A terminal that says that it has no columns gets lines of 80.
    size = (40, 120) if program is SYNC else (0, 0)
    with Terminal([sys.executable, "-W", "error", "-c", program], env=environment, cwd=tmp_path, size=size) as shown:
        assert shown.end() == 0, shown.shown
    lines = [line.split("\r")[-1] for line in shown.text.split("\n") if line]
    for line, told in zip(
        lines,
        (
            ("publishers.parquet: 100%|", " 120/120 [00:0", " rows/s]"),
            ("seven.parquet: 100%|", " 7/7 [00:0"),
            # A part of a list, or a range that was widened: the server's total is another.
            ("clicks.parquet: 150 rows [00:0", " rows/s]"),
            ("export ", " COMPLETED 00:0"),
            ("export.csv: 100%|", "B/s]"),
            ("export.parquet: 100%|", "B/s]"),
            ("export.parquet: 100%|", " 150/150 [00:0", " rows/s]"),
        ),
        strict=True,
    ):
        assert all(text in line for text in told), line
        assert len(line) <= 120
    assert "PENDING" in shown.shown
    check_files(tmp_path)


@PROGRAMS
def test_where_nobody_looks_nothing_is_drawn(program: str, environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    check_files(tmp_path)


def arguments() -> dict[str, Any]:
    return {"start_time": "2026-11-01", "end_time": "2026-11-08", "fields": ["tx_id"], "extra_parameters": []}


@pytest.mark.anyio
async def test_without_tqdm_the_pip_command_is_named_before_anything_is_sent(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sent: list[Any] = []
    known: dict[str, Any] = {"api_key": sandbox.api_key, "base_url": sandbox.network_url, "on_request": sent.append}
    path = tmp_path / "x.parquet"
    with adsecurity.NetworkClient(**known) as net:
        job = net.exports.clicks("integration-1", **arguments())
        calls: list[Callable[[], Any]] = [
            lambda: job.wait(progress=True),
            lambda: job.download(path, progress=True),
            lambda: job.to_parquet(path, progress=True),
            lambda: net.users.list().to_parquet(path, progress=True),
        ]
        monkeypatch.setitem(sys.modules, "tqdm", None)
        del sent[:]
        for call in calls:
            with pytest.raises(ModuleNotFoundError, match=r"pip install 'adsecurity\[progress\]'"):
                call()
    monkeypatch.undo()
    async with adsecurity.AsyncNetworkClient(**known) as anet:
        ajob = await anet.exports.clicks("integration-1", **arguments())
        monkeypatch.setitem(sys.modules, "tqdm", None)
        del sent[:]
        for acall in (
            ajob.wait(progress=True),
            ajob.download(path, progress=True),
            ajob.to_parquet(path, progress=True),
            anet.users.list().to_parquet(path, progress=True),
        ):
            with pytest.raises(ModuleNotFoundError, match=r"pip install 'adsecurity\[progress\]'"):
                await acall
    assert sent == []
    assert os.listdir(tmp_path) == []


@pytest.mark.anyio
async def test_a_bar_takes_nothing_from_on_progress(sandbox: Sandbox, tmp_path: Path) -> None:
    known: dict[str, Any] = {"api_key": sandbox.api_key, "base_url": sandbox.network_url}
    seen: list[Any] = []
    with adsecurity.NetworkClient(**known) as net:
        job = net.exports.clicks("integration-1", **arguments())
        job.wait(on_progress=lambda one: seen.append(one.status), progress=True)
        job.download(tmp_path / "a.csv", lambda one, done: seen.append(done), progress=True)
    assert seen[-2:] == ["COMPLETED", job.size]
    awaited: list[Any] = []

    async def later(*told: Any) -> None:
        awaited.append(told[-1])

    async with adsecurity.AsyncNetworkClient(**known) as anet:
        ajob = await anet.exports.clicks("integration-1", **arguments())
        await ajob.wait(on_progress=later, progress=True)
        await ajob.download(tmp_path / "b.csv", later, progress=True)
    assert awaited[-2:] == [ajob, ajob.size]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_follows_what_is_begun_again_and_an_end_that_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    with Bar("rows") as bar:
        bar.at(50)
        bar.at(20, 100)
        bar.at(10, 100)
        bar.at(100, 100)
        bar.title("done")
    drawn = screen.getvalue().split("\r")
    assert any(" 10/100 " in line for line in drawn)
    assert "done" in drawn[-1]
    assert "100/100" in drawn[-1]


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_a_process_without_a_terminal_is_no_place_for_a_bar(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    with Bar("rows") as bar:
        bar.title("more")
        bar.at(5, 10)
    assert stream is None or stream.getvalue() == ""
