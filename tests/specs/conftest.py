"""The counts of facts are worth reading also where all is well, so they end up in the summary of a run."""

from __future__ import annotations

from typing import Any

COUNTS = "facts"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    lines = {line for report in reports for name, line in report.user_properties if name == COUNTS}
    if lines:
        terminalreporter.section("documented facts")
        for line in sorted(lines):
            terminalreporter.write_line(line)
