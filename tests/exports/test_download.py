"""A download ends with the whole file under its name, or with an error and a part to go on with; never half a file."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import resource
import signal
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsecurity import DownloadError
from adsecurity.events import RequestEvent, ResponseEvent
from adsecurity.exports.part_file import PartFile
from adsecurity.exports.storage import SignedURL
from tests.exports.kit import KEY, SIGNED_PATHS, Bench, Store, csv_file, finished
from tests.support.fork import forked

_QUOTED = b'tx_id,country\r\n"a ""b""\n c",DE\r\nx,"F\nR"\r\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clicks.csv"


def _whole(bench: Bench, path: Path) -> bool:
    """The file is there, and nothing else beside it."""
    return path.read_bytes() == bench.store.content and [entry.name for entry in path.parent.iterdir()] == [path.name]


def _fails(bench: Bench, path: Path, match: str) -> DownloadError:
    with pytest.raises(DownloadError, match=match) as caught:
        bench.result(bench.done().download(path))
    assert not path.exists()
    return caught.value


def test_the_file_arrives(bench: Bench, path: Path) -> None:
    job = bench.done(size=len(bench.store.content), total=500)
    assert bench.result(job.download(str(path))) == path
    assert _whole(bench, path)
    (request,) = bench.store.requests
    assert request[0] == "/bucket/clicks.csv?signature=secret-signature-1"
    assert request[1]["accept-encoding"] == "identity"


def test_an_empty_file_arrives(bench: Bench, path: Path) -> None:
    bench.store.content = b""
    bench.result(bench.done().download(path))
    assert _whole(bench, path)


def test_an_old_file_is_there_until_the_new_one_is_whole(bench: Bench, path: Path) -> None:
    path.write_text("old")
    seen: list[str] = []

    def look(handler: Any, headers: dict[str, str]) -> None:
        seen.append(path.read_text())
        bench.store.serve(handler, headers, cut=5000)

    bench.store.plan = [look, look]
    bench.result(bench.done().download(path))
    assert seen == ["old", "old"]
    assert _whole(bench, path)


@pytest.mark.parametrize("version", ["etag", "modified"])
def test_a_cut_connection_is_taken_up_where_it_ended(bench: Bench, path: Path, version: str) -> None:
    store = bench.store
    store.etag, store.modified = ('"v1"', None) if version == "etag" else (None, "Sun, 01 Nov 2026 00:00:00 GMT")
    store.plan = [store.cut(1000), store.cut(500), store.cut(0)]
    bench.result(bench.done().download(path))
    assert _whole(bench, path)
    assert store.ranges() == [None, "bytes=1000-", "bytes=1500-", "bytes=1500-"]
    assert {headers.get("if-range") for _, headers in store.requests[1:]} == {store.etag or store.modified}
    assert bench.api.signed == 1


def test_a_weak_tag_does_not_count_as_a_version(bench: Bench, path: Path) -> None:
    bench.store.etag = 'W/"v1"'
    bench.store.plan = [bench.store.cut(1000)]
    bench.result(bench.done().download(path))
    assert _whole(bench, path)
    assert bench.store.ranges() == [None, None]


def test_without_a_version_it_begins_again(bench: Bench, path: Path) -> None:
    bench.store.etag = None
    bench.store.plan = [bench.store.cut(1000)]
    bench.result(bench.done().download(path))
    assert _whole(bench, path)
    assert bench.store.ranges() == [None, None]


def test_a_file_that_changed_is_fetched_from_its_beginning(bench: Bench, path: Path) -> None:
    def change(handler: Any, headers: dict[str, str]) -> None:
        bench.store.content, bench.store.etag = csv_file(3000).replace(b"DE", b"FR"), '"v2"'
        bench.store.serve(handler, headers)

    bench.store.plan = [bench.store.cut(1000), change]
    bench.result(bench.done().download(path))
    assert _whole(bench, path)


def test_a_range_of_another_version_is_not_appended(bench: Bench, path: Path) -> None:
    """A server that does not know If-Range."""

    def change(handler: Any, headers: dict[str, str]) -> None:
        bench.store.content, bench.store.etag = csv_file(3000).replace(b"DE", b"FR"), '"v2"'
        bench.store.serve(handler, {**headers, "if-range": '"v2"'})

    bench.store.plan = [bench.store.cut(1000), change]
    bench.result(bench.done().download(path))
    assert _whole(bench, path)


def test_a_range_that_is_ignored_begins_again(bench: Bench, path: Path) -> None:
    bench.store.plan = [bench.store.cut(1000), lambda handler, _: bench.store.serve(handler, {})]
    bench.result(bench.done().download(path))
    assert _whole(bench, path)


@pytest.mark.parametrize("extent", ["bytes 900-{last}/{total}", "bytes 0-{last}/{total}", "nonsense", ""])
def test_a_range_that_begins_elsewhere_is_not_appended(bench: Bench, path: Path, extent: str) -> None:
    total = len(bench.store.content)
    text = extent.format(last=total - 1, total=total)
    bench.store.plan = [
        bench.store.cut(1000),
        bench.store.say(206, bench.store.content[900:], content_range=text, etag='"v1"'),
    ]
    bench.result(bench.done().download(path))
    assert _whole(bench, path)


def test_a_server_that_never_gives_the_right_range_is_given_up(bench: Bench, path: Path) -> None:
    wrong = bench.store.say(206, b"xx", content_range="bytes 7-8/9", etag='"v1"')
    bench.store.plan = [step for _ in range(20) for step in (bench.store.cut(10), wrong)]
    _fails(bench, path, "did not go on where the file ended")
    assert len(bench.store.requests) <= 10


def test_an_answer_longer_than_the_part_of_the_last_try_is_completed_by_416(bench: Bench, path: Path) -> None:
    """All bytes were there, but the process died before it renamed the file."""
    _leave_part(bench, path, bench.store.content)
    bench.result(bench.done().download(path))
    assert _whole(bench, path)
    assert bench.store.ranges() == [f"bytes={len(bench.store.content)}-"]


@pytest.mark.parametrize("name", ["etag", "last_modified"])
def test_a_whole_part_of_an_older_version_is_not_taken_for_the_file(bench: Bench, path: Path, name: str) -> None:
    """The new version is as long as the old one, and the host compares no validators before it answers 416."""
    total = len(bench.store.content)
    _leave_part(bench, path, b"?" * total)
    refused = {"content_range": f"bytes */{total}", name: '"v2"'}
    bench.store.etag = '"v2"'
    bench.store.plan = [bench.store.say(416, **refused)]
    bench.result(bench.done().download(path))
    assert _whole(bench, path)


def test_a_part_longer_than_the_file_is_thrown_away(bench: Bench, path: Path) -> None:
    _leave_part(bench, path, bench.store.content + b"more")
    bench.result(bench.done().download(path))
    assert _whole(bench, path)


def _leave_part(bench: Bench, path: Path, content: bytes, of: str = "64b0c0ffee/clicks.csv", tag: str = '"v1"') -> None:
    Path(f"{path}.part").write_bytes(content)
    Path(f"{path}.part.json").write_text(json.dumps({"of": of, "validator": tag}))


def test_another_process_goes_on_with_the_part(bench: Bench, path: Path) -> None:
    _leave_part(bench, path, bench.store.content[:1234])
    bench.result(bench.done().download(path))
    assert bench.store.ranges() == ["bytes=1234-"]
    assert _whole(bench, path)


@pytest.mark.parametrize("note", ['{"of": "other/clicks.csv", "validator": "x"}', "{", "[]", '{"of": 1}', None])
def test_a_part_of_something_else_is_not_gone_on_with(bench: Bench, path: Path, note: str | None) -> None:
    _leave_part(bench, path, b"?" * 1234)
    Path(f"{path}.part.json").write_text(note) if note else Path(f"{path}.part.json").unlink()
    part = PartFile(path, "64b0c0ffee/clicks.csv", lambda problem: DownloadError(problem))
    part.open().call()
    part.close()
    assert part.offset == 0
    bench.result(bench.done().download(path))
    assert bench.store.ranges() == [None]
    assert _whole(bench, path)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_an_expired_url_is_signed_anew(bench: Bench, path: Path, status: int) -> None:
    bench.store.plan = [bench.store.cut(1000), bench.store.say(status)]
    bench.result(bench.done().download(path))
    assert _whole(bench, path)
    assert bench.api.signed == 2
    assert [request[0][-1] for request in bench.store.requests] == ["1", "1", "2"]
    assert bench.store.ranges()[-1] == "bytes=1000-"


def test_urls_that_are_refused_however_often_they_are_signed_are_given_up(bench: Bench, path: Path) -> None:
    bench.store.plan = [bench.store.say(403)] * 20
    error = _fails(bench, path, "refused with status 403")
    assert len(bench.store.requests) == 4
    assert (error.export_id, error.path, error.job.id) == ("64b0c0ffee", str(path), "64b0c0ffee")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_storage_host_that_is_busy_is_asked_again(bench: Bench, path: Path, status: int) -> None:
    bench.store.plan = [bench.store.say(status), bench.store.say(status, retry_after=0)]
    bench.result(bench.done().download(path))
    assert _whole(bench, path)


def test_a_wait_beyond_the_deadline_is_not_waited(bench: Bench, path: Path) -> None:
    bench.store.plan = [bench.store.say(503, retry_after=10_000)]
    _fails(bench, path, "status 503")


def test_a_status_that_nobody_expects_is_an_error(bench: Bench, path: Path) -> None:
    bench.store.plan = [bench.store.say(418)]
    _fails(bench, path, "418")
    assert len(bench.store.requests) == 1


def test_connections_that_end_at_once_are_given_up_after_the_policys_attempts(bench: Bench, path: Path) -> None:
    bench.store.plan = [bench.store.cut(0)] * 20
    _fails(bench, path, "RemoteProtocolError|ended after 0")
    assert len(bench.store.requests) == 4


def test_every_new_byte_starts_the_count_of_failures_anew(bench: Bench, path: Path) -> None:
    bench.store.plan = [bench.store.cut(100)] * 12
    bench.result(bench.done().download(path))
    assert _whole(bench, path)


def test_bytes_that_came_before_are_no_new_ones(bench: Bench, path: Path) -> None:
    """A server without versions sends the beginning again and again, now more of it, now less."""
    bench.store.etag = None
    bench.store.plan = [bench.store.cut(after) for after in (500, 1000) * 20]
    _fails(bench, path, "RemoteProtocolError|ended after")
    assert len(bench.store.requests) == 5


def test_a_host_that_is_not_there_is_an_error_without_the_signature(bench: Bench, path: Path) -> None:
    bench.api.target = "http://127.0.0.1:9/x"
    error = _fails(bench, path, "ConnectError")
    _no_secret(error)


def test_a_body_that_ends_early_without_a_length_is_noticed_by_the_reported_size(bench: Bench, path: Path) -> None:
    store = bench.store
    short = store.say(200, store.content[:700], content_length=None, connection="close", etag='"v1"')
    store.plan = [short]
    bench.result(bench.done(size=len(store.content)).download(path))
    assert store.ranges() == [None, "bytes=700-"]
    assert _whole(bench, path)


def test_a_size_other_than_the_reported_one_is_an_error(bench: Bench, path: Path) -> None:
    with pytest.raises(DownloadError, match=f"has {len(bench.store.content)} bytes, the export reports 7"):
        bench.result(bench.done(size=7).download(path))
    assert not path.exists()


def test_more_bytes_than_reported_without_a_length_is_an_error(bench: Bench, path: Path) -> None:
    long = bench.store.say(200, bench.store.content, content_length=None, connection="close")
    bench.store.plan = [long] * 20
    with pytest.raises(DownloadError, match="reports 7"):
        bench.result(bench.done(size=7).download(path))
    assert not path.exists()


@pytest.mark.parametrize(
    ("content", "total"),
    [
        (csv_file(7), 7),
        (csv_file(7).rstrip(), 7),
        (_QUOTED, 2),
        (b'tx_id,country\n5" screen,DE\nb,DE\n', 2),
        (b"\xef\xbb\xbf" + csv_file(3), 3),
    ],
)
def test_as_many_rows_as_reported_are_right_however_they_are_quoted(
    bench: Bench, path: Path, content: bytes, total: int
) -> None:
    bench.store.content = content
    bench.result(bench.done(total=total).download(path))
    assert _whole(bench, path)


@pytest.mark.parametrize("by", [",", ";", ";;", "\\t", "]", "x", "§"])
def test_rows_are_counted_whatever_separates_their_values_and_however_long_they_are(
    bench: Bench, path: Path, by: str
) -> None:
    blank = b"\n\n"
    rows = [
        b"tx_id%scountry",
        b'"a\nb"%sDE',
        blank,
        b"c%s" + b"x" * 140_000,
        b'"' + b"y" * 70_000 + b"\n" + b"z" * 70_000 + b'"%sDE',
    ]
    bench.store.content = b"\n".join(rows).replace(b"%s", by.encode())
    bench.api.states = [finished(total=3, format={"delimiter": by})]
    bench.result(bench.start().download(path))
    assert _whole(bench, path)


@pytest.mark.parametrize("by", ["\n", "\r", '"'])
def test_rows_are_counted_by_their_lines_where_the_delimiter_can_be_none(bench: Bench, path: Path, by: str) -> None:
    bench.store.content = b"tx_id;country\na;DE\n\n\nb;DE\n"
    bench.api.states = [finished(total=2, format={"delimiter": by})]
    bench.result(bench.start().download(path))
    assert _whole(bench, path)


def test_rows_that_nobody_can_count_are_an_error_that_keeps_the_file(bench: Bench, path: Path) -> None:
    bench.store.content = b'a,b\n\n"' + b"," * 200_000 + b'",DE\n'
    with pytest.raises(DownloadError, match="cannot be counted: field larger than field limit"):
        bench.result(bench.done(total=1).download(path))
    assert Path(f"{path}.part").read_bytes() == bench.store.content


@settings(max_examples=100, deadline=None)
@given(
    chunks=st.lists(st.text(st.sampled_from('a\n",\r'), min_size=1, max_size=9).map(str.encode), max_size=9),
    cut=st.integers(0, 9),
)
def test_lines_are_counted_as_they_come_in_whatever_pieces_and_however_often_resumed(
    chunks: list[bytes], cut: int
) -> None:
    content = b"".join(chunks)
    with TemporaryDirectory() as folder:
        for pieces in (chunks[:cut], chunks[cut:]):
            part = PartFile(Path(folder, "f.csv"), "it", DownloadError)
            part.open().call()
            if not part.offset:
                part.restart("v1").call()
            for piece in pieces:
                part.write(piece).call()
            with open(part.part, "rb") as file:
                found = part._lines_so_far()
                assert found == sum(1 for _ in file)
            written = part.part.read_bytes()
            part.close()
        assert written == content
        assert part.part.exists() == bool(content)


@pytest.mark.parametrize("total", [1, 3])
def test_more_or_fewer_rows_than_reported_are_an_error_and_begin_again(bench: Bench, path: Path, total: int) -> None:
    bench.store.content = _QUOTED
    with pytest.raises(DownloadError, match=f"has 2 rows, the export reports {total}"):
        bench.result(bench.done(total=total).download(path))
    assert list(path.parent.iterdir()) == []


def test_a_compressed_answer_is_refused_not_written(bench: Bench, path: Path) -> None:
    bench.store.plan = [bench.store.say(200, b"x", content_encoding="gzip")]
    _fails(bench, path, "compressed")


class TestRedirects:
    def test_are_followed_with_the_range(self, bench: Bench, path: Path) -> None:
        other = Store()
        try:
            other.plan = [other.cut(1000)]
            bench.store.plan = [bench.store.say(302, location=f"{other.url}/there?token=2")] * 2
            bench.result(bench.done().download(path))
            assert other.ranges() == [None, "bytes=1000-"]
            assert not [name for _, headers in other.requests for name in headers if name == "api-key"]
            assert path.read_bytes() == other.content
        finally:
            other.close()

    def test_may_be_relative(self, bench: Bench, path: Path) -> None:
        bench.store.plan = [bench.store.say(307, location="/moved?x=1")]
        bench.result(bench.done().download(path))
        assert bench.store.requests[-1][0] == "/moved?x=1"

    @pytest.mark.parametrize("where", ["http://storage.example/x", "ftp://storage.example/x", "//storage.example/x"])
    def test_leave_https_for_this_machine_alone(self, bench: Bench, path: Path, where: str) -> None:
        bench.store.plan = [bench.store.say(302, location=where)]
        _fails(bench, path, "not https")
        assert len(bench.store.requests) == 1

    def test_to_what_is_no_url_are_not_followed(self, bench: Bench, path: Path) -> None:
        bench.store.plan = [bench.store.say(302, location="http://a:bad/?token=secret-signature")] * 20
        _no_secret(_fails(bench, path, "Invalid URL"))

    def test_to_a_port_that_none_has_are_not_followed(self, bench: Bench, path: Path) -> None:
        bench.store.plan = [bench.store.say(302, location="http://localhost:99999999/?token=secret-signature")] * 20
        _no_secret(_fails(bench, path, "no URL"))

    def test_end_somewhere(self, bench: Bench, path: Path) -> None:
        bench.store.plan = [bench.store.say(302, location="/again")] * 20
        _fails(bench, path, "redirects")
        assert len(bench.store.requests) == 6


@pytest.mark.parametrize(
    "target",
    [
        "http://storage.example/clicks.csv",
        "storage.example",
        "http://a:bad/",
        "http://localhost:99999999/",
        "http://127.0.0.1:65536/",
        "http://x.localhost/x",
    ],
)
def test_a_signed_url_without_https_is_not_fetched(bench: Bench, path: Path, target: str) -> None:
    bench.api.target = target
    _no_secret(_fails(bench, path, "not https"))


def _no_secret(error: BaseException) -> None:
    text = "".join(traceback.format_exception(error)) + repr(vars(error)) + str(error)
    assert "secret-signature" not in text
    assert KEY not in text


@pytest.mark.parametrize("reason", ["refused", "busy", "redirect", "nowhere", "cut", "no URL"])
@pytest.mark.parametrize("action", ["download", "rows"])
def test_crash_reports_with_local_variables_do_not_show_the_signature(
    bench: Bench, path: Path, reason: str, action: str
) -> None:
    store = bench.store
    answers = {"refused": 403, "busy": 500, "redirect": 302, "nowhere": 302, "cut": 200, "no URL": 200}
    where = "https://127.0.0.1:9/" if reason == "nowhere" else "/again"
    answer = store.say(answers[reason], location=f"{where}?token=secret-signature")
    store.plan = [store.cut(0) if reason == "cut" else answer] * 20
    if reason == "no URL":
        bench.api.target = "http://a:bad/"
    job = bench.done()
    with pytest.raises(DownloadError) as caught:
        bench.result(job.download(path)) if action == "download" else list(bench.each(job.rows()))
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame.locals for frame in report.stack if frame.filename != __file__]
    assert "secret-signature" not in repr(ours)
    assert "step" in repr(ours)


def test_no_log_line_has_the_signature(bench: Bench, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bench.store.plan = [bench.store.cut(1000), bench.store.say(403)]
    bench.result(bench.done().download(path))
    text = "\n".join(f"{record.name} {record.getMessage()}" for record in caplog.records)
    assert "/bucket/clicks.csv" in text
    assert "secret-signature" not in text
    assert KEY not in text


def test_the_storage_host_never_sees_the_key_and_the_download_link_is_never_fetched(bench: Bench, path: Path) -> None:
    client = bench.client(extra_headers={"X-Private": "also-not-for-others"})
    bench.api.states = [finished()]
    job = bench.start(client)
    bench.result(job.download(path))
    assert list(bench.each(job.rows()))
    assert len(bench.store.requests) == 2
    assert KEY not in repr(bench.store.requests)
    assert "also-not-for-others" not in repr(bench.store.requests)
    assert "download-link-secret" not in repr(bench.store.requests) + repr(bench.api.requests)


def test_a_signed_url_shows_its_query_nowhere() -> None:
    url = SignedURL("https://user:pass@host/path?sig=1#x")
    assert (str(url), repr(url)) == ("https://host/path", "SignedURL('https://host/path')")
    assert url.raw_path == b"/path?sig=1"


class TestDisk:
    """What goes wrong with the file, as the system says it."""

    def test_a_full_disk_is_reported_and_the_part_is_gone_on_with(self, bench: Bench, path: Path) -> None:
        bench.store.content = csv_file(5000)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, limits[1]))
        try:
            error = _fails(bench, path, "40000 bytes are kept")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, before)
        assert isinstance(error.__cause__, OSError)
        bench.store.requests.clear()
        bench.result(bench.done().download(path))
        assert bench.store.ranges() == ["bytes=40000-"]
        assert _whole(bench, path)

    def test_a_folder_that_is_not_there(self, bench: Bench, tmp_path: Path) -> None:
        _fails(bench, tmp_path / "nowhere" / "x.csv", "No such file or directory")
        assert not bench.store.requests

    def test_a_folder_in_the_files_place(self, bench: Bench, tmp_path: Path) -> None:
        (tmp_path / "x.csv").mkdir()
        with pytest.raises(DownloadError, match="folder"):
            bench.result(bench.done().download(tmp_path / "x.csv"))

    @pytest.mark.parametrize("bad", ["", "/", "a\0b"])
    def test_what_is_no_files_path_is_refused_before_anything_is_sent(self, bench: Bench, bad: str) -> None:
        job = bench.start()
        asked = len(bench.api.requests)
        with pytest.raises(ValueError, match="not the path of a file"):
            bench.result(job.download(bad))
        assert len(bench.api.requests) == asked

    @pytest.mark.parametrize("step", ["open", "note", "fsync", "replace"])
    def test_a_step_that_is_refused_leaves_no_file(
        self, bench: Bench, path: Path, step: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        if step == "note":
            monkeypatch.setattr(PartFile, "_write_note", refuse)
        else:
            monkeypatch.setattr(f"adsecurity.exports.part_file.os.{step}", refuse)
        _fails(bench, path, "Permission denied")
        monkeypatch.undo()
        bench.result(bench.done().download(path))
        assert _whole(bench, path)

    def test_the_file_is_durable_before_it_has_its_name(
        self, bench: Bench, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done: list[str] = []
        fsync, replace = os.fsync, os.replace

        def noted(name: str, function: Any) -> Any:
            def call(*args: Any) -> Any:
                done.append(name)
                return function(*args)

            return call

        monkeypatch.setattr("adsecurity.exports.part_file.os.fsync", noted("fsync", fsync))
        monkeypatch.setattr("adsecurity.exports.part_file.os.replace", noted("replace", replace))
        bench.result(bench.done().download(path))
        assert done == ["fsync", "replace", "fsync"]


class TestTwoAtOnce:
    def test_the_second_download_of_a_path_is_refused(self, bench: Bench, path: Path) -> None:
        fail = lambda problem: DownloadError(problem)  # noqa: E731
        first = PartFile(path, "64b0c0ffee/clicks.csv", fail)
        first.open().call()
        try:
            _fails(bench, path, "another download is writing")
        finally:
            first.close()
        bench.result(bench.done().download(path))
        assert _whole(bench, path)

    def test_a_part_that_was_renamed_while_it_was_opened_is_not_written_to(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The other download finished between our opening its part and our locking it."""
        fail = lambda problem: DownloadError(problem)  # noqa: E731
        path.with_name("clicks.csv.part").write_bytes(b"whole")
        part = PartFile(path, "id", fail)
        locked, lock = [0], fcntl.flock

        def late(*args: Any) -> None:
            locked[0] += 1
            if locked[0] == 1:
                os.replace(part.part, path)
            lock(*args)

        monkeypatch.setattr(fcntl, "flock", late)
        part.open().call()
        part.restart("v").call()
        part.write(b"new").call()
        part.close()
        assert locked == [2]
        assert path.read_bytes() == b"whole"
        assert part.part.read_bytes() == b"new"

    def test_many_threads_leave_one_whole_file(self, path: Path) -> None:
        bench = Bench("sync")
        try:
            job = bench.done()
            outcomes: list[str] = []

            def run() -> None:
                try:
                    job.download(path)
                    outcomes.append("whole")
                except DownloadError as error:
                    outcomes.append(str(error))

            threads = [threading.Thread(target=run) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert "whole" in outcomes
            assert len(outcomes) == 6
            assert all(text == "whole" or "another download" in text for text in outcomes)
            assert _whole(bench, path)
        finally:
            bench.close()


@pytest.mark.parametrize("bench", ["async"], indirect=True)
def test_a_cancelled_download_waits_for_its_last_write_and_can_be_gone_on_with(
    bench: Bench, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bench.done()
    entered, leave = threading.Event(), threading.Event()
    write = PartFile._write

    def slow(part: PartFile, chunk: bytes) -> None:
        entered.set()
        leave.wait(5)
        write(part, chunk)

    async def cancelled() -> None:
        task = asyncio.ensure_future(job.download(path))
        await asyncio.to_thread(entered.wait, 5)
        task.cancel()
        asyncio.get_running_loop().call_later(0.02, leave.set)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert leave.is_set()
        # The lock is free again, and what was written is there to go on with.
        part = PartFile(path, "64b0c0ffee/clicks.csv", lambda problem: DownloadError(problem))
        part.open().call()
        part.close()
        assert part.offset > 0

    with monkeypatch.context() as patch:
        patch.setattr(PartFile, "_write", slow)
        bench.result(cancelled())
    bench.result(bench.done().download(path))
    assert _whole(bench, path)


def test_a_file_many_times_the_size_of_a_read_arrives(bench: Bench, path: Path) -> None:
    bench.store.content = csv_file(400_000)
    bench.result(bench.done(total=400_000).download(path))
    assert _whole(bench, path)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used_for_storage(
    bench: Bench, path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """The storage host is none of this machine, so it is reached through the proxy; here that is the store."""
    monkeypatch.setenv(variable, bench.store.url)
    asked: list[str] = []

    def refuse(handler: Any, headers: dict[str, str]) -> None:
        asked.append(headers["host"])
        handler.send_error(407)

    bench.api.target = "https://storage.example/clicks.csv"
    bench.store.plan = [refuse] * 9
    _fails(bench, path, "ProxyError")
    assert set(asked) == {"storage.example:443"}


@pytest.mark.parametrize("timeout", [0.05, httpx.Timeout(0.05)])
def test_a_storage_host_that_goes_silent_is_given_up_in_the_time_that_the_call_gives(
    bench: Bench, path: Path, timeout: Any
) -> None:
    woken = threading.Event()

    def silent(handler: Any, headers: dict[str, str]) -> None:
        woken.wait(5)

    bench.store.plan = [silent] * 20
    bench.api.states = [finished()]
    job = bench.start(timeout=timeout)
    try:
        with pytest.raises(DownloadError, match="ReadTimeout"):
            bench.result(job.download(path))
    finally:
        woken.set()


def test_an_injected_transport_serves_storage_too_and_is_not_closed(path: Path) -> None:
    """Whoever brings a transport expects everything to go through it, and to close it."""
    closed: list[bool] = []

    class Transport(httpx.MockTransport):
        def close(self) -> None:
            closed.append(True)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "storage.example":
            assert "api-key" not in request.headers
            return httpx.Response(200, content=csv_file(2))
        if request.url.path.endswith(SIGNED_PATHS):
            return httpx.Response(200, json={"url": "https://storage.example/x?s=1"})
        return httpx.Response(200, json=finished())

    from adsecurity import NetworkClient

    with NetworkClient(api_key=KEY, base_url="https://api.example", transport=Transport(answer)) as client:
        client.exports.resume("x").download(path)
        assert path.read_bytes() == csv_file(2)
        assert not closed


def test_progress_is_told_with_the_job_and_the_bytes_so_far_an_earlier_part_included(bench: Bench, path: Path) -> None:
    told: list[tuple[Any, int]] = []

    async def awaited(job: Any, size: int) -> None:
        await asyncio.sleep(0)
        told.append((job, size))

    job = bench.done()
    bench.store.plan = [bench.store.cut(1000), bench.store.cut(500)]
    report = awaited if bench.mode == "async" else lambda job, size: told.append((job, size))
    bench.result(job.download(path, on_progress=report))
    assert _whole(bench, path)
    sizes = [size for _, size in told]
    assert {1000, 1500} <= set(sizes)
    assert sizes == sorted(sizes)
    assert sizes[-1] == len(bench.store.content)
    assert all(one is job for one, _ in told)


def test_what_progress_raises_stops_the_download_and_keeps_its_part(bench: Bench, path: Path) -> None:
    def stop(job: Any, size: int) -> None:
        raise LookupError("enough")

    job = bench.done()
    with pytest.raises(LookupError, match="enough"):
        bench.result(job.download(path, on_progress=stop))
    assert not path.exists()
    bench.result(job.download(path))
    assert _whole(bench, path)


class TestForkedChildren:
    """They have copies of the connection, the open file and its name, all of which the parent works on with."""

    FORKED = "begun before the process was forked; in the child, begin a new one"

    @pytest.mark.parametrize("moment", ["request", "piece"])
    @pytest.mark.parametrize("method", ["download", "to_parquet"])
    def test_that_go_on_get_our_error_and_the_parent_the_whole_file(
        self, bench: Bench, path: Path, method: str, moment: str
    ) -> None:
        bench.store.content = csv_file(100_000)
        bench.store.plan = [bench.store.cut(1000)]
        bench.api.states = [finished(total=100_000)]

        def run(fork: Callable[[], bool]) -> Path:
            def on_request(event: RequestEvent) -> None:
                # Before the first byte the part is empty; the second request goes on where the first was cut.
                if event.operation == "exports.download" and event.attempt == 1 + (moment == "piece"):
                    fork()

            job = bench.start(bench.client(on_request=on_request))
            done: Path = bench.result(getattr(job, method)(path))
            return done

        said, done = forked(run)
        assert said.startswith("ConfigurationError: exports.download: this transfer was")
        assert self.FORKED in said
        assert [one.name for one in path.parent.iterdir()] == [done.name]
        if method == "download":
            assert _whole(bench, path)
        else:
            assert pq.read_metadata(done).num_rows == 100_000
        assert bench.store.ranges() == [None, "bytes=1000-"]

    def test_that_have_the_last_byte_do_not_give_the_file_its_name(self, bench: Bench, path: Path) -> None:
        def run(fork: Callable[[], bool]) -> Path:
            def on_response(event: ResponseEvent) -> None:
                if event.operation == "exports.download":
                    fork()

            done: Path = bench.result(bench.start(bench.client(on_response=on_response)).download(path))
            return done

        bench.store.content = csv_file(100)
        bench.api.states = [finished(total=100)]
        said, _ = forked(run)
        assert said.startswith(f"ConfigurationError: the download to {path} was {self.FORKED}")
        assert _whole(bench, path)

    def test_of_a_callback_for_progress_are_told_so_with_the_next_piece(self, bench: Bench, path: Path) -> None:
        bench.store.content = csv_file(100_000)
        job = bench.done(total=100_000)
        said, _ = forked(lambda fork: bench.result(job.download(path, on_progress=lambda job, size: fork() and None)))
        assert self.FORKED in said
        assert _whole(bench, path)
        assert len(bench.store.requests) == 1
