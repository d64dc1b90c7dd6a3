"""All rules, in stages: a spec is checked before anything is generated from it."""

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

# The rules of a stage may rely on those of earlier stages being kept.
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
    """Return all problems of the first stage that finds any."""
    for stage in _STAGES:
        problems = [problem for rule in stage for problem in rule(spec)]
        if problems:
            return problems
    return []
