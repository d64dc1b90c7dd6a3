"""`make drills`: every fault with every job, over real sockets; prints the table, and fails where a cell does not hold.

A cell holds when exactly the right rows and bytes came, or one of our errors with which the job is then gone on with;
within the deadline; and when no thread, task, socket or file is left behind.
"""

from __future__ import annotations

import json
import logging
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adsecurity import AdsecurityError
from adsecurity.exports.storage import StallLimit
from tests.worst_day.events import EVENTS, Event
from tests.worst_day.faults import ERROR, FAULTS, FOR_EVER, WHOLE, Fault
from tests.worst_day.hosts import World
from tests.worst_day.jobs import JOBS, Job, Side, State

LIMIT = 8.0
"""Seconds that one try of a job may take: those that it needs for itself, and what a busy machine adds."""
MODES = ("sync", "async")


def attempt(side: Side, url: str, job: Job, state: State) -> AdsecurityError | None:
    """Begin the job, or go on with it; the error that it ended with."""
    client = side.client(url)
    began = time.monotonic()
    try:
        side.result(job.begin(client, state))
    except AdsecurityError as error:
        return error
    finally:
        took = time.monotonic() - began
        side.result(client.close())
        assert took < LIMIT, f"it took {took:.1f} s"


def go_on(side: Side, world: World, job: Job, state: State, resume: str | None) -> None:
    """Go on behind an error, when the hosts work again."""
    if job.writes:
        assert not state.path.exists(), "half a file is there"
    if job.host == "api":
        # A list is written anew; a download goes on with its part.
        assert not list(state.folder.iterdir()), "something of a list is there"
    world.mend()
    state.resume = resume
    error = attempt(side, world.api.url, job, state)
    assert error is None, f"going on failed: {error}"


def check_left(side: Side, world: World, job: Job, state: State) -> None:
    """All is there, and nothing else."""
    assert job.is_whole(state), f"wrong rows or bytes ({len(state.rows)} rows)"
    names = sorted(path.name for path in state.folder.iterdir())
    assert names == (["result"] if job.writes else []), f"files: {names}"
    seen = [request for host in (world.storage, world.other) for request in host.requests]
    assert not any("api-key" in request.headers for request in seen), "another host was shown the key"
    assert side.tasks() == 0, "a task is left"
    until = time.monotonic() + 3
    while (left := leftovers(world)) and time.monotonic() < until:
        time.sleep(0.01)
    assert not left, left


def leftovers(world: World) -> str:
    threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("adsecurity")]
    sockets = sum(host.open for host in world.hosts)
    return f"threads {threads}, sockets {sockets}" if threads or sockets else ""


def run_fault(side: Side, world: World, job: Job, fault: Fault, times: float, expected: str) -> str:
    with folder() as place:
        state = State(place)
        url = fault.break_down(world, job.host, times)
        error = attempt(side, url, job, state)
        if error is not None:
            assert error.checkpoint or job.writes, f"no checkpoint: {error!r}"
            go_on(side, world, job, state, error.checkpoint)
        world.mend()
        check_left(side, world, job, state)
        assert not (error and expected == WHOLE), f"an error: {error}"
        assert error or expected != ERROR, "no error"
        return type(error).__name__ if error else "whole"


class folder:
    """A folder for one cell."""

    def __enter__(self) -> Path:
        self._path = Path(tempfile.mkdtemp(prefix="adsecurity-drill-"))
        return self._path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._path)


def run_event(side: Side, world: World, job: Job, event: Event) -> str:
    with folder() as place:
        state = State(place)
        outcome = event.run(side, world, job, state)
        world.mend()
        check_left(side, world, job, state)
        return outcome


def cell(run: Callable[[], str]) -> dict[str, Any]:
    began = time.monotonic()
    try:
        text, held = run(), True
    except BaseException as error:
        text, held = f"{type(error).__name__}: {error}", False
    return {"text": text, "held": held, "seconds": round(time.monotonic() - began, 2)}


def run_all(mode: str, only: str) -> dict[str, dict[str, Any]]:
    side, world = Side(mode), World()
    for job in JOBS:
        # What is imported by a first call comes out of the time of a cell otherwise, which is short.
        with folder() as place:
            world.mend()
            attempt(side, world.api.url, job, State(place))
    cells: dict[str, dict[str, Any]] = {}
    for row in (*FAULTS, *EVENTS):
        for job in JOBS:
            if only not in f"{row.name}|{job.name}":
                continue
            name = f"{row.name}|{job.name}"
            reason = row.not_for.get(job.host) or row.not_for.get(job.name) or row.not_for.get(mode)
            if reason:
                cells[name] = {"text": f"- ({reason})", "held": True, "seconds": 0}
                continue
            world.mend()
            if isinstance(row, Event):
                cells[name] = cell(lambda job=job, row=row: run_event(side, world, job, row))
                continue
            once = cell(lambda job=job, row=row: run_fault(side, world, job, row, 1, row.once))
            world.mend()
            ever = cell(lambda job=job, row=row: run_fault(side, world, job, row, FOR_EVER, row.for_ever))
            cells[name] = {
                "text": f"{once['text']} / {ever['text']}",
                "held": once["held"] and ever["held"],
                "seconds": once["seconds"] + ever["seconds"],
            }
    side.close()
    world.close()
    return cells


def main() -> int:
    if len(sys.argv) > 2 and sys.argv[1] in MODES:
        logging.disable()
        # Whoever runs this in the background may have it ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # A minute of waiting for next to nothing, in short.
        StallLimit.SECONDS = 0.6
        print(json.dumps(run_all(sys.argv[1], sys.argv[2])))
        return 0
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    began = time.monotonic()
    command = [sys.executable, "-X", "dev", "-m", "tests.worst_day"]
    running = [subprocess.Popen([*command, mode, only], stdout=subprocess.PIPE, text=True) for mode in MODES]
    found = {mode: json.loads(process.communicate()[0]) for mode, process in zip(MODES, running, strict=True)}
    failed = 0
    for mode, cells in found.items():
        print(f"\n{mode}: fault once / for ever; an error is one that the job was then gone on behind")
        for name, one in cells.items():
            row, job = name.split("|")
            failed += not one["held"]
            print(f"{'ok  ' if one['held'] else 'FAIL'} {row:24} {job:18} {one['seconds']:6.2f} s  {one['text']}")
    count = sum(map(len, found.values()))
    print(f"\n{count - failed} of {count} cells held in {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
