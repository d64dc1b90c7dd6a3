"""`make soak`: much of everything for about five minutes; fails where memory grows or something is left.

Sizes fit a quiet machine of two cores: the ten million rows are small ones, a thousand a page. PART= is the part of all
sizes that is tried, for a quick look.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adsecurity import AsyncNetworkClient, NetworkClient
from tests.bench import dataset

ROOT = Path(__file__).parents[2]
KEY = "soak-key"
MAY_GROW = 8.0
"""MB, from the first part of a case to its end: what the allocator keeps differs by a few between equal runs."""
SECONDS = 3.0
"""So long may threads and sockets take to go after the client was closed."""
_EXPORT: dict[str, Any] = {
    "start_time": "2026-11-01",
    "end_time": "2026-11-02",
    "fields": ["tx_id"],
    "extra_parameters": [],
}
Case = Callable[[str, float], Iterator[int]]
"""Yields after its first part and at its end how much has been done: memory must be the same then."""


def one_iterator(url: str, part: float) -> Iterator[int]:
    rows, wanted = 0, int(10_000_000 * part)
    with NetworkClient(api_key=KEY, base_url=url) as net:
        for user in net.users.list(page_size=1000, limit=wanted):
            assert user.id == f"{rows // 1000 + 1:09}-{rows % 1000}", f"{user.id} is in place {rows}"
            rows += 1
            if rows == wanted // 10:
                yield rows
        assert rows == wanted, f"{rows} rows of {wanted}"
        yield rows


def many_windows(url: str, part: float) -> Iterator[int]:
    wanted = int(400_000 * part)
    start, end = dataset.span(wanted // 4)
    first, last = dataset.numbers(start, end)
    done = 0
    with NetworkClient(api_key=KEY, base_url=url) as net:
        for turn in range(4):
            # Not a set of ids: texts that stay keep the memory around them, where the rows were.
            seen = bytearray(last + 1 - first)
            for row in net.reports.clicks(integration_id="clean", start_time=start, end_time=end, concurrency=64):
                place = dataset.number_of(str(row.real_tx_id)) - first
                assert not seen[place], f"{row.real_tx_id} came twice"
                seen[place] = 1
            assert all(seen), f"{sum(seen)} rows of {len(seen)}"
            done += len(seen)
            # What 64 threads keep for themselves settles in the first two turns.
            if turn % 2:
                yield done


def many_jobs(url: str, part: float) -> Iterator[int]:
    count = max(2, int(200 * part))

    async def wait(client: AsyncNetworkClient, name: str) -> None:
        job = await client.exports.clicks(name, **_EXPORT)
        await job.wait(timeout=120)

    async def run(turn: int) -> None:
        async with AsyncNetworkClient(api_key=KEY, base_url=url) as client:
            await asyncio.gather(*(wait(client, f"export_{turn}_{number}") for number in range(count)))
        assert len(asyncio.all_tasks()) == 1, "tasks are left"

    for turn in range(2):
        asyncio.run(run(turn))
        yield count * (turn + 1)


def many_threads(url: str, part: float) -> Iterator[int]:
    calls = int(40_000 * part)
    with NetworkClient(api_key=KEY, base_url=url) as net, ThreadPoolExecutor(32) as threads:

        def read(number: int) -> None:
            assert net.users.get(f"user-{number}").id == f"user-{number}", "somebody else's answer"

        for turn in range(2):
            for _ in threads.map(read, range(turn * calls // 2, (turn + 1) * calls // 2)):
                pass
            yield (turn + 1) * calls // 2


def many_tasks(url: str, part: float) -> Iterator[int]:
    count = int(10_000 * part)

    async def read(client: AsyncNetworkClient, number: int) -> None:
        found = await client.users.get(f"user-{number}", timeout=120)
        assert found.id == f"user-{number}", "somebody else's answer"

    async def run() -> None:
        async with AsyncNetworkClient(api_key=KEY, base_url=url) as client:
            await asyncio.gather(*(read(client, number) for number in range(count)))
        assert len(asyncio.all_tasks()) == 1, "tasks are left"

    for turn in range(2):
        asyncio.run(run())
        yield count * (turn + 1)


CASES: dict[str, Case] = {
    "rows through one iterator": one_iterator,
    "rows through 64 windows": many_windows,
    "jobs polled at once": many_jobs,
    "calls of 32 threads": many_threads,
    "calls of as many tasks": many_tasks,
}


def resident() -> float:
    """MB of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def held() -> tuple[int, int]:
    """How many threads and open files (sockets among them) this process has."""
    return threading.active_count(), len(os.listdir("/proc/self/fd"))


def try_case(name: str, case: Case, url: str, part: float) -> bool:
    before, began = held(), time.monotonic()
    sizes, counts = [], []
    for count in case(url, part):
        sizes.append(resident())
        counts.append(count)
    took = time.monotonic() - began
    until = time.monotonic() + SECONDS
    while held() != before and time.monotonic() < until:
        time.sleep(0.01)
    grown, left = sizes[-1] - sizes[0], held()
    holds = grown <= MAY_GROW and left == before
    lost = "" if left == before else f", left: threads and files {left}, were {before}"
    print(
        f"{name:28} {counts[-1]:>12,} {took:7.1f} s {sizes[0]:7.1f} MB {sizes[-1]:7.1f} MB"
        f"   {'holds' if holds else 'FAILS'}{lost}",
        flush=True,
    )
    return holds


@contextmanager
def serving(rows: int) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.soak.server", str(rows)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["api"]
        process.stdin.close()


def main(part: float) -> int:
    began = time.monotonic()
    print(f"{'':28} {'done':>12} {'time':>9} {'first':>10} {'end':>10}")
    with serving(20_000_000) as url:
        # What every case needs is there before the first is looked at: modules, decoders.
        for case in CASES.values():
            for _ in case(url, 0.002):
                pass
        held_up = [try_case(name, case, url, part) for name, case in CASES.items()]
    print(f"{sum(held_up)} of {len(held_up)} hold; {time.monotonic() - began:.0f} s in all")
    return 0 if all(held_up) else 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1] or 1)))
