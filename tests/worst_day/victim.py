"""A process that does one job of the drills until it is killed."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.worst_day.jobs import JOBS, Side, State

if __name__ == "__main__":
    mode, url, name, folder = sys.argv[1:]
    side = Side(mode)
    job = next(job for job in JOBS if job.name == name)
    side.result(job.begin(side.client(url), State(Path(folder))))
