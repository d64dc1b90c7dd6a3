"""The measured goals as a table, with the machine they were measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from tests.bench.cases import Goal, Outcome

_HEAD = ("goal", "measured", "beside", "ratio", "wanted", "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that also reads well as text."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    lines.insert(1, ["-" * max(width, 1) for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def _line(goal: Goal) -> tuple[str, ...]:
    result = "pass" if goal.passed else "MISS"
    return goal.what, goal.measured, goal.peer, f"{goal.ratio:.2f}", goal.bound, result


def goals_text(outcomes: Sequence[Outcome]) -> str:
    """The goals, and beside them what else was measured."""
    goals = [goal for outcome in outcomes for goal in outcome.goals]
    parts = [_table(_HEAD, [_line(goal) for goal in goals])] if goals else []
    for outcome in outcomes:
        if outcome.seen:
            parts.append(f"## {outcome.title}\n\n{_table(('what', 'measured'), outcome.seen)}")
    if goals:
        missed = sum(not goal.passed for goal in goals)
        parts.insert(1, f"{len(goals) - missed} of {len(goals)} goals are met.")
    return "\n\n".join(parts)


def machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores{_model()}{_memory()}, {platform.system()}, Python {platform.python_version()}"


def _model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f" ({names[0]})" if names else ""


def _memory() -> str:
    try:
        return f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    except (AttributeError, ValueError, OSError):
        return ""


def report(outcomes: Sequence[Outcome], when: datetime, *, seconds: float) -> str:
    return f"""# Speed goals, measured

Written by `make bench` on {when:%Y-%m-%d %H:%M} UTC, in {seconds / 60:.0f} minutes, on {machine()}.

Everything is measured against a server on the same machine that answers from bytes made beforehand, in one run, in
turns (A B A B), each contender in a process of its own. Figures are medians, ratios are medians of the ratios in each
turn: only the ratios travel to other machines. Rows per second and core are rows over the processor time of a client
that is held to one core. A page has 100 click rows of 86 fields, 2.6 KB each. Dirty pages, one in a hundred, hold
nulls, empty times, numbers as texts, unknown enum values and an unknown field; the peers read the same rows clean,
because they fail at dirty ones. Every reader has to find as many rows, worth as much in all, as the server has. httpx
is kept from importing its command line (click, pygments, rich), which the generator brings into this environment and
users do not have. sniffio, which `[fast]` brings and each async request of httpx looks for, is there for all of them.

{goals_text(outcomes)}
"""
