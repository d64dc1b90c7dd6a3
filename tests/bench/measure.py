"""Contenders as processes, asked in turns: A B A B, so that whatever else the machine does hits all of them alike."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import attrs

from tests.bench import dataset
from tests.bench.contenders import dlt, plain
from tests.bench.servers import ROOT, environment


@attrs.frozen
class Reading:
    """How one contender read one range, once."""

    wall: float
    cpu: float
    rows: int
    total: float | None
    peak: int


class Worker:
    """One contender, in a process of its own."""

    def __init__(self, name: str, url: str, *, one_core: bool = False) -> None:
        python = dlt.python() if name.startswith("dlt.") else sys.executable
        command = [python, "-m", "tests.bench.child", name, url, *(["one-core"] if one_core else [])]
        self.name = name
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=pipe, stdout=pipe, text=True)

    def read(self, rows: int, *, profile: bool = False) -> Reading:
        """Read the last `rows` rows, and see to it that each was read once."""
        start, end = dataset.span(rows)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"start": start, "end": end, "profile": profile}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended before it had read the report")
        reading = Reading(**json.loads(line))
        truth = dataset.payout(rows, dirty=self.name.startswith("ours.") and not self.name.endswith("_clean"))
        if reading.rows != rows or (reading.total is not None and abs(reading.total - truth) > 1e-6 * truth):
            raise RuntimeError(f"{self.name} read {reading.rows} rows worth {reading.total}, not {rows} worth {truth}")
        return reading

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        self._process.communicate()


def in_turns(names: Sequence[str], url: str, *, rows: int, rounds: int, warm_up: int) -> dict[str, list[Reading]]:
    """Every contender, held to one core, reads the same rows in every round; a first range warms it up."""
    if any(name.startswith("plain.") for name in names):
        plain.made()
    readings: dict[str, list[Reading]] = {name: [] for name in names}
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(name, url, one_core=True)) for name in names]
        for worker in workers:
            worker.read(warm_up)
        for _ in range(rounds):
            for worker in workers:
                readings[worker.name].append(worker.read(rows))
    return readings


def median(values: Sequence[Any], get: Callable[[Any], float] = float) -> float:
    return statistics.median(get(value) for value in values)


def alternately(jobs: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[Any]]:
    """What the jobs return, run one after the other, again and again."""
    results: dict[str, list[Any]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            results[name].append(job())
    return results
