"""Who reads the click report, each in a process of its own.

A contender is a function that is given the server's address and returns a reader: called with the ends of a range, it
reads all rows of it through one connection (unless it says otherwise) and returns how many there were and what their
payouts add up to, None where it has no typed rows to add up.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

Reader = Callable[[str, str], tuple[int, float | None]]
Contender = Callable[[str], Reader]

KEY = "bench-key"
ROUTE = "/api/v2/reports/v2/click-table"


def query(start: str, end: str, after: str | None, *, integration: str = "clean") -> dict[str, str]:
    asked = {"integration_id": integration, "start_time": start, "end_time": end, "page[size]": "100"}
    return asked if after is None else asked | {"page[after]": after}


def find(name: str) -> Contender:
    """The contender `module.function`."""
    module, _, function = name.partition(".")
    found: Contender = getattr(import_module(f"{__name__}.{module}"), function)
    return found
