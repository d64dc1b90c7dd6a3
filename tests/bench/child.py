"""One contender in a process of its own: `python -m tests.bench.child NAME URL [one-core]`.

Every line on standard input is a range to read; every line on standard output says how that went. The last word of a
line that ends in "profile" prints where the time went, on standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from tests.bench.contenders import Reader, find

# What httpx and httpcore import where it is installed, and users of a library do not have: a command line, and trio.
NOT_INSTALLED = "import sys; sys.modules['click'] = sys.modules['trio'] = None"


def peak() -> int:
    """The most memory that this process has had, in bytes.

    Not `ru_maxrss`, which a process inherits from the one that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        text = status.read_text().partition("VmHWM:")[2]
        return int(text.split(None, 1)[0]) * 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _measure(read: Reader, start: str, end: str) -> dict[str, float | None]:
    wall, cpu = time.perf_counter(), time.process_time()
    rows, total = read(start, end)
    return {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "rows": rows,
        "total": total,
        "peak": peak(),
    }


def _profiled(read: Reader, start: str, end: str) -> dict[str, float | None]:
    import cProfile
    import pstats

    with cProfile.Profile() as profile:
        measured = _measure(read, start, end)
    pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(35)
    return measured


def main() -> None:
    name, url = sys.argv[1:3]
    exec(NOT_INSTALLED)
    if "one-core" in sys.argv and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    read = find(name)(url)
    for line in sys.stdin:
        asked = json.loads(line)
        measure = _profiled if asked.get("profile") else _measure
        print(json.dumps(measure(read, asked["start"], asked["end"])), flush=True)


if __name__ == "__main__":
    main()
