"""Files are whole or not there; links are never written through; what a killed process leaves is taken over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from adsecurity import AdsecurityError, DownloadError, NetworkClient
from adsecurity.events import PageEvent
from adsecurity.paging.parts.plan import MANIFEST
from adsecurity.sandbox import Sandbox
from adsecurity.state import StateFile
from adsecurity.tables.whole_file import WholeFile, file_path
from tests.exports.kit import Bench
from tests.support.fork import forked
from tests.tables.test_arrow import RANGE, Lists


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=450, today="2026-11-08") as running:
        yield running


@pytest.fixture(params=["sync", "async"])
def lists(request: pytest.FixtureRequest, sandbox: Sandbox) -> Lists:
    return Lists(request.param, sandbox)


@pytest.fixture(params=["sync", "async"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = Bench(request.param)
    yield made
    made.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "path", ["s3://bucket/clicks", "gs://b/c", "https://h/c", Path("s3://bucket/clicks"), "file:///c"]
)
def test_an_address_is_refused_with_the_words_a_local_path(lists: Lists, bench: Bench, path: Any) -> None:
    before, half_open = len(lists.sandbox.requests), {**RANGE, "inclusive": "left"}
    with pytest.raises(ValueError, match="a local path"):
        lists("users", "list", then=lambda rows: rows.to_parquet(path))
    with pytest.raises(ValueError, match="a local path"):
        lists("reports", "clicks", **half_open, then=lambda rows: rows.to_parquet(path, partition_by="day"))
    job = bench.done()
    for method in (job.to_parquet, job.download):
        with pytest.raises(ValueError, match="a local path"):
            bench.result(method(path))
    assert (len(lists.sandbox.requests), bench.store.requests) == (before, [])


@pytest.mark.parametrize("path", ["clicks", "/a/b", "c:/x", "a b/c", "x:y"])
def test_local_paths_are_taken(path: str) -> None:
    assert file_path(path) == Path(path)


class TestLists:
    @pytest.mark.parametrize("place", ["missing folder", "folder"])
    def test_raise_what_exports_raise_before_anything_is_sent(
        self, lists: Lists, bench: Bench, tmp_path: Path, place: str
    ) -> None:
        path = tmp_path / "no" / "clicks" if place == "missing folder" else tmp_path
        before, seen = len(lists.sandbox.requests), []

        def write(rows: Any) -> Any:
            seen.append(rows)
            return rows.to_parquet(path)

        with pytest.raises(DownloadError, match="cannot write") as caught:
            lists("users", "list", then=write)
        assert len(lists.sandbox.requests) == before
        assert (caught.value.path, caught.value.checkpoint) == (str(path), seen[0].checkpoint())
        with pytest.raises(DownloadError, match="cannot write") as exported:
            bench.result(bench.done().to_parquet(path))
        assert exported.value.path == str(path)

    def test_on_a_full_disk_leave_nothing_and_say_where_to_begin_again(
        self, lists: Lists, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("adsecurity.tables.parquet.GROUP_BYTES", 1000)
        monkeypatch.setattr("adsecurity.tables.page_batches.BATCH_ROWS", 100)
        path = tmp_path / "clicks"
        path.write_bytes(b"old")
        with pytest.raises(DownloadError, match="No space left on device; nothing of it is kept") as caught:
            lists("reports", "clicks", **RANGE, then=lambda rows: _limited(rows, path, lists.mode))
        assert (names(tmp_path), path.read_bytes()) == (["clicks"], b"old")
        resume = caught.value.checkpoint
        lists("reports", "clicks", **RANGE, resume=resume, then=lambda rows: rows.to_parquet(path))
        assert pq.read_metadata(path).num_rows == 450


def _limited(rows: Any, path: Path, mode: str) -> Any:
    """Write to a file for which there is no room on the disk."""
    import io

    class Full(io.BufferedWriter):
        def write(self, data: Any) -> int:
            if self.tell() > 3000:
                raise OSError(28, "No space left on device")
            return super().write(data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adsecurity.tables.parquet.io.BufferedWriter", Full)
        if mode == "sync":
            return rows.to_parquet(path)

    async def write() -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("adsecurity.tables.parquet.io.BufferedWriter", Full)
            return await rows.to_parquet(path)

    return write()


class TestLinks:
    """Whoever may write to the folder must not have the bytes written elsewhere."""

    @pytest.mark.parametrize("kind", ["symbolic", "hard"])
    @pytest.mark.parametrize("suffix", [".part", ".part.json"])
    def test_are_refused_by_downloads(self, bench: Bench, tmp_path: Path, kind: str, suffix: str) -> None:
        secret, path = tmp_path / "secret", tmp_path / "clicks.csv"
        secret.write_bytes(b"precious")
        link = Path(f"{path}{suffix}")
        link.symlink_to(secret) if kind == "symbolic" else link.hardlink_to(secret)
        with pytest.raises(DownloadError, match="it is a link"):
            bench.result(bench.done().download(path))
        assert (secret.read_bytes(), path.exists()) == (b"precious", False)

    @pytest.mark.parametrize("kind", ["symbolic", "hard", "dangling"])
    def test_are_refused_by_tables(self, lists: Lists, tmp_path: Path, kind: str) -> None:
        secret, link = tmp_path / "secret", tmp_path / ".clicks.table.part"
        secret.write_bytes(b"precious")
        if kind == "hard":
            link.hardlink_to(secret)
        else:
            link.symlink_to(secret if kind == "symbolic" else tmp_path / "nothing")
        with pytest.raises(DownloadError, match="it is a link"):
            lists("users", "list", then=lambda rows: rows.to_parquet(tmp_path / "clicks"))
        assert names(tmp_path) == [link.name, "secret"]
        assert secret.read_bytes() == b"precious"

    def test_that_are_no_files_are_refused(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / ".clicks.table.part")
        with pytest.raises(OSError, match="not a regular file"):
            WholeFile(tmp_path / "clicks").open()

    @pytest.mark.parametrize("suffix", [".part", ".part.json"])
    def test_a_pipe_in_place_of_a_note_is_refused_and_not_waited_for(
        self, bench: Bench, tmp_path: Path, suffix: str
    ) -> None:
        path = tmp_path / "clicks.csv"
        with pipe(Path(f"{path}{suffix}")), pytest.raises(DownloadError, match="not a regular file"):
            bench.result(bench.done().download(path))

    def test_a_pipe_in_place_of_a_state_or_of_the_list_of_files_is_refused_and_not_waited_for(
        self, lists: Lists, tmp_path: Path
    ) -> None:
        with pipe(tmp_path / "state.json"), pytest.raises(AdsecurityError, match="not a regular file"):
            StateFile(tmp_path / "state.json").load()
        with pipe(tmp_path / MANIFEST), pytest.raises(DownloadError, match="not a regular file"):
            lists(
                "reports", "clicks", **RANGE, inclusive="left",
                then=lambda rows: rows.to_parquet(tmp_path, partition_by="day"),
            )  # fmt: skip

    def test_a_file_that_is_read_may_be_reached_by_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "state.json").write_text("{}")
        (tmp_path / "link").symlink_to(tmp_path / "state.json")
        assert StateFile(tmp_path / "link").load() == "{}"


@contextmanager
def pipe(path: Path) -> Iterator[None]:
    """A pipe without an other end; who waits for it is let go after three seconds, which is too late."""
    os.mkfifo(path)
    release = threading.Timer(3, lambda: os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK)))
    release.start()
    began = time.monotonic()
    yield
    release.cancel()
    path.unlink(missing_ok=True)
    assert time.monotonic() - began < 2.5


def test_two_who_write_the_same_file_do_not_mix(tmp_path: Path) -> None:
    first, second = WholeFile(tmp_path / "clicks"), WholeFile(tmp_path / "clicks")
    first.open().write(b"first")
    with pytest.raises(BlockingIOError, match="another process is writing it"):
        second.open()
    second.discard()
    first.finish()
    assert (names(tmp_path), (tmp_path / "clicks").read_bytes()) == (["clicks"], b"first")


def test_a_forked_child_neither_writes_nor_deletes_what_its_parent_writes(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adsecurity.tables.page_batches.BATCH_ROWS", 1)
    monkeypatch.setattr("adsecurity.tables.parquet.GROUP_BYTES", 1)
    path = tmp_path / "clicks"

    def run(fork: Callable[[], bool]) -> None:
        def on_page(event: PageEvent) -> None:
            # By now something has been written, and more waits in the buffer.
            if event.number == 4:
                fork()

        with NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url, on_page=on_page) as client:
            client.reports.clicks(**RANGE, prefetch=0, page_size=50).to_parquet(path)

    said, _ = forked(run)
    assert "begun before the process was forked" in said
    assert names(tmp_path) == ["clicks"]
    assert pq.read_table(path).num_rows == 450


KILLED = """
import sys
import adsecurity
with adsecurity.NetworkClient(api_key=sys.argv[1], base_url=sys.argv[2]) as net:
    net.reports.clicks(
        integration_id="integration-1", start_time="2026-11-01", end_time="2026-11-08", page_size=1
    ).to_parquet(sys.argv[3])
"""


def test_what_a_killed_process_leaves_is_taken_over_by_the_next(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "clicks.parquet"
    command = [sys.executable, "-c", KILLED, sandbox.api_key, sandbox.network_url, str(path)]
    process = subprocess.Popen(command)
    deadline = time.monotonic() + 30
    while not names(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert names(tmp_path) == [".clicks.parquet.table.part"]
    Lists("sync", sandbox)("reports", "clicks", **RANGE, then=lambda rows: rows.to_parquet(path))
    assert names(tmp_path) == ["clicks.parquet"]
    assert pq.read_metadata(path).num_rows == 450
