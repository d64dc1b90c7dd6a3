"""What happens on this side in the middle of a job: interrupts, forks, full disks, a process that is killed."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from adsecurity import AdsecurityError, DownloadError
from tests.worst_day.hosts import World, stall_body
from tests.worst_day.jobs import RANGE, Job, Side, State


@attrs.frozen
class Event:
    """Something that happens to the process. `run` also goes on with the job, and says how it ended before."""

    name: str
    run: Callable[[Side, World, Job, State], str]
    not_for: dict[str, str] = attrs.field(factory=dict)


def _finish(side: Side, world: World, job: Job, state: State, client: Any = None) -> None:
    """Go on with the client that it happened to, or with a new one."""
    world.mend()
    state.resume = state.listing.checkpoint() if state.listing is not None and not job.writes else None
    client = client or side.client(world.api.url)
    try:
        side.result(job.begin(client, state))
    finally:
        side.result(client.close())


def _hold(world: World, job: Job) -> threading.Event:
    """The job's host stops in the middle of an answer; the event says that it has."""
    host, held = getattr(world, job.host), threading.Event()

    def act(*arguments: Any) -> bool:
        held.set()
        return stall_body(*arguments)

    host.break_down(act, 1, skip=2 if job.host == "api" else 0)
    return held


def interrupt(side: Side, world: World, job: Job, state: State) -> str:
    held, client = _hold(world, job), side.client(world.api.url)

    def kill() -> None:
        held.wait(5)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        side.result(job.begin(client, state))
    except KeyboardInterrupt:
        thread.join()
        _finish(side, world, job, state, client)
        return "KeyboardInterrupt"
    raise AssertionError("it was not interrupted")


def cancel(side: Side, world: World, job: Job, state: State) -> str:
    held, client = _hold(world, job), side.client(world.api.url)

    async def run() -> bool:
        task = asyncio.ensure_future(job.begin(client, state))
        await asyncio.to_thread(held.wait, 5)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert side.result(run()), "it was not cancelled"
    _finish(side, world, job, state, client)
    return "CancelledError"


def fork(side: Side, world: World, job: Job, state: State) -> str:
    """The child goes on with the iterator, or does the job with the client, of its parent; so does the parent."""
    client = side.client(world.api.url)
    with tempfile.TemporaryDirectory(prefix="adsecurity-drill-") as folder:
        own = State(Path(folder))
        rows: Any = ()
        if job.writes:
            # The client has connections, and perhaps threads, by now.
            side.result(job.begin(client, state))
        else:
            own.rows = state.rows
            begun: Any = client.reports.clicks(**RANGE, integration_id="i-1", concurrency=job.concurrency)
            rows = iter(begun)
            state.rows.append(next(rows).real_tx_id)
        child = os.fork()
        if child == 0:
            os._exit(_status_in_child(lambda: _go_on(job, client, own, rows)))
        ended = _wait_for(child)
        assert ended in (0, 1), "an error that is not ours, or wrong rows"
        _go_on(job, client, state, rows)
        client.close()
    return "the child was told" if ended == 0 else "the child did it too"


def _go_on(job: Job, client: Any, state: State, rows: Any) -> None:
    if job.writes:
        job.begin(client, state)
    for row in rows:
        state.rows.append(row.real_tx_id)
    assert job.is_whole(state)


def _status_in_child(go_on: Callable[[], None]) -> int:
    try:
        go_on()
    except AdsecurityError:
        return 0
    except BaseException:
        return 2
    return 1


def _wait_for(child: int) -> int:
    until = time.monotonic() + 6
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < until:
        time.sleep(0.01)
    if ended == (0, 0):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise AssertionError("the child hung")
    return os.waitstatus_to_exitcode(ended[1])


def full_disk(side: Side, world: World, job: Job, state: State) -> str:
    """No file may grow beyond a few bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    client = side.client(world.api.url)
    try:
        side.result(job.begin(client, state))
    except DownloadError as error:
        assert not state.path.exists()
        told = type(error).__name__
    else:
        raise AssertionError("the disk was not full")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    _finish(side, world, job, state, client)
    return told


def kill(side: Side, world: World, job: Job, state: State) -> str:
    held = _hold(world, job)
    command = [sys.executable, "-m", "tests.worst_day.victim", side.mode, world.api.url, job.name, str(state.folder)]
    with subprocess.Popen(command) as process:
        assert held.wait(20), "it did not begin"
        time.sleep(0.05)
        process.kill()
    assert not state.path.exists()
    _finish(side, world, job, state)
    return "killed"


NOTHING_LEFT = "a list in memory dies with its process"
EVENTS = (
    Event("disk full", full_disk, {"list": "writes nothing", "concurrency": "writes nothing"}),
    Event("interrupt", interrupt),
    Event("cancel", cancel, {"sync": "only tasks are cancelled"}),
    Event("fork", fork, {"async": "a running event loop cannot be forked"}),
    Event("kill -9", kill, {"list": NOTHING_LEFT, "concurrency": NOTHING_LEFT}),
)
