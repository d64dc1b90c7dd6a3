"""What is measured: one module for each, with a function `run(setting)` that returns its goals and what else it saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

import attrs

NAMES = (
    "server",
    "rows",
    "windows",
    "sparse",
    "memory",
    "report",
    "groups",
    "download",
    "parquet",
    "start",
    "generate",
)


@attrs.frozen
class Setting:
    """How large the run is."""

    quick: bool = False

    def of(self, full: int, quick: int) -> int:
        return quick if self.quick else full


@attrs.frozen
class Goal:
    """One line of the table."""

    what: str
    measured: str
    peer: str
    ratio: float
    bound: str
    passed: bool

    @classmethod
    def at_least(cls, what: str, measured: str, peer: str, ratio: float, bound: float) -> Goal:
        return cls(what, measured, peer, ratio, f"at least {bound:g}", ratio >= bound)

    @classmethod
    def at_most(cls, what: str, measured: str, peer: str, ratio: float, bound: float) -> Goal:
        return cls(what, measured, peer, ratio, f"at most {bound:g}", ratio <= bound)

    @classmethod
    def under(cls, what: str, value: float, unit: str, bound: float, peer: str = "") -> Goal:
        """A goal in units of its own; its ratio is the share of the bound that is used up."""
        return cls(what, f"{value:.1f} {unit}", peer, value / bound, f"under {bound:g} {unit}", value < bound)


@attrs.frozen
class Outcome:
    goals: Sequence[Goal] = ()
    seen: Sequence[tuple[str, str]] = ()
    """What was measured beside the goals, each with a name."""
    title: str = ""


def case(name: str) -> Callable[[Setting], Outcome]:
    found: Callable[[Setting], Outcome] = import_module(f"{__name__}.{name}").run
    return found
