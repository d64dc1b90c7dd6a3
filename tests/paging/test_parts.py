"""A range as a folder of Parquet files, by one process or several: each row once, whatever dies, no key left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pyarrow.dataset as ds
import pytest

from adsecurity import (
    AdsecurityClient,
    AsyncNetworkClient,
    AuthenticationError,
    ConfigurationError,
    DownloadError,
    NetworkClient,
    RetryPolicy,
    State,
)
from adsecurity.sandbox import Sandbox
from tests.support.report_server import ReportServer, make_rows

TODAY = date(2026, 11, 8)
WEEK: dict[str, Any] = {
    "integration_id": "integration-1",
    "start_time": TODAY - timedelta(days=7),
    "end_time": TODAY,
    "inclusive": "left",
}
URL = {"api_key": "k", "base_url": "https://api.test"}
START = datetime(2026, 11, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=600, today=TODAY) as running:
        yield running


@pytest.fixture
def net(sandbox: Sandbox) -> Iterator[NetworkClient]:
    sandbox.requests.clear()
    with NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as client:
        yield client


def stored(folder: Path) -> list[str]:
    return sorted(ds.dataset(folder, format="parquet", partitioning="hive").to_table(["tx_id"])["tx_id"].to_pylist())


def there(client: NetworkClient) -> list[str]:
    return sorted(str(row.tx_id) for row in client.reports.clicks(**WEEK))


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_two_processes_write_what_one_does_a_file_for_each_span_below_its_day(
    net: NetworkClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    clicks = net.reports.clicks(**WEEK)
    assert clicks.to_parquet(tmp_path / "one", partition_by="day") == tmp_path / "one"
    assert clicks.to_parquet(tmp_path / "two", partition_by="day", processes=2) == tmp_path / "two"
    assert stored(tmp_path / "one") == stored(tmp_path / "two") == there(net)
    assert names(tmp_path / "one")[:2] == [
        "_adsecurity.json",
        "day=2026-11-01/20261101000000-20261102000000.parquet",
    ]
    assert len(list((tmp_path / "one").glob("day=*"))) == 7
    found = duckdb.sql(
        f"select count(*), bool_and(strftime(request_time at time zone 'UTC', '%Y-%m-%d') = day::text) "
        f"from read_parquet('{tmp_path}/two/**/*.parquet', hive_partitioning=true)"
    ).fetchall()
    assert found == [(len(there(net)), True)]
    # All is finished: nothing is asked for.
    sandbox.requests.clear()
    clicks.to_parquet(tmp_path / "two", partition_by="day", processes=2)
    assert len(sandbox.requests) == 0
    manifest = (tmp_path / "two" / "_adsecurity.json").read_text(encoding="utf-8")
    assert sandbox.api_key not in manifest
    assert "integration-1" not in manifest


def test_spans_have_about_as_many_rows_where_nothing_divides_them(net: NetworkClient, tmp_path: Path) -> None:
    folder = net.reports.clicks(**WEEK).to_parquet(tmp_path / "parts", processes=2)
    assert stored(folder) == there(net)
    assert 4 <= len(list(folder.glob("*.parquet"))) <= 8


def test_async_clients_write_the_same(sandbox: Sandbox, net: NetworkClient, tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncNetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as client:
            clicks = client.reports.clicks(**WEEK)
            await clicks.to_parquet(tmp_path / "one", partition_by="month")
            task = asyncio.ensure_future(clicks.to_parquet(tmp_path / "two", processes=2))
            while not (tmp_path / "two" / "_adsecurity.json").exists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await clicks.to_parquet(tmp_path / "two", processes=2)

    asyncio.run(main())
    assert stored(tmp_path / "one") == stored(tmp_path / "two") == there(net)
    assert [path.name for path in (tmp_path / "one").glob("month=*")] == ["month=2026-11"]


def test_days_are_those_of_the_time_zone_and_days_of_other_apis_those_of_utc(tmp_path: Path) -> None:
    # Over the night in which clocks are put back.
    first = datetime(2026, 10, 24, tzinfo=UTC)
    server = ReportServer(make_rows([first + number * HOUR for number in range(72)]))
    client = NetworkClient(**URL, transport=server.transport())
    folder = client.reports.clicks(
        integration_id="i", start_time="2026-10-24", end_time="2026-10-27", timezone="Europe/Berlin", inclusive="left"
    ).to_parquet(tmp_path / "berlin", partition_by="day")
    counts = {path.name: ds.dataset(path, format="parquet").count_rows() for path in sorted(folder.glob("day=*"))}
    assert counts == {"day=2026-10-24": 22, "day=2026-10-25": 25, "day=2026-10-26": 24}
    ads = AdsecurityClient(**URL, transport=server.transport())
    folder = ads.reports.clicks(
        integration_id="i", start_date="2026-10-24", end_date="2026-10-27", inclusive="left"
    ).to_parquet(tmp_path / "utc", partition_by="month")
    assert ds.dataset(folder, format="parquet").count_rows() == 72


def test_a_later_run_keeps_finished_files_and_writes_the_others(net: NetworkClient, tmp_path: Path) -> None:
    folder = net.reports.clicks(**WEEK).to_parquet(tmp_path / "parts", partition_by="day")
    files = sorted(folder.rglob("*.parquet"))
    kept = files[0].stat().st_mtime_ns
    files[3].unlink()
    # What a killed process leaves.
    (files[3].parent / f".{files[3].name}.table.part").write_bytes(b"half")
    net.reports.clicks(**WEEK).to_parquet(folder, partition_by="day", processes=2)
    assert sorted(folder.rglob("*.parquet")) == files
    assert files[0].stat().st_mtime_ns == kept
    assert stored(folder) == there(net)
    assert [name for name in names(folder) if name.endswith(".part")] == []


REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"inclusive": "both"}, {"processes": 2}, "inclusive='left'"),
    ({"since": State("s.json")}, {"processes": 2}, "without since="),
    ({"limit": 5}, {"processes": 2}, "limit"),
    ({}, {"partition_by": "hour"}, "'day', 'month' or None"),
    ({}, {"processes": 2, "progress": True}, "progress= shows"),
    ({}, {"processes": 0}, "processes is a whole number"),
    ({}, {"processes": True, "partition_by": "day"}, "processes is a whole number"),
]


@pytest.mark.parametrize(("call", "options", "message"), REFUSED)
def test_what_cannot_be_divided_is_refused_before_anything_is_sent(
    call: dict[str, Any], options: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server = ReportServer([])
    rows = NetworkClient(**URL, transport=server.transport()).reports.clicks(**{**WEEK, **call})
    with pytest.raises(ValueError, match=message):
        rows.to_parquet(tmp_path / "parts", **options)
    assert server.requests == []


def test_a_folder_belongs_to_one_call(net: NetworkClient, sandbox: Sandbox, tmp_path: Path) -> None:
    folder = net.reports.clicks(**WEEK).to_parquet(tmp_path / "parts", partition_by="month")
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.parquet").touch()
    file = tmp_path / "file"
    file.touch()
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "_adsecurity.json").write_text('{"v": 1}', encoding="utf-8")
    sandbox.requests.clear()
    for call, path, by, message in (
        ({"status": "Approved"}, folder, "month", "another call"),
        ({}, folder, "day", "another call"),
        ({}, other, "month", "holds files of something else"),
        ({}, file, "month", "is a file"),
        ({}, damaged, "month", "damaged"),
    ):
        with pytest.raises(ValueError, match=message):
            net.reports.clicks(**WEEK, **call).to_parquet(path, partition_by=by)
    assert len(sandbox.requests) == 0
    with pytest.raises(DownloadError, match="cannot write"):
        net.reports.clicks(**WEEK).to_parquet("/proc/parts", partition_by="month")


def test_what_cannot_be_sent_to_another_process_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    url = {"api_key": sandbox.api_key, "base_url": sandbox.network_url}
    sandbox.requests.clear()
    own = httpx.Client()
    for options, call, message in (
        ({"on_request": print, "on_page": print}, {}, "on_request, on_page cannot be sent"),
        ({"transport": httpx.HTTPTransport()}, {}, "transport cannot"),
        ({"http_client": own}, {}, "http_client cannot"),
        ({"verify": __import__("ssl").create_default_context()}, {}, "verify cannot"),
        ({}, {"on_page": print}, "on_page cannot"),
    ):
        with NetworkClient(**url, **options) as client:
            with pytest.raises(ConfigurationError, match=message) as caught:
                client.reports.clicks(**WEEK, **call).to_parquet(tmp_path / "parts", partition_by="day", processes=2)
            assert sandbox.api_key not in str(caught.value)
    assert len(sandbox.requests) == 0
    own.close()


def test_the_error_of_a_process_is_ours_and_names_its_span(
    net: NetworkClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    folder = net.reports.clicks(**WEEK).to_parquet(tmp_path / "parts", partition_by="day")
    for file in folder.rglob("*.parquet"):
        file.unlink()
    sandbox.requests.clear()
    wrong = net.with_options(extra_headers={"x-trace": "1"}, retry=RetryPolicy(attempts=1))
    for processes in (1, 2):
        sandbox.inject(401)
        with pytest.raises(AuthenticationError) as caught:
            wrong.reports.clicks(**WEEK).to_parquet(folder, partition_by="day", processes=processes)
        assert "in the span from 2026-11-0" in "".join(caught.value.__notes__)
        assert caught.value.checkpoint is None
    assert {request.headers["x-trace"] for request in sandbox.requests} == {"1"}
    sandbox.reset()
    net.reports.clicks(**WEEK).to_parquet(folder, partition_by="day")
    assert stored(folder) == there(net)


SCRIPT = """
import os, sys
import adsecurity

with adsecurity.NetworkClient(api_key=sys.stdin.readline().strip(), base_url=os.environ["URL"]) as net:
    clicks = net.reports.clicks(
        integration_id="integration-1", start_time="2026-11-01", end_time="2026-11-08", inclusive="left"
    )
    clicks.to_parquet("parts", partition_by="day", processes=2)
print("done")
"""


def children(pid: int) -> list[int]:
    """The processes that the threads of a process have begun."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(number) for listed in lists for number in listed.read_text(encoding="utf-8").split()]


def test_the_key_is_in_no_command_environment_or_file_and_a_killed_parent_or_child_leaves_nothing_in_the_way(
    tmp_path: Path,
) -> None:
    """The script is no module that could be imported again: it needs no guard."""
    with Sandbox(rows=600, today=TODAY, latency=0.05) as sandbox:
        for victim in ("child", "parent", "none"):
            process = subprocess.Popen(
                [sys.executable, "-c", SCRIPT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=tmp_path,
                env={"URL": sandbox.network_url},
                text=True,
            )
            assert process.stdin is not None
            process.stdin.write(sandbox.api_key + "\n")
            process.stdin.flush()
            # Both processes have begun to write when each has a file open.
            parts = tmp_path / "parts"
            deadline = time.monotonic() + 60
            before = len(list(parts.rglob("*.parquet")))
            while victim != "none" and len(list(parts.rglob("*.parquet"))) <= before and time.monotonic() < deadline:
                time.sleep(0.01)
            if victim != "none":
                workers = children(process.pid)
                assert len(workers) == 2
                for pid in workers:
                    for what in ("cmdline", "environ"):
                        assert sandbox.api_key.encode() not in Path(f"/proc/{pid}/{what}").read_bytes()
                os.kill(workers[0] if victim == "child" else process.pid, signal.SIGKILL)
                output, error = process.communicate(timeout=60)
                assert "done" not in output
                assert victim == "parent" or "call again to go on" in error
                while any(Path(f"/proc/{pid}").exists() for pid in workers):
                    # Orphans end by themselves.
                    assert time.monotonic() < deadline
                    time.sleep(0.01)
            else:
                output, error = process.communicate(timeout=60)
                assert (output, error) == ("done\n", "")
        for path in tmp_path.rglob("*"):
            assert path.is_dir() or sandbox.api_key.encode() not in path.read_bytes()
        with NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as net:
            assert stored(tmp_path / "parts") == there(net)
        assert [name for name in names(tmp_path / "parts") if name.endswith(".part")] == []
