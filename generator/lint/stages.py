"""Checks of a spec before anything is generated from it: what the tools would drop or bend without a word."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from ..spec.lookup import Spec
from ..spec.source import Problem
from .kinds import KIND_RULES
from .operations import OPERATION_RULES
from .parameters import PARAMETER_RULES
from .root import ROOT_RULES
from .schemas import SCHEMA_RULES
from .shape import SHAPE_RULES, TOOL_RULES

Rule: TypeAlias = Callable[[Spec], Iterable[Problem]]

# Each stage relies on what the ones before it have found sound.
_STAGES: tuple[tuple[Rule, ...], ...] = (
    SHAPE_RULES,
    ROOT_RULES,
    SCHEMA_RULES,
    OPERATION_RULES,
    PARAMETER_RULES,
    KIND_RULES,
    TOOL_RULES,
)


def lint(spec: Spec) -> list[Problem]:
    """Return every rule that a spec breaks, of the first stage that finds any."""
    for stage in _STAGES:
        problems = [problem for rule in stage for problem in rule(spec)]
        if problems:
            return problems
    return []
