"""The table of `make drills` is whole: faults and events on one side, all kinds of jobs on the other."""

from __future__ import annotations

import pytest

pytest.importorskip("pyarrow")

from tests.worst_day.events import EVENTS
from tests.worst_day.faults import FAULTS
from tests.worst_day.jobs import JOBS


def test_the_table_of_drills_has_every_fault_and_every_job() -> None:
    assert [job.name for job in JOBS] == ["list", "concurrency", "list to Parquet", "download", "export to Parquet"]
    rows = [row.name for row in (*FAULTS, *EVENTS)]
    assert len(rows) == len(set(rows)) >= 25


def test_each_row_of_the_table_is_for_some_job_and_what_it_leaves_out_exists() -> None:
    known = {name for job in JOBS for name in (job.name, job.host)} | {"sync", "async"}
    for row in (*FAULTS, *EVENTS):
        assert set(row.not_for) <= known, row.name
        assert any(job.name not in row.not_for and job.host not in row.not_for for job in JOBS), row.name
