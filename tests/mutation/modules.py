"""The core whose tests are tested, and for each module the quick tests that are meant for it."""

from __future__ import annotations

MODULES: dict[str, list[str]] = {
    "paging/state.py": [
        "paging/test_core.py",
        "paging/test_state.py",
        "paging/test_checkpoint.py",
        "paging/test_half_open.py",
    ],
    "paging/checkpoint.py": ["paging/test_core.py", "paging/test_checkpoint.py", "paging/test_old_checkpoints.py"],
    "paging/half_open.py": ["paging/test_half_open.py"],
    "paging/clock.py": ["paging/test_half_open.py", "paging/windows/test_spans.py"],
    "paging/windows/plan.py": ["paging/windows/test_plan.py", "paging/windows/test_spans.py"],
    "paging/windows/run.py": ["paging/windows/test_plan.py", "paging/windows/test_spans.py"],
    "paging/windows/window.py": ["paging/windows/test_plan.py", "paging/windows/test_spans.py"],
    "paging/windows/spans.py": ["paging/windows/test_plan.py", "paging/windows/test_spans.py"],
    "http/retry.py": ["http/test_retry.py"],
    "http/pace.py": ["http/test_pace.py", "http/test_throttle.py"],
    "http/throttle.py": ["http/test_throttle.py", "http/test_pace.py"],
    "exports/state.py": ["exports/test_state.py", "exports/test_jobs.py"],
    "exports/part_file.py": ["exports/test_download.py"],
    "exports/download.py": ["exports/test_download.py"],
    "codec/request.py": ["codec/test_request.py", "client/test_nested_arguments.py"],
}
