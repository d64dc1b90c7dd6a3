"""When an export is finished, when it never will be, and how its job waits for it."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from adsecurity import APIConnectionError, errors
from adsecurity.flow.steps import Call, Sleep
from tests.exports.kit import ID, KEY, QUICK, Bench, finished, reply, state
from tests.support.routes import path_of

pytestmark = pytest.mark.usefixtures("_fast_polls")


def test_an_export_is_started_waited_for_and_finished(bench: Bench) -> None:
    bench.api.states = [state("PENDING"), state("IN_PROGRESS"), finished(total=3, size=9, status="DONE")]
    seen: list[str] = []
    job = bench.start()
    assert (job.id, job.status, job.finished) == (ID, "PENDING", False)
    assert bench.result(job.wait(on_progress=lambda job: seen.append(job.status))) is job
    assert seen == ["IN_PROGRESS", "DONE"]
    assert (job.status, job.finished, job.total, job.size) == ("DONE", True, 3, 9)
    assert repr(job).endswith(f"ExportJob(id='{ID}', status='DONE', rows=3)")


def test_waiting_for_a_finished_export_asks_nothing(bench: Bench) -> None:
    job = bench.done()
    bench.result(job.wait())
    assert len(bench.api.requests) == 1


@pytest.mark.parametrize(
    "waiting",
    [
        state("PENDING"),
        state("IN_PROGRESS"),
        state("UNKNOWN"),
        state("COMPLETED"),
        state("SOMETHING_NEW"),
        state(""),
        finished(status="PENDING"),
        finished(status="IN_PROGRESS"),
        finished(name=""),
    ],
)
def test_without_an_artifact_or_while_in_work_it_waits_on(bench: Bench, waiting: dict[str, Any]) -> None:
    bench.api.states = [waiting, waiting, finished()]
    job = bench.start()
    bench.result(job.wait(timeout=30))
    assert job.status == "DONE"
    assert len(bench.api.requests) == 3


@pytest.mark.parametrize("status", ["DONE", "COMPLETED", "UNKNOWN", ""])
def test_whatever_the_status_is_called_an_artifact_with_a_name_is_the_end(bench: Bench, status: str) -> None:
    assert bench.result(bench.done(status=status).wait()).finished


@pytest.mark.parametrize(
    ("last", "kind", "text"),
    [
        (state("ERROR"), errors.ExportFailed, "does not say why"),
        (state("ERROR", error="out of disk"), errors.ExportFailed, "out of disk"),
        (state("IN_PROGRESS", error="out of disk"), errors.ExportFailed, "out of disk"),
        (finished(error="half of it"), errors.ExportFailed, "half of it"),
        (finished(status="ERROR"), errors.ExportFailed, "failed"),
        (state("CANCELED"), errors.ExportCanceled, "cancelled"),
        (finished(status="CANCELED"), errors.ExportCanceled, "cancelled"),
        (finished(results_meta={"range_truncated": True}), errors.ExportTruncated, "rows are missing"),
    ],
)
@pytest.mark.parametrize("action", ["wait", "download", "rows"])
def test_what_will_never_be_whole_raises_with_the_job(
    bench: Bench, last: dict[str, Any], kind: type[errors.ExportError], text: str, action: str, tmp_path: Any
) -> None:
    bench.api.states = [state("PENDING"), last]
    job = bench.start()
    actions: dict[str, Callable[[], Any]] = {
        "wait": lambda: bench.result(job.wait()),
        "download": lambda: bench.result(job.download(tmp_path / "x.csv")),
        "rows": lambda: list(bench.each(job.rows())),
    }
    with pytest.raises(kind, match=text) as caught:
        actions[action]()
    assert caught.value.job is job
    assert caught.value.export_id == ID
    assert pickle.loads(pickle.dumps(caught.value)).export_id == ID
    assert not bench.store.requests
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "last",
    [
        finished(error="see https://storage.invalid/clicks.csv?key=download-link-secret"),
        finished(guest_token="guest-secret", status="CANCELED"),
        finished(secure_code="guest-secret", status="CANCELED"),
        finished(error=f"refused {KEY}", note={"list": [KEY]}),
    ],
)
def test_an_error_shows_no_link_and_no_token_nor_carries_one_in_its_pickle(bench: Bench, last: dict[str, Any]) -> None:
    bench.api.states = [last]
    with pytest.raises(errors.ExportError) as caught:
        bench.result(bench.start().wait())
    text = str(caught.value) + repr(vars(caught.value)) + repr(caught.value.export.to_dict())
    for shown in (text, repr(pickle.dumps(caught.value))):
        assert "download-link-secret" not in shown
        assert "guest-secret" not in shown
        assert KEY not in shown
    assert caught.value.export.artifact.name == "clicks.csv"


ECHO = f"about {KEY}"


@pytest.mark.parametrize(
    "echo",
    [
        finished(error="no", id=KEY),
        finished(status="CANCELED", id=KEY),
        finished(results_meta={"range_truncated": True}, id=KEY),
        state(ECHO, id=KEY),
        state("ERROR", error=ECHO, note={KEY: [KEY]}),
        state("PENDING", id=f"{KEY}/.."),
        finished(id=KEY, results_meta={"total": 3}),
    ],
)
@pytest.mark.parametrize("action", ["wait", "download", "signed_url", "rows", "to_parquet"])
def test_a_key_that_the_server_gives_as_an_id_is_in_no_error(
    bench: Bench, echo: dict[str, Any], action: str, tmp_path: Any
) -> None:
    bench.api.states = [echo]
    bench.store.content = b"tx_id\r\n" + KEY.encode() + b"\r\n"
    job = bench.start()
    actions: dict[str, Callable[[], Any]] = {
        "wait": lambda: bench.result(job.wait(timeout=0.01)),
        "download": lambda: bench.result(job.download(tmp_path / "x.csv")),
        "signed_url": lambda: bench.result(job.signed_url()),
        "rows": lambda: list(bench.each(job.rows())),
        "to_parquet": lambda: bench.result(job.to_parquet(tmp_path / "x.parquet")),
    }
    shown = [repr(job), job._repr_html_()]
    with pytest.raises(TypeError, match="do not pickle") as refused:
        pickle.dumps(job)
    shown.append(str(refused.value))
    if job.finished and (action == "signed_url" or (action == "wait" and not job.truncated)):
        actions[action]()
    else:
        with pytest.raises(errors.ExportError) as caught:
            actions[action]()
        error = caught.value
        there = pickle.loads(pickle.dumps(error))
        assert (there.export_id, there.status) == (error.export_id, error.status)
        shown += [str(error), repr(error), repr(vars(error)), f"{error.export_id} {error.status}"]
        shown += [repr(error.export.to_dict()), repr(pickle.dumps(error))]
    assert not [text for text in shown if KEY in text]


def test_a_key_that_the_server_gives_as_an_id_is_not_written_beside_a_file(bench: Bench, tmp_path: Any) -> None:
    path = tmp_path / "x.csv"
    bench.store.plan = [bench.store.cut(40), *[bench.store.say(500)] * 3]
    with pytest.raises(errors.DownloadError):
        bench.result(bench.done(id=KEY).download(path))
    assert KEY not in (tmp_path / "x.csv.part.json").read_text("utf-8")
    bench.result(bench.done(id=KEY).download(path))
    # The part is still known by what is written there.
    assert bench.store.ranges()[-1] == "bytes=40-"
    assert path.read_bytes() == bench.store.content


def test_a_cut_off_export_is_taken_if_that_is_fine(bench: Bench, tmp_path: Any) -> None:
    job = bench.done(results_meta={"range_truncated": True})
    assert bench.result(job.wait(allow_truncated=True)).truncated
    bench.result(job.download(tmp_path / "x.csv", allow_truncated=True))
    assert (tmp_path / "x.csv").read_bytes() == bench.store.content
    assert len(list(bench.each(job.rows(allow_truncated=True)))) == 500


def test_a_file_that_is_not_there_yet_is_not_fetched(bench: Bench, tmp_path: Any) -> None:
    bench.api.states = [state("PENDING")]
    job = bench.start()
    for action, arguments in ((job.download, (tmp_path / "x.csv",)), (job.signed_url, ())):
        with pytest.raises(errors.ExportError, match=r"not finished \(PENDING\): wait"):
            bench.result(action(*arguments))


def test_download_looks_once_whether_the_file_is_there(bench: Bench, tmp_path: Any) -> None:
    job = bench.start()
    assert job.status == "PENDING"
    assert bench.result(job.download(tmp_path / "x.csv")) == tmp_path / "x.csv"


def test_the_deadline_raises_and_the_job_can_be_waited_for_again(bench: Bench) -> None:
    bench.api.states = [state("PENDING")]
    job = bench.start()
    with pytest.raises(errors.ExportTimeout, match=r"PENDING after 0\.02 s") as caught:
        bench.result(job.wait(timeout=0.02))
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.job is job
    bench.api.states = [finished()]
    assert bench.result(job.wait()).finished


def test_a_wait_without_a_timeout_has_no_end(bench: Bench) -> None:
    bench.api.states = [state("PENDING")] * 20 + [finished()]
    bench.api.failures = [503]
    assert bench.result(bench.start().wait(timeout=None)).finished


@pytest.mark.parametrize("name", ["..", ".", "\ud800", "a\nb", "\x00"])
def test_an_id_of_the_server_that_cannot_be_sent_is_an_export_error(bench: Bench, name: str) -> None:
    bench.api.states = [{**state("PENDING"), "id": name}, finished()]
    job = bench.start()
    for action in (job.wait, job.refresh):
        with pytest.raises(errors.ExportError, match="the server gave a name") as caught:
            bench.result(action())
        assert caught.value.job is job
    assert len(bench.api.requests) == 1


def test_a_file_name_of_the_server_that_cannot_be_sent_is_an_export_error(bench: Bench, tmp_path: Any) -> None:
    job = bench.done(name="\ud800.csv")
    for action in (job.signed_url, lambda: job.download(tmp_path / "x.csv"), lambda: job.to_parquet(tmp_path / "x")):
        with pytest.raises(errors.ExportError, match="the server gave a name"):
            bench.result(action())
    with pytest.raises(errors.ExportError, match="the server gave a name"):
        list(bench.each(job.rows()))
    assert not list(tmp_path.iterdir())


def test_refresh_and_signed_url(bench: Bench) -> None:
    job = bench.start()
    assert bench.result(job.refresh()) is job
    assert job.finished
    assert bench.result(job.signed_url()) == f"{bench.store.url}/bucket/clicks.csv?signature=secret-signature-1"


def test_another_process_resumes_a_job_by_its_id(bench: Bench) -> None:
    job = bench.resume()
    assert job.id == ID
    assert bench.result(job.wait()).finished
    assert all(path_of("network", "getExport", ID) in path for path, _ in bench.api.requests)


def test_polls_are_retried_as_any_read(bench: Bench) -> None:
    job = bench.start()
    bench.api.failures = [503, 502]
    assert bench.result(job.wait()).finished


def test_a_poll_that_fails_for_good_raises_its_own_error(bench: Bench) -> None:
    job = bench.start()
    bench.api.failures = [404]
    with pytest.raises(errors.NotFoundError):
        bench.result(job.wait())


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_fails_up_to_the_deadline_is_a_time_out_of_the_wait(bench: Bench, status: int) -> None:
    job = bench.start()
    bench.api.failures = [status] * 10_000
    with pytest.raises(errors.ExportTimeout) as caught:
        bench.result(job.wait(timeout=0.1))
    assert isinstance(caught.value.__cause__, errors.APIConnectionError | errors.APIStatusError)
    bench.api.failures = []
    assert bench.result(job.wait()).finished


def test_a_server_that_asks_for_more_than_the_deadline_leaves_is_not_asked_again(bench: Bench) -> None:
    job = bench.start()
    bench.api.answer = lambda handler, headers: reply(handler, 429, retry_after=15)  # type: ignore[method-assign]
    started = time.monotonic()
    with pytest.raises(errors.ExportTimeout):
        bench.result(job.wait(timeout=0.3))
    assert time.monotonic() - started < 5
    assert len(bench.api.requests) == 2


def test_a_server_that_fails_for_longer_than_a_poll_is_tried_is_asked_again(bench: Bench) -> None:
    job = bench.start()
    bench.api.failures = [503] * (2 * QUICK.attempts)
    assert bench.result(job.wait()).finished


@pytest.mark.parametrize("timeout", [8, httpx.Timeout(8), httpx.Timeout(None)])
def test_a_poll_waits_for_its_answer_no_longer_than_the_deadline(bench: Bench, timeout: Any) -> None:
    job = bench.start(timeout=timeout)
    woken = threading.Event()

    def silent(handler: Any, headers: dict[str, str]) -> None:
        woken.wait(8)

    bench.api.answer = silent  # type: ignore[method-assign]
    started = time.monotonic()
    try:
        with pytest.raises(errors.ExportTimeout):
            bench.result(job.wait(timeout=0.3))
    finally:
        woken.set()
    assert time.monotonic() - started < 4


def test_the_hook_sees_every_poll_and_when_the_next_one_is(bench: Bench) -> None:
    bench.api.states = [state("PENDING"), state("IN_PROGRESS"), finished()]
    events: list[Any] = []
    job = bench.start(bench.client(on_poll=events.append))
    bench.result(job.wait())
    assert [(e.operation, e.export_id, e.status, e.attempt) for e in events] == [
        ("exports.get", ID, "IN_PROGRESS", 1),
        ("exports.get", ID, "DONE", 2),
    ]
    assert [e.next_poll is None for e in events] == [False, True]


@pytest.mark.parametrize("bench", ["async"], indirect=True)
def test_progress_may_be_async(bench: Bench) -> None:
    seen: list[str] = []

    async def on_progress(job: Any) -> None:
        seen.append(job.status)

    bench.result(bench.start().wait(on_progress=on_progress))
    assert seen == ["DONE"]


def test_an_export_without_an_id_is_an_error_not_a_job_that_nobody_can_ask_for(bench: Bench) -> None:
    bench.api.states = [{"status": "PENDING"}]
    with pytest.raises(errors.ExportError, match="id"):
        bench.start()


@pytest.mark.parametrize("bench", ["sync"], indirect=True)
class TestPolling:
    """The flow by itself: what it would do, without waiting for it."""

    def steps(self, job: Any, timeout: float, polls: int, outcome: Any = None) -> tuple[list[float], Any]:
        now = [100.0]
        slept: list[float] = []
        flow = job._waiting(timeout, False, None, lambda: now[0])
        step = next(flow)
        while len(slept) < polls:
            if isinstance(step, Sleep):
                slept.append(step.seconds)
                now[0] += step.seconds
                step = flow.send(None)
            elif isinstance(step, Call) and outcome is not None and step.call.func.__name__ == "run":  # type: ignore[attr-defined]
                now[0] += 5
                step = flow.throw(outcome)
            else:
                step = flow.send(job.export)
        return slept, flow

    def test_polls_come_after_1_second_and_never_more_than_30_apart(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.undo()
        bench.api.states = [state("PENDING")]
        slept, _ = self.steps(bench.start(), 3600, 40)
        assert slept[:3] == [1, 1.5, 2.25]
        assert slept == sorted(slept)
        assert slept[-1] == 30

    def test_all_in_all_3600_seconds_by_default(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.undo()
        bench.api.states = [state("PENDING")]
        job = bench.start()
        with pytest.raises(errors.ExportTimeout, match="3600 s"):
            self.steps(job, 3600, 1000)
        waited = job.wait.__defaults__
        assert waited is not None
        assert waited[0] == 3600

    def test_no_poll_begins_with_more_time_than_the_deadline_leaves(self, bench: Bench) -> None:
        bench.api.states = [state("PENDING")]
        job = bench.start()
        flow = job._waiting(10, False, None, time.monotonic)
        assert isinstance(next(flow), Sleep)
        poll = flow.send(None)
        assert poll.call.keywords["retry"].deadline <= 10
        assert poll.call.keywords["retry"].attempts == QUICK.attempts

    def test_a_poll_that_gets_no_answer_before_the_deadline_is_a_time_out_of_the_wait(self, bench: Bench) -> None:
        bench.api.states = [state("PENDING")]
        job = bench.start()
        with pytest.raises(errors.ExportTimeout):
            self.steps(job, 4, 100, outcome=APIConnectionError("no answer"))

    def test_a_poll_that_gets_no_answer_with_time_left_is_followed_by_the_next(self, bench: Bench) -> None:
        bench.api.states = [state("PENDING")]
        job, unheard = bench.start(), APIConnectionError("no answer")
        with pytest.raises(errors.ExportTimeout) as caught:
            self.steps(job, 1000, 1000, outcome=unheard)
        assert caught.value.__cause__ is unheard

    def test_the_next_poll_comes_when_the_server_asked_for_it(self, bench: Bench) -> None:
        bench.api.states = [state("PENDING")]
        asked = errors.RateLimitError("too many")
        asked.retry_after = 7.0
        slept, _ = self.steps(bench.start(), 1000, 3, outcome=asked)
        assert slept[1:] == [7, 7]


def test_the_job_of_a_call_keeps_its_options(bench: Bench) -> None:
    client = bench.client(retry=None)
    job = bench.start(client, retry=QUICK, extra_headers={"X-Trace": "7"}, timeout=httpx.Timeout(9))
    bench.result(job.refresh())
    assert [headers.get("x-trace") for _, headers in bench.api.requests] == ["7", "7"]
